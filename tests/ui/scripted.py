"""What the tests of the command have in common: a text, an answerer with a script, input and output."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from index.errors import ModelFailed
from index.snapshot import Index
from rag.model import AnsweringModel
from rag.records import Answer, Citation, Timings, Turn

TEXT = "물음은 문서에 답한다. 인용은 원문에서 잘라 온다.\n\nThe bridge opened in 1973. It is 660 metres long.\n"
QUOTE = "It is 660 metres long."
START = TEXT.index(QUOTE)


class ScriptedAnswerer:
    """Cites the bridge's length, knows nothing of the moon, and fails on what explodes."""

    asked: ClassVar[list[tuple[str, str, tuple[Turn, ...]]]] = []
    limited: ClassVar[list[tuple[str, ...]]] = []

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index

    def ask(self, question: str, history: Sequence[Turn] = (), documents: Sequence[str] = ()) -> Answer:
        self.asked.append((self.index.folder.name, question, tuple(history)))
        self.limited.append(tuple(documents))
        if "explodes" in question:
            raise ModelFailed("The model failed: it exploded.", name="fake", reason="it exploded")
        if "bug" in question:
            raise RuntimeError("a bug")
        if "moon" in question:
            return Answer(question, "en", "not_found", "")
        citation = Citation(1, "bridge.txt", START, START + len(QUOTE), 0.75)
        return Answer(question, "en", "answered", "660 metres [1].", (citation,), (), "", Timings(1.23, 4.5, 6.0))


Output = pytest.CaptureFixture[str]


def records(output: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.readouterr().out.splitlines()]


def lines(path: Path, *items: object) -> str:
    path.write_text("".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in items), "utf-8")
    return str(path)


def type_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
