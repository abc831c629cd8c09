"""A visitor's own documents: taken in whatever they are called, refused with a reason, and nobody else's."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from index import build
from index.errors import DocumentNotFound, NoSpace
from index.fake import FakeEncoder
from rag.answering import Answerer
from rag.model import FakeModel
from ui import library
from ui.conversations import owner_of
from ui.library import Library, NoOwnDocuments, Upload, document_name

ONE, OTHER = owner_of("1" * 32), owner_of("2" * 32)
TEXT = "다리는 1973년에 놓였다. 길이는 660미터다.\n"


def open_library(folder: Path, encoder: FakeEncoder | None = None) -> Library:
    shared: Any = SimpleNamespace(index=SimpleNamespace(encoder=encoder or FakeEncoder()), model=FakeModel())
    return Library(cast(Answerer, shared), folder / "people", lambda index: Answerer(index, shared.model))


@pytest.fixture
def own(tmp_path: Path) -> Library:
    return open_library(tmp_path)


def put(own: Library, name: str, data: bytes | str = TEXT, owner: str = ONE) -> Upload:
    incoming = own.incoming(owner, name)
    incoming.write_bytes(data if isinstance(data, bytes) else data.encode())
    try:
        return own.add(owner, incoming, name)
    finally:
        incoming.unlink()


def names(own: Library, owner: str = ONE) -> list[str]:
    return [one.name for one in own.documents(owner, "own")]


def test_a_file_becomes_a_document_that_can_be_asked(own: Library, tmp_path: Path) -> None:
    assert put(own, "다리.txt").added == ("다리.txt",)
    [info] = own.documents(ONE, "own")
    assert (info.name, info.language, info.bytes) == ("다리.txt", "ko", len(TEXT.encode()))
    assert own.answerer(ONE, "own").index.text("다리.txt") == TEXT
    assert names(open_library(tmp_path)) == ["다리.txt"]


def test_the_same_name_again_takes_its_place(own: Library) -> None:
    put(own, "a.txt")
    assert put(own, "a.txt").unchanged == ("a.txt",)
    assert put(own, "a.txt", "Another text.").changed == ("a.txt",)
    assert own.answerer(ONE, "own").index.text("a.txt") == "Another text."
    assert names(own) == ["a.txt"]


def test_the_same_text_in_two_files_is_two_documents(own: Library) -> None:
    put(own, "a.txt")
    assert put(own, "b.txt").added == ("b.txt",)
    assert names(own) == ["a.txt", "b.txt"]
    own.remove(ONE, "a.txt")
    assert names(own) == ["b.txt"]
    assert own.answerer(ONE, "own").index.text("b.txt") == TEXT


def test_documents_that_came_in_by_a_file_of_before_stay(own: Library, tmp_path: Path) -> None:
    file = tmp_path / "incoming-1.jsonl"
    file.write_text(f'{{"id": "old.txt", "text": "{TEXT.strip()}"}}', "utf-8")
    build.add(own._own(ONE), [file], FakeEncoder())
    file.unlink()
    put(own, "new.txt", TEXT.strip())
    assert names(own) == ["new.txt", "old.txt"]


def test_what_changes_is_prepared(own: Library) -> None:
    soon: list[Answerer] = []
    own.soon = soon.append
    put(own, "a.txt")
    assert soon == [own.answerer(ONE, "own")]
    put(own, "a.exe")
    assert len(soon) == 1


def test_lines_are_documents_of_their_own(own: Library) -> None:
    lines = '{"id": "하나", "text": "하나다."}\nnonsense\n{"id": "둘", "title": "둘째", "text": "둘이다."}\n'
    done = put(own, "many.jsonl", lines)
    assert done.added == ("하나", "둘")
    assert [error.code for error in done.refused] == ["document-not-text"]
    assert "many.jsonl:2" in str(done.refused[0])


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.exe", b"MZ", "document-unsupported"),
        ("nothing", b"text", "document-unsupported"),
        ("a.txt", b" \n ", "document-empty"),
        ("a.txt", b"\xff\xfe\x00\x01", "document-not-text"),
        ("a.txt", "한글".encode("cp949"), "document-not-text"),
        ("a.txt", b"a\x00b", "document-not-text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_own_name(own: Library, name: str, data: bytes, code: str) -> None:
    [error] = put(own, name, data).refused
    assert error.code == code and error.values["document"] == name
    assert names(own) == []


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\김\\a.txt", "a.txt"),
        ("/absolute.txt", "absolute.txt"),
        ("..", ".."),
        ("a\x00b\n\u202ec.txt", "abc.txt"),
        ("\u1100\u1161.txt", "가.txt"),
        ("x" * 999, "x" * 200),
        ("  ", ""),
    ],
)
def test_a_name_is_a_name_and_never_a_path(own: Library, tmp_path: Path, name: str, called: str) -> None:
    assert document_name(name) == called
    if called:
        incoming = own.incoming(ONE, called)
        assert incoming.parent == tmp_path / "people" / ONE
        assert incoming.name.startswith("incoming-")


def test_nothing_lies_about_after_an_upload(own: Library, tmp_path: Path) -> None:
    put(own, "../x.txt")
    put(own, "bad.exe")
    assert [path.name for path in (tmp_path / "people" / ONE).iterdir()] == ["index"]
    assert {path.name for path in tmp_path.iterdir()} == {"people"}
    assert (tmp_path / "people").stat().st_mode & 0o077 == 0


def test_documents_are_the_visitors_own(own: Library) -> None:
    put(own, "a.txt")
    assert names(own, OTHER) == []
    with pytest.raises(NoOwnDocuments):
        own.answerer(OTHER, "own")
    put(own, "a.txt", "Another one's.", OTHER)
    assert own.answerer(ONE, "own").index.text("a.txt") == TEXT
    assert own.answerer(ONE, "shared") is own.shared


def test_remove(own: Library) -> None:
    put(own, "a.txt")
    put(own, "b.txt", "Another text.")
    own.remove(ONE, "a.txt")
    assert names(own) == ["b.txt"]
    with pytest.raises(DocumentNotFound):
        own.remove(ONE, "../a.txt")
    own.remove(ONE, "b.txt")
    with pytest.raises(NoOwnDocuments):
        own.answerer(ONE, "own")


def test_an_index_of_another_model_is_made_anew(own: Library, tmp_path: Path) -> None:
    put(own, "a.txt")
    later = open_library(tmp_path, FakeEncoder("other"))
    assert names(later) == ["a.txt"]
    assert put(later, "b.txt", "Another text.").added == ("b.txt",)


def test_a_full_disk_is_told_and_loses_nothing(own: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    put(own, "a.txt")

    def failing(*_: object) -> None:
        raise NoSpace("The disk is full.", path="x")

    monkeypatch.setattr(build, "put", failing)
    with pytest.raises(NoSpace):
        put(own, "b.txt")
    assert names(own) == ["a.txt"]


def test_many_at_once_lose_nothing(own: Library) -> None:
    threads = [threading.Thread(target=put, args=(own, f"{number}.txt", f"Text {number}.")) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(own) == [f"{number}.txt" for number in range(6)]


def test_only_some_indexes_stay_open(own: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "OPEN", 2)
    owners = [owner_of(f"{number}" * 32) for number in range(4)]
    for owner in owners:
        put(own, "a.txt", f"Text of {owner}.", owner)
        own.answerer(owner, "own")
    assert len(own._open) == 2
    assert own.answerer(owners[0], "own").index.text("a.txt") == f"Text of {owners[0]}."
