"""The main path of this package: from a question to a verified, cited answer.

read_question → search → Found → answerable? → Quote → draft → verify → Finished(answered | quoted | not_found)
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from index.snapshot import Index
from rag import prompts
from rag.background import Background
from rag.bridge import Bridge, foreign
from rag.calibration import Signals, load
from rag.context import Context
from rag.intents import SMALL_TALK, intent, split_questions, subject
from rag.joining import joined
from rag.model import AnsweringModel
from rag.questions import Question, read_question
from rag.records import Answer, Citation, Event, Finished, Found, Hit, Language, Timings, Turn
from rag.retrieval import search
from rag.summary import central, documents_meant, overview
from rag.translations import Translations
from rag.writing import HITS, SHOWN, Means, Writer

LANGUAGES: tuple[Language, ...] = ("ko", "en")


class Answerer:
    """Answers questions from one index with one model. Safe to share between threads."""

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index
        self.model = model
        self.bridge = Bridge(index.encoder, Translations(index.folder, model))
        self._means = Means(index, self.bridge, model, load(model.name, index.encoder.name))
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
        wanted = intent(asked.text)
        parts = split_questions(asked.text) if wanted == "question" else []
        if wanted in SMALL_TALK:
            yield Finished(Answer(asked.text, asked.language, "answered", "", reason=wanted, timings=clock.timings()))
        elif wanted == "summary":
            yield from self._summary(asked, clock, cancel)
        elif len(parts) > 1:
            yield from self._several(parts, asked, history, clock, cancel)
        else:
            yield from self._one(asked, clock, cancel)

    def _one(
        self, asked: Question, clock: "_Clock", cancel: threading.Event | None, cited: Sequence[Citation] = ()
    ) -> Iterator[Event]:
        """One question's events. cited: what earlier parts of a longer message cite, which keeps its markers."""
        context = self.context()
        hits = search(self.index, asked.search, HITS, context.snapshot)
        ranked = context.ranked(hits)
        found = tuple(replace(citation, marker=number) for number, citation in enumerate(ranked[:SHOWN], start=1))
        clock.retrieved()
        yield Found(found, clock.retrieve_ms)
        answer = Answer(asked.text, asked.language, "not_found", "", (), found, "nothing")
        if ranked:
            with self.background.making_way():
                for step in Writer(
                    asked,
                    context,
                    self._means,
                    cancel,
                    is_warm=self.is_warm(context, asked.language),
                    cosine=_cosine(hits),
                    cited=cited,
                ).answer(ranked, answer):
                    if isinstance(step, Answer):
                        answer = step
                    else:
                        clock.first_token()
                        yield step
        yield Finished(replace(answer, timings=clock.timings()))

    def _several(
        self,
        parts: Sequence[str],
        asked: Question,
        history: Sequence[Turn],
        clock: "_Clock",
        cancel: threading.Event | None,
    ) -> Iterator[Event]:
        """The questions of one message, each on its own; a later one may lean on the one before."""
        answers: list[Answer] = []
        before = list(history)
        for part in parts:
            cited = [citation for answer in answers for citation in answer.citations]
            for event in self._one(read_question(part, before), clock, cancel, cited):
                if isinstance(event, Finished):
                    answers.append(event.answer)
                    before.append(Turn(part, event.answer.text))
                elif not (answers and isinstance(event, Found)):
                    yield event
        yield Finished(replace(joined(asked.text, asked.language, answers), timings=clock.timings()))

    def _summary(self, asked: Question, clock: "_Clock", cancel: threading.Event | None) -> Iterator[Event]:
        """The sentences that say most of the document that is meant, as they stand in it."""
        context = self.context()
        snapshot = context.snapshot
        words = subject(asked.text)
        ranked = [hit.passage.document for hit in search(self.index, asked.text, 1, snapshot)] if words else []
        documents = documents_meant(snapshot, words, ranked)
        chosen = central(snapshot, documents[0]) if documents else overview(snapshot)
        sentences = tuple(replace(one, marker=number) for number, one in enumerate(chosen, start=1))
        clock.retrieved()
        yield Found(sentences, clock.retrieve_ms)
        answer = Answer(asked.text, asked.language, "not_found", "", (), sentences, "nothing")
        if sentences:
            with self.background.making_way():
                for one in sentences:
                    self.bridge.translate(context.text(one), asked.language, cancel)
            answer = Writer(asked, context, self._means, cancel).quoted(answer, sentences, "summary")
            clock.first_token()
        yield Finished(replace(answer, timings=clock.timings()))

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer alone."""
        *_, last = self.stream(question, history)
        assert isinstance(last, Finished)
        return last.answer

    def signals(self, question: str) -> Signals | None:
        """What tells whether the answer is there; None where the search finds nothing."""
        asked, context = read_question(question), self.context()
        hits = search(self.index, asked.search, HITS, context.snapshot)
        is_warm = self.is_warm(context, asked.language)
        writer = Writer(asked, context, self._means, None, is_warm=is_warm, cosine=_cosine(hits))
        return writer.signals(context.ranked(hits)) if hits else None

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
            whole = context.whole or ()
            texts = [context.text(sentence) for sentence in whole]
            if not self.bridge.untranslated(texts, spoken):
                readings = [self.bridge.read(text, spoken) for text in texts]
                beginning = prompts.draft(prompts.Reading(readings, "", spoken, headings=context.headings(whole)))
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


def _cosine(hits: Sequence[Hit]) -> float | None:
    """The best passage's cosine."""
    return max((hit.dense for hit in hits), default=None)


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
