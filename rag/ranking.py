"""Which sentences answer a question: the ranking of the search made finer, in the question's language."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.sentences import language
from index.snapshot import Index
from index.tokens import tokens
from rag.across import QuestionTranslator
from rag.actors import asked_about, bodies, leaves_open_who, persons
from rag.bridge import Bridge, Direct, foreign
from rag.calibration import Calibration
from rag.context import Context
from rag.cross_encoder import CrossEncoder
from rag.kinds import defines, role_asked
from rag.model import AnsweringModel
from rag.names import title_after
from rag.orders import gives_orders, is_about_orders
from rag.questions import Question, shifts
from rag.records import Citation
from rag.retrieval import COVERAGE_SHARE, search
from rag.subjects import has_any, telling_words
from rag.worded import AskedWords

HITS = 6
"""Passages that are looked at for an answer."""

SHOWN = 3
"""Sentences that are shown as found before anything is written, and translated where nothing is translated ahead."""

DRAFT_SHARE = 0.4
"""Share that question and draft together have in the final ranking of the sentences."""

CAPTION_PENALTY = 0.05
"""Taken from the relevance of captions and credit lines, so that they come after text that says as much."""

DEFINITION = 0.15
"""Added to the relevance of a sentence that defines the short form whose meaning is asked."""

CREDITED = 1.0
"""Added to that of the line that is asked for: the headline, a picture's or an article's credit."""

TURNED_TO = 1.0
"""Added to that of a sentence which names whom a follow-up turns to ('And the foundation?'): the question before it,
which is searched for too, is about somebody else."""


ANTECEDENT = 5
"""Sentences before one without a subject among which the one is looked for that names whom it is about."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every question is answered with."""

    index: Index
    bridge: Bridge
    model: AnsweringModel
    calibration: Calibration
    cross_encoder: CrossEncoder | None = None


class Ranking:
    """The sentences for one question, the most relevant first."""

    def __init__(self, asked: Question, context: Context, means: Means, cancel: threading.Event | None) -> None:
        self._asked = asked
        self._context = context
        self._index = means.index
        self._bridge = means.bridge
        self._model = means.model
        self._cancel = cancel
        self.obeys_nobody = not is_about_orders(asked.text)
        """Whether sentences that tell the model what to say are left out."""

    def of(self, ranked: Sequence[Citation]) -> Sequence[Citation]:
        """The ranking, made anew in the question's language where the documents are in the other.

        The embedding model finds a Korean question's sentence far better than an English one's in Korean text, and
        an English question's among translations (docs/decisions.md).
        """
        ranked = self._without_orders(ranked)
        if not any(self.is_foreign(one) for one in ranked[:SHOWN]):
            return self._definitions_first(self._with_subjects(ranked))
        few, is_translated = self._context.few, False
        if few is not None and not self._bridge.untranslated(
            [self._context.text(one) for one in few], self._asked.language
        ):
            is_translated = True
        else:
            ranked = self._search_across(ranked)
            for one in ranked[:SHOWN]:
                self._bridge.translate(self._context.text(one), self._asked.language, self._cancel)
            few = tuple(ranked[:SHOWN])
        readings = [self.read(one) for one in few]
        relevance = np.sum(
            [
                share * self._bridge.relevance(wording, readings, self._direct(wording, few) if is_translated else None)
                for share, wording in self._asked.wordings
            ],
            axis=0,
        )
        scored = [
            replace(one, score=float(score) - (CAPTION_PENALTY if self._context.is_repeated(one) else 0.0))
            for one, score in zip(few, relevance, strict=True)
        ]
        return self._definitions_first(scored)

    def by_draft(self, ranked: Sequence[Citation], written: str) -> Sequence[Citation]:
        """The ranking once more, with what the model wrote as a part of the question: it has read all the sentences,
        and what it wrote, right or wrong, is near the one it took it from (as in HyDE, Gao et al. 2022,
        arXiv:2212.10496)."""
        relevance = self._bridge.relevance(f"{self._asked.search} {written}", [self.read(one) for one in ranked])
        mixed = [
            replace(one, score=(1 - DRAFT_SHARE) * one.score + DRAFT_SHARE * float(score))
            for one, score in zip(ranked, relevance, strict=True)
        ]
        return sorted(mixed, key=lambda one: -one.score)

    def telling_first(self, sentences: Sequence[Citation]) -> Sequence[Citation]:
        """Those that have what tells the question from others before the rest."""
        texts = [self._context.text(one) for one in sentences]
        words = telling_words(self._asked.text, self._asked.language, texts)
        return sorted(sentences, key=lambda one: not has_any(words, self._context.text(one)))

    def read(self, sentence: Citation) -> str:
        """The sentence in the question's language."""
        context = self._context
        return self._bridge.read(context.text(sentence), self._asked.language, context.role(sentence))

    def is_foreign(self, sentence: Citation) -> bool:
        return foreign(self._context.text(sentence), self._asked.language)

    def _without_orders(self, sentences: Sequence[Citation]) -> Sequence[Citation]:
        """Those that do not tell the model what to say, unless the question is about such sentences."""
        if not self.obeys_nobody:
            return sentences
        return [one for one in sentences if not gives_orders(self._context.text(one))]

    def _search_across(self, ranked: Sequence[Citation]) -> Sequence[Citation]:
        """The ranking of a search with the question translated into the documents' language beside it."""
        context = self._context
        translated = QuestionTranslator(self._model).of(self._asked.search, context.snapshot, self._cancel)
        if not translated:
            return ranked
        hits = search(self._index, self._asked.wordings, HITS, context.snapshot, context.rows, translated)
        return self._without_orders(context.ranked(hits))

    def _direct(self, wording: str, sentences: Sequence[Citation]) -> Direct:
        """How near the sentences themselves are to a wording."""
        encoder, snapshot = self._index.encoder, self._context.snapshot
        near = self._context.direct(encoder.encode_asked(wording), language(wording), encoder)
        cosines, similar = np.array([near[one.document, *one.span] for one in sentences], np.float32).T
        words = AskedWords(wording, snapshot.lexical)
        texts = [self._context.text(one) for one in sentences]
        shared = [words.coverage(text, language(text)) for text in texts]
        return Direct(cosines, similar, np.array(shared, np.float32))

    def _with_subjects(self, sentences: Sequence[Citation]) -> list[Citation]:
        """Where a sentence leaves open whom it is about ('다만 “…”고 덧붙였다.'), the person or body before it
        counts as if it stood there."""
        asked, lexical = tokens(self._asked.text), self._context.snapshot.lexical
        found = []
        for one in sentences:
            gain = 0.0
            if subject := set(tokens(self._subject(one))):
                own = set(tokens(self._context.text(one)))
                gain = lexical.coverage(asked, own | subject) - lexical.coverage(asked, own)
            found.append(replace(one, score=one.score + COVERAGE_SHARE * gain))
        return found

    def antecedent(self, sentence: Citation) -> Citation | None:
        """Where a sentence leaves open whom it is about, the nearest one before it that has a subject and names a
        person or body."""
        if self._context.role(sentence) or not leaves_open_who(self._context.text(sentence)):
            return None
        for one in self._context.before(sentence)[:ANTECEDENT]:
            text = self._context.text(one)
            if not leaves_open_who(text) and (persons(text) or bodies(text)):
                return one
        return None

    def _subject(self, sentence: Citation) -> str:
        """The names and titles in the antecedent of a sentence, '' where it has none."""
        if (found := self.antecedent(sentence)) is None:
            return ""
        text = self._context.text(found)
        return " ".join([*(f"{name} {title_after(text, name)}" for name in persons(text)), *bodies(text)])

    def _definitions_first(self, sentences: Sequence[Citation]) -> Sequence[Citation]:
        """In the order of their scores, raised what defines the short form that is asked for, the credit line of whom
        is asked for (who took the picture, or who wrote the text), and what names whom a follow-up turns to."""
        asked = role_asked(self._asked.text)
        names: set[str] = set()
        if self._asked.earlier is not None and shifts(self._asked.text, self._asked.language):
            names = asked_about(self._asked.text, [self._context.text(one) for one in sentences])
        raised = [
            replace(
                one,
                score=one.score
                + (DEFINITION if defines(self._asked.text, self._context.text(one)) else 0.0)
                + (CREDITED if asked and self._context.role(one) == asked else 0.0)
                + (TURNED_TO if any(name in self._context.text(one) for name in names) else 0.0),
            )
            for one in sentences
        ]
        return sorted(raised, key=lambda one: -one.score)
