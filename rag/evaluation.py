"""Measures answers on a set of questions: what is right, refused, cited, and how long it takes; and retrieval alone."""

import json
import re
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from index.build import Progress, add
from index.encoder import Encoder
from index.errors import ModelTimeout, MureumError, QuestionError, UsageError
from index.records import Document, Span
from index.sentences import language
from index.snapshot import Index
from rag.across import QuestionTranslator
from rag.answering import Answerer
from rag.datasets import Case
from rag.model import AnsweringModel
from rag.numbers import unsupported
from rag.questions import MARK, read_question
from rag.records import Answer, Citation, Language, Status, Timings, Turn
from rag.retrieval import search
from rag.statistics import Rate, mean, median, ndcg

DEPTH = 10
"""Documents of a ranking that count."""

Figures = dict[str, str | int | float | Rate | None]
"""Names of figures and their values; None where there is nothing to tell."""

_QUOTE_LINE = re.compile(r"^“(.*)” \[(\d+)\]$", re.MULTILINE)
_UNIT = r"(?:[kcmnμ]?m|[kmμ]?g|t|s|h|m?l|ha|[kMGT]?B|[kMG]?Wh?|[kMG]?Hz|[kMG]?bps|°[CF])"
_FIGURE = re.compile(rf"\d[\d.,]*\s*{_UNIT}(?:/{_UNIT})?[²³]?(?!\w)")
_JOINING = re.compile(r"[-‐-―/]")
_PUNCTUATION = re.compile(r"(?!(?<=\d)\.(?=\d))[^\w\s]")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_LATIN = r"[^\W가-힣]"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case.

    status:            the answer's, or 'failed' where there is none in the time limit, or the question is refused
                       as one; `reason` is then the error's code.
    right:             None where it is not known what is right, and where there is no right answer.
    right_in_words:    of a right answer, whether it is so by its own words, not by the quotes under them alone.
    verbatim:          what it shows as a quote stands in the document.
    numbers_supported: every number of it stands in a quote or in the question.
    in_language:       it is in the question's language, as far as it is no quote.
    quotes:            what the citations point at, in the order of their markers.
    on_evidence:       how many of them point at the evidence; None where that is not known.
    """

    id: str
    language: Language
    question: str
    answerable: bool
    status: Status | Literal["failed"]
    reason: str = ""
    answer: str = ""
    translations: tuple[str, ...] = ()
    right: bool | None = None
    right_in_words: bool | None = None
    verbatim: bool = True
    numbers_supported: bool = True
    in_language: bool = True
    quotes: tuple[str, ...] = ()
    on_evidence: int | None = None
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where the documents that a question is about came in the ranking of a corpus.

    ranks: the places of those among the first DEPTH, from 1; relevant: how many there are.
    """

    id: str
    language: Language
    corpus: str
    question: str
    ranks: tuple[int, ...]
    relevant: int
    retrieve_ms: float


@contextmanager
def temporary_index(
    documents: Sequence[Document], encoder: Encoder, progress: Callable[[Progress], None] = lambda _: None
) -> Iterator[Index]:
    """An index of the documents that is gone afterwards. Raises UsageError where one of them cannot be indexed."""
    with tempfile.TemporaryDirectory(prefix="mureum-eval-") as name:
        folder, file = Path(name) / "index", Path(name) / "documents.jsonl"
        lines = (json.dumps({"id": one.name, "title": one.title, "text": one.text}) for one in documents)
        file.write_text("\n".join(lines), "utf-8")
        if refused := add(folder, [file], encoder, progress).refused:
            raise UsageError(f"The documents of the question set cannot be indexed: {refused[0]}")
        with closing(Index(folder, encoder)) as index:
            yield index


def evaluate(answerer: Answerer, cases: Iterable[Case]) -> Iterator[Result]:
    """Ask every case, in order. Raises what asking raises, but for what is the question's own (see Result.status)."""
    for case in cases:
        history: list[Turn] = []
        try:
            for question in case.earlier:
                history.append(Turn(question, answerer.ask(question, history).text))
            result = judge(case, answerer.ask(case.question, history), answerer.index)
        except (ModelTimeout, QuestionError) as error:
            result = _failed(case, error)
        yield result


def evaluate_apart(model: AnsweringModel, encoder: Encoder, cases: Iterable[Case]) -> Iterator[Result]:
    """As `evaluate`, each case with its own passages as the only documents."""
    for case in cases:
        with temporary_index(case.passages, encoder) as index:
            (result,) = evaluate(Answerer(index, model), [case])
        yield result


def judge(case: Case, answer: Answer, index: Index) -> Result:
    """Compare an answer with what is known of the case; `index` is the one that it comes from."""
    shown = MARK.sub("", "\n".join([answer.text, *_translations(answer)]))
    words = MARK.sub("", _QUOTE_LINE.sub("", answer.text)).strip()
    right = _is_right(case, shown)
    quotes = tuple(index.quote(one.document, *one.span) for one in answer.citations)
    return Result(
        id=case.id,
        language=case.language,
        question=case.question,
        answerable=case.answerable,
        status=answer.status,
        reason=answer.reason,
        answer=answer.text,
        translations=_translations(answer),
        right=right,
        right_in_words=(answer.status == "answered" and _accepts(case, words)) if right else None,
        verbatim=all(quotes) and _quotes_verbatim(answer, index),
        numbers_supported=not quotes or not unsupported(shown, [*quotes, case.question]),
        in_language=answer.status != "answered" or _is_in_language(words, case.language),
        quotes=quotes,
        on_evidence=_on_evidence(case, answer.citations, index),
        timings=answer.timings,
    )


def summary(results: Sequence[Result], spoken: Language) -> Figures:
    """The figures of one language: counts, rates, and medians in milliseconds.

    right_in_words and what is said of citations are shares of what there is to judge: of right answers; of the
    citations of answerable questions (precision) and of the answers that have them (recall: at least one of an
    answer's citations points at the evidence).
    """
    mine = [result for result in results if result.language == spoken]
    answerable = [result for result in mine if result.answerable]
    unanswerable = [result for result in mine if not result.answerable]
    cited = [result for result in answerable if _gave_answer(result) and result.on_evidence is not None]
    timings = [result.timings for result in mine if result.status != "failed"]
    return {
        "language": spoken,
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        "failed": sum(result.status == "failed" for result in mine),
        "right": Rate.of([result.right for result in answerable]),
        "right_in_words": Rate.of([result.right_in_words for result in answerable]),
        "quoted": Rate.of([result.status == "quoted" for result in answerable]),
        "refused_though_answerable": Rate.of([result.status == "not_found" for result in answerable]),
        "refused_rightly": Rate.of([result.status == "not_found" for result in unanswerable]),
        "answered_though_unanswerable": Rate.of([_gave_answer(result) for result in unanswerable]),
        "citation_precision": Rate(
            sum(result.on_evidence or 0 for result in cited), sum(len(result.quotes) for result in cited)
        ),
        "citation_recall": Rate.of([bool(result.on_evidence) for result in cited]),
        "quotes_not_verbatim": sum(not result.verbatim for result in mine),
        "numbers_unsupported": sum(not result.numbers_supported for result in mine),
        "wrong_language": sum(not result.in_language for result in mine),
        "retrieve_ms_p50": median([one.retrieve_ms for one in timings]),
        "first_token_ms_p50": median([one.first_token_ms for one in timings if one.first_token_ms]),
        "total_ms_p50": median([one.total_ms for one in timings]),
    }


def rank(
    index: Index, cases: Iterable[Case], corpus: str, translator: QuestionTranslator | None = None
) -> Iterator[Ranked]:
    """Search for every case, in order, without a model that answers, or with one that translates questions.

    The documents are named as by `datasets.joined`. What has the same id in two corpora is one document here, at the
    place where its first version comes. A result's id is '<case>@<corpus>'.
    """
    for case in cases:
        begin = time.perf_counter()
        translated = translator.of(case.question, index.snapshot()) if translator else ""
        found = _documents(index, case.question, DEPTH, translated)
        retrieve_ms = (time.perf_counter() - begin) * 1000
        if len(found) < DEPTH:
            found = _documents(index, case.question, DEPTH * DEPTH, translated)
        yield Ranked(
            id=f"{case.id}@{corpus}",
            language=case.language,
            corpus=corpus,
            question=case.question,
            ranks=tuple(place for place, name in enumerate(found[:DEPTH], start=1) if name in case.relevant),
            relevant=len(set(case.relevant)),
            retrieve_ms=retrieve_ms,
        )


def ranking_summary(results: Sequence[Ranked], spoken: Language, corpus: str) -> Figures:
    """The figures of the questions in one language against one corpus; nDCG and MRR in [0, 1]."""
    mine = [result for result in results if (result.language, result.corpus) == (spoken, corpus)]
    first = [min(result.ranks, default=None) for result in mine]
    return {
        "corpus": corpus,
        "language": spoken,
        "questions": len(mine),
        "ndcg@10": mean([ndcg(result.ranks, result.relevant, DEPTH) for result in mine]),
        "hit@1": Rate.of([place is not None and place <= 1 for place in first]),
        "hit@3": Rate.of([place is not None and place <= 3 for place in first]),
        "mrr@10": mean([1 / place if place else 0.0 for place in first]),
        "retrieve_ms_p50": median([result.retrieve_ms for result in mine]),
    }


def normalised(text: str) -> str:
    """A text as answers are compared: NFC, case folded, without English articles and punctuation.

    What joins words becomes a space; a decimal point stays.
    """
    text = _JOINING.sub(" ", unicodedata.normalize("NFC", text).casefold())
    return " ".join(_ARTICLE.sub(" ", _PUNCTUATION.sub("", text)).split())


def _has_letters(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def _is_right(case: Case, shown: str) -> bool | None:
    if not case.answerable or not (case.accepted or case.answers):
        return None
    rejected = any(re.search(pattern, shown, re.IGNORECASE) for pattern in case.rejected)
    return _accepts(case, shown) and not rejected


def _accepts(case: Case, text: str) -> bool:
    """Whether an accepted pattern matches, or a right answer stands in the text."""
    if any(re.search(pattern, text, re.IGNORECASE) for pattern in case.accepted):
        return True
    plain = normalised(text)
    return any(_stands_in(normalised(answer), plain) for answer in case.answers)


def _stands_in(answer: str, text: str) -> bool:
    """Both are normalised. Latin letters and digits count as whole words; a Hangul particle may follow on them."""
    if not answer:
        return False
    before = f"(?<!{_LATIN})" if re.match(_LATIN, answer) else ""
    after = f"(?!{_LATIN})" if re.match(_LATIN, answer[-1]) else ""
    return bool(re.search(before + re.escape(answer) + after, text))


def _translations(answer: Answer) -> tuple[str, ...]:
    return tuple(one.translation for one in answer.citations if one.translation)


def _quotes_verbatim(answer: Answer, index: Index) -> bool:
    """Whether every line '“…” [n]' of the text is a piece of the document that [n] cites."""
    documents = {one.marker: one.document for one in answer.citations}
    return all(
        int(marker) in documents and quote in index.text(documents[int(marker)])
        for quote, marker in _QUOTE_LINE.findall(answer.text)
    )


def _on_evidence(case: Case, citations: Sequence[Citation], index: Index) -> int | None:
    """How many citations point at a relevant document, or overlap a sentence of the evidence."""
    if case.relevant:
        return sum(one.document in case.relevant for one in citations)
    if not case.evidence:
        return None
    return sum(
        any(_overlap(one.span, span) for span in _spans(case.evidence, index.text(one.document))) for one in citations
    )


def _spans(sentences: Sequence[str], text: str) -> list[Span]:
    return [match.span() for sentence in sentences for match in re.finditer(re.escape(sentence), text)]


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _is_in_language(words: str, spoken: Language) -> bool:
    """Figures with their units ('630 km/s') are of no language."""
    words = _FIGURE.sub("", words)
    return not _has_letters(words) or language(words) == spoken


def _gave_answer(result: Result) -> bool:
    return result.status in ("answered", "quoted")


def _failed(case: Case, error: MureumError) -> Result:
    known = case.answerable and (case.accepted or case.answers)
    return Result(
        id=case.id,
        language=case.language,
        question=case.question,
        answerable=case.answerable,
        status="failed",
        reason=error.code,
        right=False if known else None,
    )


def _documents(index: Index, question: str, passages: int, translated: str) -> list[str]:
    """The ids of the documents of the best passages, best first, each once."""
    hits = search(index, read_question(question).wordings, passages, translated=translated)
    return list(dict.fromkeys(hit.passage.document.partition("/")[2] for hit in hits))
