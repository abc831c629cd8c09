"""Measures answers on a set of questions: what is right, refused, cited, and how long it takes."""

import json
import random
import re
import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import UsageError
from index.records import Span
from index.sentences import language
from rag.answering import Answerer
from rag.numbers import unsupported
from rag.records import Answer, Language, Turn

LANGUAGES: tuple[Language, ...] = ("ko", "en")


@dataclass(frozen=True, slots=True)
class Case:
    """One question in one language. accepted, rejected: patterns of right and of wrong answers; evidence: verbatim
    sentences of the documents. The earlier questions of a follow-up are asked first, so that it follows real answers.
    """

    id: str
    language: Language
    question: str
    earlier: tuple[str, ...]
    answerable: bool
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case. right is None where there is no right answer. cited_evidence: a citation overlaps the
    evidence."""

    case: Case
    answer: Answer
    right: bool | None
    verbatim: bool
    numbers_supported: bool
    cited_evidence: bool


def read_cases(path: Path) -> list[Case]:
    """The cases of a file in the format of seeds/questions.jsonl. Raises UsageError naming the line."""
    cases: list[Case] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            cases += [_case(record, spoken) for spoken in LANGUAGES]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"Line {number} of '{path}' is not a question: {error!r}.", path=path) from error
    return cases


def sample(cases: Sequence[Case], count: int) -> list[Case]:
    """`count` of the cases, always the same ones of the same set."""
    return random.Random(2024).sample(list(cases), min(count, len(cases)))


def evaluate(answerer: Answerer, cases: Sequence[Case]) -> Iterator[Result]:
    """Ask every case, in order."""
    for case in cases:
        history: list[Turn] = []
        for question in case.earlier:
            history.append(Turn(question, answerer.ask(question, history).text))
        yield judge(case, answerer.ask(case.question, history), answerer)


def judge(case: Case, answer: Answer, answerer: Answerer) -> Result:
    """Compare an answer with what the case accepts."""
    shown = _shown(answer)
    right = None
    if case.answerable:
        accepted = any(re.search(pattern, shown, re.IGNORECASE) for pattern in case.accepted)
        right = accepted and not any(re.search(pattern, shown, re.IGNORECASE) for pattern in case.rejected)
    quotes = [answerer.index.quote(one.document, one.start, one.end) for one in answer.citations]
    texts = {one.document: answerer.index.text(one.document) for one in answer.citations}
    return Result(
        case=case,
        answer=answer,
        right=right,
        verbatim=all(
            quote and quote in texts[one.document] for quote, one in zip(quotes, answer.citations, strict=True)
        ),
        numbers_supported=not quotes or not unsupported(re.sub(r"\[\d+\]", "", shown), [*quotes, case.question]),
        cited_evidence=any(
            _overlap(one.span, span)
            for one in answer.citations
            for span in _evidence_spans(case.evidence, texts[one.document])
        ),
    )


def summary(results: Sequence[Result], spoken: Language) -> dict[str, Any]:
    """The figures of one language; rates in [0, 1], times in milliseconds."""
    mine = [result for result in results if result.case.language == spoken]
    answerable = [result for result in mine if result.case.answerable]
    unanswerable = [result for result in mine if not result.case.answerable]
    cited = [result for result in answerable if result.answer.citations]
    return {
        "language": spoken,
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        "right": _rate([bool(result.right) for result in answerable]),
        "quoted": _rate([result.answer.status == "quoted" for result in answerable]),
        "refused_though_answerable": _rate([result.answer.status == "not_found" for result in answerable]),
        "refused_rightly": _rate([result.answer.status == "not_found" for result in unanswerable]),
        "citation_holds_evidence": _rate([result.cited_evidence for result in cited]),
        "quotes_not_verbatim": sum(not result.verbatim for result in mine),
        "numbers_unsupported": sum(not result.numbers_supported for result in mine),
        "wrong_language": sum(
            result.answer.status == "answered" and language(result.answer.text) != spoken for result in mine
        ),
        "retrieve_ms_p50": _median([result.answer.timings.retrieve_ms for result in mine]),
        "first_token_ms_p50": _median(
            [result.answer.timings.first_token_ms for result in mine if result.answer.timings.first_token_ms]
        ),
        "total_ms_p50": _median([result.answer.timings.total_ms for result in mine]),
    }


def _case(record: dict[str, Any], spoken: Language) -> Case:
    def patterns(name: str) -> tuple[str, ...]:
        for pattern in record[name]:
            re.compile(pattern)
        return tuple(record[name])

    return Case(
        id=f"{record['id']}.{spoken}",
        language=spoken,
        question=record[f"question_{spoken}"],
        earlier=tuple(turn[f"question_{spoken}"] for turn in record["history"]),
        answerable=record["answerable"],
        accepted=patterns(f"accepted_{spoken}"),
        rejected=patterns("rejected"),
        evidence=tuple(unicodedata.normalize("NFC", sentence) for sentence in record["evidence"]),
    )


def _shown(answer: Answer) -> str:
    """What a person reads: the text, and the translations that stand under quotes."""
    return "\n".join([answer.text, *(one.translation for one in answer.citations if one.translation)])


def _evidence_spans(evidence: Sequence[str], text: str) -> list[Span]:
    return [(match.start(), match.end()) for sentence in evidence for match in re.finditer(re.escape(sentence), text)]


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _rate(outcomes: Sequence[bool]) -> float:
    return round(sum(outcomes) / len(outcomes), 3) if outcomes else 0.0


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 1) if values else 0.0
