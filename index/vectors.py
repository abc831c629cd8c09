"""Nearest vectors, with FAISS: the only file that imports it."""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged
from index.files import write_atomically

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]


class VectorStore:
    """Exact search by dot product, which of rows at length 1 is the cosine: [-1, 1], higher is nearer."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, ids: Ids, vectors: NDArray[np.float32]) -> "VectorStore":
        """ids (n,), vectors (n, size)."""
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.asarray(ids, np.int64))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "VectorStore":
        """Read a FAISS file, through Python: FAISS itself cannot open every path on Windows. Raises IndexDamaged."""
        try:
            return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), np.uint8)))
        except (RuntimeError, ValueError) as error:
            raise IndexDamaged(f"'{path}' is not a FAISS file.", path=path) from error

    def save(self, path: Path) -> None:
        """Write the FAISS file, whole or not at all."""
        write_atomically(path, faiss.serialize_index(self._index).tobytes())

    @property
    def count(self) -> int:
        """How many vectors it holds."""
        return int(self._index.ntotal)

    def search(self, question: NDArray[np.float32], k: int, among: Ids | None = None) -> tuple[Ids, Scores]:
        """The k nearest to one vector (size,), best first: ids and cosines, each (min(k, n),).

        among: the ids that are searched, all of them in the store and n in number; by default all.
        """
        k = min(k, self.count if among is None else len(among))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        selected: Any = faiss.SearchParameters  # which is made with what the library's own stubs do not know
        only = None if among is None else selected(sel=faiss.IDSelectorBatch(among))
        scores, ids = self._index.search(question.reshape(1, -1).astype(np.float32), k, params=only)
        return ids[0], scores[0]

    def vectors(self, ids: Ids) -> NDArray[np.float32]:
        """The stored vectors (n, size) of these ids."""
        if not len(ids):
            return np.empty((0, self._index.d), np.float32)
        return np.asarray(self._index.reconstruct_batch(np.asarray(ids, np.int64)), np.float32)
