"""The words that say what a question is about: what rests on a sentence without them answers something else."""

import re
from collections.abc import Sequence

from index.tokens import kiwi, tokens
from rag.answerability import ASKING, abbreviates
from rag.names import people
from rag.records import Language

RARE = 2
"""Sentences that may have a word for it to tell them from the others."""

_COMMON = frozenset(
    "whom whose what when where which much many long said tell told name call articl report document mention describ"
    " give make take happen will would could first last year month place number person peopl compani bodi agenc reason"
    " kind sort does have with from into about this that they their there".split()
)
"""English stems that may stand in any question."""


def telling_words(question: str, spoken: Language, sentences: Sequence[str]) -> frozenset[str]:
    """The words of a question that one or two of the sentences have: the others are not about it."""
    words = _nouns(question) if spoken == "ko" else {word for word in tokens(question) if len(word) > 3} - _COMMON
    counts = {word: sum(has_any(frozenset((word,)), sentence) for sentence in sentences) for word in words}
    return frozenset(word for word, count in counts.items() if 0 < count <= RARE)


def has_any(words: frozenset[str], sentence: str) -> bool:
    """Whether a sentence has one of the words, or what one of them is short for (산업부: 산업통상자원부)."""
    own = set(tokens(sentence))
    longer = re.findall(r"[가-힣]{4,}", sentence)
    return any(word in own or any(abbreviates(word, one) for one in longer) for word in words)


def holders(words: frozenset[str], sentences: Sequence[str]) -> set[int]:
    """The rows of the sentences that have one of the words, or that come right after one that has."""
    rows = {row for row, sentence in enumerate(sentences) if has_any(words, sentence)}
    return rows | {row + 1 for row in rows if row + 1 < len(sentences)}


def _nouns(question: str) -> set[str]:
    """Not a person's name: who has been named is spoken of further without it."""
    nouns = {token.form for token in kiwi().tokenize(question) if token.tag in ("NNG", "NNP", "SL")}
    telling = {form for form in nouns if len(form) > 1} - ASKING - set(people(question))
    return set(tokens(question)) & {form.lower() for form in telling}
