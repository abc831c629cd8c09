"""An encoder for tests that needs no model: its vectors can be predicted by eye."""

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from index.encoder import SAMPLES, Asked, Centre, Vectors, centre_of
from index.records import Span

SIZE = 64


class FakeEncoder:
    """Counts the letter pairs of the words in 64 buckets, and brings that to length 1.

    'cat' has the pairs '<c', 'ca', 'at', 't>'; each goes into the bucket of its CRC-32. Texts that share words, or
    the beginnings of words ('의장은', '의장이'), are near each other; a text without words has the vector zero.
    `encoded` counts the texts that passed through, so that a test can tell that none did.
    """

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.size = SIZE
        self.encoded = 0

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See Encoder. A token is at most two characters of a word."""
        return [sum((len(word) + 1) // 2 for word in text.split()) for text in texts]

    def encode_passages(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        """See Encoder."""
        self.encoded += len(texts)
        parts = [
            np.array([_vector(text[start:end]) for start, end in spans], np.float32).reshape(-1, SIZE)
            for text, spans in zip(texts, sentences, strict=True)
        ]
        return np.array([_vector(text) for text in texts], np.float32).reshape(-1, SIZE), parts

    def encode_in_full(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors], list[Vectors]]:
        """See Encoder. A word is a token."""
        vectors, parts = self.encode_passages(texts, sentences)
        return vectors, parts, [_words(text) for text in texts]

    def token_spans(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """See Encoder."""
        return [[word.span() for word in re.finditer(r"\w+", text)] for text in texts]

    def encode_question(self, question: str) -> Vectors:
        """See Encoder."""
        return _vector(question)

    def encode_asked(self, question: str) -> Asked:
        """See Encoder. All words tell the same."""
        words = _words(question)
        return Asked(_vector(question), words, np.ones(len(words), np.float32))

    def centre(self, language: str) -> Centre:
        """See Encoder."""
        return centre_of([self.encode_asked(question) for question in SAMPLES[language]])


def _words(text: str) -> Vectors:
    return np.array([_vector(word) for word in re.findall(r"\w+", text)], np.float32).reshape(-1, SIZE)


def _vector(text: str) -> Vectors:
    vector = np.zeros(SIZE, np.float32)
    for word in re.findall(r"\w+", text.lower()):
        padded = f"<{word}>"
        for pair in pairwise(padded):
            vector[zlib.crc32("".join(pair).encode()) % SIZE] += 1
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector
