"""The words of a question, as they are searched for in passages of both languages."""

import functools
from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from index.lexical import LexicalStore
from index.sentences import language
from index.tokens import tokens
from rag import lexicon


@functools.lru_cache(maxsize=4096)
def token_set(text: str) -> frozenset[str]:
    """Its tokens."""
    return frozenset(tokens(text))


class AskedWords:
    """A question's words, each with what it may be in the other language.

    All forms of a word together are as rare as the passages that have any of them are few (as in structured queries,
    Pirkola 1998), so that a word with many senses counts little.
    """

    def __init__(self, question: str, lexical: LexicalStore) -> None:
        self._lexical = lexical
        self._times = Counter(tokens(question))
        self._spoken = {word: language(word) for word in self._times}
        self._wanted: dict[str, list[tuple[frozenset[str], float]]] = {}

    def scores(self) -> NDArray[np.float32]:
        """BM25 of every row, (n,); zero where no form of any word stands."""
        weights = defaultdict[str, float](float)
        for word, times in self._times.items():
            weights[word] += times * self._lexical.weight(word)
            others = lexicon.others(word)
            weight = self._lexical.weight_of_any(others)
            for other in others:
                weights[other] += times * weight
        return self._lexical.weighted(weights)

    def coverage(self, text: str, spoken: str) -> float:
        """Which part of the question's words, by weight, a text in a language has: [0, 1]."""
        wanted, own = self._wanted_in(spoken), token_set(text)
        total = sum(weight for _, weight in wanted)
        return sum(weight for forms, weight in wanted if not forms.isdisjoint(own)) / total if total else 0.0

    def _wanted_in(self, spoken: str) -> list[tuple[frozenset[str], float]]:
        """The forms of each word that a text in a language may have, and their weight."""
        if spoken not in self._wanted:
            forms = []
            for word, its in self._spoken.items():
                if its == spoken:
                    forms.append(frozenset((word,)))
                elif word not in lexicon.FUNCTION:
                    forms.append(lexicon.others(word) | {word})
            self._wanted[spoken] = [(one, self._lexical.weight_of_any(one)) for one in forms]
        return self._wanted[spoken]
