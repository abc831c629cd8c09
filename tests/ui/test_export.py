"""Exports: everything that was cited is in them, and a document's text is no markup in them."""

import json

import pytest

from rag.records import Citation
from ui import export
from ui.conversations import Conversation, KeptCitation, KeptTurn, turn_of

TALK = Conversation("a" * 32, "다리 *이야기*", "2024-03-14T09:00:00+00:00", "2024-03-14T09:05:00+00:00", 3)


def turns(text: str = "660미터다.") -> list[KeptTurn]:
    cited = KeptCitation(Citation(1, f"{text}.txt", 3, 1209, 0.5, text), text)
    return [
        turn_of(text, "ko", "answered", collection="shared", state=1, text=f"{text} [1]", citations=(cited,)),
        turn_of("달은?", "en", "not_found", collection="shared", state=1),
        turn_of("?", "ko", "failed", collection="shared", state=1, failure=("실패했다", "it failed")),
        turn_of("?", "ko", "stopped", collection="shared", state=1),
    ]


def test_markdown_has_questions_answers_and_what_was_cited() -> None:
    text = export.to_markdown(TALK, turns(), "ko")
    assert text.startswith("# 다리 \\*이야기\\*\n\n## 660미터다.\n\n*확인됨 · ")
    assert "\n660미터다. \\[1\\]\n\n> \\[1\\] 660미터다.\n>\n> — 660미터다..txt (4~1,209번째 글자)\n" in text
    assert "*기계 번역:* 660미터다." in text
    assert "The documents do not hold" in text and "실패했다" in text and "멈춤" in text
    english = export.to_markdown(TALK, turns(), "en")
    assert "characters 4 to 1,209" in english and "it failed" in english and "Verified" in english


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](http://e/x.png)",
        "`code` *b* _i_ ~s~",
        "a | b",
        "<b>",
    ],
)
def test_a_text_is_no_markup(text: str) -> None:
    written = export.to_markdown(TALK, turns(text), "en")
    assert text not in written
    assert "<" not in written and "](" not in written.replace("\\](", "")


@pytest.mark.parametrize("line", ["# title", "- item", "+ item", "1. item", "12) item", "> quote", "=====", "---"])
def test_a_line_is_no_list_and_no_heading(line: str) -> None:
    written = export.to_markdown(TALK, turns(f"a\n{line}"), "en")
    assert not [found for found in written.splitlines() if found.startswith(line[:3])]


def test_json_has_what_ask_prints() -> None:
    record = json.loads(export.to_json(TALK, turns()))
    assert record["title"] == "다리 *이야기*"
    first = record["turns"][0]
    assert {"question", "language", "status", "answer", "citations", "timings"} <= set(first)
    assert first["citations"] == [
        {
            "marker": 1,
            "document": "660미터다..txt",
            "start": 3,
            "end": 1209,
            "quote": "660미터다.",
            "score": 0.5,
            "translation": "660미터다.",
        }
    ]
    assert [turn["status"] for turn in record["turns"]] == ["answered", "not_found", "failed", "stopped"]
