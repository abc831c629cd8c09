"""Passages as rows of the catalogue's tables, there and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.compression import pack
from index.records import Passage
from index.seals import seal, sealed


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage with what was computed of it: tokens, its vector (size,), its sentences' (k, size) and its tokens of
    the embedding model's (T, size), float32, and its language ('ko' or 'en')."""

    passage: Passage
    tokens: Sequence[str]
    vector: NDArray[np.float32]
    sentence_vectors: NDArray[np.float32]
    token_vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    language: str = "en"


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage as it is read: its id, its language ('ko' or 'en') and its tokens."""

    id: int
    passage: Passage
    language: str
    tokens: list[str]


def to_columns(row: PassageRow) -> tuple[object, ...]:
    """Its PASSAGE_COLUMNS."""
    passage = row.passage
    return (
        passage.number,
        passage.start,
        passage.end,
        json.dumps(passage.sentences),
        int(passage.repeated),
        row.language,
        " ".join(row.tokens),
    )


def to_blobs(row: PassageRow) -> tuple[bytes, bytes, bytes]:
    """Its row of `vectors`, sealed: float32, float16, and what `index.compression` makes of the tokens'."""
    return (
        sealed(row.vector.astype(np.float32).tobytes()),
        sealed(row.sentence_vectors.astype(np.float16).tobytes()),
        sealed(pack(row.token_vectors)),
    )


def to_text(row: Sequence[Any]) -> PassageText:
    """Id, document, digest, PASSAGE_COLUMNS and seal as a passage. Raises ValueError when it is not what was stored."""
    number, name, digest, *columns, stored = row
    if stored != seal(digest, *columns):
        raise ValueError(f"what is stored of passage {columns[0]} of '{name}' is not what was")
    place, start, end, sentences, repeated, spoken, tokens = columns
    spans = tuple((first, last) for first, last in json.loads(sentences))
    passage = Passage(name, place, start, end, spans, bool(repeated))
    return PassageText(number, passage, spoken, tokens.split(" ") if tokens else [])
