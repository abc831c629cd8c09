"""Vectors and words in Milvus instead of in files: the only file that imports pymilvus (the extra `milvus`).

The catalogue stays what is true, and stays here; Milvus holds, for each passage, its id, its vector and its words as
a sparse vector, and can be filled from the catalogue again. A word is a number, its CRC-32. A passage's weight for a
word is BM25's share of how often it stands there, the question's is the word's rarity: their product is BM25, but for
the mean length of passages, which stays as it was when the collection was filled.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from index.address import Address
from index.catalogue import Catalogue
from index.derived import LANGUAGES, same_rows
from index.errors import IndexDamaged, StoreUnreachable
from index.files import write_atomically
from index.lexical import K1, B, LexicalStore
from index.vectors import Ids, Scores, VectorStore

if TYPE_CHECKING:
    pass

WORDED = 1000
"""Passages with the question's words that are asked for; others count as having none."""

LOT = 500
"""Passages that are sent at a time."""

_NOTE = "milvus.npz"


class Collection:
    """One collection, opened. Raises StoreUnreachable where Milvus does not do what it is asked."""

    def __init__(self, address: Address, size: int) -> None:
        """Made where there is none. size: the length of a vector."""
        self._address, self._size = address, size
        with self._faults():
            from pymilvus import MilvusClient

            if address.uri.endswith(".db"):
                Path(address.uri).parent.mkdir(parents=True, exist_ok=True)
            self._client: MilvusClient = MilvusClient(address.uri)
            if not self._client.has_collection(address.collection):
                self._make()
            self._client.load_collection(address.collection)

    def empty(self) -> None:
        """Forget all passages."""
        with self._faults():
            self._client.drop_collection(self._address.collection)
            self._make()
            self._client.load_collection(self._address.collection)

    def put(self, ids: Sequence[int], vectors: NDArray[np.float32], words: Sequence[dict[int, float]]) -> None:
        """Store passages, in the place of those with the same ids. vectors (n, size); words: weights by number."""
        rows = [
            {"id": int(number), "vector": vector.tolist(), "words": weights or {0: 1e-9}}
            for number, vector, weights in zip(ids, vectors, words, strict=True)
        ]
        for begin in range(0, len(rows), LOT):
            with self._faults():
                self._client.upsert(self._address.collection, rows[begin : begin + LOT])

    def remove(self, ids: Sequence[int]) -> None:
        """Forget passages."""
        for begin in range(0, len(ids), LOT):
            with self._faults():
                self._client.delete(self._address.collection, ids=[int(number) for number in ids[begin : begin + LOT]])

    def count(self) -> int:
        """How many passages it holds."""
        with self._faults():
            rows = self._client.query(
                self._address.collection, filter="", output_fields=["count(*)"], consistency_level="Strong"
            )
            return int(rows[0]["count(*)"])

    def nearest(self, field: str, question: Any, k: int, among: Ids | None = None) -> tuple[Ids, Scores]:
        """The k with the highest product, best first: ids and products. field: 'vector' or 'words'.

        among: the ids that are searched, by default all.
        """
        with self._faults():
            [hits] = self._client.search(
                self._address.collection,
                [question],
                anns_field=field,
                limit=k,
                filter="" if among is None else f"id in {among.tolist()}",
                search_params={"metric_type": "IP"},
                consistency_level="Strong",
            )
            found = [(hit["id"], hit["distance"]) for hit in hits]
        return np.array([one[0] for one in found], np.int64), np.array([one[1] for one in found], np.float32)

    def fetch(self, field: str, ids: Sequence[int]) -> dict[int, Any]:
        """The stored vectors or words of these ids."""
        found: dict[int, Any] = {}
        for begin in range(0, len(ids), LOT):
            some = [int(number) for number in ids[begin : begin + LOT]]
            with self._faults():
                rows = self._client.get(self._address.collection, ids=some, output_fields=["id", field])
                found.update((int(row["id"]), row[field]) for row in rows)
        return found

    def _make(self) -> None:
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._size)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        indexes = self._client.prepare_index_params()
        indexes.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        self._client.create_collection(self._address.collection, schema=schema, index_params=indexes)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            raise StoreUnreachable(
                f"'{self._address.text}' needs pymilvus, which is not installed: pip install 'mureum[milvus]'.",
                path=self._address.text,
                reason="pymilvus is not installed",
            ) from error
        except Exception as error:  # pymilvus has no one base for what goes wrong: gRPC's errors come through it
            if error.__class__.__module__.split(".")[0] not in ("pymilvus", "grpc", "milvus_lite"):
                raise
            raise StoreUnreachable(
                f"Milvus at '{self._address.text}' failed: {error}. Check that it is running and that the address is "
                "right; what is in it can be made again with 'mureum index rebuild'.",
                path=self._address.text,
                reason=error,
            ) from error


class MilvusVectors(VectorStore):
    """The vectors of a state, searched in Milvus."""

    def __init__(self, collection: Collection, ids: Ids) -> None:
        """ids: ascending, those of the state."""
        self._collection, self._known = collection, ids

    @property
    def count(self) -> int:
        """See VectorStore."""
        return len(self._known)

    def search(self, question: NDArray[np.float32], k: int, among: Ids | None = None) -> tuple[Ids, Scores]:
        """See VectorStore."""
        k = min(k, self.count if among is None else len(among))
        if not k:
            return self._known[:0], np.empty(0, np.float32)
        ids, scores = self._collection.nearest("vector", question.tolist(), k, among)
        mine = np.isin(ids, self._known)  # what another process has stored meanwhile is none of this state
        return ids[mine], scores[mine]

    def vectors(self, ids: Ids) -> NDArray[np.float32]:
        """See VectorStore. Raises IndexDamaged for an id that Milvus does not have."""
        found = self._collection.fetch("vector", ids.tolist())
        try:
            rows = [found[number] for number in ids.tolist()]
        except KeyError as error:
            raise IndexDamaged(f"Milvus lacks the vector of passage {error}. mureum index rebuild", path="") from error
        return np.array(rows, np.float32).reshape(len(ids), self._collection._size)


class MilvusWords(LexicalStore):
    """The words of a state, searched in Milvus."""

    def __init__(self, collection: Collection, ids: Ids, frequency: dict[int, int]) -> None:
        """ids: ascending, those of the state; frequency: of each word's number, how many passages have it."""
        self._collection, self._known_ids, self._frequency = collection, ids, frequency
        self._rows = len(ids)

    def weighted(self, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """See LexicalStore; zero beyond the best WORDED."""
        scores = np.zeros(self._rows, np.float32)
        wanted = {number_of(token): weight for token, weight in weights.items() if number_of(token) in self._frequency}
        if wanted:
            ids, found = self._collection.nearest("words", wanted, min(WORDED, self._rows))
            rows = np.minimum(np.searchsorted(self._known_ids, ids), self._rows - 1)
            mine = self._known_ids[rows] == ids
            scores[rows[mine]] = found[mine]
        return scores

    def frequency(self, token: str) -> int:
        """See LexicalStore."""
        return self._frequency.get(number_of(token), 0)


def number_of(token: str) -> int:
    """A word's number: its CRC-32, which two words of a million share in about a hundred cases."""
    return min(zlib.crc32(token.encode()), (1 << 32) - 2)


def weights(tokens: Sequence[str], mean: float) -> dict[int, float]:
    """BM25's weight of each word of a passage, by its number. mean: the length of passages (tokens)."""
    norm = K1 * (1 - B + B * len(tokens) / (mean or 1.0))
    return {number: times / (times + norm) for number, times in Counter(map(number_of, tokens)).items()}


@dataclass(slots=True)
class Held:
    """What a collection holds, as it is noted beside the catalogue.

    state: of the catalogue. ids (ascending), seals and languages' numbers of its passages, (n,) each. frequency: of
    each word's number, how many of them have it. mean: their length that the weights were made with (tokens).
    """

    state: int
    ids: NDArray[np.int64]
    seals: NDArray[np.int64]
    languages: NDArray[np.uint8]
    frequency: dict[int, int]
    mean: float

    @classmethod
    def nothing(cls) -> "Held":
        """Of an empty collection."""
        none = np.zeros(0, np.int64)
        return cls(-1, none, none, none.astype(np.uint8), {}, 0.0)

    @classmethod
    def read(cls, folder: Path) -> "Held":
        """What the note says; nothing where there is none that can be read."""
        try:
            with np.load(folder / _NOTE, allow_pickle=False) as note:
                frequency = dict(zip(note["words"].tolist(), note["counts"].tolist(), strict=True))
                rows = (note["ids"], note["seals"], note["languages"])
                return cls(int(note["state"]), *rows, frequency, float(note["mean"]))
        except Exception:  # a damaged zip raises anything; the collection is then filled again
            return cls.nothing()

    def write(self, folder: Path) -> None:
        """Whole or not at all. Raises NoSpace; other OSErrors pass."""
        arrays: dict[str, Any] = {
            "ids": self.ids,
            "seals": self.seals,
            "languages": self.languages,
            "words": np.array(list(self.frequency), np.int64),
            "counts": np.array(list(self.frequency.values()), np.int64),
        }
        data = BytesIO()
        np.savez(data, allow_pickle=False, state=np.array(self.state), mean=np.array(self.mean), **arrays)
        write_atomically(folder / _NOTE, data.getvalue())


def follow(
    catalogue: Catalogue, address: Address, state: int, ids: Ids, seals: NDArray[np.int64]
) -> tuple[MilvusVectors, MilvusWords, NDArray[np.uint8]]:
    """Bring a collection to a state of the catalogue; its vectors, its words and its passages' languages (n,).

    One process does so at a time. Without a note, which is there only while nothing is being changed, the collection
    is filled anew. A collection that is ahead of the state is left as it is.
    """
    folder = catalogue.path.parent
    with FileLock(folder / "milvus.lock"):
        collection = Collection(address, catalogue.recipe.size)
        held = Held.read(folder)
        if held.state < 0 or collection.count() != len(held.ids):
            held = Held.nothing()
        if held.state < state:
            (folder / _NOTE).unlink(missing_ok=True)
            held = _bring(collection, held, catalogue, state, ids, seals)
            held.write(folder)
    known = np.isin(held.ids, ids)
    if held.state != state:
        languages = np.array([LANGUAGES.index(row.language) for row in catalogue.rows()], np.uint8)
    else:
        languages = held.languages[known]
    return MilvusVectors(collection, ids), MilvusWords(collection, ids, held.frequency), languages


def _bring(
    collection: Collection, held: Held, catalogue: Catalogue, state: int, ids: Ids, seals: NDArray[np.int64]
) -> Held:
    if not len(held.ids):
        collection.empty()
        lengths = [len(row.tokens) for row in catalogue.rows()]
        held = replace(held, mean=float(np.mean(lengths)) if lengths else 0.0)
    kept = same_rows(held.ids, held.seals, ids, seals)
    gone = held.ids[~kept].tolist()
    frequency = Counter(held.frequency)
    for words in collection.fetch("words", gone).values():
        frequency.subtract(map(int, words))
    collection.remove(gone)
    fresh = ids[~np.isin(ids, held.ids[kept], assume_unique=True)]
    languages = []
    for begin in range(0, len(fresh), LOT):
        some = fresh[begin : begin + LOT].tolist()
        rows = list(catalogue.rows(some))
        words = [weights(row.tokens, held.mean) for row in rows]
        collection.put(some, catalogue.vectors(some), words)
        languages += [LANGUAGES.index(row.language) for row in rows]
        for its in words:
            frequency.update(its.keys())
    all_ids = np.concatenate([held.ids[kept], fresh])
    order = np.argsort(all_ids)
    all_languages = np.concatenate([held.languages[kept], np.array(languages, np.uint8)])
    return Held(state, all_ids[order], seals, all_languages[order], dict(+frequency), held.mean)
