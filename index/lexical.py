"""BM25 over morphemes: postings in NumPy arrays, which are mapped from files where there are any.

A question reads the postings of its own words and nothing else. What has changed since the files were made lies over
them, as a second set of postings and a mask, and counts in every frequency: the scores are those of files made anew.
"""

import json
import math
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.files import mapped

K1, B = 1.5, 0.75

KNOWN = 1 << 16
"""Frequencies of words that are kept in memory."""

_FILES: dict[str, type[np.generic]] = {"starts": np.int64, "rows": np.int32, "times": np.int32, "lengths": np.int32}
_WORDS = "words.json"


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Which rows have which words: word number i is in rows[starts[i]:starts[i + 1]], as often as `times` says.

    words: the number of each, V of them. starts (V + 1,), rows and times (P,), lengths: the tokens of each row (n,).
    """

    words: dict[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    times: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, tokens: Iterable[Sequence[str]]) -> "Postings":
        """tokens: of each row, in order."""
        words: dict[str, int] = {}
        keys, lengths = array("q"), array("i")
        for row, its in enumerate(tokens):
            keys.extend([words.setdefault(word, len(words)) << 32 | row for word in its])
            lengths.append(len(its))
        places, times = np.unique(np.frombuffer(keys, np.int64), return_counts=True)
        starts = np.searchsorted(places >> 32, np.arange(len(words) + 1))
        rows = (places & 0xFFFFFFFF).astype(np.int32)
        return cls(words, starts.astype(np.int64), rows, times.astype(np.int32), np.array(lengths, np.int32))

    def save(self, folder: Path) -> None:
        """Write the files. OSErrors pass."""
        for name, kind in _FILES.items():
            np.ascontiguousarray(getattr(self, name), kind).tofile(folder / name)
        (folder / _WORDS).write_text(json.dumps(list(self.words), ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Postings":
        """Map the files that `save` wrote. Raises OSError, ValueError."""
        words = {word: number for number, word in enumerate(json.loads((folder / _WORDS).read_text("utf-8")))}
        return cls(words, **{name: mapped(folder / name, kind) for name, kind in _FILES.items()})

    def of_word(self, word: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The rows that have it, ascending, and how often."""
        number = self.words.get(word)
        if number is None:
            return self.rows[:0], self.times[:0]
        part = slice(int(self.starts[number]), int(self.starts[number + 1]))
        return self.rows[part], self.times[part]


class LexicalStore:
    """BM25 (Lucene's form, k1 = 1.5, b = 0.75) over the tokens of all passages. Scores are 0 or more, no upper end."""

    def __init__(
        self,
        tokens: Iterable[Sequence[str]],
        base: Postings | None = None,
        kept: NDArray[np.bool_] | None = None,
    ) -> None:
        """tokens: of each passage, in the order of the rows that `scores` returns.

        base: of passages that come before those; kept: which of them still count, by default all.
        """
        fresh = Postings.of(tokens)
        self._parts = [fresh] if base is None else [base, fresh]
        lengths = np.concatenate([part.lengths for part in self._parts])
        self._kept = None
        if base is not None and kept is not None and not kept.all():
            self._kept = np.concatenate([kept, np.ones(len(fresh.lengths), bool)])
        alive = lengths if self._kept is None else lengths[self._kept]
        self._rows = len(alive)
        mean = float(alive.mean()) if self._rows else 0.0
        self._norm = (K1 * (1 - B + B * lengths / (mean or 1.0))).astype(np.float32)
        self._known: dict[str, int] = {}

    def scores(self, question: Sequence[str]) -> NDArray[np.float32]:
        """The score of every row, shape (n,); zero where nothing matches."""
        return self.weighted({token: times * self.weight(token) for token, times in Counter(question).items()})

    def weighted(self, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """The same for tokens that weigh what they are given (0 or more)."""
        scores = np.zeros(len(self._norm), np.float32)
        for token, weight in weights.items():
            for rows, times in self._postings(token):
                scores[rows] += np.float32(weight) * times / (times + self._norm[rows])
        return scores if self._kept is None else scores[self._kept]

    def weight(self, token: str) -> float:
        """The token's inverse document frequency, 0 or more: how much it tells; the highest for an unknown one."""
        return self.weight_of_any((token,))

    def weight_of_any(self, tokens: Collection[str]) -> float:
        """The weight of tokens that say the same, as if no passage had two of them."""
        frequency = min(sum(map(self.frequency, tokens)), self._rows)
        return math.log(1 + (self._rows - frequency + 0.5) / (frequency + 0.5))

    def frequency(self, token: str) -> int:
        """How many passages have a token."""
        frequency = self._known.get(token)
        if frequency is None:
            if len(self._known) >= KNOWN:
                self._known.clear()
            frequency = self._known[token] = sum(len(rows) for rows, _ in self._postings(token))
        return frequency

    def coverage(self, question: Sequence[str], tokens: Collection[str]) -> float:
        """Which part of the question's tokens, by weight, is among `tokens`: [0, 1]."""
        wanted = {token: self.weight(token) for token in question}
        total = sum(wanted.values())
        return sum(weight for token, weight in wanted.items() if token in tokens) / total if total else 0.0

    def _postings(self, token: str) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Of each part the rows with a token, numbered through, and how often they have it."""
        found, offset = [], 0
        for part in self._parts:
            rows, times = part.of_word(token)
            rows = rows + np.int32(offset)
            if self._kept is not None:
                mask = self._kept[rows]
                rows, times = rows[mask], times[mask]
            found.append((rows, times))
            offset += len(part.lengths)
        return found


def best_rows(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """The k rows with the highest scores above 0, best first, of like ones the first; without sorting all (n,)."""
    rows = np.flatnonzero(scores > 0)
    if len(rows) > k:
        rows = rows[scores[rows] >= np.partition(scores[rows], -k)[-k]]
    return rows[np.argsort(-scores[rows], kind="stable")][:k]
