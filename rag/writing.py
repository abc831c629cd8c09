"""One question on its way from the ranked sentences to the answer: rank → gate → quote → draft → verify."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from index.lexical import LexicalStore
from index.sentences import sentences as split_sentences
from index.tokens import tokens
from rag import prompts
from rag.actors import asks_who, leaves_open_who, strays
from rag.answerability import asks_of_strangers, is_yes_no, lack
from rag.calibration import Signals
from rag.context import Context
from rag.countries import is_about_other_country
from rag.disagreement import disagree
from rag.entailment import follows, squeezed
from rag.framing import matter
from rag.kinds import asks_figure, has_kind, lacks_figure, part_asked, role_asked
from rag.model import Cut, Start
from rag.questions import Question
from rag.ranking import SHOWN, Means, Ranking
from rag.records import Answer, Checking, Citation, Draft, Quote
from rag.subjects import holders, telling_words
from rag.verification import Evidence, Verdict, is_of_the_matter, verify

HINTS = 1
"""Sentences that are said again next to the question when the prompt holds the whole of an index."""

LONGEST_ANSWER = 64
"""Tokens."""

FOLLOW_UP = 0.6
"""Added to the model's odds for a question that leans on the one before: it is less sure of what it means."""

YES_NO = 2.0
"""Added to them for a question that yes or no answers: the model's 'no' may be the answer to it."""

LINE = 2.0
"""Added to them where the headline or the credit that is asked for is there: what the question wants of it (a name, an
address) is looked for afterwards."""

SECOND_QUOTE = 0.06
"""How near a second sentence must come to the best one's relevance to be quoted beside it; under a draft that does not
hold the model has to find it likelier than that one, too."""

TERSE = 0.6
"""An answer that is a piece of the sentence it rests on has that sentence quoted under it when it is shorter than this
part of it; one in other words always has."""

ASTRAY = ("subject", "actor")
"""Reasons that say that a draft is about something or somebody else."""

READ = 8
"""Sentences that the cross-encoder reads, the most relevant ones."""

FURTHER = 4
"""Of the most likely sentences, how many the second sentence of a draft and those after it may rest on."""


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
        cited: Sequence[Citation] = (),
    ) -> None:
        """is_warm: the model has read the whole of a small index.
        cited: citations of an answer that this one continues; they keep their markers."""
        self._asked = asked
        self._cited = {(one.document, one.span): one.marker for one in cited}
        self._context = context
        self._index = means.index
        self._bridge = means.bridge
        self._model = means.model
        self._calibration = means.calibration
        self._cross_encoder = means.cross_encoder
        self._cancel = cancel
        self._ranking = Ranking(asked, context, means, cancel)
        self._whole = context.whole if is_warm and self._ranking.obeys_nobody else None

    def answer(self, ranked: Sequence[Citation], blank: Answer) -> Iterator[Quote | Draft | Checking | Answer]:
        """What is found on the way, then the answer: `blank` filled in."""
        relevance, ranked = self._relevance(ranked), self._ranking.of(ranked)
        if not ranked:
            yield blank
            return
        sentences = self._sentences(ranked)
        reading = self._reading(sentences, ranked)
        few = self._context.few or ()
        if few and asks_of_strangers(self._asked.text, self._asked.language, map(self._context.text, few)):
            yield replace(blank, reason="actor")
            return
        signals = self._signals(reading, ranked, relevance)
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
            if not pieces and weights.score(_begun(signals, piece)) < 0:
                yield replace(blank, reason="gate")
                return
            pieces.append(piece)
            yield Draft("".join(pieces))
        written = "".join(pieces)
        yield Checking()
        before, ranked = ranked, self._ranking.by_draft(ranked, written)
        quotes = self._quotes(ranked)
        verdicts = self._verdicts(written, _is_cut(pieces), sentences, reading, ranked)
        holding = [verdict for verdict in verdicts if not verdict.reason]
        if not holding and any(verdict.reason == "nothing" for verdict in verdicts):
            yield replace(blank, reason="nothing")
        elif not self._has_kind(quotes):
            yield replace(blank, reason="kind")
        elif other := self._disagreeing(holding, sentences, ranked):
            yield self.quoted(blank, other, "disagreement")
        elif not holding and verdicts[0].reason == "actor" and not self._asked.earlier:
            yield replace(blank, reason="actor")
        elif not holding and verdicts[0].reason == "support" and asks_figure(self._asked.text):
            yield replace(blank, reason="kind")  # the figure stands there, but it is one of something else
        elif not holding:
            # a draft about something else has led the ranking astray
            quotes = self._quotes(self._ranking.telling_first(before)) if verdicts[0].reason in ASTRAY else quotes
            if not self._asked.earlier and self._are_of_others(quotes, sentences):
                yield replace(blank, reason="actor")
            else:
                yield self.quoted(blank, self._without_second(quotes), verdicts[0].reason)
        else:
            left_out = ",".join(dict.fromkeys(verdict.reason for verdict in verdicts if verdict.reason))
            yield self._answered(blank, holding, sentences, f"partly:{left_out}" if left_out else "")

    def signals(self, ranked: Sequence[Citation]) -> Signals:
        """What tells whether the answer is there, to calibrate with."""
        relevance, ranked = self._relevance(ranked), self._ranking.of(ranked)
        reading = self._reading(self._sentences(ranked), ranked)
        signals = self._signals(reading, ranked, relevance, complete=True)
        return _begun(signals, next(iter(self._model.stream(prompts.draft(reading), 1, self._cancel)), ""))

    def _has_kind(self, quotes: Sequence[Citation]) -> bool:
        """Whether the quotes have a thing of the kind that is asked for, and name the part of it that is meant."""
        text = " ".join(self._context.text(one) for one in quotes)
        part = set(tokens(part_asked(self._asked.text)))
        return has_kind(self._asked.text, text) and part <= set(tokens(" ".join(map(self._ranking.read, quotes))))

    def _relevance(self, ranked: Sequence[Citation]) -> float | None:
        """The best sentence's as the search has it; None across languages."""
        return None if any(self._ranking.is_foreign(one) for one in ranked[:SHOWN]) else ranked[0].score

    def _signals(
        self, reading: prompts.Reading, ranked: Sequence[Citation], relevance: float | None, *, complete: bool = False
    ) -> Signals:
        """What tells whether the answer is there; complete: with what the weights do not ask for, too."""
        texts = [self._context.text(one) for one in self._whole or ranked]
        is_line_asked = self._is_line_asked(ranked[0])
        lacking, nouns = (0, False) if is_line_asked else lack(self._asked.text, self._asked.language, texts)
        odds = self._model.yes_or_no(prompts.gate(reading), self._cancel)
        if odds is not None and self._asked.earlier:
            odds += FOLLOW_UP
        if odds is not None and is_yes_no(self._asked.text, self._asked.language):
            odds += YES_NO
        if odds is not None and is_line_asked:
            odds += LINE
        whole = self._context.whole is not None and len(self._context.documents) == 1
        signals = Signals(odds, relevance, lacking, whole, self._asked.language, nouns=nouns)
        if is_line_asked or not (complete or "read" in self._calibration.of(signals).terms):
            return signals
        return replace(signals, read=self._read(ranked))

    def _read(self, ranked: Sequence[Citation]) -> float | None:
        """Log-odds of the likeliest sentence that it answers, by the cross-encoder, which has learnt no questions that
        yes or no answers, nor any that lean on one before."""
        asked, reader = self._asked, self._cross_encoder
        if reader is None or asked.earlier or is_yes_no(asked.text, asked.language):
            return None
        sentences = sorted(ranked[:READ], key=lambda one: (one.document, one.start))
        return float(reader.odds(asked.text, [self._ranking.read(one) for one in sentences]).max())

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
            [self._ranking.read(one) for one in sentences],
            self._asked.text,
            self._asked.language,
            [self._ranking.read(one) for one in hints],
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
        translated = any(self._ranking.is_foreign(one) for one in sentences)
        lexical = LexicalStore([tokens(text) for text in reading.sentences]) if translated else None
        likely = [self._wording(one) for one in ranked[:FURTHER]]  # what stands twice is read once
        claims = [written[start:end] for start, end in split_sentences(written)] or [written]
        if (is_cut or len(claims) > 1) and not claims[-1].endswith((".", "!", "?", "”", '"')):
            claims.pop()
        verdicts = [] if claims else [Verdict(written, (), "support")]
        who = self._who(ranked[0])
        for number, claim in enumerate(claims):
            places = [self._wording(one) for one in self._likeliest(ranked, who)] if number == 0 else likely
            rows = [row for row, one in enumerate(sentences) if self._wording(one) in places]
            evidence = Evidence(reading.sentences, originals, relevance, rows)
            lexical = lexical or self._context.snapshot.lexical
            verdict = verify(claim, self._asked.text, self._asked.language, evidence, lexical)
            if number == 0 and not verdict.reason:
                verdict = self._on_question(verdict, rows if who else (), evidence, translated)
            text = " ".join(originals[row] for row in verdict.cited)
            if not verdict.reason and not follows(self._model, text, claim, self._cancel):
                verdict = replace(verdict, reason="entailment")
            verdicts.append(verdict)
        return verdicts

    def _on_question(self, verdict: Verdict, pair: Sequence[int], evidence: Evidence, translated: bool) -> Verdict:
        """What a claim comes to that its sentence supports: whether it is an answer to the question.

        pair: the rows of what somebody did and of who it was, where two sentences say that; both are cited then.
        """
        originals = evidence.originals
        if asks_who(self._asked.text) and all(leaves_open_who(originals[row]) for row in verdict.cited):
            return replace(verdict, reason="kind")
        verdict = replace(verdict, cited=tuple(sorted({*verdict.cited, *pair})))
        if asks_who(self._asked.text) and not self._asked.earlier:  # a name alone stands in many sentences
            read = [text for row in verdict.cited for text in (originals[row], evidence.readings[row])]
            if not is_of_the_matter(matter(self._asked.text), read):
                return replace(verdict, reason="subject")
        return replace(verdict, reason=self._misses_question(verdict, originals, translated))

    def _misses_question(self, verdict: Verdict, originals: Sequence[str], translated: bool) -> str:
        """Why a claim that its sentences support answers another question; '' when it does not."""
        if lacks_figure(self._asked.text, verdict.text):
            return "kind"
        cited = [originals[row] for row in verdict.cited]
        if any(strays(self._asked.text, one, originals) for one in cited):
            return "actor"
        if cited and all(is_about_other_country(self._asked.text, one) for one in cited):
            return "actor"
        if translated:
            return ""
        words = telling_words(self._asked.text, self._asked.language, originals)
        return "subject" if words and not set(verdict.cited) & holders(words, originals) else ""

    def _are_of_others(self, quotes: Sequence[Citation], sentences: Sequence[Citation]) -> bool:
        """Whether all quotes are about other persons or bodies than those that the question names."""
        originals = [self._context.text(one) for one in sentences]
        return all(strays(self._asked.text, self._context.text(one), originals) for one in quotes)

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
        said = squeezed(" ".join(one.text for one in holding))
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

    def _is_line_asked(self, sentence: Citation) -> bool:
        """Whether it is the headline or credit that is asked for: words for it do not stand in the text."""
        return role_asked(self._asked.text) == self._context.role(sentence) != ""

    def _quotes(self, ranked: Sequence[Citation]) -> tuple[Citation, ...]:
        """The best sentence, and the second where it is nearly as relevant, or the one that says who did it."""
        return self._marked(self._likeliest(ranked, self._who(ranked[0])))

    def _likeliest(self, ranked: Sequence[Citation], who: Sequence[Citation]) -> list[Citation]:
        near = [one for one in ranked[1:2] if ranked[0].score - one.score <= SECOND_QUOTE]
        return [ranked[0], *(() if self._is_line_asked(ranked[0]) else who or near)]

    def _without_second(self, quotes: Sequence[Citation]) -> Sequence[Citation]:
        """The quotes, without a second one that is only near the first where the model finds the answer rather in
        that, by each of them alone."""
        if len(quotes) < 2 or self._who(quotes[0]):
            return quotes
        first, second = (self._odds_of(one) for one in quotes)
        return quotes if first is None or second is None or second > first else quotes[:1]

    def _odds_of(self, sentence: Citation) -> float | None:
        """The model's odds that a sentence by itself has the answer."""
        asked = self._asked
        alone = prompts.Reading([self._ranking.read(sentence)], asked.text, asked.language, earlier=asked.earlier)
        return self._model.yes_or_no(prompts.gate(alone), self._cancel)

    def _who(self, sentence: Citation) -> list[Citation]:
        """Where a question asks who and the sentence leaves it open, the one before it that says who."""
        found = self._ranking.antecedent(sentence) if asks_who(self._asked.text) else None
        if found is None:
            return []
        self._bridge.translate(self._context.text(found), self._asked.language, self._cancel)
        return [found]

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

    def _wording(self, sentence: Citation) -> str:
        return squeezed(self._context.text(sentence))


def _begun(signals: Signals, piece: str) -> Signals:
    """The signals with what the first piece of the draft tells, where the model does."""
    if not isinstance(piece, Start) or not piece.likeliest:
        return signals
    return replace(signals, certain=piece.likeliest[0][1])


def _is_cut(pieces: Sequence[str]) -> bool:
    """Whether a draft is not at its end: the length limit was reached, or a quotation or bracket stands open."""
    written = "".join(pieces)
    opened = any(written.count(one) > written.count(other) for one, other in ("“”", "()", "‘’", "[]"))
    return any(isinstance(piece, Cut) for piece in pieces) or opened or written.count('"') % 2 == 1
