"""Question sets to measure with, one JSON object a line, gzipped or not. The kind follows from the content:

mureum     seeds/questions.jsonl: a question in Korean, in English or both about the documents of an index, or about
           documents of its own
nomiracl   a question with the passages that were retrieved for it, which may not hold the answer
squad      a question about a passage of a corpus, which may not hold the answer
belebele   a question in Korean and in English about a passage of corpora in both: for retrieval alone
"""

import gzip
import hashlib
import json
import random
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from index.errors import DocumentError, UsageError
from index.reading import document
from index.records import Document
from index.sentences import language
from rag.records import Language

Kind = Literal["mureum", "nomiracl", "squad", "belebele"]

Record = dict[str, Any]

LANGUAGES: tuple[Language, ...] = ("ko", "en")

SEED = 2024
"""Of every sample."""

FIELDS: dict[Kind, set[str]] = {
    "mureum": {"history", "rejected", "evidence"},
    "nomiracl": {"query_id", "question", "passages"},
    "squad": {"question", "answers", "relevant"},
    "belebele": {"question_ko", "question_en", "relevant"},
}
"""What the first line of a set of each kind has, at least."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question in one language, with what is known of its answer; a set gives what it has.

    earlier:            the questions before a follow-up; they are asked first, so that it follows real answers.
    accepted, rejected: patterns of right and of wrong answers.
    answers:            right answers in words.
    evidence:           verbatim sentences of the documents, NFC.
    relevant:           names of the documents that the question is about.
    passages:           the documents that this question is answered from; none where all share an index.
    """

    id: str
    language: Language
    question: str
    answerable: bool
    earlier: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    relevant: tuple[str, ...] = ()
    passages: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The cases of a file in their order, their ids all different. digest: SHA-256 (hex) of its uncompressed bytes."""

    kind: Kind
    cases: tuple[Case, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a file, named by their ids. digest: SHA-256 (hex) of its uncompressed bytes."""

    path: Path
    documents: tuple[Document, ...]
    digest: str


def read_questions(path: Path) -> QuestionSet:
    """Raises UsageError, which names the line, for what cannot be read and for a kind that is not known."""
    data = read_bytes(path)
    kind: Kind | None = None
    cases: dict[str, Case] = {}
    for number, record in _records(path, data):
        kind = kind or _kind(path, number, record)
        try:
            read = _READERS[kind](record)
        except (ValueError, KeyError, TypeError, AttributeError, re.error, DocumentError) as error:
            raise UsageError(f"Line {number} of '{path}' is not a {kind} question: {error!r}.", path=path) from error
        for case in read:
            if case.id in cases:
                raise UsageError(f"Line {number} of '{path}' has an id that stood before: '{case.id}'.", path=path)
            cases[case.id] = case
    if kind is None:
        raise UsageError(f"'{path}' has no question in it.", path=path)
    return QuestionSet(kind, tuple(cases.values()), _digest(data))


def read_corpus(path: Path) -> Corpus:
    """The documents of {"id", "title"?, "text"} lines. Raises UsageError, which names the line."""
    data = read_bytes(path)
    documents: dict[str, Document] = {}
    for number, record in _records(path, data):
        try:
            one = document(_string(record, "id"), _string(record, "text"), record.get("title") or "")
        except (ValueError, KeyError, TypeError, AttributeError, DocumentError) as error:
            raise UsageError(f"Line {number} of '{path}' is not a document: {error!r}.", path=path) from error
        if one.name in documents:
            raise UsageError(f"Line {number} of '{path}' has an id that stood before: '{one.name}'.", path=path)
        documents[one.name] = one
    if not documents:
        raise UsageError(f"'{path}' has no document in it.", path=path)
    return Corpus(path, tuple(documents.values()), _digest(data))


def require_relevant(questions: QuestionSet, corpus: Corpus) -> None:
    """Raises UsageError for a question about a document that the corpus has not."""
    names = {one.name for one in corpus.documents}
    for case in questions.cases:
        if missing := set(case.relevant) - names:
            raise UsageError(
                f"Question '{case.id}' is about '{min(missing)}', which is not in '{corpus.path}'.", path=corpus.path
            )


def with_relevant_alone(cases: Sequence[Case], corpus: Corpus) -> list[Case]:
    """The cases, each to be answered from the documents that it is about and from nothing else.

    Raises UsageError where a case names none.
    """
    by_name = {one.name: one for one in corpus.documents}
    for case in cases:
        if not case.relevant:
            raise UsageError(f"Question '{case.id}' does not say what it is about.")
    return [replace(case, passages=tuple(by_name[name] for name in case.relevant)) for case in cases]


def joined(corpora: Sequence[Corpus]) -> list[Document]:
    """The documents of all corpora, each named '<number of its corpus>/<its id>'."""
    return [
        replace(one, name=f"{number}/{one.name}")
        for number, corpus in enumerate(corpora, start=1)
        for one in corpus.documents
    ]


def sample(cases: Sequence[Case], count: int) -> list[Case]:
    """`count` of the cases in their order, always the same ones of the same set.

    Languages, answerable and unanswerable questions keep their shares, to within one case.
    """
    strata: dict[tuple[Language, bool], list[int]] = {}
    for place, case in enumerate(cases):
        strata.setdefault((case.language, case.answerable), []).append(place)
    count = min(count, len(cases))
    shares = {key: count * len(places) / len(cases) for key, places in strata.items()}
    sizes = {key: int(share) for key, share in shares.items()}
    by_remainder = sorted(strata, key=lambda key: (sizes[key] - shares[key], key))
    for key in by_remainder[: count - sum(sizes.values())]:
        sizes[key] += 1
    # Every stratum begins from the seed: of a set in two languages the same questions come in both.
    chosen = {place for key, places in strata.items() for place in random.Random(SEED).sample(places, sizes[key])}
    return [case for place, case in enumerate(cases) if place in chosen]


def read_bytes(path: Path) -> bytes:
    """A file's content, unpacked where it is gzipped. Raises UsageError."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"'{path}' cannot be opened: {reason}.", path=path) from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _records(path: Path, data: bytes) -> Iterator[tuple[int, Record]]:
    """The objects of the lines that are not empty, with the numbers of the lines, from 1."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"Line {number} of '{path}' is not JSON in UTF-8: {error}.", path=path) from error
        if not isinstance(record, dict):
            raise UsageError(f"Line {number} of '{path}' is not a JSON object.", path=path)
        yield number, record


def _kind(path: Path, number: int, record: Record) -> Kind:
    for kind, names in FIELDS.items():
        if names <= record.keys():
            return kind
    known = "; ".join(f"{kind} ({', '.join(sorted(names))})" for kind, names in FIELDS.items())
    raise UsageError(f"Line {number} of '{path}' is a question of no known kind. Known are: {known}.", path=path)


def _mureum(record: Record) -> list[Case]:
    asked = [spoken for spoken in LANGUAGES if f"question_{spoken}" in record]
    if not asked:
        raise KeyError("question_ko or question_en")
    return [
        Case(
            id=f"{record['id']}.{spoken}",
            language=spoken,
            question=_string(record, f"question_{spoken}"),
            answerable=_flag(record, "answerable"),
            earlier=tuple(_string(turn, f"question_{spoken}") for turn in record["history"]),
            accepted=_patterns(record, f"accepted_{spoken}"),
            rejected=_patterns(record, "rejected"),
            evidence=tuple(unicodedata.normalize("NFC", sentence) for sentence in _strings(record, "evidence")),
            passages=tuple(document(_string(one, "id"), _string(one, "text")) for one in record.get("documents") or ()),
        )
        for spoken in asked
    ]


def _nomiracl(record: Record) -> list[Case]:
    """A passage may have a `relevant` flag; where none has one, it is not known which of them hold the answer."""
    question = _string(record, "question")
    passages = record["passages"]
    return [
        Case(
            id=_string(record, "query_id"),
            language=_language(question),
            question=question,
            answerable=_flag(record, "answerable"),
            relevant=tuple(_string(one, "docid") for one in passages if one.get("relevant")),
            passages=tuple(document(_string(one, "docid"), _string(one, "text")) for one in passages),
        )
    ]


def _squad(record: Record) -> list[Case]:
    question = _string(record, "question")
    return [
        Case(
            id=_string(record, "id"),
            language=_language(question),
            question=question,
            answerable=_flag(record, "answerable"),
            answers=_strings(record, "answers"),
            relevant=_strings(record, "relevant"),
        )
    ]


def _belebele(record: Record) -> list[Case]:
    if not record["relevant"]:
        raise ValueError("relevant is empty")
    return [
        Case(
            id=f"{_string(record, 'id')}.{spoken}",
            language=spoken,
            question=_string(record, f"question_{spoken}"),
            answerable=True,
            relevant=_strings(record, "relevant"),
        )
        for spoken in LANGUAGES
    ]


_READERS: dict[Kind, Callable[[Record], list[Case]]] = {
    "mureum": _mureum,
    "nomiracl": _nomiracl,
    "squad": _squad,
    "belebele": _belebele,
}


def _language(question: str) -> Language:
    return "ko" if language(question) == "ko" else "en"


def _string(record: Record, name: str) -> str:
    if not isinstance(record[name], str) or not record[name]:
        raise TypeError(f"{name} is not a text")
    return str(record[name])


def _strings(record: Record, name: str) -> tuple[str, ...]:
    if not isinstance(record[name], list) or not all(isinstance(one, str) for one in record[name]):
        raise TypeError(f"{name} is not a list of texts")
    return tuple(record[name])


def _flag(record: Record, name: str) -> bool:
    if not isinstance(record[name], bool):
        raise TypeError(f"{name} is neither true nor false")
    return bool(record[name])


def _patterns(record: Record, name: str) -> tuple[str, ...]:
    patterns = _strings(record, name)
    for pattern in patterns:
        re.compile(pattern)
    return patterns
