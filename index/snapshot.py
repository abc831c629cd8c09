"""An index as it is read: one consistent state of the catalogue with its FAISS and BM25 sides."""

import threading
import weakref
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from index import derived
from index.address import Address
from index.catalogue import Catalogue
from index.derived import LANGUAGES, Derived, same_rows
from index.encoder import Centre, Encoder
from index.lexical import LexicalStore
from index.milvus import follow
from index.passages import RULES
from index.records import Passage, Recipe
from index.schema import FORMAT
from index.tokens import version as tokens_version
from index.vectors import VectorStore

CENTRE_PASSAGES = 1000
"""Passages of a language that its mean is taken from."""

READ = 4096
"""Passages that are kept in memory once they were read."""

SMALL = 10_000
"""Passages up to which everything derived is made anew for every state, in a second or two."""

CHANGED = 20
"""One passage in so many of a larger index may have changed until that is done."""


def recipe_for(encoder: Encoder) -> Recipe:
    """What an index built now with `encoder` records."""
    return Recipe(FORMAT, encoder.name, encoder.size, tokens_version(), RULES)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Snapshot:
    """What one state of the index holds. Row i of everything is passage `ids[i]`, and rows[id] is its row.

    documents: all names. languages: of each passage, 'ko' or 'en'; counts: how many have which. centres: for each
    language the mean of its passages' vectors, and of their tokens'. `passages` are read from the catalogue when they
    are asked for.

    `catalogue` is pinned to that state: texts and vectors read through it are those of the passages here, whatever
    other processes have written since. `texts` reads through it too and keeps the last few.
    """

    state: int
    ids: Sequence[int]
    rows: "Places"
    passages: Sequence[Passage]
    documents: list[str]
    vectors: VectorStore
    lexical: LexicalStore
    languages: list[str]
    counts: dict[str, int]
    centres: dict[str, Centre]
    catalogue: Catalogue
    texts: Callable[[str], str]

    def text(self, document: str) -> str:
        """The whole stored text of a document. Raises DocumentNotFound."""
        return self.texts(document)

    def quote(self, document: str, start: int, end: int) -> str:
        """The stored text of a character range [start, end)."""
        return self.texts(document)[start:end]

    def passages_of(self, document: str) -> list[Passage]:
        """The passages of a document, in order."""
        return [self.passages[self.rows[number]] for number in self.catalogue.ids_of(document)]

    def passage_at(self, document: str, place: int) -> Passage:
        """The passage of a document that a character is in. Raises StopIteration where it is in none."""
        return next(one for one in self.passages_of(document) if one.start <= place < one.end)

    def sentence_vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        return self.catalogue.sentence_vectors(ids)

    def token_vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its tokens (T, size)."""
        return self.catalogue.token_vectors(ids)


class Places:
    """The row of each passage id. Raises KeyError for an id that is none."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._ids = ids

    def __getitem__(self, number: int) -> int:
        row = int(np.searchsorted(self._ids, number))
        if row == len(self._ids) or self._ids[row] != number:
            raise KeyError(number)
        return row


class StoredPassages(Sequence[Passage]):
    """All passages of a state, by row; each is read when it is asked for, and the last ones are kept."""

    def __init__(self, ids: Sequence[int], catalogue: Catalogue) -> None:
        self._ids, self._catalogue = ids, catalogue
        self._one = lru_cache(maxsize=READ)(lambda number: next(catalogue.rows([number])).passage)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, row: int) -> Passage: ...

    @overload
    def __getitem__(self, row: slice) -> list[Passage]: ...

    def __getitem__(self, row: int | slice) -> Passage | list[Passage]:
        if isinstance(row, slice):
            return [self._one(number) for number in self._ids[row]]
        return self._one(self._ids[row])

    def __iter__(self) -> Iterator[Passage]:
        return (row.passage for row in self._catalogue.rows())


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

    def sentence_vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
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
    """Pin the catalogue to its present state and open what is derived of it.

    Where that is damaged or there is none it is made anew. In a large index it may be of an earlier state: what has
    changed since is then read from the catalogue and laid over it.
    """
    state = catalogue.pin()
    catalogue.require_recipe()
    ids, seals = catalogue.seals()
    address = Address.of_folder(catalogue.path.parent)
    sides = follow(catalogue, address, state, ids, seals) if address else _from_files(catalogue, state, ids, seals)
    vectors, lexical, languages = sides
    everything = array("q", ids.tobytes())
    return Snapshot(
        state=state,
        ids=everything,
        rows=Places(ids),
        passages=StoredPassages(everything, catalogue),
        documents=catalogue.names(),
        vectors=vectors,
        lexical=lexical,
        languages=[LANGUAGES[number] for number in languages.tolist()],
        counts={spoken: int((languages == number).sum()) for number, spoken in enumerate(LANGUAGES)},
        centres=_centres(catalogue, vectors, ids, languages),
        catalogue=catalogue,
        texts=lru_cache(maxsize=256)(lambda name: catalogue.document(name).text),
    )


def _from_files(
    catalogue: Catalogue, state: int, ids: NDArray[np.int64], seals: NDArray[np.int64]
) -> tuple[VectorStore, LexicalStore, NDArray[np.uint8]]:
    """The vectors, the words and the languages (n,) of the passages, from what is derived."""
    found = _derived(catalogue, state, ids, seals)
    kept = same_rows(found.ids, found.seals, ids, seals)
    fresh = ids[~np.isin(ids, found.ids[kept], assume_unique=True)]
    rows = list(catalogue.rows(fresh.tolist()))
    numbers = [LANGUAGES.index(row.language) for row in rows]
    languages = np.concatenate([found.languages[kept], np.array(numbers, np.uint8)])
    vectors = found.vectors.changed(kept, fresh, catalogue.vectors(fresh.tolist()))
    return vectors, LexicalStore([row.tokens for row in rows], found.postings, kept), languages


def derived_fault(catalogue: Catalogue) -> str:
    """What is wrong with what is derived, or ''; that it is not there yet is no fault."""
    index, fault = catalogue.path.parent, ""
    found, seen = derived.mark(derived.newest(index)), None
    while found != seen:  # else another process has put it there, or taken it away, while it was looked at
        fault = derived.fault(found.folder, catalogue.recipe)
        found, seen = derived.mark(derived.newest(index)), found
    folder = found.folder
    return f"{folder.name} is {fault}; the next start makes it anew" if folder and fault not in ("", "missing") else ""


def _derived(catalogue: Catalogue, state: int, ids: NDArray[np.int64], seals: NDArray[np.int64]) -> Derived:
    """What serves this state: what is there, or else made and kept now."""
    found = derived.whole(derived.newest(catalogue.path.parent), catalogue.recipe)
    if found is not None and _serves(found, ids, seals):
        return found
    made = Derived.make(catalogue)
    with suppress(OSError):  # a full disk or a read-only folder only costs the keeping
        folder = derived.publish(made, catalogue.path.parent, state, catalogue.recipe)
        return Derived.load(folder, catalogue.recipe)
    return made


def _serves(found: Derived, ids: NDArray[np.int64], seals: NDArray[np.int64]) -> bool:
    """Whether little enough has changed since; new passages have to come after the old ones."""
    kept = same_rows(found.ids, found.seals, ids, seals)
    fresh = ids[~np.isin(ids, found.ids[kept], assume_unique=True)]
    gone = int((~kept).sum())
    if len(fresh) and len(found.ids) and fresh[0] <= found.ids[-1]:
        return False
    return gone + len(fresh) <= (len(ids) // CHANGED if len(ids) > SMALL else 0)


def _centres(
    catalogue: Catalogue, vectors: VectorStore, ids: NDArray[np.int64], languages: NDArray[np.uint8]
) -> dict[str, Centre]:
    """For each language the centre of its passages, or of CENTRE_PASSAGES of them all over the index."""
    centres = {}
    for number, spoken in enumerate(LANGUAGES):
        its = ids[languages == number]
        if len(its):
            chosen = its[:: len(its) // CENTRE_PASSAGES + 1]
            centres[spoken] = Centre(
                vectors.vectors(chosen).mean(axis=0, dtype=np.float32),
                catalogue.token_means(chosen.tolist()).mean(axis=0, dtype=np.float32),
            )
    return centres
