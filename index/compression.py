"""Token vectors in 4 bits a number, as differences from the vector of their passage."""

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

LEVELS = 7
"""Steps on either side of zero."""


def pack(tokens: Vectors, base: Vectors) -> bytes:
    """Rows (n, size), size even, as bytes: of each its scale (float16), then its numbers, two a byte.

    What is kept is the difference from `base` (size,), which a passage's tokens have most in common with: it is half
    as long as they are, and so is the error, about .004 of a cosine.
    """
    rest = tokens - base
    scale = (np.abs(rest).max(axis=1, keepdims=True, initial=0.0) / LEVELS).astype(np.float16)
    steps = np.rint(rest / np.maximum(scale.astype(np.float32), 1e-6)).clip(-LEVELS, LEVELS)
    numbers = (steps + LEVELS).astype(np.uint8)
    pairs: NDArray[np.uint8] = numbers[:, 0::2] << 4 | numbers[:, 1::2]
    return bytes(scale.tobytes() + pairs.tobytes())


def unpack(data: bytes, base: Vectors) -> Vectors:
    """The rows (n, size) that `pack` was given, nearly. Raises ValueError for bytes that are none of its."""
    size = len(base)
    count, rest = divmod(len(data), 2 + size // 2)
    if rest:
        raise ValueError(f"{len(data)} bytes are no token vectors of {size} numbers")
    scale = np.frombuffer(data, np.float16, count).astype(np.float32)
    pairs: NDArray[np.uint8] = np.frombuffer(data, np.uint8, offset=2 * count).reshape(count, size // 2)
    numbers = np.empty((count, size), np.float32)
    numbers[:, 0::2] = pairs >> 4
    numbers[:, 1::2] = pairs & 15
    return (numbers - LEVELS) * scale[:, None] + base
