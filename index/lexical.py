"""BM25 over morphemes, with bm25s: the only file that imports it."""

import math
from collections import Counter
from collections.abc import Collection, Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray


class LexicalStore:
    """BM25 (Lucene's form, k1 = 1.5, b = 0.75) over the tokens of all passages. Scores are 0 or more, no upper end."""

    def __init__(self, tokens: Sequence[Sequence[str]]) -> None:
        """tokens: of each passage, in the order of the rows that `scores` returns."""
        self._rows = len(tokens)
        self._frequency = Counter(token for row in tokens for token in set(row))
        self._bm25: bm25s.BM25 | None = None
        if self._frequency:
            self._bm25 = bm25s.BM25(method="lucene")
            self._bm25.index([list(row) for row in tokens], show_progress=False)

    def scores(self, question: Sequence[str]) -> NDArray[np.float32]:
        """The score of every row, shape (n,); zero where nothing matches."""
        known = [token for token in question if token in self._frequency]
        if self._bm25 is None or not known:
            return np.zeros(self._rows, np.float32)
        return np.asarray(self._bm25.get_scores(known), np.float32)

    def weight(self, token: str) -> float:
        """The token's inverse document frequency, 0 or more: how much it tells; the highest for an unknown one."""
        frequency = self._frequency.get(token, 0)
        return math.log(1 + (self._rows - frequency + 0.5) / (frequency + 0.5))

    def coverage(self, question: Sequence[str], tokens: Collection[str]) -> float:
        """Which part of the question's tokens, by weight, is among `tokens`: [0, 1]."""
        wanted = {token: self.weight(token) for token in question}
        total = sum(wanted.values())
        return sum(weight for token, weight in wanted.items() if token in tokens) / total if total else 0.0
