"""An index as it is read: one consistent state of the catalogue with its FAISS and BM25 sides."""

import hashlib
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import FORMAT, Catalogue
from index.encoder import Centre, Encoder
from index.errors import IndexDamaged, NoSpace
from index.files import write_atomically
from index.lexical import LexicalStore
from index.passages import RULES
from index.records import Passage, Recipe
from index.tokens import version as tokens_version
from index.vectors import VectorStore

CENTRE_PASSAGES = 1000
"""Passages of a language that its mean is taken from."""


def recipe_for(encoder: Encoder) -> Recipe:
    """What an index built now with `encoder` records."""
    return Recipe(FORMAT, encoder.name, encoder.size, tokens_version(), RULES)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Snapshot:
    """What one state of the index holds. Row i of everything is passage `ids[i]`.

    languages: of each passage, 'ko' or 'en'. centres: for each language the mean of its passages' vectors, and of their
    tokens'.

    `catalogue` is pinned to that state: texts and vectors read through it are those of the passages here, whatever
    other processes have written since. `texts` reads through it too and keeps the last few.
    """

    state: int
    ids: list[int]
    rows: dict[int, int]
    passages: list[Passage]
    vectors: VectorStore
    lexical: LexicalStore
    languages: list[str]
    centres: dict[str, Centre]
    catalogue: Catalogue
    texts: Callable[[str], str]

    def text(self, document: str) -> str:
        """The whole stored text of a document. Raises DocumentNotFound."""
        return self.texts(document)

    def quote(self, document: str, start: int, end: int) -> str:
        """The stored text of a character range [start, end)."""
        return self.texts(document)[start:end]

    def sentence_vectors(self, ids: list[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        return self.catalogue.sentence_vectors(ids)

    def token_vectors(self, ids: list[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its tokens (T, size)."""
        return self.catalogue.token_vectors(ids)


class Index:
    """An index folder opened for reading. Safe to share between threads.

    `snapshot()` follows the catalogue: when another process has changed it, the next call returns the new state,
    while whoever still holds the old one goes on with that. `text`, `quote` and `sentence_vectors` are of the state
    that `snapshot()` returned last; who works through several steps asks the snapshot itself.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Raises IndexMissing, IndexMismatch, IndexDamaged, IndexNotWritable."""
        self.folder = folder
        self.encoder = encoder
        self.catalogue = Catalogue.open(folder, recipe_for(encoder))
        self._lock = threading.Lock()
        try:
            self._snapshot = self._load()
        except BaseException:
            self.catalogue.close()
            raise

    def snapshot(self) -> Snapshot:
        """The newest state."""
        with self._lock:
            if self._snapshot.state != self.catalogue.state():
                self._snapshot = self._load()
            return self._snapshot

    def text(self, document: str) -> str:
        """The whole stored text of a document. Raises DocumentNotFound."""
        return self._snapshot.text(document)

    def quote(self, document: str, start: int, end: int) -> str:
        """The stored text of a character range [start, end)."""
        return self._snapshot.quote(document, start, end)

    def sentence_vectors(self, ids: list[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        return self._snapshot.sentence_vectors(ids)

    def close(self) -> None:
        """Let go of the files."""
        self.catalogue.close()
        self._snapshot.catalogue.close()

    def _load(self) -> Snapshot:
        """A snapshot on a connection of its own, which is closed when nobody holds the snapshot any more."""
        catalogue = Catalogue.open(self.folder, self.catalogue.recipe)
        try:
            snapshot = load(catalogue)
        except BaseException:
            catalogue.close()
            raise
        weakref.finalize(snapshot, catalogue.close)
        return snapshot


def load(catalogue: Catalogue) -> Snapshot:
    """Pin the catalogue to its present state and read that whole.

    The FAISS file is taken when it is of this state and undamaged, and made anew otherwise.
    """
    state = catalogue.pin()
    catalogue.require_recipe()
    ids, passages = catalogue.passages()
    vectors = _load_vectors(catalogue, state, len(ids)) or _make_vectors(catalogue, state, ids)
    languages = catalogue.languages()
    return Snapshot(
        state=state,
        ids=ids,
        rows={number: row for row, number in enumerate(ids)},
        passages=passages,
        vectors=vectors,
        lexical=LexicalStore(catalogue.tokens()),
        languages=languages,
        centres=_centres(catalogue, vectors, ids, languages),
        catalogue=catalogue,
        texts=lru_cache(maxsize=256)(lambda name: catalogue.document(name).text),
    )


def _centres(catalogue: Catalogue, vectors: VectorStore, ids: list[int], languages: list[str]) -> dict[str, Centre]:
    """For each language the centre of its passages, or of CENTRE_PASSAGES of them all over the index."""
    of: dict[str, list[int]] = {}
    for number, spoken in zip(ids, languages, strict=True):
        of.setdefault(spoken, []).append(number)
    chosen = {spoken: numbers[:: len(numbers) // CENTRE_PASSAGES + 1] for spoken, numbers in of.items()}
    return {
        spoken: Centre(
            vectors.vectors(np.array(numbers, np.int64)).mean(axis=0, dtype=np.float32),
            catalogue.token_means(numbers).mean(axis=0, dtype=np.float32),
        )
        for spoken, numbers in chosen.items()
    }


def vectors_path(catalogue: Catalogue, state: int) -> Path:
    """Where the FAISS file of a state lies; its SHA-256 lies beside it, written last."""
    return catalogue.path.with_name(f"vectors-{state}.faiss")


def vectors_fault(catalogue: Catalogue, state: int) -> str:
    """What is wrong with the FAISS file of a state, or ''."""
    path = vectors_path(catalogue, state)
    try:
        same = hashlib.sha256(path.read_bytes()).hexdigest() == path.with_suffix(".sha256").read_text(
            "ascii", "replace"
        )
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    return "" if same else "damaged"


def _load_vectors(catalogue: Catalogue, state: int, count: int) -> VectorStore | None:
    if vectors_fault(catalogue, state):
        return None
    try:
        store = VectorStore.load(vectors_path(catalogue, state))
    except (IndexDamaged, OSError):
        return None
    return store if store.count == count else None


def _make_vectors(catalogue: Catalogue, state: int, ids: list[int]) -> VectorStore:
    """Build the FAISS side from the catalogue and keep it; a full disk or a read-only folder only costs the keeping."""
    store = VectorStore.build(np.array(ids, np.int64), catalogue.vectors())
    path = vectors_path(catalogue, state)
    try:
        store.save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        write_atomically(path.with_suffix(".sha256"), digest.encode("ascii"))
        for old in (*path.parent.glob("vectors-*"), *path.parent.glob(".vectors-*")):
            if old.name.lstrip(".").split(".")[0] != path.stem:  # of another state, or left half by a killed process
                old.unlink(missing_ok=True)
    except (NoSpace, OSError):
        with suppress(OSError):
            path.with_suffix(".sha256").unlink(missing_ok=True)
    return store
