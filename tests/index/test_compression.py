"""Token vectors in 4 bits a number come back nearly as they were."""

import numpy as np
import pytest

from index.compression import pack, unpack

RANDOM = np.random.default_rng(5)


def test_cosines_are_kept_and_a_number_takes_four_bits() -> None:
    base = RANDOM.standard_normal(384).astype(np.float32)
    base /= np.linalg.norm(base)
    tokens = base + RANDOM.standard_normal((50, 384)).astype(np.float32) * np.float32(0.04)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    data = pack(tokens, base)
    assert len(data) == 50 * (384 // 2 + 2)
    question = tokens[7] + RANDOM.standard_normal(384).astype(np.float32) * np.float32(0.02)
    question /= np.linalg.norm(question)
    assert np.abs(unpack(data, base) @ question - tokens @ question).max() < 0.02


def test_no_tokens_and_a_token_equal_to_the_base() -> None:
    base = np.ones(8, np.float32)
    assert unpack(pack(np.zeros((0, 8), np.float32), base), base).shape == (0, 8)
    assert np.array_equal(unpack(pack(base[None], base), base), base[None])


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="7 bytes"):
        unpack(b"1234567", np.ones(8, np.float32))
