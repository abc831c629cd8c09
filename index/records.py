"""What the index keeps: documents, passages and the model that built them.

A `Passage` and its sentences are character ranges [start, end) into the stored text of their document, never
copies of it, so that a quote is always a slice of the source and cannot drift from it.
"""

from dataclasses import dataclass

Span = tuple[int, int]
"""A character range [start, end) into a document's stored text."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read: its text is Unicode NFC with '\\n' line ends.

    name:    what citations call it: the path relative to the folder that was added, or a JSONL line's `id`.
    title:   a heading for people; may be empty.
    source:  where it was read from (absolute path), for telling a changed file from a second one.
    digest:  SHA-256 (hex) of title and text.
    """

    name: str
    title: str
    text: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one document, the unit that is embedded and retrieved.

    number:     its place in the document, from 0.
    start, end: its character range; `sentences` are ranges within it, in order.
    repeated:   every sentence of it stands elsewhere in the document too, or it is a credit line (photo captions,
                bylines): it answers questions about itself, but ranks below text that says the same.
    """

    document: str
    number: int
    start: int
    end: int
    sentences: tuple[Span, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A line of `mureum index list`. bytes: of the stored text in UTF-8; added: ISO 8601, UTC."""

    name: str
    title: str
    source: str
    passages: int
    bytes: int
    language: str
    added: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an index was built with; an index is only read by a program with an equal recipe.

    format:   the number of the catalogue's layout.
    encoder:  the embedding model's name and the digest of its weights.
    size:     the length of a vector (numbers).
    tokens:   the tokeniser of the lexical side and its version.
    passages: the version of the rules that cut passages.
    """

    format: int
    encoder: str
    size: int
    tokens: str
    passages: int
