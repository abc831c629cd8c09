"""What figures of a measurement are made with: rates with their intervals, medians, and how good a ranking is."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, sqrt

Z = 1.959964
"""The normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share: `successes` of `count`. Its text is like '0.857 [0.62, 0.96]', and '–' of nothing."""

    successes: int
    count: int

    @classmethod
    def of(cls, outcomes: Sequence[bool | None]) -> "Rate":
        """The share of what is true, among what is not None."""
        known = [outcome for outcome in outcomes if outcome is not None]
        return cls(sum(known), len(known))

    @property
    def value(self) -> float | None:
        """In [0, 1]; None of nothing."""
        return self.successes / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval, within [0, 1]; None of nothing."""
        return wilson(self.successes, self.count) if self.count else None

    def __str__(self) -> str:
        if not self.count:
            return "–"
        low, high = wilson(self.successes, self.count)
        return f"{self.successes / self.count:.3f} [{low:.2f}, {high:.2f}]"


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927, JASA 22:209), without continuity correction; count > 0."""
    share = successes / count
    middle = share + Z * Z / (2 * count)
    half = Z * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    scale = 1 + Z * Z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def median(values: Sequence[float]) -> float | None:
    """Rounded to a tenth; None of nothing."""
    return round(statistics.median(values), 1) if values else None


def mean(values: Sequence[float]) -> float | None:
    """Rounded to three places; None of nothing."""
    return round(statistics.fmean(values), 3) if values else None


def ndcg(ranks: Sequence[int], relevant: int, depth: int) -> float:
    """nDCG with binary relevance, [0, 1].

    ranks: the places, from 1, at which relevant documents came, each at most `depth`; relevant: how many there are.
    """
    ideal = sum(1 / log2(1 + rank) for rank in range(1, min(relevant, depth) + 1))
    return sum(1 / log2(1 + rank) for rank in ranks) / ideal
