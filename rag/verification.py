"""Checks a draft against the sentences it was written from, and finds the sentence it rests on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.lexical import LexicalStore
from index.sentences import language
from index.tokens import tokens
from rag.bilingual import half_english
from rag.names import strange_names
from rag.negation import contradicts
from rag.numbers import unsupported
from rag.records import Language
from rag.when import strange_times

SUPPORT = 0.6
"""Share, by weight, of what a draft says beyond the question that must stand in the sentence it rests on."""

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
# Words (as `tokens` gives them) with which an answer is put, whatever it says.
_WORDING = frozenset(
    "the a an of in on at to for from by with and or as is are was were be been it its this that they he she his her"
    " their there which who what when where will would has have had not also accord articl document text passag"
    " sentenc say said state mention call name refer stand mean abbrevi titl answer describ"
    " 하 되 있 이 것 등 수 말 말하 밝히 의미 가지 문서 기사 대하 위하 따르 그 이것 그것 때문".split()
)
_YES_NO = re.compile(r"^(?:네|예|아니요|아니오|아뇨|yes|no)\b[,.!\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """text: the draft without marks. cited: rows of the sentences it rests on.

    reason: '' when it holds, else why not: 'nothing' (the draft says that the answer is not there), 'empty',
    'language', 'echo', 'number', 'time', 'name', 'negation' or 'support'; from `rag.writing` also 'subject', 'actor',
    'kind' and 'entailment'.
    """

    text: str
    cited: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentences a draft was written from.

    readings:  each as the model read it, in the question's language (a translation, for a sentence in the other one).
    originals: each as it stands in its document.
    relevance: of each to the question, shape (n,).
    rows:      of the sentences that a draft may rest on: those that answer the question most likely. A draft that finds
               its words elsewhere answers something else.
    """

    readings: Sequence[str]
    originals: Sequence[str]
    relevance: NDArray[np.float32]
    rows: Sequence[int]


def verify(draft: str, question: str, spoken: Language, evidence: Evidence, lexical: LexicalStore) -> Verdict:
    """A draft holds when it is in the question's language, says something, and one sentence of the evidence supports
    it: its numbers stand there (300조 = 300 trillion), its names, most of its words, and nothing is turned round."""
    text = " ".join(_MARK.sub("", draft).split())
    if _NOTHING.search(text):
        return Verdict(text, (), "nothing")
    claim = _YES_NO.sub("", text)
    if not any(letter.isalnum() for letter in claim):
        return Verdict(text, (), "empty")
    if any(letter.isalpha() for letter in claim) and not _in_language(claim, spoken):
        return Verdict(text, (), "language")
    if not set(tokens(claim)) - set(tokens(question)):
        return Verdict(text, (), "echo")
    support = _support(claim, question, evidence.readings, lexical)
    preference = support + 0.2 * evidence.relevance
    reason = ""
    for row in sorted(evidence.rows, key=lambda row: -preference[row]):
        fault = _fault(claim, question, evidence.readings[row], evidence.originals[row], float(support[row]))
        if not fault:
            return Verdict(text, (int(row),), "")
        reason = reason or fault
    return Verdict(text, (), reason or "support")


def is_of_the_matter(question: str, texts: Sequence[str]) -> bool:
    """Whether any of the texts has a word of the question that is no mere wording, or the question has none."""
    asked = set(tokens(question)) - _WORDING
    return not asked or any(not asked.isdisjoint(tokens(text)) for text in texts)


def _fault(claim: str, question: str, reading: str, original: str, support: float) -> str:
    """Why a sentence does not support the claim; '' when it does."""
    if unsupported(claim, [original, question]):
        return "number"
    if strange_times(claim, [original, question]):
        return "time"
    if strange_names(claim, [reading, original, half_english(original), question]):
        return "name"
    if contradicts(claim, reading):
        return "negation"
    return "" if support >= SUPPORT else "support"


def _in_language(claim: str, spoken: Language) -> bool:
    """Names may keep their own script: a Korean answer may be 'Lunit', an English one may hold a Hangul name."""
    if spoken == "ko":
        return language(claim) == "ko" or len(claim.split()) <= 4
    hangul = sum("가" <= letter <= "힣" for letter in claim)
    return hangul * 2 <= sum(letter.isalpha() for letter in claim) or len(claim.split()) <= 2


def _support(claim: str, question: str, readings: Sequence[str], lexical: LexicalStore) -> NDArray[np.float32]:
    """The share, by weight, of what the claim says beyond the question and beyond mere wording, that each sentence
    has, (n,)."""
    words = [word for word in tokens(claim) if word not in _WORDING] or tokens(claim)
    asked = set(tokens(question))
    new = [word for word in words if word not in asked] or words
    return np.array([lexical.coverage(new, set(tokens(reading))) for reading in readings], np.float32)
