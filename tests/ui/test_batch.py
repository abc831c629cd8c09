"""Questions by the file: an answer a line, in order, whatever is wrong with another line."""

from pathlib import Path

import pytest

from index import build
from index.fake import FakeEncoder
from rag.records import Turn
from tests.ui.scripted import QUOTE, Output, ScriptedAnswerer, lines, records, type_in
from ui.command import main


def test_a_batch_answers_each_line_in_order(
    index: Path, documents: Path, opened: list[str], tmp_path: Path, capsys: Output
) -> None:
    other = tmp_path / "other"
    build.add(other, [documents], FakeEncoder())
    batch = lines(
        tmp_path / "batch.jsonl",
        {"id": "a", "question": "How long is it?"},
        "",
        {"id": 2, "question": "How far is the moon?", "index": str(other)},
        {"id": "c", "question": "How long is it?", "index": str(other)},
    )
    assert main(["ask", "--batch", batch]) == 0
    found = records(capsys)
    assert [(record["id"], record["status"]) for record in found] == [
        ("a", "answered"),
        (2, "not_found"),
        ("c", "answered"),
    ]
    assert found[2]["citations"][0]["quote"] == QUOTE
    assert [folder for folder, _, _ in ScriptedAnswerer.asked] == ["index", "other", "other"]
    assert opened == ["encoder", "model"]


@pytest.mark.parametrize(
    ("history", "turns"),
    [
        (None, ()),
        ([], ()),
        (["One?", "Two?"], (Turn("One?"), Turn("Two?"))),
        ([{"question": "One?", "answer": "1"}, {"question": "Two?"}], (Turn("One?", "1"), Turn("Two?"))),
        ([{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}], (Turn("One?", "1"),)),
    ],
)
def test_a_batch_hands_over_the_turns_before(
    history: object, turns: tuple[Turn, ...], index: Path, tmp_path: Path
) -> None:
    batch = lines(tmp_path / "batch.jsonl", {"id": 1, "question": "And then?", "history": history})
    assert main(["ask", "--batch", batch]) == 0
    assert ScriptedAnswerer.asked == [("index", "And then?", turns)]


def test_a_bad_line_of_a_batch_hinders_no_other(index: Path, tmp_path: Path, capsys: Output) -> None:
    batch = lines(
        tmp_path / "batch.jsonl",
        "not json",
        ["a list"],
        {"id": "no question"},
        {"id": {}, "question": "Why?"},
        {"id": "history", "question": "Why?", "history": "none"},
        {"id": "turn", "question": "Why?", "history": [3]},
        {"id": "index", "question": "Why?", "index": 3},
        {"id": "gone", "question": "Why?", "index": str(tmp_path / "none")},
        {"id": "surrogate", "question": "\ud800"},
        {"id": "fails", "question": "What explodes?"},
        {"id": "good", "question": "How long is it?"},
    )
    assert main(["ask", "--batch", batch]) == 1
    found = records(capsys)
    assert [record["id"] for record in found] == [
        *(None, None, "no question", None, "history", "turn", "index", "gone", "surrogate", "fails", "good")
    ]
    assert [record["error"]["code"] for record in found[:-1]] == ["usage"] * 7 + [
        "index-missing",
        "usage",
        "model-failed",
    ]
    assert found[0]["error"]["message"].startswith(f"{batch}:1: ")
    assert found[-1]["status"] == "answered"


def test_a_batch_comes_from_standard_input(index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    type_in(monkeypatch, b'{"id": 1, "question": "How long is it?"}\n\xff\n')
    assert main(["ask", "--batch", "-", "--json"]) == 1
    good, bad = records(capsys)
    assert good["id"] == 1
    assert "UTF-8" in bad["error"]["message"]


@pytest.mark.parametrize("content", [None, "", "\n\n"])
def test_a_batch_without_questions_is_a_wrong_use(
    content: str | None, index: Path, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "batch.jsonl"
    if content is not None:
        file.write_text(content)
    assert main(["search", "--batch", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


def test_a_batch_hands_over_what_each_question_is_limited_to(index: Path, tmp_path: Path, capsys: Output) -> None:
    batch = lines(
        tmp_path / "batch.jsonl",
        {"id": 1, "question": "How long?", "documents": ["bridge.txt", "folder"]},
        {"id": 2, "question": "How long?"},
        {"id": 3, "question": "How long?", "documents": []},
        {"id": 4, "question": "How long?", "documents": "bridge.txt"},
    )
    assert main(["ask", "--batch", batch, "--document", "other"]) == 1
    assert ScriptedAnswerer.limited == [("bridge.txt", "folder"), ("other",), ()]
    assert "'documents' is not a list" in records(capsys)[3]["error"]["message"]
