"""An index as it is read: one consistent state of the catalogue with its FAISS and BM25 sides."""

import hashlib
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import FORMAT, Catalogue
from index.encoder import Encoder
from index.errors import IndexDamaged, NoSpace
from index.files import write_atomically
from index.lexical import LexicalStore
from index.passages import RULES
from index.records import Passage, Recipe
from index.tokens import version as tokens_version
from index.vectors import VectorStore


def recipe_for(encoder: Encoder) -> Recipe:
    """What an index built now with `encoder` records."""
    return Recipe(FORMAT, encoder.name, encoder.size, tokens_version(), RULES)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one state of the index holds. Row i of everything is passage `ids[i]`."""

    state: int
    ids: list[int]
    rows: dict[int, int]
    passages: list[Passage]
    vectors: VectorStore
    lexical: LexicalStore


class Index:
    """An index folder opened for reading. Safe to share between threads.

    `snapshot()` follows the catalogue: when another process has changed it, the next call returns the new state,
    while whoever still holds the old one goes on with that.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Raises IndexMissing, IndexMismatch, IndexDamaged."""
        self.folder = folder
        self.encoder = encoder
        self.catalogue = Catalogue.open(folder, recipe_for(encoder))
        self._lock = threading.Lock()
        self._snapshot = load(self.catalogue)
        self._text = lru_cache(maxsize=256)(lambda name, state: self.catalogue.text(name))

    def snapshot(self) -> Snapshot:
        """The newest state."""
        with self._lock:
            if self._snapshot.state != self.catalogue.state():
                self._snapshot = load(self.catalogue)
            return self._snapshot

    def text(self, document: str) -> str:
        """The whole stored text of a document. Raises DocumentNotFound."""
        return self._text(document, self._snapshot.state)

    def quote(self, document: str, start: int, end: int) -> str:
        """The stored text of a character range [start, end)."""
        return self.text(document)[start:end]

    def sentence_vectors(self, ids: list[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        return self.catalogue.sentence_vectors(ids)

    def close(self) -> None:
        """Let go of the files."""
        self.catalogue.close()


def load(catalogue: Catalogue) -> Snapshot:
    """Read a state whole. The FAISS file is taken when it is of this state and undamaged, and made anew otherwise."""
    catalogue.require_recipe()
    state = catalogue.state()
    ids, passages = catalogue.passages()
    vectors = _load_vectors(catalogue, state, len(ids)) or _make_vectors(catalogue, state, ids)
    rows = {number: row for row, number in enumerate(ids)}
    return Snapshot(state, ids, rows, passages, vectors, LexicalStore(catalogue.tokens()))


def vectors_path(catalogue: Catalogue, state: int) -> Path:
    """Where the FAISS file of a state lies; its SHA-256 lies beside it, written last."""
    return catalogue.path.with_name(f"vectors-{state}.faiss")


def vectors_fault(catalogue: Catalogue, state: int) -> str:
    """What is wrong with the FAISS file of a state, or ''."""
    path = vectors_path(catalogue, state)
    digest = path.with_suffix(".sha256")
    if not path.is_file() or not digest.is_file():
        return "missing"
    same = hashlib.sha256(path.read_bytes()).hexdigest() == digest.read_text("ascii", errors="replace")
    return "" if same else "damaged"


def _load_vectors(catalogue: Catalogue, state: int, count: int) -> VectorStore | None:
    if vectors_fault(catalogue, state):
        return None
    try:
        store = VectorStore.load(vectors_path(catalogue, state))
    except IndexDamaged:
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
        for old in path.parent.glob("vectors-*"):
            if old.stem != path.stem:
                old.unlink(missing_ok=True)
    except (NoSpace, OSError):
        path.with_suffix(".sha256").unlink(missing_ok=True)
    return store
