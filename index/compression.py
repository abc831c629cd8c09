"""Token vectors in 4 bits a number, as differences from their mean."""

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

LEVELS = 7
"""Steps on either side of zero."""

_PAIRS = np.array([[byte >> 4, byte & 15] for byte in range(256)], np.float32) - LEVELS
"""The two numbers of each byte, (256, 2)."""

LONGEST_HEAD = 2 + 2 * 4096
"""Bytes within which the mean of rows of up to 4,096 numbers stands."""


def pack(tokens: Vectors) -> bytes:
    """Rows (n, size), size even, as bytes: the size (uint16), the mean (float16), each row's scale (float16), then its
    numbers, two a byte.

    Rows of one passage have much in common: their differences from the mean are shorter than they are, and so is the
    error, about .005 of a cosine.
    """
    size = tokens.shape[1]
    mean = tokens.mean(axis=0).astype(np.float16) if len(tokens) else np.zeros(size, np.float16)
    rest = tokens - mean.astype(np.float32)
    scale = (np.abs(rest).max(axis=1, keepdims=True, initial=0.0) / LEVELS).astype(np.float16)
    steps = np.rint(rest / np.maximum(scale.astype(np.float32), 1e-6)).clip(-LEVELS, LEVELS)
    numbers = (steps + LEVELS).astype(np.uint8)
    pairs: NDArray[np.uint8] = numbers[:, 0::2] << 4 | numbers[:, 1::2]
    return b"".join((np.uint16(size).tobytes(), mean.tobytes(), scale.tobytes(), pairs.tobytes()))


def unpack_mean(data: bytes) -> Vectors:
    """The mean (size,) of the rows that `pack` was given, of which LONGEST_HEAD bytes are enough. Raises ValueError."""
    size = int(np.frombuffer(data, np.uint16, 1)[0])
    return np.frombuffer(data, np.float16, size, offset=2).astype(np.float32)


def unpack(data: bytes) -> Vectors:
    """The rows (n, size) that `pack` was given, nearly. Raises ValueError for bytes that are none of its."""
    mean = unpack_mean(data)
    size, begin = len(mean), 2 + 2 * len(mean)
    count, left_over = divmod(len(data) - begin, 2 + size // 2)
    if left_over:
        raise ValueError(f"{len(data)} bytes are no token vectors of {size} numbers")
    scale = np.frombuffer(data, np.float16, count, offset=begin).astype(np.float32)
    pairs = np.frombuffer(data, np.uint8, offset=begin + 2 * count).reshape(count, size // 2)
    numbers = _PAIRS.view(np.complex64)[:, 0].take(pairs).view(np.float32)  # a pair at a time
    numbers *= scale[:, None]
    numbers += mean
    return numbers
