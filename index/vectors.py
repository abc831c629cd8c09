"""Nearest vectors, with FAISS: the only file that imports it.

Up to EXACT vectors a flat index compares every one. Beyond, an inverted file (Jégou et al. 2011) over vectors of a byte
a number proposes candidates, which are then compared exactly; how many of its lists are searched follows from the
measured recall. The vectors themselves then lie in a file that is mapped, not read.
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

_FLAT, _VECTORS, _LISTS = "vectors.faiss", "vectors", "lists.faiss"


class VectorStore:
    """Search by dot product, which of rows at length 1 is the cosine: [-1, 1], higher is nearer."""

    def __init__(self, ids: Ids, vectors: NDArray[np.float32], flat: Any = None, lists: Any = None) -> None:
        """ids (n,), ascending; vectors (n, size); flat: the index that holds them (faiss.IndexFlatIP), or lists: an
        inverted file over them (faiss.IndexIVF; its types know both as the less that all indexes are)."""
        self._ids, self._vectors, self._flat, self._lists = ids, vectors, flat, lists
        self._kept: NDArray[np.bool_] | None = None
        self._fresh: tuple[Ids, NDArray[np.float32]] = (ids[:0], vectors[:0])

    @classmethod
    def build(cls, ids: Ids, vectors: NDArray[np.float32], exact: int = EXACT) -> "VectorStore":
        """ids (n,), in any order; vectors (n, size)."""
        ids, vectors = np.asarray(ids, np.int64), np.ascontiguousarray(vectors, np.float32)
        order = np.argsort(ids)
        if not np.array_equal(order, np.arange(len(ids))):
            ids, vectors = ids[order], vectors[order]
        if len(ids) > exact:
            return cls(ids, vectors, lists=_lists(vectors))
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        return cls(ids, vectors, flat)

    def save(self, folder: Path) -> None:
        """Write the files into a folder. OSErrors pass."""
        if self._flat is not None:  # through Python: on Windows FAISS opens no path that is not ASCII
            (folder / _FLAT).write_bytes(faiss.serialize_index(self._flat).tobytes())
            return
        self._vectors.tofile(folder / _VECTORS)
        try:
            faiss.write_index(self._lists, str(folder / _LISTS))
        except RuntimeError as error:  # it says in words alone that a disk is full
            raise OSError(errno.EIO, str(error)) from error

    @classmethod
    def load(cls, folder: Path, ids: Ids, size: int) -> "VectorStore":
        """Read or map the files that `save` wrote. Raises IndexDamaged; OSErrors pass."""
        try:
            if (folder / _FLAT).exists():
                flat: Any = faiss.deserialize_index(np.frombuffer((folder / _FLAT).read_bytes(), np.uint8))
                if flat.metric_type != faiss.METRIC_INNER_PRODUCT:
                    raise ValueError("another metric")
                own: Any = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d) if flat.ntotal else []
                return cls(ids, np.asarray(own, np.float32).reshape(len(ids), size), flat)  # its memory, no copy
            vectors = mapped(folder / _VECTORS, np.float32).reshape(len(ids), size)
            lists: Any = faiss.read_index(str(folder / _LISTS), faiss.IO_FLAG_MMAP)
            if _end(lists) != (folder / _LISTS).stat().st_size:
                raise ValueError("lists beyond the end of their file")  # to read there ends the process
        except (RuntimeError, ValueError, MemoryError) as error:
            raise IndexDamaged(f"'{folder}' has no vectors that can be read.", path=folder) from error
        lists.parallel_mode = 1  # one question, its lists on all cores; FAISS does not keep this
        return cls(ids, vectors, lists=lists)

    def changed(self, kept: NDArray[np.bool_], ids: Ids, vectors: NDArray[np.float32]) -> "VectorStore":
        """The same without the vectors that are not `kept` (n,), and with others, whose ids are higher."""
        store = VectorStore(self._ids, self._vectors, self._flat, self._lists)
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
            [scores], [rows] = self._flat.search(question[None], k)
            order = np.lexsort((rows, -scores))  # of equals the first in the file
            return rows[order], scores[order]
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


def _end(lists: Any) -> int:
    """Where the last of the mapped lists ends in its file, in bytes; FAISS does not compare that with the file."""
    stored: Any = faiss.downcast_InvertedLists(lists.invlists)
    last = stored.lists.at(stored.lists.size() - 1)
    return int(last.offset + last.size * (stored.code_size + np.dtype(np.int64).itemsize))


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
    wanted, _ = faiss.knn(questions, vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)
    bars = wanted.min(axis=1) - 1e-5  # by cosine and not by id: of texts that stand there twice either one will do
    lists.nprobe = 8
    while lists.nprobe < number:
        found = [_proposed(lists, vectors, question, 10)[1] for question in questions]
        if sum(int((cosines >= bar).sum()) for bar, cosines in zip(bars, found, strict=True)) >= RECALL * wanted.size:
            break
        lists.nprobe *= 2
    return lists
