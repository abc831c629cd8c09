"""Checks a draft against the sentences it was written from, and finds the sentence it rests on."""

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
from rag.prompts import annotate
from rag.records import Language

SAME_LANGUAGE_SUPPORT = 0.6
"""Share of the draft's words, by weight, that must stand in the sentence it rests on (in it or in the question)."""

CROSS_LANGUAGE_SUPPORT = 0.80
"""Cosine that question and draft together must have with a sentence in another language to rest on it.

It keeps the worst out and no more: right and wrong drafts above it are not told apart (docs/results.md). A yes or no
is never taken on a cosine.
"""

CONSIDERED = 4
"""Sentences that are tried as what a draft rests on, the likeliest first."""

_MARK = re.compile(r"\[\d{1,3}\]")
_NOTHING = re.compile(
    r"^\W*(?:없음|없다|없습니다|정보 ?없음|none|n/?a|unknown)\W*$"
    r"|알 수 없|(?:언급|명시|제공|기재|포함|공개)(?:되어 있지|되지|돼 있지) ?않|나와 ?있지 ?않"
    r"|찾을 수 없|언급이 없|정보가 없"
    r"|\b(?:is|are|was|were)(?: not|n't) (?:\w+ly )?(?:stated|mentioned|given|specified|provided|included|known)\b"
    r"|\b(?:document|article|text|passage|report)s? (?:does|do|did)(?: not|n't)\b"
    r"|\bno (?:information|mention)\b",
    re.IGNORECASE,
)
_YES_NO = re.compile(r"^(?:네|예|아니요|아니오|아뇨|yes|no)\b[,.!\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """text: the draft without marks. cited: rows of the sentences it rests on.

    reason: '' when it holds, else why not: 'nothing' (the draft says that the answer is not there), 'empty',
    'language', 'echo', 'number' or 'support'.
    """

    text: str
    cited: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentences a draft was written from, and the relevance of each to the question, shape (n,)."""

    texts: Sequence[str]
    relevance: NDArray[np.float32]


def verify(
    draft: str, question: str, spoken: Language, evidence: Evidence, encoder: Encoder, lexical: LexicalStore
) -> Verdict:
    """A draft holds when it is in the question's language, says something, and a sentence of the evidence supports it:
    its numbers stand there (300조 = 300 trillion), and so do its words, or what they mean."""
    text = " ".join(_MARK.sub("", draft).split())
    if _NOTHING.search(text):
        return Verdict(text, (), "nothing")
    claim = _YES_NO.sub("", text)
    if not any(letter.isalnum() for letter in text):
        return Verdict(text, (), "empty")
    if any(letter.isalpha() for letter in claim) and not _in_language(claim, spoken):
        return Verdict(text, (), "language")
    if not set(tokens(claim)) - set(tokens(question)):
        return Verdict(text, (), "echo")
    support = _support(claim, question, spoken, evidence, encoder, lexical)
    preference = support + 0.2 * evidence.relevance
    for row in np.argsort(-preference, kind="stable")[:CONSIDERED]:
        if unsupported(text, [evidence.texts[row], question]):
            continue
        across = language(evidence.texts[row]) != spoken
        holds = support[row] >= (CROSS_LANGUAGE_SUPPORT if across else SAME_LANGUAGE_SUPPORT)
        return Verdict(text, (int(row),), "" if holds and not (across and claim != text) else "support")
    return Verdict(text, (int(np.argmax(preference)),), "number")


def _in_language(claim: str, spoken: Language) -> bool:
    """Names may keep their own script: a Korean answer may be 'Lunit', an English one may hold a Hangul name."""
    if spoken == "ko":
        return language(claim) == "ko" or len(claim.split()) <= 4
    hangul = sum("가" <= letter <= "힣" for letter in claim)
    return hangul * 2 <= sum(letter.isalpha() for letter in claim) or len(claim.split()) <= 2


def _support(
    claim: str, question: str, spoken: Language, evidence: Evidence, encoder: Encoder, lexical: LexicalStore
) -> NDArray[np.float32]:
    """How well each sentence supports the claim, (n,).

    In one language: the share of its words, by weight, that the sentence has. Across two: the cosine of question and
    claim with the sentence, and a tenth for names and words that stand there in Latin letters.
    """
    words = tokens(claim)
    scores = np.zeros(len(evidence.texts), np.float32)
    other: list[int] = []
    asked = set(tokens(question))
    for row, sentence in enumerate(evidence.texts):
        known = set(tokens(annotate(sentence)))
        scores[row] = lexical.coverage(words, known)
        if language(sentence) == spoken:
            rest = [word for word in words if word not in asked] or words
            scores[row] = 0.5 * scores[row] + 0.5 * lexical.coverage(rest, known)
        else:
            other.append(row)
    if other:
        texts = [f"{question} {claim}", *(evidence.texts[row] for row in other)]
        vectors, _ = encoder.encode_passages(texts, [[]] * len(texts))
        scores[other] = vectors[1:] @ vectors[0] + 0.1 * scores[other]
    return scores
