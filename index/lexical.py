"""BM25 over morphemes, with bm25s: the only file that imports it."""

from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray


class LexicalStore:
    """BM25 (Lucene's form, k1 = 1.5, b = 0.75) over the tokens of all passages. Scores are 0 or more, no upper end."""

    def __init__(self, tokens: Sequence[Sequence[str]]) -> None:
        """tokens: of each passage, in the order of the rows that `scores` returns."""
        self._rows = len(tokens)
        self._known = {token for row in tokens for token in row}
        self._bm25: bm25s.BM25 | None = None
        if self._known:
            self._bm25 = bm25s.BM25(method="lucene")
            self._bm25.index([list(row) for row in tokens], show_progress=False)

    def scores(self, question: Sequence[str]) -> NDArray[np.float32]:
        """The score of every row, shape (n,); zero where nothing matches."""
        known = [token for token in question if token in self._known]
        if self._bm25 is None or not known:
            return np.zeros(self._rows, np.float32)
        return np.asarray(self._bm25.get_scores(known), np.float32)

    def coverage(self, question: Sequence[str]) -> float:
        """Which part of the question's tokens stands anywhere in the index, [0, 1]."""
        return sum(token in self._known for token in question) / len(question) if question else 0.0
