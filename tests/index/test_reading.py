"""Files to Documents: what is read, under which name, and what is refused."""

import json
import os
import unicodedata
from pathlib import Path

import pytest

from index import reading
from index.errors import DocumentEmpty, DocumentError, DocumentNotFound, DocumentNotText, DocumentUnsupported
from index.reading import files_of, read
from index.records import Document

KOREAN = "각 문서는 한국어로 쓰여 있다.\n둘째 줄.\n"


def one(path: Path, content: bytes) -> Document | DocumentError:
    path.write_bytes(content)
    [result] = read(path, path.name)
    return result


def text_of(path: Path, content: bytes) -> str:
    document = one(path, content)
    assert isinstance(document, Document), document
    return document.text


def test_text_is_nfc_without_bom_and_with_plain_line_ends(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", KOREAN)
    assert nfd != KOREAN
    for content in (KOREAN, nfd, KOREAN.replace("\n", "\r\n"), KOREAN.replace("\n", "\r"), "\ufeff" + KOREAN):
        assert text_of(tmp_path / "a.txt", content.encode()) == KOREAN


def test_the_digest_tells_texts_and_titles_apart() -> None:
    assert reading.document("a", "글", "제목").digest == reading.document("b", "글", "제목").digest
    assert (
        len({reading.document("a", text, title).digest for text, title in (("글", ""), ("글", "글"), ("글2", ""))}) == 3
    )


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.txt", "제목이다\n\n본문이다.", "제목이다"),
        ("a.txt", "첫 줄이다.\n둘째 줄이다.", ""),
        ("a.txt", "길" * 121 + "\n\n본문", ""),
        ("a.txt", "한 줄", ""),
        ("a.md", "\n## 제목\n본문", "제목"),
        ("a.txt", "# 제목\n본문", ""),
    ],
)
def test_a_heading_becomes_the_title(name: str, text: str, title: str, tmp_path: Path) -> None:
    document = one(tmp_path / name, text.encode())
    assert isinstance(document, Document)
    assert document.title == title
    assert document.source == str((tmp_path / name).resolve())


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", DocumentEmpty, "no text"),
        (b"\xef\xbb\xbf \n\t\r\n", DocumentEmpty, "no text"),
        ("한글로 쓴 오래된 문서".encode("cp949"), DocumentNotText, "CP949"),
        ("한글".encode("utf-16"), DocumentNotText, "UTF-16"),
        (b"abc\xff\xfe\x80", DocumentNotText, "byte 3"),
        (b"a\x00b", DocumentNotText, "NUL"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(
    content: bytes, error: type[DocumentError], words: str, tmp_path: Path
) -> None:
    refusal = one(tmp_path / "문서.txt", content)
    assert type(refusal) is error
    assert words in str(refusal)
    assert refusal.values["document"] == "문서.txt"


def test_latin_bytes_get_no_hint_at_korean(tmp_path: Path) -> None:
    assert "CP949" not in str(one(tmp_path / "a.txt", "naïve café, where one sits".encode("latin-1")))


def test_a_file_too_large_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    assert text_of(tmp_path / "a.txt", b"x" * 10) == "x" * 10
    assert "Split it" in str(one(tmp_path / "a.txt", b"x" * 11))


def test_another_ending_and_a_vanished_file_are_refused(tmp_path: Path) -> None:
    assert isinstance(one(tmp_path / "a.pdf", b"%PDF"), DocumentUnsupported)
    [refusal] = read(tmp_path / "gone.txt", "gone.txt")
    assert isinstance(refusal, DocumentNotText)
    assert "No such file" in str(refusal)


# --- JSON Lines


def test_each_good_line_is_a_document_and_each_bad_one_an_error(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "가/1")
    lines = [
        json.dumps({"id": nfd, "title": "제목", "text": "글이다."}),
        "",
        '{"id": "b", "text": "two", "title": null, "more": 1}\r',
        "not json",
        '["a list"]',
        '{"id": "c"}',
        '{"id": 5, "text": "number"}',
        '{"id": "", "text": "no name"}',
        '{"id": "\\ud800", "text": "half a pair"}',
        '{"id": "d", "text": "\\ud800"}',
        '{"id": "e", "text": " "}',
        '{"id": "f", "text": "a\\u0000b"}',
        "[" * 100_000,
        '{"id": "b", "text": "again"}',
    ]
    path = tmp_path / "all.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    results = read(path, "all.jsonl")
    good = [result for result in results if isinstance(result, Document)]
    assert [(document.name, document.title, document.text) for document in good] == [
        (nfd, "제목", "글이다."),  # the id as it stands
        ("b", "", "two"),
        ("b", "", "again"),
    ]
    assert {document.source for document in good} == {str(path.resolve())}
    bad = [result for result in results if isinstance(result, DocumentError)]
    assert [error.values["document"] for error in bad] == [
        *(f"all.jsonl:{number}" for number in (4, 5, 6, 7, 8, 9, 10)),
        "e",
        "f",
        "all.jsonl:13",
    ]


def test_a_jsonl_file_without_lines_is_empty(tmp_path: Path) -> None:
    assert isinstance(one(tmp_path / "a.jsonl", b"\n \n"), DocumentEmpty)


# --- which files


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


def test_a_folder_gives_its_documents_in_order_without_the_hidden_ones(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/c.MD", "a/.git/x.txt", ".hidden.txt", "image.png", "a/b.jsonl", "z.markdown")
    assert [name for _, name in files_of(tmp_path)] == ["a/b.jsonl", "a/c.MD", "b.txt", "z.markdown"]


def test_a_file_named_by_itself_is_always_taken(tmp_path: Path) -> None:
    make(tmp_path, ".hidden.txt", "image.png")
    for name in (".hidden.txt", "image.png"):
        assert list(files_of(tmp_path / name)) == [(tmp_path / name, name)]


def test_names_are_nfc(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "한글.txt")
    make(tmp_path, nfd)
    assert [name for _, name in files_of(tmp_path)] == ["한글.txt"]
    assert [name for _, name in files_of(tmp_path / nfd)] == ["한글.txt"]


def test_what_the_ignore_file_names_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "drafts/b.txt", "drafts/keep.txt", "old/c.txt")
    (tmp_path / ".mureumignore").write_text("\ufeffold/\n# a comment\ndrafts/*\n!drafts/keep.txt\n", "utf-8")
    assert [name for _, name in files_of(tmp_path)] == ["a.txt", "drafts/keep.txt"]


@pytest.mark.parametrize("content", ["지난 자료/".encode("cp949"), b"!"])
def test_an_ignore_file_that_cannot_be_read_is_an_error(content: bytes, tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    (tmp_path / ".mureumignore").write_bytes(content)
    with pytest.raises(DocumentNotText, match="mureumignore"):
        list(files_of(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "in/a.txt", "out/b.txt")
    (tmp_path / "in" / "file.txt").symlink_to(tmp_path / "out" / "b.txt")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    (tmp_path / "in" / "same.txt").symlink_to(tmp_path / "in" / "a.txt")
    assert [name for _, name in files_of(tmp_path / "in")] == ["a.txt", "same.txt"]


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_a_name_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb0\xa1.txt"))
    try:
        path.write_text("text")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    [(file, name)] = files_of(tmp_path)
    [document] = read(file, name)
    assert isinstance(document, Document)
    assert (document.name, document.text) == ("\\udcb0\\udca1.txt", "text")
    assert document.source.encode().endswith(b"\\udca1.txt")


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentNotFound, match=r"gone\.txt"):
        list(files_of(tmp_path / "gone.txt"))
