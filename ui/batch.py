"""Questions from scripts, one JSON object a line: {"id", "question", "index"?, "documents"?, "history"?}."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.errors import MureumError, UsageError
from rag.records import Turn

Id = str | int | float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `index` and `documents` are None where the line names none, and `id` where there is no line."""

    id: Id
    question: str
    index: Path | None = None
    history: tuple[Turn, ...] = ()
    documents: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no question, and why."""

    id: Id
    error: MureumError


def clean(text: str) -> str:
    """`text` as NFC. Raises UsageError where it holds bytes that the terminal could not decode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"The question has bytes in it that are no text (at character {error.start + 1}). "
            "Set the terminal to UTF-8, or write the question to a UTF-8 file and use --batch."
        ) from error
    return unicodedata.normalize("NFC", text)


def read_batch(name: str) -> Iterator[Asked | BadLine]:
    """The questions of a file, '-' for standard input, each as soon as its line is there; empty lines do not count.

    Raises UsageError at once when the file cannot be opened, and at its end when it had no question in it.
    """
    if name == "-":
        return _lines(sys.stdin.buffer, "standard input")
    try:
        return _lines(Path(name).read_bytes().splitlines(), name)
    except OSError as error:
        raise UsageError(f"The batch file '{name}' cannot be opened: {error.strerror}.") from error


def _lines(lines: Iterable[bytes], name: str) -> Iterator[Asked | BadLine]:
    empty = True
    for number, line in enumerate(lines, start=1):
        if line.strip():
            empty = False
            yield _asked(line, f"{name}:{number}")
    if empty:
        raise UsageError(f"The batch '{name}' has no questions in it.")


def _asked(line: bytes, where: str) -> Asked | BadLine:
    number: Id = None
    try:
        record = json.loads(line.decode("utf-8-sig"))
        if not isinstance(record, dict):
            raise UsageError(f'{where}: the line is not an object {{"id": "…", "question": "…"}}.')
        number = record.get("id")
        if isinstance(number, (dict, list, bool)):
            number = None
            raise UsageError(f"{where}: 'id' is neither a text nor a number.")
        text, index = record.get("question"), record.get("index")
        if not isinstance(text, str):
            raise UsageError(f"{where}: 'question' is missing or not a text.")
        if not (index is None or isinstance(index, str)):
            raise UsageError(f"{where}: 'index' is not the path or the name of an index.")
        from index.settings import index_folder

        folder = index_folder(index) if index else None
        history = _history(record.get("history") or [], where)
        return Asked(number, clean(text), folder, history, _documents(record.get("documents"), where))
    except UsageError as error:
        return BadLine(number, error)
    except ValueError as error:
        return BadLine(number, UsageError(f"{where}: the line is not JSON in UTF-8: {error}."))


def _documents(names: object, where: str) -> tuple[str, ...] | None:
    """The documents and folders that the question is limited to."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{where}: 'documents' is not a list of names of documents or folders.")
    return tuple(names)


def _history(items: object, where: str) -> tuple[Turn, ...]:
    """The turns before: questions, {"question", "answer"?} objects, or {"role", "content"} messages."""
    turns: list[Turn] = []
    for item in items if isinstance(items, list) else [None]:
        match item:
            case str():
                turns.append(Turn(clean(item)))
            case {"role": "user", "content": str(text)}:
                turns.append(Turn(clean(text)))
            case {"role": "assistant", "content": str(text)} if turns:
                turns[-1] = Turn(turns[-1].question, clean(text))
            case {"question": str(text), "answer": str(answer)}:
                turns.append(Turn(clean(text), clean(answer)))
            case {"question": str(text)}:
                turns.append(Turn(clean(text)))
            case _:
                raise UsageError(
                    f"{where}: 'history' is not a list of questions, of "
                    '{"question", "answer"} or of {"role", "content"} objects.'
                )
    return tuple(turns)
