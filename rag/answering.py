"""The main path of this package: from a question to a verified, cited answer.

read_question → search → Found → answerable? → draft → verify → Finished(answered | quoted | not_found)
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from index.encoder import Encoder
from index.sentences import language
from index.snapshot import Index
from rag import prompts
from rag.answerability import has_kind, missing, unknown_nouns
from rag.context import Context
from rag.model import AnsweringModel
from rag.numbers import unsupported
from rag.questions import Question, read_question
from rag.records import Answer, Citation, Draft, Event, Finished, Found, Language, Timings, Turn
from rag.retrieval import search
from rag.verification import Evidence, Verdict, verify

HITS = 6
"""Passages that are looked at for an answer."""

SHOWN = 3
"""Sentences that are shown as found before anything is written."""

HINTS = 1
"""Sentences that are said again next to the question when the prompt holds the whole of an index."""

LONGEST_ANSWER = 64
"""Tokens."""

LONGEST_QUERY = 40
"""Tokens of a question that is translated to search with."""

LONGEST_TRANSLATION = 128
"""Tokens of a quote's translation."""

GATE: dict[Language, float] = {"ko": 0.6, "en": 0.0}
"""Log-odds of 'the answer is there' below which nothing is written, by the language of the question.

Set for the default model on the seed questions (docs/results.md); the model is surer of itself in Korean.
"""

GATE_FOLLOW_UP = -0.6
"""How much lower the bar lies for a question that leans on the one before: the model is less sure of what it means."""

LACKING = 3.0
"""What each thing that the question names and the sentences lack takes from those odds."""

LACKING_TRANSLATED = 0.4
"""The same for nouns that only the question's translation names: it may have chosen another word."""

SECOND_QUOTE = 0.05
"""How near a second sentence must come to the best one's relevance to be quoted beside it."""

TERSE = 0.6
"""An answer shorter than this part of the sentence it rests on has that sentence quoted under it."""


class Answerer:
    """Answers questions from one index with one model. Safe to share between threads."""

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index
        self.model = model
        self._context: Context | None = None
        self._warming = threading.Lock()
        self._warm_state = -1

    def stream(
        self, question: str, history: Sequence[Turn] = (), cancel: threading.Event | None = None
    ) -> Iterator[Event]:
        """Found, then Draft as often as there is news, then Finished.

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
            self.warm_up(cancel)
            writer = _Writer(asked, context, self.index, self.model, cancel)
            for step in writer.answer(ranked, answer):
                if isinstance(step, Draft):
                    clock.first_token()
                    yield step
                else:
                    answer = step
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

    def warm_up(self, cancel: threading.Event | None = None) -> None:
        """Load what retrieval needs, and have the model read what all prompts begin with, once for each state."""
        if self._warm_state < 0:
            self.index.encoder.encode_question("물음")
        with self._warming:
            context = self.context()
            if self._warm_state == context.snapshot.state:
                return
            texts = [context.text(sentence) for sentence in context.whole or ()]
            self.model.warm_up(prompts.draft(prompts.Reading(texts, "", "ko")), self.index.folder / "states", cancel)
            self._warm_state = context.snapshot.state


class _Writer:
    """One question on its way from the ranked sentences to the answer."""

    def __init__(
        self,
        asked: Question,
        context: Context,
        index: Index,
        model: AnsweringModel,
        cancel: threading.Event | None,
    ) -> None:
        self._asked = asked
        self._context = context
        self._index = index
        self._model = model
        self._cancel = cancel
        self._encoder: Encoder = index.encoder
        self._translated = ""

    def answer(self, ranked: Sequence[Citation], blank: Answer) -> Iterator[Draft | Answer]:
        """Drafts, then the answer: `blank` filled in."""
        ranked = self._search_across(ranked)
        sentences = self._context.readable(ranked)
        reading = self._reading(sentences, ranked)
        if not self._is_answerable(reading, ranked):
            yield replace(blank, reason="gate")
            return
        written = ""
        for piece in self._model.stream(prompts.draft(reading), LONGEST_ANSWER, self._cancel):
            written += piece
            yield Draft(self._clean(written, reading))
        relevance = np.array([one.score for one in sentences], np.float32)
        verdict = verify(
            self._clean(written, reading),
            self._asked.text,
            self._asked.language,
            Evidence(reading.sentences, relevance),
            self._encoder,
            self._context.snapshot.lexical,
        )
        if verdict.reason == "nothing":
            yield replace(blank, reason="nothing")
            return
        finish = self._quoted if verdict.reason else self._answered
        answer = finish(blank, verdict, sentences, reading)
        yield answer if has_kind(self._asked.text, answer.text) else replace(blank, reason="kind")

    def _is_answerable(self, reading: prompts.Reading, ranked: Sequence[Citation]) -> bool:
        """The model's own odds that the answer is there, less what the question names and the sentences lack."""
        texts = reading.sentences if self._context.whole else [self._context.text(one) for one in ranked]
        penalty = LACKING * len(missing(self._asked.text, self._asked.language, texts))
        penalty += LACKING_TRANSLATED * len(unknown_nouns(self._translated, texts))
        odds = self._model.yes_or_no(prompts.gate(reading), self._cancel)
        bar = GATE[self._asked.language] + (GATE_FOLLOW_UP if self._asked.earlier else 0.0)
        return odds is None or odds - penalty >= bar

    def _search_across(self, ranked: Sequence[Citation]) -> Sequence[Citation]:
        """The ranking, bettered by a search in the documents' language when that is not the question's.

        The embedding model finds a Korean question's sentence far better than an English one's in Korean text.
        """
        if any(language(self._context.text(one)) == self._asked.language for one in ranked[:SHOWN]):
            return ranked
        wanted: Language = "en" if self._asked.language == "ko" else "ko"
        sentences = [self._context.text(one) for one in self._context.whole or ()]
        prompt = prompts.question_translation(sentences, self._asked.search, wanted)
        translated = "".join(self._model.stream(prompt, LONGEST_QUERY, self._cancel)).strip()
        if not translated:
            return ranked
        self._translated = translated
        own = {(one.document, one.span): one.score for one in ranked}
        other = self._context.ranked(search(self._index, translated, HITS, self._context.snapshot))
        mixed = [replace(one, score=(one.score + own.get((one.document, one.span), 0.0)) / 2) for one in other]
        return sorted(mixed, key=lambda one: -one.score)

    def _reading(self, sentences: Sequence[Citation], ranked: Sequence[Citation]) -> prompts.Reading:
        """What the model is to read. The best sentences are said again where they would be lost among the others."""
        texts = [self._context.text(one) for one in sentences]
        relevant = [self._context.text(one) for one in ranked[:HINTS]] if self._context.whole else []
        return prompts.Reading(texts, self._asked.text, self._asked.language, relevant, self._asked.earlier)

    def _clean(self, written: str, reading: prompts.Reading) -> str:
        """A Korean draft without the English forms that were put beside names and amounts for the model."""
        return prompts.without_annotations(written, reading.sentences) if reading.language == "ko" else written

    def _answered(
        self, blank: Answer, verdict: Verdict, sentences: Sequence[Citation], reading: prompts.Reading
    ) -> Answer:
        """The draft with its marks, and under a terse one the sentence it rests on, where both are in one language."""
        cited = tuple(replace(sentences[row], marker=number) for number, row in enumerate(verdict.cited, start=1))
        lines = [f"{verdict.text} {''.join(f'[{one.marker}]' for one in cited)}"]
        for one in cited:
            quote = self._context.text(one)
            if language(quote) == self._asked.language and len(verdict.text) < TERSE * len(quote):
                lines.append(f"“{quote}” [{one.marker}]")
        return replace(blank, status="answered", text="\n".join(lines), citations=cited, reason="")

    def _quoted(
        self, blank: Answer, verdict: Verdict, sentences: Sequence[Citation], reading: prompts.Reading
    ) -> Answer:
        """The most relevant sentences as they stand, with a translation for who asks in another language."""
        best = sorted(range(len(sentences)), key=lambda row: -sentences[row].score)
        rows = [row for row in best[:2] if sentences[best[0]].score - sentences[row].score <= SECOND_QUOTE]
        cited = tuple(
            replace(sentences[row], marker=marker, translation=self._translate(reading, row))
            for marker, row in enumerate(rows, start=1)
        )
        text = "\n".join(f"“{reading.sentences[row]}” [{marker}]" for marker, row in enumerate(rows, start=1))
        return replace(blank, status="quoted", text=text, citations=cited, reason=verdict.reason)

    def _translate(self, reading: prompts.Reading, row: int) -> str:
        """A sentence in the question's language; '' when it is in it already, or when its numbers come out wrong."""
        sentence = reading.sentences[row]
        if language(sentence) == reading.language:
            return ""
        prompt = prompts.translation(reading.sentences, sentence, reading.language)
        translated = "".join(self._model.stream(prompt, LONGEST_TRANSLATION, self._cancel)).strip()
        if unsupported(translated, [sentence]) or language(translated) != reading.language:
            return ""
        return translated


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
