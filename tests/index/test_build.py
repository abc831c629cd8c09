"""The main path: adding, changing; what is gone, what cannot be read, what has the same name."""

import json
from pathlib import Path

import pytest

from index import build
from index.build import Progress
from index.errors import (
    DocumentConflict,
    DocumentEmpty,
    DocumentNotFound,
    DocumentNotText,
    DocumentUnsupported,
)
from index.fake import FakeEncoder
from tests.index.stored import RECIPE, assert_every_document_whole, content, many, texts, write


def test_a_folder_is_added_and_added_again_without_encoding(files: Path, folder: Path) -> None:
    seen: list[Progress] = []
    first = build.add(folder, [files], FakeEncoder(), seen.append)
    assert first.added == ["j1", "j2", "sub/b.md", "가.txt"]
    assert (first.changed, first.unchanged, first.refused) == ([], [], [])
    assert seen[-1] == Progress(3, 3, 4, 4)
    assert build.verify(folder, RECIPE) == []
    encoder = FakeEncoder()
    again = build.add(folder, [files], encoder, seen.append)
    assert (again.added, again.changed, again.unchanged, again.refused) == ([], [], first.added, [])
    assert encoder.encoded == 0
    assert seen[-1] == Progress(3, 3, 4, 0)


def test_a_changed_file_takes_the_place_of_its_older_self(files: Path, folder: Path) -> None:
    build.add(folder, [files], FakeEncoder())
    write(files / "가.txt", "바뀐 문서이다.")
    write(files / "many.jsonl", '{"id": "j1", "text": "changed"}\n{"id": "j2", "text": "The text of j2 is here."}')
    encoder = FakeEncoder()
    report = build.add(folder, [files], encoder)
    assert (report.added, report.changed, report.unchanged) == ([], ["j1", "가.txt"], ["j2", "sub/b.md"])
    assert report.refused == []
    assert encoder.encoded == 2
    assert texts(folder)["가.txt"] == "바뀐 문서이다."
    assert texts(folder)["j1"] == "changed"


# --- renamed, copied and deleted files


def test_a_deleted_file_and_a_deleted_line_are_forgotten(files: Path, folder: Path) -> None:
    build.add(folder, [files], FakeEncoder())
    (files / "가.txt").unlink()
    write(files / "many.jsonl", '{"id": "j2", "text": "The text of j2 is here."}')
    report = build.add(folder, [files], FakeEncoder())
    assert (report.unchanged, sorted(report.removed)) == (["j2", "sub/b.md"], ["j1", "가.txt"])
    assert sorted(texts(folder)) == ["j2", "sub/b.md"]
    assert build.verify(folder, RECIPE) == []


def test_a_renamed_file_is_followed_without_encoding(files: Path, folder: Path) -> None:
    build.add(folder, [files], FakeEncoder())
    before = {row[0]: row[2:] for row in content(folder)}
    (files / "가.txt").rename(files / "sub" / "나.txt")
    encoder = FakeEncoder()
    report = build.add(folder, [files], encoder)
    assert (report.added, report.removed, encoder.encoded) == (["sub/나.txt"], ["가.txt"], 0)
    after = {row[0]: row[2:] for row in content(folder)}
    assert after["sub/나.txt"][1:] == before["가.txt"][1:]
    (files / "sub" / "나.txt").rename(files / "다.txt")
    report = build.add(folder, [files / "다.txt"], encoder)  # named by itself, from another folder
    assert (report.added, report.removed, encoder.encoded) == (["다.txt"], ["sub/나.txt"], 0)
    assert build.verify(folder, RECIPE) == []


def test_a_text_is_encoded_once_whatever_its_names(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / "files" / f"{name}.txt", "The same text. In two sentences.")
    encoder = FakeEncoder()
    assert build.add(folder, [tmp_path / "files"], encoder).added == ["a.txt", "b.txt", "c.txt"]
    write(tmp_path / "files" / "d.txt", "The same text. In two sentences.")
    assert build.add(folder, [tmp_path / "files"], encoder).added == ["d.txt"]
    assert encoder.encoded == 1
    rows = content(folder)
    assert len(rows) == 4
    assert all(row[3:] == rows[0][3:] for row in rows)


def test_only_what_is_surely_gone_is_forgotten(files: Path, folder: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other" / "c.txt", "Another folder.")
    build.add(folder, [files, other], FakeEncoder())
    other.unlink()  # it is in no folder that is added again
    write(files / "many.jsonl", "no JSON any more")
    (files / "가.txt").write_bytes(b"\xff\xff")
    assert build.add(folder, [files], FakeEncoder()).removed == []
    for path in sorted(files.rglob("*.*"), reverse=True):
        path.unlink()
    assert build.add(folder, [files], FakeEncoder()).removed == []  # as of a drive that is not there
    assert sorted(texts(folder)) == ["c.txt", "j1", "j2", "sub/b.md", "가.txt"]


def test_progress_tells_the_rate_and_what_is_left(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "BATCH_PASSAGES", 1)
    files, seen = many(tmp_path / "files", 4, "d"), list[Progress]()
    build.add(folder, [files], FakeEncoder(), seen.append)
    size = sum(path.stat().st_size for path in files.iterdir())
    assert [one.all_bytes for one in seen] == [size] * 5
    assert all(one.rate == one.passages / one.seconds > 0 for one in seen)
    left = [one.seconds_left for one in seen]
    assert left[0] is not None and left[0] > 0
    assert left[-2:] == [0.0, 0.0]
    build.rebuild(folder, FakeEncoder(), seen.append)
    assert (seen[-1].files, seen[-1].bytes, seen[-1].seconds_left) == (4, size, 0.0)
    assert Progress(0, 1, 0, 0, 0, 10).seconds_left is None


def test_an_add_that_is_interrupted_goes_on_with_the_rest(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "BATCH_PASSAGES", 1)
    files = many(tmp_path / "files", 5, "d")

    def ctrl_c(step: Progress) -> None:
        if step.documents == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.add(folder, [files], FakeEncoder(), ctrl_c)
    assert assert_every_document_whole(folder, files) == 3
    report = build.add(folder, [files], FakeEncoder())
    assert (len(report.unchanged), len(report.added)) == (3, 2)
    assert assert_every_document_whole(folder, files) == 5


def test_what_cannot_be_read_is_reported_and_hinders_nothing(files: Path, folder: Path) -> None:
    (files / "cp949.txt").write_bytes("한글로 쓴 오래된 문서".encode("cp949"))
    write(files / "empty.txt", " \n")
    write(files / "bad.jsonl", '{"id": "j3", "text": "good"}\nbad')
    picture = write(files / "a.png", "")
    report = build.add(folder, [files, picture], FakeEncoder())
    assert report.added == ["j3", "j1", "j2", "sub/b.md", "가.txt"]
    assert [(type(one), one.values["document"]) for one in report.refused] == [
        (DocumentNotText, "bad.jsonl:2"),
        (DocumentNotText, "cp949.txt"),
        (DocumentEmpty, "empty.txt"),
        (DocumentUnsupported, "a.png"),
    ]


def test_only_refused_files_leave_an_empty_index_that_opens(folder: Path, tmp_path: Path) -> None:
    report = build.add(folder, [write(tmp_path / "empty.txt", "")], FakeEncoder())
    assert [type(one) for one in report.refused] == [DocumentEmpty]
    assert texts(folder) == {}


def test_a_folder_without_documents_is_told_and_no_index_made(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "pictures" / "a.png", "")
    [refusal] = build.add(folder, [tmp_path / "pictures"], FakeEncoder()).refused
    assert isinstance(refusal, DocumentUnsupported)
    assert not folder.exists()


def test_a_missing_path_is_told_before_anything_is_written(files: Path, folder: Path) -> None:
    with pytest.raises(DocumentNotFound, match="gone"):
        build.add(folder, [files, files / "gone"], FakeEncoder())
    assert not folder.exists()


# --- two documents of one name


def test_two_files_of_one_name_are_a_conflict(folder: Path, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1" / "a.txt", "eins"), write(tmp_path / "2" / "a.txt", "zwei")
    report = build.add(folder, [one, two], FakeEncoder())
    assert report.added == ["a.txt"]
    [refusal] = report.refused
    assert isinstance(refusal, DocumentConflict)
    assert refusal.values == {"document": "a.txt", "source": str(one)}
    [refusal] = build.add(folder, [two], FakeEncoder()).refused
    assert refusal.values["source"] == str(one)
    assert texts(folder) == {"a.txt": "eins"}


def test_a_document_that_moved_is_no_conflict(folder: Path, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1" / "a.txt", "eins"), write(tmp_path / "2" / "a.txt", "eins")
    build.add(folder, [one], FakeEncoder())
    assert build.add(folder, [two], FakeEncoder()).unchanged == ["a.txt"]  # the same text; it is known from there now
    two.write_text("zwei", "utf-8")
    assert build.add(folder, [two], FakeEncoder()).changed == ["a.txt"]
    two.unlink()
    one.write_text("drei", "utf-8")
    assert build.add(folder, [one], FakeEncoder()).changed == ["a.txt"]
    assert texts(folder) == {"a.txt": "drei"}


def test_a_file_named_twice_is_read_once(files: Path, folder: Path) -> None:
    report = build.add(folder, [files, files / "가.txt", files], FakeEncoder())
    assert report.added == ["j1", "j2", "sub/b.md", "가.txt"]
    assert report.refused == []


def test_a_jsonl_id_that_comes_twice_is_a_conflict_unless_it_says_the_same(folder: Path, tmp_path: Path) -> None:
    lines = ["same", "same", "other"]
    path = write(tmp_path / "a.jsonl", "\n".join(json.dumps({"id": "j", "text": text}) for text in lines))
    report = build.add(folder, [path], FakeEncoder())
    assert report.added == ["j"]
    [refusal] = report.refused
    assert isinstance(refusal, DocumentConflict)
    assert refusal.values["source"] == str(path)
    assert texts(folder) == {"j": "same"}
