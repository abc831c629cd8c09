"""One question on its way from the ranked sentences to the answer: rank → gate → quote → draft → verify."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.lexical import LexicalStore
from index.sentences import language
from index.sentences import sentences as split_sentences
from index.snapshot import Index
from index.tokens import tokens
from rag import prompts
from rag.across import QuestionTranslator
from rag.actors import asked_about, strays
from rag.answerability import asks_of_strangers, is_yes_no, lack
from rag.bridge import Bridge, foreign
from rag.calibration import Calibration, Signals
from rag.context import Context
from rag.disagreement import disagree
from rag.kinds import defines, has_kind, lacks_figure, role_asked
from rag.model import AnsweringModel
from rag.orders import gives_orders, is_about_orders
from rag.questions import Question, shifts
from rag.records import Answer, Checking, Citation, Draft, Quote
from rag.retrieval import search
from rag.subjects import has_any, holders, telling_words
from rag.verification import Evidence, Verdict, verify

HITS = 6
"""Passages that are looked at for an answer."""

SHOWN = 3
"""Sentences that are shown as found before anything is written, and translated where nothing is translated ahead."""

HINTS = 1
"""Sentences that are said again next to the question when the prompt holds the whole of an index."""

LONGEST_ANSWER = 64
"""Tokens."""

FOLLOW_UP = 0.6
"""Added to the model's odds for a question that leans on the one before: it is less sure of what it means."""

YES_NO = 2.0
"""Added to them for a question that yes or no answers: the model's 'no' may be the answer to it."""

DRAFT_SHARE = 0.3
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

SECOND_QUOTE = 0.06
"""How near a second sentence must come to the best one's relevance to be quoted beside it."""

TERSE = 0.6
"""An answer that is a piece of the sentence it rests on has that sentence quoted under it when it is shorter than this
part of it; one in other words always has."""

ASTRAY = ("subject", "actor")
"""Reasons that say that a draft is about something or somebody else."""

FURTHER = 4
"""Of the most likely sentences, how many the second sentence of a draft and those after it may rest on."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every question is answered with."""

    index: Index
    bridge: Bridge
    model: AnsweringModel
    calibration: Calibration


class Writer:
    """One question on its way from the ranked sentences to the answer."""

    def __init__(
        self,
        asked: Question,
        context: Context,
        means: Means,
        cancel: threading.Event | None,
        *,
        is_warm: bool = False,
        cosine: float | None = None,
        cited: Sequence[Citation] = (),
    ) -> None:
        """is_warm: the model has read the whole of a small index. cosine: of the best passage found.
        cited: citations of an answer that this one continues; they keep their markers."""
        self._asked = asked
        self._cited = {(one.document, one.span): one.marker for one in cited}
        self._context = context
        self._index = means.index
        self._bridge = means.bridge
        self._model = means.model
        self._calibration = means.calibration
        self._cosine = cosine
        self._cancel = cancel
        self._obeys_nobody = not is_about_orders(asked.text)
        self._whole = context.whole if is_warm and self._obeys_nobody else None

    def answer(self, ranked: Sequence[Citation], blank: Answer) -> Iterator[Quote | Draft | Checking | Answer]:
        """What is found on the way, then the answer: `blank` filled in."""
        ranked = self._ranked(self._without_orders(ranked))
        if not ranked:
            yield blank
            return
        sentences = self._sentences(ranked)
        reading = self._reading(sentences, ranked)
        few = self._context.few or ()
        if few and asks_of_strangers(self._asked.text, self._asked.language, map(self._context.text, few)):
            yield replace(blank, reason="actor")
            return
        signals = self._signals(reading, ranked)
        weights = self._calibration.of(signals)
        score = weights.score(signals)
        has_draft = not is_yes_no(self._asked.text, self._asked.language)
        if score + (weights.swing() if has_draft else 0.0) < 0:
            yield replace(blank, reason="gate")
            return
        quotes = self._quotes(ranked)[: None if has_draft else 1]
        if score >= 0 and self._has_kind(quotes):
            yield Quote(quotes)
        if not has_draft:
            yield self.quoted(blank, quotes, "yes_no")
            return
        pieces: list[str] = []
        for piece in self._model.stream(prompts.draft(reading), LONGEST_ANSWER, self._cancel):
            pieces.append(piece)
            yield Draft("".join(pieces))
        written = "".join(pieces)
        yield Checking()
        if weights.second and abs(score) < weights.swing():
            second = replace(signals, second=self._model.yes_or_no(prompts.second(reading, written), self._cancel))
            if weights.score(second) < 0:
                yield replace(blank, reason="gate")
                return
        before, ranked = ranked, self._ranked_by_draft(ranked, written)
        quotes = self._quotes(ranked)
        verdicts = self._verdicts(written, len(pieces) >= LONGEST_ANSWER, sentences, reading, ranked)
        holding = [verdict for verdict in verdicts if not verdict.reason]
        if not holding and any(verdict.reason == "nothing" for verdict in verdicts):
            yield replace(blank, reason="nothing")
        elif not self._has_kind(quotes):
            yield replace(blank, reason="kind")
        elif other := self._disagreeing(holding, sentences, ranked):
            yield self.quoted(blank, other, "disagreement")
        elif not holding and verdicts[0].reason == "actor" and not self._asked.earlier:
            yield replace(blank, reason="actor")
        elif not holding:
            # a draft about something else has led the ranking astray
            quotes = self._quotes(self._telling_first(before)) if verdicts[0].reason in ASTRAY else quotes
            yield self.quoted(blank, quotes, verdicts[0].reason)
        else:
            yield self._answered(blank, holding, sentences, "partly" if len(holding) < len(verdicts) else "")

    def signals(self, ranked: Sequence[Citation]) -> Signals:
        """What tells whether the answer is there, to calibrate with."""
        ranked = self._ranked(self._without_orders(ranked))
        reading = self._reading(self._sentences(ranked), ranked)
        signals = self._signals(reading, ranked)
        written = "".join(self._model.stream(prompts.draft(reading), LONGEST_ANSWER, self._cancel))
        return replace(signals, second=self._model.yes_or_no(prompts.second(reading, written), self._cancel))

    def _without_orders(self, sentences: Sequence[Citation]) -> Sequence[Citation]:
        """Those that do not tell the model what to say, unless the question is about such sentences."""
        if not self._obeys_nobody:
            return sentences
        return [one for one in sentences if not gives_orders(self._context.text(one))]

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

    def _signals(self, reading: prompts.Reading, ranked: Sequence[Citation]) -> Signals:
        """What tells whether the answer is there."""
        texts = [self._context.text(one) for one in self._whole or ranked]
        lacking = lack(self._asked.text, self._asked.language, texts)
        odds = self._model.yes_or_no(prompts.gate(reading), self._cancel)
        if odds is not None and self._asked.earlier:
            odds += FOLLOW_UP
        if odds is not None and is_yes_no(self._asked.text, self._asked.language):
            odds += YES_NO
        foreign_ones = any(self._is_foreign(one) for one in ranked[:SHOWN])
        cosine = None if foreign_ones else self._cosine
        return Signals(odds, cosine, lacking, self._context.whole is not None, self._asked.language)

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
            encoder = self._index.encoder
            near = self._context.direct(encoder.encode_asked(self._asked.search), language(self._asked.search), encoder)
            cosines, similar = np.array([near[one.document, *one.span] for one in few], np.float32).T
            direct = cosines, similar
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

    def _telling_first(self, sentences: Sequence[Citation]) -> Sequence[Citation]:
        """Those that have what tells the question from others before the rest."""
        texts = [self._context.text(one) for one in sentences]
        words = telling_words(self._asked.text, self._asked.language, texts)
        return sorted(sentences, key=lambda one: not has_any(words, self._context.text(one)))

    def _search_across(self, ranked: Sequence[Citation]) -> Sequence[Citation]:
        """The ranking of a search with the question translated into the documents' language beside it."""
        context = self._context
        translated = QuestionTranslator(self._model).of(self._asked.search, context.snapshot, self._cancel)
        if not translated:
            return ranked
        hits = search(self._index, self._asked.search, HITS, context.snapshot, context.rows, translated)
        return self._without_orders(context.ranked(hits))

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
            self._context.headings(sentences),
        )

    def _verdicts(
        self,
        written: str,
        is_cut: bool,
        sentences: Sequence[Citation],
        reading: prompts.Reading,
        ranked: Sequence[Citation],
    ) -> list[Verdict]:
        """What there is to say of each sentence of the draft; what the length limit cut off (is_cut) is no sentence.

        The first one must rest on what answers the question most likely; the others may go on from there.
        """
        originals = [self._context.text(one) for one in sentences]
        relevance = np.array([one.score for one in sentences], np.float32)
        translated = any(self._is_foreign(one) for one in sentences)
        lexical = LexicalStore([tokens(text) for text in reading.sentences]) if translated else None
        likely = [self._wording(one) for one in ranked[:FURTHER]]  # what stands twice is read once
        claims = [written[start:end] for start, end in split_sentences(written)] or [written]
        if (is_cut or len(claims) > 1) and not claims[-1].endswith((".", "!", "?", "”", '"')):
            claims.pop()
        verdicts = [] if claims else [Verdict(written, (), "support")]
        for number, claim in enumerate(claims):
            places = likely[: len(self._quotes(ranked))] if number == 0 else likely
            rows = [row for row, one in enumerate(sentences) if self._wording(one) in places]
            evidence = Evidence(reading.sentences, originals, relevance, rows)
            lexical = lexical or self._context.snapshot.lexical
            verdict = verify(claim, self._asked.text, self._asked.language, evidence, lexical)
            fault = "" if number or verdict.reason else self._misses_question(verdict, originals, translated)
            verdicts.append(replace(verdict, reason=verdict.reason or fault))
        return verdicts

    def _misses_question(self, verdict: Verdict, originals: Sequence[str], translated: bool) -> str:
        """Why a claim that its sentence supports answers another question; '' when it does not."""
        if lacks_figure(self._asked.text, verdict.text):
            return "kind"
        if any(strays(self._asked.text, originals[row], originals) for row in verdict.cited):
            return "actor"
        if translated:
            return ""
        words = telling_words(self._asked.text, self._asked.language, originals)
        return "subject" if words and not set(verdict.cited) & holders(words, originals) else ""

    def _disagreeing(
        self, holding: Sequence[Verdict], sentences: Sequence[Citation], ranked: Sequence[Citation]
    ) -> Sequence[Citation]:
        """The sentence that the answer rests on, and those of other documents that say as much with other figures,
        times or names; () when there is none of these."""
        if not holding:
            return ()
        cited = sentences[holding[0].cited[0]]
        text = self._context.text(cited)
        near = [one for one in ranked[:FURTHER] if one.document != cited.document]
        others = [one for one in near if disagree(text, self._context.text(one), self._asked.text)]
        return (cited, *others[:1]) if others else ()

    def _answered(
        self, blank: Answer, holding: Sequence[Verdict], sentences: Sequence[Citation], reason: str
    ) -> Answer:
        """The draft with its marks, and under it the sentences that it rests on, unless it is most of one itself."""
        rows = list(dict.fromkeys(row for verdict in holding for row in verdict.cited))
        cited = self._marked([sentences[row] for row in rows])
        marks = {row: f"[{one.marker}]" for row, one in zip(rows, cited, strict=True)}
        text = " ".join(f"{one.text} {''.join(marks[row] for row in one.cited)}" for one in holding)
        lines = [text]
        said = "".join(" ".join(one.text for one in holding).split()).rstrip(".")
        for one in cited:
            quote = self._context.text(one)
            if said not in self._wording(one) or len(text) < TERSE * len(quote):
                lines.append(f"“{quote}” [{one.marker}]")
        return replace(blank, status="answered", text="\n".join(lines), citations=cited, reason=reason)

    def quoted(self, blank: Answer, sentences: Sequence[Citation], reason: str) -> Answer:
        """Sentences as they stand, instead of an answer in other words."""
        quotes = self._marked(sentences)
        text = "\n".join(f"“{self._context.text(one)}” [{one.marker}]" for one in quotes)
        return replace(blank, status="quoted", text=text, citations=quotes, reason=reason)

    def _quotes(self, ranked: Sequence[Citation]) -> tuple[Citation, ...]:
        """The best sentence, and the second where it is nearly as relevant."""
        best = [one for one in ranked[:2] if ranked[0].score - one.score <= SECOND_QUOTE]
        return self._marked(best)

    def _marked(self, sentences: Sequence[Citation]) -> tuple[Citation, ...]:
        """The sentences numbered, with their translations for who asks in another language."""
        known = dict(self._cited)
        return tuple(
            replace(
                one,
                marker=known.setdefault((one.document, one.span), len(known) + 1),
                translation=self._bridge.translation(self._context.text(one), self._asked.language),
            )
            for one in sentences
        )

    def _read(self, sentence: Citation) -> str:
        """The sentence in the question's language."""
        context = self._context
        return self._bridge.read(context.text(sentence), self._asked.language, context.role(sentence))

    def _wording(self, sentence: Citation) -> str:
        return "".join(self._context.text(sentence).split())

    def _is_foreign(self, sentence: Citation) -> bool:
        return foreign(self._context.text(sentence), self._asked.language)
