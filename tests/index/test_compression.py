"""Token vectors in 4 bits a number come back nearly as they were."""

import numpy as np
import pytest

from index.compression import LONGEST_HEAD, pack, unpack, unpack_mean

RANDOM = np.random.default_rng(5)


def test_cosines_are_kept_and_a_number_takes_four_bits() -> None:
    common = RANDOM.standard_normal(384).astype(np.float32)
    common /= np.linalg.norm(common)
    tokens = common + RANDOM.standard_normal((50, 384)).astype(np.float32) * np.float32(0.04)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    data = pack(tokens)
    assert len(data) == 2 + 2 * 384 + 50 * (384 // 2 + 2)
    question = tokens[7] + RANDOM.standard_normal(384).astype(np.float32) * np.float32(0.02)
    question /= np.linalg.norm(question)
    assert np.abs(unpack(data) @ question - tokens @ question).max() < 0.02
    assert np.allclose(unpack_mean(data[:LONGEST_HEAD]), tokens.mean(axis=0), atol=1e-3)


def test_no_tokens_and_one_alone() -> None:
    assert unpack(pack(np.zeros((0, 8), np.float32))).shape == (0, 8)
    assert np.array_equal(unpack(pack(np.ones((1, 8), np.float32))), np.ones((1, 8)))


@pytest.mark.parametrize("data", [b"", b"\x08\x001234567", pack(np.ones((2, 8), np.float32))[:-1]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(data)
