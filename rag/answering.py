"""The main path of this package: from a question to a verified, cited answer.

read_question → search → Found → answerable? → Quote → draft → verify → Finished(answered | quoted | not_found)
"""

import threading
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from index.snapshot import Index
from rag import prompts
from rag.bridge import Bridge, foreign
from rag.calibration import Signals, load
from rag.context import Context, Contexts
from rag.cross_encoder import CrossEncoder
from rag.intents import SMALL_TALK, intent, split_questions, subject
from rag.joining import joined
from rag.model import AnsweringModel, Prompt
from rag.questions import Question, read_question
from rag.ranking import HITS, SHOWN, Means
from rag.records import Answer, Citation, Event, Finished, Found, Language, Timings, Turn, Waiting
from rag.retrieval import search
from rag.summary import central, documents_meant, overview
from rag.translations import Translations
from rag.turns import Place, Turns, Warm
from rag.writing import Writer

LANGUAGES: tuple[Language, ...] = ("ko", "en")


class Answerer:
    """Answers questions from one index with one model. Safe to share between threads."""

    def __init__(self, index: Index, model: AnsweringModel, beside: "Answerer | None" = None) -> None:
        """beside: another answerer with the same model, which has its questions in the same line; what the model has
        read for it is then kept in memory alone."""
        self.index = index
        self.model = model
        self.bridge = Bridge(index.encoder, Translations(index.folder, model))
        calibration = load(model.name, index.encoder.name)
        self._means = Means(index, self.bridge, model, calibration, CrossEncoder.of(index.encoder))
        self.turns: Turns = beside.turns if beside else Turns(model.at_once)
        self._states = None if beside else index.folder / "states"
        self._warm: Warm = beside._warm if beside else Warm()
        self._warming = threading.Lock()
        self._contexts = Contexts(index)

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: threading.Event | None = None,
        documents: Sequence[str] = (),
        visitor: str = "",
    ) -> Iterator[Event]:
        """Found, Waiting while the model is at work for others, Quote and Draft as often as there is news, Checking,
        Finished.

        documents: names of documents and of folders that the answer is to come from; by default from all.
        visitor: whose question it is: visitors take turns.
        Raises QuestionEmpty, QuestionTooLong, NoSuchDocument, Cancelled, ModelTimeout, ModelUnreachable, ModelFailed
        and what the index raises.
        """
        clock = _Clock()
        asked = read_question(question, history)
        wanted = intent(asked.text)
        parts = split_questions(asked.text) if wanted == "question" else []
        if wanted in SMALL_TALK:
            yield Finished(Answer(asked.text, asked.language, "answered", "", reason=wanted, timings=clock.timings()))
            return
        with self.turns.asking(visitor) as place:
            way = _Way(self.context(documents), place, clock, cancel)
            if wanted == "summary":
                yield from self._summary(asked, way)
            elif len(parts) > 1:
                yield from self._several(parts, asked, history, way)
            else:
                yield from self._one(asked, way)

    def _one(self, asked: Question, way: "_Way", cited: Sequence[Citation] = ()) -> Iterator[Event]:
        """One question's events. cited: what earlier parts of a longer message cite, which keeps its markers."""
        context, clock = way.context, way.clock
        hits = search(self.index, asked.wordings, HITS, context.snapshot, context.rows)
        ranked = context.ranked(hits)
        found = tuple(replace(citation, marker=number) for number, citation in enumerate(ranked[:SHOWN], start=1))
        clock.retrieved()
        yield Found(found, clock.retrieve_ms)
        answer = Answer(asked.text, asked.language, "not_found", "", (), found, "nothing")
        if ranked:
            yield from way.waiting()
            self._bring_back(context, asked.language, way.cancel)
            writer = Writer(
                asked,
                context,
                self._means,
                way.cancel,
                is_warm=self.is_warm(context, asked.language),
                cited=cited,
            )
            for step in writer.answer(ranked, answer):
                if isinstance(step, Answer):
                    answer = step
                else:
                    clock.first_token()
                    yield step
        yield Finished(replace(answer, timings=clock.timings()))

    def _several(self, parts: Sequence[str], asked: Question, history: Sequence[Turn], way: "_Way") -> Iterator[Event]:
        """The questions of one message, each on its own; a later one may lean on the one before."""
        answers: list[Answer] = []
        before = list(history)
        for part in parts:
            cited = [citation for answer in answers for citation in answer.citations]
            for event in self._one(read_question(part, before), way, cited):
                if isinstance(event, Finished):
                    answers.append(event.answer)
                    before.append(Turn(part, event.answer.text))
                else:
                    yield Waiting(0) if answers and isinstance(event, Found) else event
        yield Finished(replace(joined(asked.text, asked.language, answers), timings=way.clock.timings()))

    def _summary(self, asked: Question, way: "_Way") -> Iterator[Event]:
        """The sentences that say most of the document that is meant, as they stand in it."""
        context, clock = way.context, way.clock
        snapshot = context.snapshot
        words = subject(asked.text)
        hits = search(self.index, asked.text, 1, snapshot, context.rows) if words else []
        meant = documents_meant(context.documents, words, [hit.passage.document for hit in hits])
        chosen = central(snapshot, meant[0]) if meant else overview(snapshot, context.documents)
        sentences = tuple(replace(one, marker=number) for number, one in enumerate(chosen, start=1))
        clock.retrieved()
        yield Found(sentences, clock.retrieve_ms)
        answer = Answer(asked.text, asked.language, "not_found", "", (), sentences, "nothing")
        if sentences:
            yield from way.waiting()
            for one in sentences:
                self.bridge.translate(context.text(one), asked.language, way.cancel)
            answer = Writer(asked, context, self._means, way.cancel).quoted(answer, sentences, "summary")
            clock.first_token()
        yield Finished(replace(answer, timings=clock.timings()))

    def ask(self, question: str, history: Sequence[Turn] = (), documents: Sequence[str] = ()) -> Answer:
        """The answer alone."""
        *_, last = self.stream(question, history, documents=documents)
        assert isinstance(last, Finished)
        return last.answer

    def signals(self, question: str) -> Signals | None:
        """What tells whether the answer is there; None where the search finds nothing."""
        asked, context = read_question(question), self.context()
        hits = search(self.index, asked.wordings, HITS, context.snapshot)
        is_warm = self.is_warm(context, asked.language)
        writer = Writer(asked, context, self._means, None, is_warm=is_warm)
        return writer.signals(context.ranked(hits)) if hits else None

    def context(self, documents: Sequence[str] = ()) -> Context:
        """The sentences of the index's newest state, or of the documents and folders that are named."""
        return self._contexts.of(documents)

    def warm_up(self, spoken: Language = "ko", cancel: threading.Event | None = None) -> None:
        """Load what retrieval needs, and have the model read what prompts in a language begin with, once a state."""
        with self._warming:
            context = self.context()
            if self._warm.has(self._beginning(context, spoken)):
                return
            search(self.index, "물음 question", 1, context.snapshot)
            if self._means.cross_encoder is not None and self._means.calibration.reads:
                self._means.cross_encoder.odds("물음", ["question"])
            if beginning := self._shared_prompt(context, spoken):
                self.model.warm_up(beginning, self._states, cancel)
                self._warm.add(self._beginning(context, spoken))

    def _bring_back(self, context: Context, spoken: Language, cancel: threading.Event | None) -> None:
        """Where preparing has not come to it, put what was kept of the model's reading of a small index in its place:
        that takes a moment, and reading what a question needs takes many."""
        if self._states is None or context.whole is None or context.rows is not None or self.is_warm(context, spoken):
            return
        beginning = self._shared_prompt(context, spoken)
        if beginning and self.model.has_kept(beginning, self._states):
            self.warm_up(spoken, cancel)

    def prepare(self, stop: threading.Event) -> Iterator[tuple[int, int]]:
        """Have the model read a small index, and translate its sentences for who asks in the other language.

        It makes way for questions, and may take minutes: a thread of its own is the place. Yields (done, of all)
        sentences. Raises what the model raises; ends early when `stop` is set.
        """
        context = self.context()
        texts = [context.text(sentence) for sentence in context.few or ()]
        spoken: list[Language] = sorted(LANGUAGES, key=lambda one: sum(foreign(text, one) for text in texts))
        work = [(text, wanted) for wanted in spoken for text in self.bridge.untranslated(texts, wanted)]
        self.turns.meanwhile(partial(self.warm_up, spoken[0]), stop)
        for done, (text, wanted) in enumerate(work, start=1):
            self.turns.meanwhile(partial(self.bridge.translate, text, wanted), stop)
            yield done, len(work)
        for wanted in spoken[1:]:
            readings = self._readings(context, context.few or (), wanted)
            self.turns.meanwhile(partial(self.bridge.get_ready, readings), stop)
            self.turns.meanwhile(partial(self.warm_up, wanted), stop)

    def _shared_prompt(self, context: Context, spoken: Language) -> Prompt | None:
        """What prompts in a language begin with in a small index; None where that is not translated yet."""
        whole = context.whole or ()
        if self.bridge.untranslated([context.text(sentence) for sentence in whole], spoken):
            return None
        readings = self._readings(context, whole, spoken)
        return prompts.draft(prompts.Reading(readings, "", spoken, headings=context.headings(whole)))

    def _readings(self, context: Context, sentences: Sequence[Citation], spoken: Language) -> list[str]:
        return [self.bridge.read(context.text(one), spoken, context.role(one)) for one in sentences]

    def is_warm(self, context: Context, spoken: Language) -> bool:
        """Whether the model has read the whole of a small index in a language."""
        whole = context.whole is not None and context.rows is None
        return whole and self._warm.has(self._beginning(context, spoken))

    def _beginning(self, context: Context, spoken: Language) -> Hashable:
        """What the beginning of a prompt with all sentences of this index is known by."""
        return self.index.folder, context.snapshot.state, spoken


@dataclass(frozen=True, slots=True)
class _Way:
    """What goes along with a question: the sentences it may be answered from, its place in the line, its time."""

    context: Context
    place: Place
    clock: "_Clock"
    cancel: threading.Event | None

    def waiting(self) -> Iterator[Waiting]:
        """Until it is the question's turn with the model."""
        return map(Waiting, self.place.waiting(self.cancel))


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
