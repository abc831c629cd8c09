"""Rates and their intervals, against published values."""

import pytest

from rag.statistics import Rate, mean, median, ndcg, wilson


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [  # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(successes: int, count: int, low: float, high: float) -> None:
    assert wilson(successes, count) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(count - successes, count)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)
    assert 0 <= mirrored[0] <= mirrored[1] <= 1


def test_a_rate_is_shown_with_its_interval() -> None:
    assert str(Rate(12, 14)) == "0.857 [0.60, 0.96]"
    assert str(Rate(0, 0)) == "–"
    assert (Rate(0, 0).value, Rate(0, 0).interval) == (None, None)


def test_what_is_not_known_is_not_counted() -> None:
    assert Rate.of([True, None, False, None]) == Rate(1, 2)
    assert Rate.of([None]) == Rate(0, 0)


def test_nothing_has_no_mean() -> None:
    assert (median([]), mean([])) == (None, None)
    assert (median([1.0, 3.0, 2.04]), mean([0.5, 1.0])) == (2.0, 0.75)


def test_ndcg() -> None:
    assert ndcg([1], 1, 10) == 1.0
    assert ndcg([3], 1, 10) == 0.5
    assert ndcg([], 1, 10) == 0.0
    assert ndcg([1, 2], 2, 10) == 1.0
    assert ndcg([1, 3], 2, 10) == pytest.approx(1.5 / (1 + 0.6309), abs=1e-4)
    assert ndcg([1, 2], 5, 2) == 1.0  # no more than two places, no more than two can come
