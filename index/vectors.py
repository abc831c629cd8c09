"""Nearest vectors, with FAISS: the only file that imports it.

Up to EXACT vectors every one is compared. Beyond, an inverted file (Jégou et al. 2011) over vectors of a byte a number
proposes candidates, which are then compared exactly; how many of its lists are searched follows from the measured
recall. The vectors themselves lie in a file that is mapped, not read.
"""

import errno
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged
from index.files import mapped

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]

EXACT = 100_000
"""Vectors up to which all are compared."""

RECALL = 0.98
"""Share of the true ten nearest that the inverted file has to find, on SAMPLE questions made of its own vectors."""

SAMPLE = 200
TRAINING = 64
"""Vectors a list that the lists are learnt from."""

FEWEST = 39
"""Vectors a list that FAISS wants at least."""

CANDIDATES = 4
"""Times as many candidates as are wanted come from the inverted file."""

BLOCK = 65_536

_VECTORS, _LISTS = "vectors", "lists.faiss"


class VectorStore:
    """Search by dot product, which of rows at length 1 is the cosine: [-1, 1], higher is nearer."""

    def __init__(self, ids: Ids, vectors: NDArray[np.float32], lists: Any = None) -> None:
        """ids (n,), ascending; vectors (n, size); lists: an inverted file over them
        (faiss.IndexIVF, whose types know it as the less that all indexes are)."""
        self._ids, self._vectors, self._lists = ids, vectors, lists
        self._kept: NDArray[np.bool_] | None = None
        self._fresh: tuple[Ids, NDArray[np.float32]] = (ids[:0], vectors[:0])

    @classmethod
    def build(cls, ids: Ids, vectors: NDArray[np.float32], exact: int = EXACT) -> "VectorStore":
        """ids (n,), in any order; vectors (n, size)."""
        ids, vectors = np.asarray(ids, np.int64), np.ascontiguousarray(vectors, np.float32)
        order = np.argsort(ids)
        if not np.array_equal(order, np.arange(len(ids))):
            ids, vectors = ids[order], vectors[order]
        return cls(ids, vectors, _lists(vectors) if len(ids) > exact else None)

    def save(self, folder: Path) -> None:
        """Write the files into a folder. OSErrors pass."""
        self._vectors.tofile(folder / _VECTORS)
        if self._lists is not None:
            try:
                faiss.write_index(self._lists, str(folder / _LISTS))
            except RuntimeError as error:  # it says in words alone that a disk is full
                raise OSError(errno.EIO, str(error)) from error

    @classmethod
    def load(cls, folder: Path, ids: Ids, size: int) -> "VectorStore":
        """Map the files that `save` wrote. Raises IndexDamaged; OSErrors pass."""
        try:
            vectors = mapped(folder / _VECTORS, np.float32).reshape(len(ids), size)
            path = folder / _LISTS
            lists: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP) if path.exists() else None
        except (RuntimeError, ValueError) as error:
            raise IndexDamaged(f"'{folder}' has no vectors that can be read.", path=folder) from error
        store = cls(ids, vectors, lists)
        if lists is not None:
            lists.parallel_mode = 1  # one question, its lists on all cores; FAISS does not keep this
        return store

    def changed(self, kept: NDArray[np.bool_], ids: Ids, vectors: NDArray[np.float32]) -> "VectorStore":
        """The same without the vectors that are not `kept` (n,), and with others, whose ids are higher."""
        store = VectorStore(self._ids, self._vectors, self._lists)
        store._kept = None if kept.all() else kept
        store._fresh = ids, vectors
        return store

    @property
    def count(self) -> int:
        """How many vectors it holds."""
        kept = len(self._ids) if self._kept is None else int(self._kept.sum())
        return kept + len(self._fresh[0])

    @property
    def is_exact(self) -> bool:
        """Whether every vector is compared."""
        return self._lists is None

    def search(self, question: NDArray[np.float32], k: int, among: Ids | None = None) -> tuple[Ids, Scores]:
        """The k nearest to one vector (size,), best first: ids and cosines, each (min(k, n),).

        among: the ids that are searched, all of them in the store and n in number; by default all.
        """
        question = np.ascontiguousarray(question, np.float32)
        if among is not None and len(among) <= EXACT:
            return _best(among, self.vectors(among) @ question, k)
        kept, fresh = self._kept, self._fresh
        if among is not None:
            kept, mine = np.isin(self._ids, among), np.isin(fresh[0], among)
            fresh = fresh[0][mine], fresh[1][mine]
        rows, scores = self._search_kept(question, k, kept)
        ids = self._ids[rows]
        return _best(np.concatenate([ids, fresh[0]]), np.concatenate([scores, fresh[1] @ question]), k)

    def vectors(self, ids: Ids) -> NDArray[np.float32]:
        """The stored vectors (n, size) of these ids."""
        ids = np.asarray(ids, np.int64)
        found = np.empty((len(ids), self._vectors.shape[1]), np.float32)
        for known, vectors in ((self._ids, self._vectors), self._fresh):
            if len(known):
                rows = np.minimum(np.searchsorted(known, ids), len(known) - 1)
                mine = known[rows] == ids
                found[mine] = vectors[rows[mine]]
        return found

    def _search_kept(self, question: NDArray[np.float32], k: int, kept: NDArray[np.bool_] | None) -> tuple[Ids, Scores]:
        """The k nearest of the rows that are kept; asks for more until enough of them are among what comes."""
        wanted = k
        while True:
            rows, scores = self._search_all(question, min(wanted, len(self._ids)))
            if kept is None:
                return rows, scores
            mask = kept[rows]
            if int(mask.sum()) >= k or wanted >= len(self._ids):
                return rows[mask][:k], scores[mask][:k]
            wanted *= 2

    def _search_all(self, question: NDArray[np.float32], k: int) -> tuple[Ids, Scores]:
        if not k:
            return self._ids[:0], np.empty(0, np.float32)
        if self._lists is None:
            scores = self._vectors @ question  # on all cores, where FAISS takes one for one question
            nearest = np.sort(np.argpartition(-scores, k - 1)[:k])
            return _best(nearest, scores[nearest], k)
        return _proposed(self._lists, self._vectors, question, k)


def _best(ids: Ids, scores: Scores, k: int) -> tuple[Ids, Scores]:
    order = np.argsort(-scores, kind="stable")[:k]
    return ids[order], scores[order]


def _proposed(lists: Any, vectors: NDArray[np.float32], question: NDArray[np.float32], k: int) -> tuple[Ids, Scores]:
    """The k nearest of the candidates that the inverted file proposes, compared exactly."""
    count = min(CANDIDATES * k, len(vectors))
    _, [found] = lists.search(question[None], count)
    rows = np.sort(found[found >= 0])  # in the order of the file
    return _best(rows, vectors[rows] @ question, k)


def _lists(vectors: NDArray[np.float32]) -> Any:
    """An inverted file over the vectors, a byte a number, that searches enough lists for RECALL."""
    count, size = vectors.shape
    number = 1 << int(np.log2(min(2.8 * np.sqrt(count), count / FEWEST)))
    lists: Any = faiss.index_factory(size, f"IVF{number},SQ8", faiss.METRIC_INNER_PRODUCT)
    chance = np.random.default_rng(0)
    some = np.sort(chance.choice(count, min(count, TRAINING * number), replace=False))
    lists.train(np.ascontiguousarray(vectors[some]))
    for begin in range(0, count, BLOCK):
        lists.add(np.ascontiguousarray(vectors[begin : begin + BLOCK]))
    lists.parallel_mode = 1
    first, second = vectors[np.sort(chance.choice(count, (2, SAMPLE)))]
    questions = first + second  # between two vectors, far from both: harder than a question about one of them
    questions /= np.maximum(np.linalg.norm(questions, axis=1, keepdims=True), 1e-9)
    _, wanted = faiss.knn(questions, vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)
    lists.nprobe = 8
    while lists.nprobe < number:
        found = [_proposed(lists, vectors, question, 10)[0] for question in questions]
        if np.mean([np.isin(one, other).mean() for one, other in zip(wanted, found, strict=True)]) >= RECALL:
            break
        lists.nprobe *= 2
    return lists
