"""The main path of this package: from a question to a verified, cited answer.

read_question → search → Found → answerable? → Quote → draft → verify → Finished(answered | quoted | not_found)
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from index.lexical import LexicalStore
from index.snapshot import Index
from index.tokens import tokens
from rag import prompts
from rag.answerability import is_yes_no, missing
from rag.background import Background
from rag.bridge import Bridge, foreign
from rag.context import Context
from rag.kinds import defines, has_kind
from rag.model import AnsweringModel
from rag.questions import Question, read_question
from rag.records import Answer, Citation, Draft, Event, Finished, Found, Language, Quote, Timings, Turn
from rag.retrieval import search
from rag.translations import Translations
from rag.verification import Evidence, Verdict, verify

HITS = 6
"""Passages that are looked at for an answer."""

SHOWN = 3
"""Sentences that are shown as found before anything is written, and translated where nothing is translated ahead."""

HINTS = 1
"""Sentences that are said again next to the question when the prompt holds the whole of an index."""

ROLES: dict[Language, dict[str, str]] = {
    "ko": {"photo": "사진: ", "byline": "글: "},
    "en": {"photo": "Photo by ", "byline": "Article by "},
}
"""What is put before a bare line of a reporter's name for the model."""

LANGUAGES: tuple[Language, ...] = ("ko", "en")

LONGEST_ANSWER = 64
"""Tokens."""

LONGEST_QUERY = 40
"""Tokens of a question that is translated to search with."""

GATE = 0.0
"""Log-odds of 'the answer is there' below which nothing is written. Set for the default model (docs/results.md)."""

GATE_FOLLOW_UP = -0.6
"""How much lower the bar lies for a question that leans on the one before: the model is less sure of what it means."""

LACKING = 1.5
"""What each thing that the question names and the sentences lack takes from those odds.

Of 118 answerable Korean questions of NoMIRACL 6 % lack something in their passages, of 114 unanswerable ones 35 %
(docs/results.md): a likelihood ratio of about 6, or 1.8 in logarithms.
"""

DRAFT_SHARE = 0.3
"""Share that question and draft together have in the final ranking of the sentences."""

GATE_YES_NO = -1.0
"""How much lower for a question that yes or no answers: the model's 'no' may be the answer to it."""

CAPTION_PENALTY = 0.05
"""Taken from the relevance of captions and credit lines, so that they come after text that says as much."""

DEFINITION = 0.15
"""Added to the relevance of a sentence that defines the short form whose meaning is asked."""

SECOND_QUOTE = 0.1
"""How near a second sentence must come to the best one's relevance to be quoted beside it."""

TERSE = 0.6
"""An answer shorter than this part of the sentence it rests on has that sentence quoted under it."""


class Answerer:
    """Answers questions from one index with one model. Safe to share between threads."""

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index
        self.model = model
        self.bridge = Bridge(index.encoder, Translations(index.folder, model))
        self._context: Context | None = None
        self._warming = threading.Lock()
        self._warm: set[tuple[int, Language]] = set()
        self.background = Background()

    def stream(
        self, question: str, history: Sequence[Turn] = (), cancel: threading.Event | None = None
    ) -> Iterator[Event]:
        """Found, then Quote and Draft as often as there is news, then Finished.

        Raises QuestionEmpty, QuestionTooLong, Cancelled, ModelTimeout, ModelUnreachable, ModelFailed and what the
        index raises.
        """
        clock = _Clock()
        asked = read_question(question, history)
        context = self.context()
        ranked = context.ranked(search(self.index, asked.search, HITS, context.snapshot))
        found = tuple(replace(citation, marker=number) for number, citation in enumerate(ranked[:SHOWN], start=1))
        clock.retrieved()
        yield Found(found, clock.retrieve_ms)
        answer = Answer(asked.text, asked.language, "not_found", "", (), found, "nothing")
        if ranked:
            with self.background.making_way():
                for step in _Writer(asked, context, self, cancel).answer(ranked, answer):
                    if isinstance(step, Answer):
                        answer = step
                    else:
                        clock.first_token()
                        yield step
        yield Finished(replace(answer, timings=clock.timings()))

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer alone."""
        *_, last = self.stream(question, history)
        assert isinstance(last, Finished)
        return last.answer

    def context(self) -> Context:
        """The sentences of the index's newest state."""
        snapshot = self.index.snapshot()
        context = self._context
        if context is None or context.snapshot is not snapshot:
            self._context = context = Context(snapshot)
        return context

    def warm_up(self, spoken: Language = "ko", cancel: threading.Event | None = None) -> None:
        """Load what retrieval needs, and have the model read what prompts in a language begin with, once a state."""
        with self._warming:
            context = self.context()
            if (context.snapshot.state, spoken) in self._warm:
                return
            self.index.encoder.encode_question("물음")
            texts = [context.text(sentence) for sentence in context.whole or ()]
            if not self.bridge.untranslated(texts, spoken):
                readings = [self.bridge.read(text, spoken) for text in texts]
                beginning = prompts.draft(prompts.Reading(readings, "", spoken))
                self.model.warm_up(beginning, self.index.folder / "states", cancel)
                self._warm.add((context.snapshot.state, spoken))

    def prepare(self, stop: threading.Event) -> Iterator[tuple[int, int]]:
        """Have the model read a small index, and translate its sentences for who asks in the other language.

        It makes way for questions, and may take minutes: a thread of its own is the place. Yields (done, of all)
        sentences. Raises what the model raises; ends early when `stop` is set.
        """
        context = self.context()
        texts = [context.text(sentence) for sentence in context.few or ()]
        spoken: list[Language] = sorted(LANGUAGES, key=lambda one: sum(foreign(text, one) for text in texts))
        work = [(text, wanted) for wanted in spoken for text in self.bridge.untranslated(texts, wanted)]
        self.background.run(partial(self.warm_up, spoken[0]), stop)
        for done, (text, wanted) in enumerate(work, start=1):
            self.background.run(partial(self.bridge.translate, text, wanted), stop)
            yield done, len(work)
        for wanted in spoken[1:]:
            self.bridge.relevance("물음", [self.bridge.read(text, wanted) for text in texts])
            self.background.run(partial(self.warm_up, wanted), stop)

    def is_warm(self, context: Context, spoken: Language) -> bool:
        """Whether the model has read the whole of a small index in a language."""
        return context.whole is not None and (context.snapshot.state, spoken) in self._warm


class _Writer:
    """One question on its way from the ranked sentences to the answer."""

    def __init__(self, asked: Question, context: Context, answerer: Answerer, cancel: threading.Event | None) -> None:
        self._asked = asked
        self._context = context
        self._answerer = answerer
        self._bridge = answerer.bridge
        self._model = answerer.model
        self._cancel = cancel
        self._whole = context.whole if answerer.is_warm(context, asked.language) else None

    def answer(self, ranked: Sequence[Citation], blank: Answer) -> Iterator[Quote | Draft | Answer]:
        """What is found on the way, then the answer: `blank` filled in."""
        ranked = self._ranked(ranked)
        sentences = self._sentences(ranked)
        reading = self._reading(sentences, ranked)
        if not self._is_answerable(reading, ranked):
            yield replace(blank, reason="gate")
            return
        quotes = self._quotes(ranked)
        if self._has_kind(quotes):
            yield Quote(quotes)
        if is_yes_no(self._asked.text, self._asked.language):
            yield self._quoted(blank, quotes, "yes_no")
            return
        written = ""
        for piece in self._model.stream(prompts.draft(reading), LONGEST_ANSWER, self._cancel):
            written += piece
            yield Draft(written)
        quotes = self._quotes(self._ranked_by_draft(ranked, written))
        verdict = self._verdict(written, sentences, reading, quotes)
        if verdict.reason == "nothing":
            yield replace(blank, reason="nothing")
        elif not self._has_kind(quotes):
            yield replace(blank, reason="kind")
        elif verdict.reason:
            yield self._quoted(blank, quotes, verdict.reason)
        else:
            yield self._answered(blank, verdict, sentences)

    def _has_kind(self, quotes: Sequence[Citation]) -> bool:
        return has_kind(self._asked.text, " ".join(self._context.text(one) for one in quotes))

    def _ranked_by_draft(self, ranked: Sequence[Citation], written: str) -> Sequence[Citation]:
        """The ranking once more, with what the model wrote as a part of the question: it has read all the sentences,
        and what it wrote, right or wrong, is near the one it took it from (as in HyDE, Gao et al. 2022,
        arXiv:2212.10496)."""
        relevance = self._bridge.relevance(f"{self._asked.search} {written}", [self._read(one) for one in ranked])
        mixed = [
            replace(one, score=(1 - DRAFT_SHARE) * one.score + DRAFT_SHARE * float(score))
            for one, score in zip(ranked, relevance, strict=True)
        ]
        return sorted(mixed, key=lambda one: -one.score)

    def _is_answerable(self, reading: prompts.Reading, ranked: Sequence[Citation]) -> bool:
        """The model's own odds that the answer is there, less what the question names and the sentences lack."""
        texts = [self._context.text(one) for one in self._whole or ranked]
        penalty = LACKING * len(missing(self._asked.text, self._asked.language, texts))
        odds = self._model.yes_or_no(prompts.gate(reading), self._cancel)
        bar = GATE + (GATE_FOLLOW_UP if self._asked.earlier else 0.0)
        if is_yes_no(self._asked.text, self._asked.language):
            bar += GATE_YES_NO
        return odds is None or odds - penalty >= bar

    def _ranked(self, ranked: Sequence[Citation]) -> Sequence[Citation]:
        """The ranking, made anew in the question's language where the documents are in the other.

        The embedding model finds a Korean question's sentence far better than an English one's in Korean text, and
        an English question's among translations (docs/decisions.md).
        """
        if not any(self._is_foreign(one) for one in ranked[:SHOWN]):
            return self._definitions_first(ranked)
        few = self._context.few
        direct = None
        if few is not None and not self._bridge.untranslated(
            [self._context.text(one) for one in few], self._asked.language
        ):
            cosines = self._context.direct(self._answerer.index.encoder.encode_question(self._asked.search))
            direct = np.array([cosines[one.document, *one.span] for one in few], np.float32)
        else:
            ranked = self._search_across(ranked)
            for one in ranked[:SHOWN]:
                self._bridge.translate(self._context.text(one), self._asked.language, self._cancel)
            few = tuple(ranked[:SHOWN])
        relevance = self._bridge.relevance(self._asked.search, [self._read(one) for one in few], direct)
        scored = [
            replace(one, score=float(score) - (CAPTION_PENALTY if self._context.is_repeated(one) else 0.0))
            for one, score in zip(few, relevance, strict=True)
        ]
        return self._definitions_first(scored)

    def _definitions_first(self, sentences: Sequence[Citation]) -> Sequence[Citation]:
        """In the order of their scores, what defines the short form that is asked for raised."""
        raised = [
            replace(one, score=one.score + (DEFINITION if defines(self._asked.text, self._context.text(one)) else 0.0))
            for one in sentences
        ]
        return sorted(raised, key=lambda one: -one.score)

    def _search_across(self, ranked: Sequence[Citation]) -> Sequence[Citation]:
        """The ranking, bettered by a search with the question translated into the documents' language."""
        wanted: Language = "en" if self._asked.language == "ko" else "ko"
        prompt = prompts.question_translation(self._asked.search, wanted)
        translated = "".join(self._model.stream(prompt, LONGEST_QUERY, self._cancel)).strip()
        if not translated:
            return ranked
        own = {(one.document, one.span): one.score for one in ranked}
        other = self._context.ranked(search(self._answerer.index, translated, HITS, self._context.snapshot))
        mixed = [replace(one, score=(one.score + own.get((one.document, one.span), 0.0)) / 2) for one in other]
        return sorted(mixed, key=lambda one: -one.score)

    def _sentences(self, ranked: Sequence[Citation]) -> list[Citation]:
        """What the prompt holds, in reading order, with its relevance where that is known."""
        if self._whole is None:
            return self._context.best(ranked)
        relevance = {(one.document, one.span): one.score for one in ranked}
        return [replace(one, score=relevance.get((one.document, one.span), 0.0)) for one in self._whole]

    def _reading(self, sentences: Sequence[Citation], ranked: Sequence[Citation]) -> prompts.Reading:
        """What the model is to read. The best sentences are said again where they would be lost among the others."""
        hints = ranked[:HINTS] if self._whole else ()
        return prompts.Reading(
            [self._read(one) for one in sentences],
            self._asked.text,
            self._asked.language,
            [self._read(one) for one in hints],
            self._asked.earlier,
        )

    def _verdict(
        self, written: str, sentences: Sequence[Citation], reading: prompts.Reading, quotes: Sequence[Citation]
    ) -> Verdict:
        likely = {(one.document, one.span) for one in quotes}
        evidence = Evidence(
            reading.sentences,
            [self._context.text(one) for one in sentences],
            np.array([one.score for one in sentences], np.float32),
            [row for row, one in enumerate(sentences) if (one.document, one.span) in likely],
        )
        translated = any(self._is_foreign(one) for one in sentences)
        lexical = LexicalStore([tokens(text) for text in reading.sentences]) if translated else None
        return verify(
            written, self._asked.text, self._asked.language, evidence, lexical or self._context.snapshot.lexical
        )

    def _answered(self, blank: Answer, verdict: Verdict, sentences: Sequence[Citation]) -> Answer:
        """The draft with its marks, and under a terse or translated one the sentence that it rests on."""
        cited = self._marked([sentences[row] for row in verdict.cited])
        lines = [f"{verdict.text} {''.join(f'[{one.marker}]' for one in cited)}"]
        for one in cited:
            quote = self._context.text(one)
            if self._is_foreign(one) or len(verdict.text) < TERSE * len(quote):
                lines.append(f"“{quote}” [{one.marker}]")
        return replace(blank, status="answered", text="\n".join(lines), citations=cited, reason="")

    def _quoted(self, blank: Answer, quotes: tuple[Citation, ...], reason: str) -> Answer:
        """The most relevant sentences as they stand."""
        text = "\n".join(f"“{self._context.text(one)}” [{one.marker}]" for one in quotes)
        return replace(blank, status="quoted", text=text, citations=quotes, reason=reason)

    def _quotes(self, ranked: Sequence[Citation]) -> tuple[Citation, ...]:
        """The best sentence, and the second where it is nearly as relevant."""
        best = [one for one in ranked[:2] if ranked[0].score - one.score <= SECOND_QUOTE]
        return self._marked(best)

    def _marked(self, sentences: Sequence[Citation]) -> tuple[Citation, ...]:
        """The sentences numbered, with their translations for who asks in another language."""
        return tuple(
            replace(
                one,
                marker=marker,
                translation=self._bridge.translation(self._context.text(one), self._asked.language),
            )
            for marker, one in enumerate(sentences, start=1)
        )

    def _read(self, sentence: Citation) -> str:
        """The sentence in the question's language, a bare name with what it is there for."""
        label = ROLES[self._asked.language].get(self._context.role(sentence), "")
        return label + self._bridge.read(self._context.text(sentence), self._asked.language)

    def _is_foreign(self, sentence: Citation) -> bool:
        return foreign(self._context.text(sentence), self._asked.language)


class _Clock:
    """Milliseconds since the question was given."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self.retrieve_ms = 0.0
        self._first_token_ms = 0.0

    def _now(self) -> float:
        return (time.perf_counter() - self._begin) * 1000

    def retrieved(self) -> None:
        """Retrieval is done."""
        self.retrieve_ms = self._now()

    def first_token(self) -> None:
        """The model wrote something; only the first time counts."""
        self._first_token_ms = self._first_token_ms or self._now()

    def timings(self) -> Timings:
        """As of now."""
        return Timings(self.retrieve_ms, self._first_token_ms, self._now())
