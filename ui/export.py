"""A conversation as a file to take away: Markdown for people, JSON for programs, both with what was cited."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict

from rag.records import Language
from ui.conversations import Conversation, KeptCitation, KeptTurn
from ui.words import place_of, textless, word

SPECIAL = re.compile(r"([\\`*_\[\]!|~#])")
LIST_SIGN = re.compile(r"^(\s*\d*)([-+=.)])", re.MULTILINE)


def to_markdown(conversation: Conversation, turns: Sequence[KeptTurn], language: Language) -> str:
    """The questions as headings, the answers, and each cited sentence as it stood then."""
    lines = [f"# {_plain(conversation.title)}", ""]
    for turn in turns:
        lines += [f"## {_one_line(turn.question)}", "", f"*{word(turn.status, language)} · {turn.asked}*", ""]
        if turn.documents:
            names = ", ".join(turn.documents)
            lines += [f"*{word('limited_to', language)}: {_one_line(names)}*", ""]
        lines += [*_answer(turn, language), ""]
        for one in turn.citations:
            lines += [*_citation(one, language), ""]
    return "\n".join(lines).rstrip() + "\n"


def to_json(conversation: Conversation, turns: Sequence[KeptTurn]) -> str:
    """The same fields as `mureum ask --json`, and the translations."""
    record = {
        "title": conversation.title,
        "created": conversation.created,
        "changed": conversation.changed,
        "turns": [turn_record(turn) for turn in turns],
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def turn_record(turn: KeptTurn) -> dict[str, object]:
    """A kept turn for programs."""
    return {
        "asked": turn.asked,
        "question": turn.question,
        "language": turn.language,
        "status": turn.status,
        "reason": turn.reason,
        "answer": turn.text,
        "citations": [
            {
                "marker": one.citation.marker,
                "document": one.citation.document,
                "start": one.citation.start,
                "end": one.citation.end,
                "quote": one.quote,
                "score": one.citation.score,
                "translation": one.citation.translation,
            }
            for one in turn.citations
        ],
        "timings": {name: round(value, 1) for name, value in asdict(turn.timings).items()},
        "collection": turn.collection,
        "state": turn.state,
        "documents": list(turn.documents),
    }


def _answer(turn: KeptTurn, language: Language) -> list[str]:
    if turn.status == "failed":
        return [_plain(turn.failure[0 if language == "ko" else 1])]
    text = turn.text or textless(turn.status, turn.reason, turn.language)
    return ["\n\n".join(_plain(line) for line in text.split("\n") if line.strip())]


def _citation(one: KeptCitation, language: Language) -> list[str]:
    place = place_of(one.citation)[0 if language == "ko" else 1]
    lines = [
        f"> \\[{one.citation.marker}\\] {_one_line(one.quote)}",
        ">",
        f"> — {_one_line(one.citation.document)} ({place})",
    ]
    if one.citation.translation:
        lines += [">", f"> *{word('machine_translation', language)}:* {_one_line(one.citation.translation)}"]
    return lines


def _one_line(text: str) -> str:
    return _plain(" ".join(text.split()))


def _plain(text: str) -> str:
    """A text that Markdown shows letter by letter: no markup, no HTML, no link comes of it."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\x00", "\ufffd")
    return LIST_SIGN.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", text))
