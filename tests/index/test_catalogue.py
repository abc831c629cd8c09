"""The SQLite catalogue: transactions, the state number, and what it says when it cannot work."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import schema
from index.catalogue import Catalogue
from index.errors import (
    DocumentNotFound,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexNotWritable,
    MureumError,
    NoSpace,
)
from index.faults import fault
from index.inspection import check
from index.reading import document
from index.records import Document, Passage, Recipe
from index.rows import PassageRow
from index.schema import FILE

RECIPE = Recipe(1, "fake", 4, "kiwi", 1)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with closing(Catalogue.create(tmp_path / "index", RECIPE)) as opened:
        yield opened


def rows(text: Document, count: int = 2) -> list[PassageRow]:
    passages = [Passage(text.name, number, number, number + 1, ((number, number + 1),)) for number in range(count)]
    return [
        PassageRow(one, ["낱말", "b"], np.full(4, one.number, np.float32), np.ones((1, 4), np.float32))
        for one in passages
    ]


def put(catalogue: Catalogue, name: str, text: str = "글이다.", count: int = 2) -> None:
    one = document(name, text, "제목", f"/files/{name}")
    catalogue.put(one, rows(one, count))


def test_what_is_put_comes_back(catalogue: Catalogue) -> None:
    put(catalogue, "나.txt")
    put(catalogue, "a.txt", "An English text.", 1)
    ids, passages = catalogue.passages()
    assert ids == sorted(ids)
    assert [(one.document, one.number, one.sentences) for one in passages] == [
        ("나.txt", 0, ((0, 1),)),
        ("나.txt", 1, ((1, 2),)),
        ("a.txt", 0, ((0, 1),)),
    ]
    assert [row.tokens for row in catalogue.rows()] == [["낱말", "b"]] * 3
    assert catalogue.vectors().tolist() == [[0] * 4, [1] * 4, [0] * 4]
    assert {key: value.tolist() for key, value in catalogue.sentence_vectors(ids[:1]).items()} == {ids[0]: [[1] * 4]}
    with pytest.raises(IndexDamaged, match="of passage 99 is missing"):
        catalogue.sentence_vectors([99])
    first, second = catalogue.documents()
    assert (first.name, first.title, first.source, first.passages, first.language) == (
        "a.txt",
        "제목",
        "/files/a.txt",
        1,
        "en",
    )
    assert (second.name, second.bytes, second.language) == ("나.txt", len("글이다.".encode()), "ko")
    assert catalogue.document("나.txt").text == "글이다."
    assert check(catalogue) == []


def test_token_vectors_languages_and_copies(catalogue: Catalogue) -> None:
    one = document("a", "글이다.")
    passage = Passage("a", 0, 0, 4, ((0, 4),))
    tokens = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0]], np.float32)
    catalogue.put(one, [PassageRow(passage, [], tokens[0], tokens[:1], tokens, "ko")])
    assert catalogue.copy("a", document("b", "글이다."))
    assert not catalogue.copy("a", document("c", "anders"))
    assert not catalogue.copy("gone", document("c", "글이다."))
    ids, passages = catalogue.passages()
    assert [one.document for one in passages] == ["a", "b"]
    assert [row.language for row in catalogue.rows(reversed(ids))] == ["ko", "ko"]
    found = catalogue.token_vectors(ids)
    assert list(found) == ids
    assert all(np.allclose(one, tokens, atol=0.07) for one in found.values())
    assert check(catalogue) == []


def test_an_empty_catalogue_has_empty_answers(catalogue: Catalogue) -> None:
    assert catalogue.vectors().shape == (0, 4)
    assert (catalogue.passages(), catalogue.documents()) == (([], []), [])
    with pytest.raises(DocumentNotFound):
        catalogue.document("a")


def test_every_change_raises_the_state_and_nothing_else_does(catalogue: Catalogue) -> None:
    assert catalogue.state() == 0
    put(catalogue, "a")
    put(catalogue, "a", "anders")
    put(catalogue, "b")
    assert catalogue.state() == 3
    catalogue.move("a", "/elsewhere")
    assert catalogue.digests()["a"][1] == "/elsewhere"
    assert catalogue.state() == 3
    catalogue.remove(["a", "b", "a"])
    assert catalogue.state() == 4
    assert catalogue.passages() == ([], [])


def test_removing_is_all_or_nothing(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    with pytest.raises(DocumentNotFound, match="'gone'"):
        catalogue.remove(["a", "gone"])
    assert [one.name for one in catalogue.documents()] == ["a"]
    assert catalogue.state() == 1


def test_a_put_that_fails_half_way_leaves_the_old_document(catalogue: Catalogue) -> None:
    put(catalogue, "a", "the old one", 3)
    new = document("a", "the new one")
    twice = [rows(new)[0], rows(new)[0]]  # the same number twice
    with pytest.raises(MureumError):
        catalogue.put(new, twice)
    assert catalogue.document("a").text == "the old one"
    assert (len(catalogue.passages()[0]), catalogue.state()) == (3, 1)
    put(catalogue, "b")


def test_replacing_all_is_all_or_nothing(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    put(catalogue, "b")

    def stopped(one: Document) -> list[PassageRow]:
        if one.name == "b":
            raise KeyboardInterrupt
        return rows(one, 1)

    other = replace(RECIPE, encoder="another")
    with pytest.raises(KeyboardInterrupt):
        catalogue.replace_all(other, lambda all_of: ((one, stopped(one)) for one in all_of))
    catalogue.require_recipe()
    assert (len(catalogue.passages()[0]), catalogue.state()) == (4, 2)
    assert catalogue.replace_all(other, lambda all_of: ((one, rows(one, 1)) for one in all_of)) == 2
    assert (len(catalogue.passages()[0]), catalogue.state(), catalogue.recipe) == (2, 3, other)
    catalogue.require_recipe()


def test_a_pinned_catalogue_keeps_its_state(catalogue: Catalogue) -> None:
    put(catalogue, "a", "old")
    with closing(Catalogue.open(catalogue.path.parent, RECIPE)) as reader:
        assert reader.pin() == reader.pin() == 1
        put(catalogue, "a", "new")
        assert (reader.state(), reader.document("a").text) == (1, "old")
    with closing(Catalogue.open(catalogue.path.parent, RECIPE)) as reader:
        assert (reader.pin(), reader.document("a").text) == (2, "new")


# --- another recipe, no index, a damaged one


@pytest.mark.parametrize(
    ("field", "value"), [("encoder", "another 0123"), ("size", 8), ("tokens", "kiwi 2"), ("passages", 2), ("format", 2)]
)
def test_an_index_of_another_recipe_is_refused_with_the_command_that_mends_it(
    field: str, value: object, catalogue: Catalogue
) -> None:
    folder = catalogue.path.parent
    with pytest.raises(IndexMismatch) as caught:
        Catalogue.open(folder, replace(RECIPE, **{field: value}))  # type: ignore[arg-type]
    assert f"mureum index rebuild --index '{folder}'" in str(caught.value)
    assert f"with {field} '{getattr(RECIPE, field)}'" in str(caught.value)
    assert caught.value.values["wanted"] == str(value)
    with closing(Catalogue.open_any(folder)) as opened:
        assert opened.recipe == RECIPE


@pytest.mark.parametrize("opening", [lambda folder: Catalogue.open(folder, RECIPE), Catalogue.open_any])
def test_no_index_is_told_and_none_is_made(opening: Callable[[Path], Catalogue], tmp_path: Path) -> None:
    folder = tmp_path / "none"
    with pytest.raises(IndexMissing, match="mureum index add"):
        opening(folder)
    assert not folder.exists()
    folder.mkdir()
    (folder / FILE).touch()  # what a process killed at the very beginning leaves
    with pytest.raises(IndexMissing):
        opening(folder)


def test_a_catalogue_begun_by_a_killed_process_is_finished(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with closing(Catalogue.create(tmp_path, RECIPE)) as catalogue:
        put(catalogue, "a")
        assert check(catalogue) == []


@pytest.mark.parametrize("damage", ["header", "cut", "text"])
def test_a_damaged_file_is_told(damage: str, catalogue: Catalogue) -> None:
    put(catalogue, "a", "글" * 20_000)
    catalogue.close()
    path = catalogue.path
    data = path.read_bytes()
    changed = {"header": b"x" * 100 + data[100:], "cut": data[: len(data) // 2], "text": b"not a database, but text"}
    path.write_bytes(changed[damage])
    for opening in (Catalogue.open, Catalogue.create):
        with pytest.raises(IndexDamaged, match=r"new index folder"), closing(opening(path.parent, RECIPE)) as opened:
            opened.document("a")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE passages SET sentences = 'x'",
        "UPDATE passages SET language = 'ko', tokens = 'other'",
        "DROP TRIGGER passage_out; DELETE FROM passages WHERE number = 1",
        "DELETE FROM vectors",
        "UPDATE vectors SET vector = x'00'",
        "UPDATE vectors SET sentence_vectors = x'000000'",
        "UPDATE vectors SET token_vectors = x'000000'",
        "UPDATE recipe SET value = 'x' WHERE key = 'size'",
        "DROP TABLE passages",
    ],
)
def test_stored_values_that_make_no_sense_are_damage(sql: str, catalogue: Catalogue) -> None:
    put(catalogue, "a")
    ids, _ = catalogue.passages()
    change(catalogue, sql)
    with pytest.raises(IndexDamaged), closing(Catalogue.open_any(catalogue.path.parent)) as opened:
        opened.passages()
        opened.vectors()
        opened.sentence_vectors(ids)
        opened.token_vectors(ids)


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ('UPDATE passages SET "end" = 99 WHERE number = 1', "passage 1 of 'a'"),
        ("UPDATE vectors SET vector = x'00000000' WHERE passage = 1", "vectors of passage 1"),
        ("DELETE FROM vectors WHERE passage = 1", "1 passages have no vectors"),
        ("DROP TRIGGER passage_out; DELETE FROM passages WHERE number = 1", "passages are missing"),
        ("DROP TRIGGER document_out; DELETE FROM documents", "documents are missing"),
        ("UPDATE documents SET source = '/other'", "the document 'a'"),
        ("UPDATE documents SET text = 'geändert'", "text of 'a'"),
    ],
)
def test_check_finds_what_does_not_fit(sql: str, fault: str, catalogue: Catalogue) -> None:
    put(catalogue, "a")
    change(catalogue, sql)
    assert any(fault in line for line in check(catalogue))


def change(catalogue: Catalogue, sql: str) -> None:
    with closing(sqlite3.connect(catalogue.path)) as connection:
        connection.executescript(sql)
        connection.commit()


# --- no room, no right, no turn


def test_a_full_disk_is_told_and_harms_nothing(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    pages = catalogue.run("PRAGMA page_count")[0][0]
    catalogue.run(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(NoSpace, match=r"full.*unharmed") as caught:
        put(catalogue, "b", "글" * 50_000)
    assert caught.value.values["path"] == str(catalogue.path.parent)
    assert [one.name for one in catalogue.documents()] == ["a"]
    catalogue.run("PRAGMA max_page_count = 100000")
    put(catalogue, "b", "글" * 50_000)
    assert check(catalogue) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_the_folder_is_a_full_disk(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(NoSpace):
        Catalogue.create(tmp_path / "index", RECIPE)


def test_a_disk_error_means_a_full_disk_only_when_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    for free, code, expected in (
        (0, sqlite3.SQLITE_IOERR_WRITE, NoSpace),
        (1 << 30, sqlite3.SQLITE_IOERR_WRITE, IndexNotWritable),  # a quota, a limit: nothing is hurt
        (1 << 30, sqlite3.SQLITE_IOERR_READ, IndexDamaged),
    ):
        error.sqlite_errorcode = code
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert type(fault(tmp_path, error)) is expected


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(IndexNotWritable, match="--index") as caught:
            Catalogue.create(folder, RECIPE)
        assert caught.value.values["reason"]

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(IndexNotWritable, match="Permission denied"):
        Catalogue.create(tmp_path / "index", RECIPE)


def test_a_read_only_catalogue_is_told(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    catalogue.run("PRAGMA query_only = ON")
    with pytest.raises(IndexNotWritable, match="readonly"):
        put(catalogue, "b")
    assert catalogue.document("a").name == "a"


def test_a_folder_in_the_place_of_the_file_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(IndexNotWritable):
        Catalogue.create(tmp_path, RECIPE)


def test_another_writer_makes_it_busy_and_readers_are_not_kept(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(catalogue, "a")
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    with closing(Catalogue.open(catalogue.path.parent, RECIPE)) as other, catalogue._change():
        with pytest.raises(IndexBusy, match="try again"):
            put(other, "b")
        assert other.document("a").name == "a"
