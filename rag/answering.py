"""The main path of this package: from a question to a verified, cited answer.

    read_question → search → Found → gate → draft → verify → Finished(answered | quoted | not_found)
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from index.records import Passage
from index.snapshot import Index, Snapshot
from rag import prompts
from rag.model import AnsweringModel
from rag.numbers import unsupported
from rag.questions import Question, read_question
from rag.records import Answer, Citation, Draft, Event, Finished, Found, Hit, Timings, Turn
from rag.retrieval import search
from rag.verification import Evidence, Verdict, verify

HITS = 6
"""Passages that are looked at for an answer."""

SHOWN = 3
"""Sentences that are shown as found before anything is written."""

WHOLE = 2600
"""Characters up to which all the text of an index goes into the prompt, in its own order.

The prompt then begins the same whatever is asked, and llama.cpp has read it already.
"""

WINDOW = 320
"""Tokens (estimated) of retrieved sentences in a prompt when the index holds more than WHOLE."""

LONGEST_ANSWER = 64
"""Tokens."""

GATE = {"ko": 0.0, "en": 0.0}
"""Log-odds of 'the answer is there' below which nothing is written. Set on the development questions."""

SECOND_QUOTE = 0.05
"""How near a second sentence must come to the best one's relevance to be quoted beside it."""


class Answerer:
    """Answers questions from one index with one model. Safe to share between threads."""

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index
        self.model = model
        self._warm = threading.Lock()
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
        hits = search(self.index, asked.search, HITS)
        ranked = self._ranked(hits)
        found = tuple(replace(citation, marker=number) for number, citation in enumerate(ranked[:SHOWN], start=1))
        clock.retrieved()
        yield Found(found, clock.retrieve_ms)
        answer = Answer(asked.text, asked.language, "not_found", "", (), found, "nothing")
        if not hits:
            yield Finished(replace(answer, timings=clock.timings()))
            return
        sentences = self._sentences(self.index.snapshot(), ranked)
        texts = [self._text(sentence) for sentence in sentences]
        self.warm_up(cancel)
        odds = self.model.yes_or_no(prompts.gate(texts, asked.text, asked.language, asked.earlier), cancel)
        if odds is not None and odds < GATE[asked.language]:
            yield Finished(replace(answer, reason="gate", timings=clock.timings()))
            return
        relevance = {citation.span: citation.score for citation in ranked}
        sentences = [replace(one, score=relevance.get(one.span, 0.0)) for one in sentences]
        written = ""
        prompt = prompts.draft(texts, asked.text, asked.language, earlier=asked.earlier)
        for piece in self.model.stream(prompt, LONGEST_ANSWER, cancel):
            clock.first_token()
            written += piece
            yield Draft(prompts.without_annotations(written, texts) if asked.language == "ko" else written)
        finished = self._finish(answer, asked, written, sentences, texts, cancel)
        yield Finished(replace(finished, timings=clock.timings()))

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer alone."""
        *_, last = self.stream(question, history)
        assert isinstance(last, Finished)
        return last.answer

    def search(self, question: str, k: int = 10, history: Sequence[Turn] = ()) -> list[Hit]:
        """Retrieval alone: the k best hits, best first. Raises QuestionEmpty, QuestionTooLong."""
        return search(self.index, read_question(question, history).search, k)

    def warm_up(self, cancel: threading.Event | None = None) -> None:
        """Have the model read what all prompts begin with, once for each state of the index."""
        with self._warm:
            snapshot = self.index.snapshot()
            if self._warm_state == snapshot.state:
                return
            texts = [self._text(sentence) for sentence in self._whole(snapshot) or []]
            self.model.warm_up(prompts.draft(texts, "", "ko"), self.index.folder / "states", cancel)
            self._warm_state = snapshot.state

    def _ranked(self, hits: Sequence[Hit]) -> list[Citation]:
        """All sentences of the hits, the most relevant first, each wording once."""
        sentences = [
            Citation(0, hit.passage.document, sentence.start, sentence.end, sentence.score)
            for hit in hits
            for sentence in hit.sentences
        ]
        return self._distinct(sorted(sentences, key=lambda sentence: -sentence.score))

    def _sentences(self, snapshot: Snapshot, ranked: Sequence[Citation]) -> list[Citation]:
        """The sentences that go into the prompt, in reading order: all there are when they are few, else the best."""
        whole = self._whole(snapshot)
        if whole is not None:
            return whole
        chosen: list[Citation] = []
        room = WINDOW
        for sentence in ranked:
            room -= _tokens(self._text(sentence))
            if chosen and room < 0:
                break
            chosen.append(sentence)
        return sorted(chosen, key=lambda one: (one.document, one.start))

    def _whole(self, snapshot: Snapshot) -> list[Citation] | None:
        """All distinct sentences of the index in their order, when they are short enough together."""
        if len(snapshot.passages) > WHOLE // 20:
            return None
        sentences = self._distinct(_sentences_of(snapshot.passages))
        return sentences if sum(one.end - one.start for one in sentences) <= WHOLE else None

    def _distinct(self, sentences: Sequence[Citation]) -> list[Citation]:
        """The first of those with the same wording."""
        first: dict[str, Citation] = {}
        for sentence in sentences:
            first.setdefault("".join(self._text(sentence).split()), sentence)
        return list(first.values())

    def _text(self, citation: Citation) -> str:
        return self.index.quote(citation.document, citation.start, citation.end)

    def _finish(
        self,
        answer: Answer,
        asked: Question,
        written: str,
        sentences: Sequence[Citation],
        texts: Sequence[str],
        cancel: threading.Event | None,
    ) -> Answer:
        """The verified draft, or exact quotes in its place."""
        if asked.language == "ko":
            written = prompts.without_annotations(written, texts)
        relevance = np.array([one.score for one in sentences], np.float32)
        verdict = verify(
            written,
            asked.text,
            asked.language,
            Evidence(texts, relevance),
            self.index.encoder,
            self.index.snapshot().lexical,
        )
        if verdict.reason == "nothing":
            return replace(answer, reason="nothing")
        if not verdict.reason:
            cited = tuple(
                replace(sentences[row], marker=number) for number, row in enumerate(verdict.cited, start=1)
            )
            marks = "".join(f"[{citation.marker}]" for citation in cited)
            return replace(
                answer, status="answered", text=f"{verdict.text} {marks}", citations=cited, reason=""
            )
        return self._quote(answer, asked, verdict, sentences, texts, cancel)

    def _quote(
        self,
        answer: Answer,
        asked: Question,
        verdict: Verdict,
        sentences: Sequence[Citation],
        texts: Sequence[str],
        cancel: threading.Event | None,
    ) -> Answer:
        """The most relevant sentences as they stand, with a translation for who asks in another language."""
        order = sorted(range(len(sentences)), key=lambda row: -sentences[row].score)
        rows = [row for row in order[:2] if sentences[order[0]].score - sentences[row].score <= SECOND_QUOTE]
        cited = []
        for marker, row in enumerate(rows, start=1):
            translation = self._translate(texts, row, asked, cancel)
            cited.append(replace(sentences[row], marker=marker, translation=translation))
        text = "\n".join(f"“{texts[row]}” [{number}]" for number, row in enumerate(rows, start=1))
        return replace(answer, status="quoted", text=text, citations=tuple(cited), reason=verdict.reason)

    def _translate(
        self, texts: Sequence[str], row: int, asked: Question, cancel: threading.Event | None
    ) -> str:
        """A sentence in the question's language; '' when it is in it already, or when its numbers come out wrong."""
        from index.sentences import language

        if language(texts[row]) == asked.language:
            return ""
        prompt = prompts.translation(texts, row + 1, asked.language)
        translated = "".join(self.model.stream(prompt, 2 * LONGEST_ANSWER, cancel)).strip()
        if unsupported(translated, [texts[row]]) or language(translated) != asked.language:
            return ""
        return translated


class _Clock:
    """Milliseconds since the question was given."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self.retrieve_ms = 0.0
        self.first_token_ms = 0.0

    def _now(self) -> float:
        return (time.perf_counter() - self._begin) * 1000

    def retrieved(self) -> None:
        self.retrieve_ms = self._now()

    def first_token(self) -> None:
        self.first_token_ms = self.first_token_ms or self._now()

    def timings(self) -> Timings:
        return Timings(self.retrieve_ms, self.first_token_ms, self._now())


def _tokens(text: str) -> int:
    """About how many tokens a model makes of a text: three for four Hangul letters, one for four others."""
    hangul = sum("가" <= letter <= "힣" for letter in text)
    return 8 + (3 * hangul + len(text) - hangul) // 4


def _sentences_of(passages: Sequence[Passage]) -> list[Citation]:
    return [Citation(0, passage.document, start, end, 0.0) for passage in passages for start, end in passage.sentences]
