"""Checksums of what is stored, so that a damaged byte is found when it is read and never becomes an answer.

SQLite itself notices a damaged page only where its structure is hurt. CRC-32 finds every run of up to 32 wrong bits
and all but one of 4 billion other damages; it is no guard against someone who means harm.
"""

import zlib

LENGTH = 4
"""Bytes that a sealed blob is longer than its content."""


def seal(*values: object) -> int:
    """The checksum of some values, [0, 2³²)."""
    return zlib.crc32("\x00".join(map(str, values)).encode("utf-8", "surrogatepass"))


def sealed(data: bytes) -> bytes:
    """Bytes with their checksum behind them."""
    return data + zlib.crc32(data).to_bytes(LENGTH, "big")


def opened(data: bytes) -> bytes:
    """The bytes that `sealed` was given. Raises ValueError when they are not the same any more."""
    content = data[:-LENGTH]
    if len(data) < LENGTH or zlib.crc32(content) != int.from_bytes(data[-LENGTH:], "big"):
        raise ValueError("stored bytes do not fit their checksum")
    return content
