"""How texts are laid into batches; the encoder itself is tested with its model (tests/real)."""

import pytest

from index.encoder import batches


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([5], [[0]]),
        ([1, 9, 2, 4, 4], [[1], [3, 4], [2, 0]]),
        ([40, 3, 3, 3, 3], [[0], [1, 2, 3], [4]]),
    ],
)
def test_batches_hold_like_lengths_and_no_more_than_fit(lengths: list[int], expected: list[list[int]]) -> None:
    assert batches(lengths, 10) == expected
