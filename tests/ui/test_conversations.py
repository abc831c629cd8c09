"""What is kept: whole, private, each owner's own, and begun anew when its file is damaged."""

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index.errors import NoSpace
from rag.records import Citation, Timings
from ui.conversations import (
    FILE,
    ConversationNotFound,
    Conversations,
    DataFault,
    KeptCitation,
    KeptTurn,
    owner_of,
    turn_of,
)

ONE, OTHER = owner_of("1" * 32), owner_of("2" * 32)
TALK, SECOND = "a" * 32, "b" * 32


@pytest.fixture
def kept(tmp_path: Path) -> Conversations:
    return Conversations(tmp_path / "data")


def turn(question: str = "몇 미터야?", **more: Any) -> KeptTurn:
    cited = KeptCitation(Citation(1, "다리.txt", 3, 9, 0.5, "It is long."), "660미터다.")
    more = {
        "text": "660미터다. [1]",
        "citations": (cited,),
        "found": (cited,),
        "timings": Timings(1.5, 2.5, 3.5),
        **more,
    }
    return turn_of(question, "ko", "answered", collection="own", state=4, **more)


def test_a_turn_comes_back_as_it_was(kept: Conversations, tmp_path: Path) -> None:
    stored = kept.keep(ONE, TALK, turn())
    assert stored.number == 0
    [again] = Conversations(tmp_path / "data").turns(ONE, TALK)
    assert again == stored
    assert again.quote("다리.txt", 3, 9) == "660미터다."
    assert again.quote("다리.txt", 3, 8) == ""
    answer = again.answer()
    assert answer is not None and answer.citations[0].translation == "It is long."


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_a_turn_without_an_answer_has_none(kept: Conversations, status: Any) -> None:
    ended = turn_of("?", "en", status, collection="shared", state=0, failure=("왜", "why"))
    kept.keep(ONE, TALK, ended)
    [again] = kept.turns(ONE, TALK)
    assert again.answer() is None
    assert again.failure == ("왜", "why")


def test_turns_are_numbered_and_the_last_can_be_asked_again(kept: Conversations) -> None:
    assert [kept.keep(ONE, TALK, turn(str(count))).number for count in range(3)] == [0, 1, 2]
    assert kept.keep(ONE, TALK, turn("again"), replaced=2).number == 2
    assert kept.keep(ONE, TALK, turn("not the last"), replaced=0).number == 3
    assert [one.question for one in kept.turns(ONE, TALK)] == ["0", "1", "again", "not the last"]


def test_the_list_has_the_newest_first_with_the_first_question_as_title(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn("  첫\n질문  "))
    kept.keep(ONE, SECOND, turn("x" * 500))
    kept.keep(ONE, TALK, turn("나중 질문"))
    assert [(one.id, one.title, one.turns) for one in kept.all_of(ONE)] == [(TALK, "첫 질문", 2), (SECOND, "x" * 80, 1)]


def test_rename_and_delete(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn())
    kept.rename(ONE, TALK, " 새\n이름 ")
    assert kept.conversation(ONE, TALK).title == "새 이름"
    kept.rename(ONE, TALK, "  ")
    assert kept.conversation(ONE, TALK).title == "새 이름"
    kept.judge(ONE, TALK, 0, "right")
    kept.delete(ONE, TALK)
    assert kept.all_of(ONE) == [] and kept.turns(ONE, TALK) == [] and kept.feedback() == []
    assert b"660" not in kept.path.read_bytes()
    with pytest.raises(ConversationNotFound):
        kept.rename(ONE, TALK, "x")


def test_nobody_reaches_anothers(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn())
    assert kept.all_of(OTHER) == [] and kept.turns(OTHER, TALK) == [] and kept.verdicts(OTHER, TALK) == {}
    kept.delete(OTHER, TALK)
    for act in (
        lambda: kept.rename(OTHER, TALK, "mine"),
        lambda: kept.judge(OTHER, TALK, 0, "wrong"),
        lambda: kept.conversation(OTHER, TALK),
    ):
        with pytest.raises(ConversationNotFound):
            act()
    kept.keep(OTHER, TALK, turn("the same id"))
    assert [one.question for one in kept.turns(ONE, TALK)] == ["몇 미터야?"]


def test_owners_are_told_apart_and_their_ids_not_written_down() -> None:
    owners = {ONE, OTHER, owner_of("1" * 32, "kim"), owner_of("", "kim"), owner_of("", "1" * 32)}
    assert len(owners) == 4  # the account alone counts where there is one
    assert all(len(owner) == 32 and "1" * 32 not in owner for owner in owners)
    for visitor in ("", "../../etc/passwd", "1" * 31, "A" * 32, "1" * 33):
        with pytest.raises(ConversationNotFound):
            owner_of(visitor)


@pytest.mark.parametrize("name", ["", "x", "../x", "A" * 32])
def test_a_conversation_has_an_id_of_the_page(kept: Conversations, name: str) -> None:
    with pytest.raises(ConversationNotFound):
        kept.keep(ONE, name, turn())


def test_feedback_is_kept_with_what_was_answered(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn("먼저"))
    stored = kept.keep(ONE, TALK, turn("다음"))
    kept.judge(ONE, TALK, 1, "wrong", "  아니다  ")
    kept.judge(ONE, TALK, 1, "wrong_source", "x" * 9999)
    [said] = kept.feedback()
    assert (said.verdict, len(said.comment), said.earlier) == ("wrong_source", 2000, ("먼저",))
    assert said.turn == stored and said.turn.state == 4
    assert kept.verdicts(ONE, TALK)[stored.asked][0] == "wrong_source"
    kept.keep(ONE, TALK, turn("다음"), replaced=1)
    assert kept.turns(ONE, TALK)[1].asked not in kept.verdicts(ONE, TALK)
    assert kept.feedback() == [said]  # said of the earlier answer, which it holds


def test_the_file_is_private(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn())
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in kept.path.parent.iterdir()] == [FILE]


@pytest.mark.parametrize("damage", [b"not a database at all" * 99, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)
    kept = Conversations(tmp_path)
    assert kept.set_aside is not None and kept.set_aside.read_bytes() == damage
    kept.keep(ONE, TALK, turn())
    assert len(kept.turns(ONE, TALK)) == 1
    assert Conversations(tmp_path).set_aside is None


def test_a_file_damaged_inside_is_set_aside(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    for count in range(200):
        kept.keep(ONE, TALK, turn(f"{count} " * 50))
    data = bytearray(kept.path.read_bytes())
    data[4096 * 3 : 4096 * 9] = bytes(4096 * 6)
    kept.path.write_bytes(data)
    assert Conversations(tmp_path).set_aside is not None


def test_a_file_damaged_at_work_is_told_once(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn())
    kept.path.write_bytes(b"overwritten" * 999)
    with pytest.raises(DataFault):
        kept.all_of(ONE)
    assert kept.set_aside is not None
    assert kept.all_of(ONE) == []


def test_a_file_of_another_version_is_left_alone(kept: Conversations) -> None:
    with closing(sqlite3.connect(kept.path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = kept.path.read_bytes()
    with pytest.raises(DataFault, match="another version"):
        Conversations(kept.path.parent)
    assert kept.path.read_bytes() == before


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFault, match="--data"):
        Conversations(tmp_path / "file" / "data")


def test_a_full_disk_is_told_and_nothing_is_lost(kept: Conversations, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep(ONE, TALK, turn())
    connect = sqlite3.connect

    def small(*given: Any, **options: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*given, **options)
        [(pages,)] = database.execute("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(NoSpace):
        kept.keep(ONE, TALK, turn("x" * 100_000))
    monkeypatch.undo()
    assert [one.question for one in kept.turns(ONE, TALK)] == ["몇 미터야?"]


def test_many_at_once_lose_nothing(kept: Conversations) -> None:
    def work(name: str) -> None:
        for count in range(5):
            kept.keep(ONE, name * 32, turn(f"{name}{count}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.turns for one in kept.all_of(ONE)] == [5] * 6


def test_a_killed_writer_leaves_the_state_before(kept: Conversations) -> None:
    kept.keep(ONE, TALK, turn())
    program = (
        "import os, sqlite3, sys; database = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "database.execute('BEGIN IMMEDIATE'); database.execute('DELETE FROM turns'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(kept.path)], check=False).returncode == 9
    assert len(Conversations(kept.path.parent).turns(ONE, TALK)) == 1
