"""Checks a draft against the sentences it was written from, and finds the sentence each claim rests on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.lexical import LexicalStore
from index.sentences import language
from index.tokens import tokens
from rag.numbers import unsupported
from rag.records import Language

_MARK = re.compile(r"\[(\d{1,3})\]")

SAME_LANGUAGE_SUPPORT = 0.6
"""Share of the draft's words, by weight, that must stand in what it cites or in the question."""

CROSS_LANGUAGE_SUPPORT = 0.80
"""Cosine that a draft and the sentence it cites must have across languages (unrelated sentences have about .75)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """text: the draft without its marks. cited: rows of the sentences it rests on. reason: '' when it holds, else why
    not: 'empty', 'language', 'echo', 'number' or 'support'."""

    text: str
    cited: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbered sentences a draft was written from. relevance: of each to the question, shape (n,)."""

    texts: Sequence[str]
    relevance: NDArray[np.float32]


def verify(
    draft: str, question: str, spoken: Language, evidence: Evidence, encoder: Encoder, lexical: LexicalStore
) -> Verdict:
    """A draft passes when it is in the question's language, says something, and one or two sentences of the evidence
    support it: its numbers stand there (300조 = 300 trillion), and so do its words, or what they mean."""
    marks = [int(mark) - 1 for mark in _MARK.findall(draft)]
    marks = [mark for mark in marks if 0 <= mark < len(evidence.texts)]
    text = " ".join(_MARK.sub("", draft).split())
    if not any(letter.isalnum() for letter in text):
        return Verdict(text, (), "empty")
    if language(text) != spoken:
        return Verdict(text, (), "language")
    if _repeats(text, question):
        return Verdict(text, (), "echo")
    support = _support(text, question, spoken, evidence, encoder, lexical)
    preference = support + 0.2 * evidence.relevance + np.isin(np.arange(len(support)), marks) * 0.1
    for row in np.argsort(-preference, kind="stable")[:4]:
        cited = (int(row),)
        if unsupported(text, [evidence.texts[row], question]):
            continue
        needed = SAME_LANGUAGE_SUPPORT if language(evidence.texts[row]) == spoken else CROSS_LANGUAGE_SUPPORT
        if support[row] < needed:
            return Verdict(text, cited, "support")
        return Verdict(text, cited, "")
    return Verdict(text, (int(np.argmax(preference)),), "number")


def _repeats(text: str, question: str) -> bool:
    """Whether the draft says nothing that the question did not say."""
    return not set(tokens(text)) - set(tokens(question))


def _support(
    text: str, question: str, spoken: Language, evidence: Evidence, encoder: Encoder, lexical: LexicalStore
) -> NDArray[np.float32]:
    """How well each sentence supports the draft, (n,): shared words in one language, cosine across two."""
    words = tokens(text)
    asked = set(tokens(question))
    scores = np.zeros(len(evidence.texts), np.float32)
    other = [row for row, sentence in enumerate(evidence.texts) if language(sentence) != spoken]
    for row, sentence in enumerate(evidence.texts):
        if row not in other:
            scores[row] = lexical.coverage(words, asked | set(tokens(sentence)))
    if other:
        vectors, _ = encoder.encode_passages([text, *(evidence.texts[row] for row in other)], [[]] * (len(other) + 1))
        scores[other] = vectors[1:] @ vectors[0]
    return scores
