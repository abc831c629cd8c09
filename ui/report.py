"""What the command prints: JSON records for scripts, text for people, and how far a long step is."""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from index.errors import MureumError
from rag.records import Answer, Hit, Language, Timings
from rag.statistics import Rate
from ui.batch import Id
from ui.reasons import why
from ui.words import error_text, textless, word

if TYPE_CHECKING:  # FAISS and Kiwi come with it
    from index.snapshot import Index
    from rag.evaluation import Figures, Ranked, Result

Record = dict[str, object]

NOW_AND_THEN = 10.0
"""Seconds between two reports of progress where they cannot be written over one another."""


def write_record(record: Record, out: TextIO) -> None:
    """One JSON object on a line of its own, for whoever waits for it."""
    out.write(json.dumps(record, ensure_ascii=False) + "\n")
    out.flush()


def say(error: Exception) -> None:
    """What failed, in a sentence on standard error, in Korean where the terminal is Korean."""
    if isinstance(error, MureumError):
        text = error_text(error, "ko") if terminal_language() == "ko" else str(error)  # str() tells the most
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: '{error.filename}'" if error.filename else error.strerror
    else:
        text = f"something failed that should not: {type(error).__name__}: {error}. MUREUM_DEBUG=1 shows where."
    print(f"mureum: {text}", file=sys.stderr)


def terminal_language() -> Language:
    """The language of the person's surroundings."""
    chosen = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "ko" if next(filter(None, chosen), "").startswith("ko") else "en"


def answer_record(number: Id, answer: Answer, index: "Index") -> Record:
    """An answer as the contract has it; quotes are sliced from the stored text."""
    return {
        "id": number,
        "question": answer.question,
        "language": answer.language,
        "status": answer.status,
        "answer": answer_text(answer),
        "citations": [
            {
                "marker": citation.marker,
                "document": citation.document,
                "start": citation.start,
                "end": citation.end,
                "quote": index.quote(citation.document, citation.start, citation.end),
                "score": citation.score,
            }
            for citation in answer.citations
        ],
        "timings": {name: round(value, 1) for name, value in asdict(answer.timings).items()},
    }


def result_record(result: "Result | Ranked") -> Record:
    """What became of one question of an evaluation."""
    record = asdict(result)
    if "timings" in record:
        on_evidence = record["on_evidence"]
        record["cited_evidence"] = None if on_evidence is None else on_evidence > 0
        record["timings"] = {name: round(value, 1) for name, value in record["timings"].items()}
    else:
        record["retrieve_ms"] = round(record["retrieve_ms"], 1)
    return record


def read_result(record: Mapping[str, Any]) -> "Result | Ranked":
    """The other way round. Raises KeyError, TypeError."""
    from rag.evaluation import Ranked, Result

    kind = Ranked if "ranks" in record else Result
    values = {name: record[name] for name in kind.__slots__}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    if "timings" in values:
        values["timings"] = Timings(**values["timings"])
    return kind(**values)


def figures_record(figures: "Figures") -> Record:
    """Figures as numbers; the 95 % intervals [low, high] of those that are rates stand together in `intervals`."""
    rates = {name: value for name, value in figures.items() if isinstance(value, Rate)}
    return {
        **{name: _rounded(value.value) if isinstance(value, Rate) else value for name, value in figures.items()},
        "intervals": {name: rate.interval and [_rounded(end) for end in rate.interval] for name, rate in rates.items()},
    }


def figures_lines(figures: Sequence["Figures"]) -> list[str]:
    """A table with a column for each language (and corpus)."""
    return table([(name, *("–" if one[name] is None else str(one[name]) for one in figures)) for name in figures[0]])


def hits_record(number: Id, hits: Sequence[Hit], index: "Index") -> Record:
    """Hits as the contract has them, best first."""
    return {
        "id": number,
        "hits": [
            {
                "document": hit.passage.document,
                "passage": hit.passage.number,
                "start": hit.passage.start,
                "end": hit.passage.end,
                "text": index.quote(hit.passage.document, hit.passage.start, hit.passage.end),
                "score": hit.score,
                "dense": hit.dense,
                "lexical": hit.lexical,
            }
            for hit in hits
        ],
    }


def error_record(number: Id, error: MureumError) -> Record:
    """What stands in the place of an answer that failed."""
    return {"id": number, "error": {"code": error.code, "message": str(error)}}


def answer_lines(answer: Answer, index: "Index") -> list[str]:
    """An answer for people: the text, then each source with its quote."""
    lines = [answer_text(answer)]
    for citation in answer.citations:
        lines += [
            "",
            f"[{citation.marker}] {citation.document} ({citation.start}–{citation.end})",
            f"    “{_one_line(index.quote(citation.document, citation.start, citation.end))}”",
        ]
    return lines


def answer_text(answer: Answer) -> str:
    """The answer in words: the text or that nothing was found, why it is no other, and the translations of quotes, said
    to be such."""
    label = word("machine_translation", answer.language)
    lines = [answer.text or textless(answer.status, answer.reason, answer.language)]
    if reason := why(answer.status, answer.reason):
        lines.append(f"({reason[answer.language == 'en']})")
    lines += [f"({label} [{one.marker}]: {_one_line(one.translation)})" for one in answer.citations if one.translation]
    return "\n".join(lines)


def hits_lines(hits: Sequence[Hit], index: "Index") -> list[str]:
    """Hits for people, best first."""
    lines: list[str] = []
    for place, hit in enumerate(hits, start=1):
        part = hit.passage
        lines += [
            f"{place}. {part.document} ({part.start}–{part.end})  "
            f"score {hit.score:.3f}, dense {hit.dense:.3f}, lexical {hit.lexical:.2f}",
            f"   {_one_line(index.quote(part.document, part.start, part.end))}",
        ]
    return lines


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} B"


def duration(seconds: float) -> str:
    """A stretch of time for people."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _one_line(text: str) -> str:
    return " ".join(text.split())


class ProgressLine:
    """How far a long step is, on standard error: a line that is written over on a terminal, a line now and then
    elsewhere. Ends the line when it is left."""

    def __init__(self) -> None:
        self._overwrites = sys.stderr.isatty()
        self._step = self._text = ""
        self._shown = 0.0
        self._width = 0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def show(self, step: str, detail: str, *, last: bool = False) -> None:
        """`step` says what is done, `detail` how far it is; `last` is for the news that must not be left out."""
        text = f"{step}: {detail}"
        now = time.monotonic()
        if text == self._text:
            return
        pause = 0.1 if self._overwrites else NOW_AND_THEN
        if step == self._step and not last and now - self._shown < pause:
            return
        if step != self._step:
            self._end()
        self._step, self._text, self._shown = step, text, now
        if self._overwrites:
            sys.stderr.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _end(self) -> None:
        if self._width:
            sys.stderr.write("\n")
            self._width = 0
