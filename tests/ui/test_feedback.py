"""`mureum feedback`: what was said is listed, and becomes a question set that can be measured with."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag.datasets import read_questions
from rag.records import Citation
from tests.ui.scripted import Output, records
from ui.command import main
from ui.conversations import Conversations, KeptCitation, owner_of, turn_of

OWNER, TALK = owner_of("1" * 32), "a" * 32
CITED = KeptCitation(Citation(1, "bridge.txt", 3, 9, 0.5), "It is 660 (six hundred) metres long.")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    kept = Conversations(tmp_path / "data")

    def ask(question: str, status: Any, text: str = "", language: Any = "en") -> int:
        shown = {"text": text, "citations": (CITED,)} if text else {}
        turn = turn_of(question, language, status, collection="shared", state=3, **shown)
        return kept.keep(OWNER, TALK, turn).number

    kept.judge(OWNER, TALK, ask("How long?", "answered", "It is 660 m (long) [1]."), "right", "yes [1]")
    kept.judge(OWNER, TALK, ask("언제?", "answered", "1973년 [1].", "ko"), "wrong")
    kept.judge(OWNER, TALK, ask("The moon?", "not_found"), "right")
    kept.judge(OWNER, TALK, ask("The bridge?", "not_found"), "wrong")
    kept.judge(OWNER, TALK, ask("Why?", "quoted", "Because. [1]"), "wrong_source")
    ask("Not judged?", "answered", "No [1].")
    return tmp_path / "data"


def test_list_for_people(data: Path, capsys: Output) -> None:
    assert main(["feedback", "list", "--data", str(data)]) == 0
    out = capsys.readouterr().out
    assert "  right  How long?\n    It is 660 m (long) [1].\n    [1] bridge.txt: It is 660" in out
    assert "“yes [1]”" in out
    assert "Not judged?" not in out


def test_list_for_scripts(data: Path, capsys: Output) -> None:
    assert main(["feedback", "list", "--data", str(data), "--json"]) == 0
    said = records(capsys)
    assert [one["verdict"] for one in said] == ["right", "wrong", "right", "wrong", "wrong_source"]
    assert said[1]["earlier"] == ["How long?"]
    assert said[0]["citations"][0]["quote"] == CITED.quote
    assert (said[0]["collection"], said[0]["state"], said[0]["comment"]) == ("shared", 3, "yes [1]")


def test_export_can_be_measured_with(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUREUM_DATA", str(data))
    file = tmp_path / "set.jsonl"
    assert main(["feedback", "export", str(file)]) == 0
    read = read_questions(file)
    assert read.kind == "mureum"
    cases = {case.id: case for case in read.cases}
    first = cases["feedback-1.en"]
    assert first.answerable and first.evidence == (CITED.quote,)
    assert first.accepted == (r"It\s+is\s+660\s+m\s+\(long\)\.",)
    assert cases["feedback-2.ko"].rejected == ("1973년\\.",) and not cases["feedback-2.ko"].accepted
    assert cases["feedback-2.ko"].earlier == ("How long?",)
    assert [case.answerable for case in read.cases] == [True, True, False, True, True]
    assert list(cases) == [f"feedback-{number}.{'ko' if number == 2 else 'en'}" for number in range(1, 6)]
    assert not cases["feedback-5.en"].accepted and not cases["feedback-5.en"].rejected
    record = json.loads(file.read_text("utf-8").splitlines()[1])
    assert "fill in accepted_ko" in record["note"] and "add question_en" in record["note"]
    earlier = [{"question_ko": "길이는?", "question_en": "How long?"}]
    record.update(question_en="When?", accepted_en=["1973"], history=earlier)
    both = tmp_path / "both.jsonl"
    both.write_text(json.dumps(record), "utf-8")
    assert [(case.id, case.earlier) for case in read_questions(both).cases] == [
        ("feedback-2.ko", ("길이는?",)),
        ("feedback-2.en", ("How long?",)),
    ]


def test_export_overwrites_nothing(data: Path, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "mine").write_text("mine")
    assert main(["feedback", "export", str(tmp_path / "mine"), "--data", str(data)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "mine"
    assert main(["feedback", "export", str(tmp_path / "no" / "folder"), "--data", str(data)]) == 2


def test_a_folder_without_conversations_is_named_and_stays_as_it_is(tmp_path: Path, capsys: Output) -> None:
    assert main(["feedback", "list", "--data", str(tmp_path)]) == 2
    assert "--data" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_no_feedback_yet(tmp_path: Path, capsys: Output) -> None:
    Conversations(tmp_path)
    assert main(["feedback", "list", "--data", str(tmp_path)]) == 0
    assert "no feedback" in capsys.readouterr().err
