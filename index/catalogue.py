"""The SQLite catalogue: documents, passages, their vectors and tokens, and the recipe they were made by.

It is the truth of an index. FAISS and BM25 are made from it, without the embedding model.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index import schema
from index.compression import unpack, unpack_mean
from index.errors import IndexMismatch
from index.faults import damaged, faults, not_found
from index.records import Document, DocumentInfo, Passage, Recipe
from index.rows import PassageRow, PassageText, to_blobs, to_columns, to_text
from index.schema import DOCUMENT_COLUMNS, FILE, PASSAGE_COLUMNS
from index.seals import opened, seal
from index.sentences import language

TOGETHER = 500
"""Rows that are asked for at a time."""

_PASSAGES = (
    'SELECT p.id, d.name, d.digest, p.number, p.start, p."end", p.sentences, p.repeated, p.language, p.tokens, p.seal'
    " FROM passages p JOIN documents d ON d.id = p.document"
)


class Catalogue:
    """One open catalogue. Every change is one transaction, and raises the state number by one.

    Whatever is asked of it raises IndexDamaged, IndexBusy, IndexNotWritable or NoSpace where SQLite cannot do it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, recipe: Recipe) -> None:
        self._connection = connection
        self.path = path
        self.recipe = recipe

    @classmethod
    def open(cls, folder: Path, recipe: Recipe) -> "Catalogue":
        """The catalogue of an index folder. Raises IndexMissing, IndexMismatch, IndexDamaged."""
        catalogue = cls(schema.connect(folder), folder / FILE, recipe)
        try:
            catalogue.require_recipe()
        except BaseException:
            catalogue.close()
            raise
        return catalogue

    def require_recipe(self) -> None:
        """Raises IndexMismatch when the index was built by another model or version than this program works with."""
        folder = self.path.parent
        stored = self._stored_recipe()
        for key, value in schema.recipe_rows(self.recipe):
            if stored.get(key) != value:
                raise IndexMismatch(
                    f"The index in '{folder}' was built with {key} '{stored.get(key)}', this program now works with "
                    f"'{value}'. Bring it up to date: mureum index rebuild --index '{folder}'.",
                    path=folder,
                    key=key,
                    stored=stored.get(key),
                    wanted=value,
                )

    @classmethod
    def create(cls, folder: Path, recipe: Recipe) -> "Catalogue":
        """Open the catalogue of a folder, making an empty one first where there is none."""
        schema.make(folder, recipe)
        return cls.open(folder, recipe)

    @classmethod
    def open_any(cls, folder: Path) -> "Catalogue":
        """The catalogue of an index folder whatever built it, for reading its documents."""
        catalogue = cls(schema.connect(folder), folder / FILE, Recipe(0, "", 0, "", 0))
        try:
            stored = catalogue._stored_recipe()
            with faults(folder):
                catalogue.recipe = Recipe(
                    format=int(stored.get("format", 0)),
                    encoder=stored.get("encoder", ""),
                    size=int(stored.get("size", 0)),
                    tokens=stored.get("tokens", ""),
                    passages=int(stored.get("passages", 0)),
                )
        except BaseException:
            catalogue.close()
            raise
        return catalogue

    def replace_all(
        self,
        recipe: Recipe,
        rows_of: Callable[[Iterable[Document]], Iterable[tuple[Document, Sequence[PassageRow]]]],
    ) -> int:
        """Take a new recipe and new passages for every document, all or nothing; how many documents.

        Whoever reads meanwhile goes on with the old ones; whoever wants to write has to wait. rows_of: gets all
        documents, and returns each with its passages.
        """
        with self._change():
            documents = self._all_documents()
            with faults(self.path.parent):
                schema.empty_passages(self._connection)
            self.run("DELETE FROM recipe")
            for pair in schema.recipe_rows(recipe):
                self.run(schema.INSERT_RECIPE, pair)
            for number, *columns in documents:
                self.run("UPDATE documents SET seal = ? WHERE id = ?", (seal(*columns), number))
            numbers = {columns[1]: columns[0] for columns in documents}
            for document, rows in rows_of(self.document(name) for name in numbers):
                self._insert(numbers[document.name], document.digest, rows)
        self.recipe = recipe
        self._seal = "seal"
        return len(numbers)

    def close(self) -> None:
        """Close the connection; the object is of no use afterwards."""
        self._connection.close()

    def pin(self) -> int:
        """Keep to the present state from here on, whatever others write, and return its number."""
        if not self._connection.in_transaction:
            self.run("BEGIN")
        return self.state()

    def state(self) -> int:
        """A number that grows with every change."""
        return self._of_state("number")

    def put(self, document: Document, rows: Sequence[PassageRow]) -> None:
        """Store a document with its passages, in the place of one with the same name."""
        with self._change():
            self._insert(self._put_document(document), document.digest, rows)

    def copy(self, twin: str, document: Document) -> bool:
        """Store a document with the passages of `twin`, which has the same text; False when that is not so (any more).

        Nothing is stored then.
        """
        with self._change():
            found = self.run("SELECT id FROM documents WHERE name = ? AND digest = ?", (twin, document.digest))
            if not found or twin == document.name:
                return False
            new = self._put_document(document)
            self.run(
                f"INSERT INTO passages (document, {PASSAGE_COLUMNS}, seal) SELECT ?, {PASSAGE_COLUMNS}, seal"
                " FROM passages WHERE document = ? ORDER BY number",
                (new, found[0][0]),
            )
            self.run(
                "INSERT INTO vectors SELECT n.id, v.vector, v.sentence_vectors, v.token_vectors FROM passages n"
                " JOIN passages o ON o.document = ? AND o.number = n.number JOIN vectors v ON v.passage = o.id"
                " WHERE n.document = ? ORDER BY n.id",
                (found[0][0], new),
            )
        return True

    def move(self, name: str, source: str) -> None:
        """Note that an unchanged document is now read from another path."""
        for number, _, title, _, *others in self._documents("WHERE name = ?", (name,)):
            checked = seal(name, title, source, *others)
            self.run("UPDATE documents SET source = ?, seal = ? WHERE id = ?", (source, checked, number))

    def remove(self, names: Iterable[str]) -> None:
        """Forget documents, all or none. Raises DocumentNotFound."""
        with self._change():
            for name in dict.fromkeys(names):
                if not self.run("DELETE FROM documents WHERE name = ? RETURNING id", (name,)):
                    raise not_found(name)

    def digests(self) -> dict[str, tuple[str, str]]:
        """For each document's name: its digest and its source."""
        return {name: (digest, source) for _, name, _, source, digest, *_ in self._all_documents()}

    def documents(self) -> list[DocumentInfo]:
        """All documents, by name."""
        counts = dict(self.run("SELECT document, count(*) FROM passages GROUP BY document"))
        sizes = dict(self.run("SELECT id, length(CAST(text AS BLOB)) FROM documents"))
        return [
            DocumentInfo(name, title, source, counts.get(number, 0), sizes.get(number, 0), spoken, added)
            for number, name, title, source, _, spoken, added in self._all_documents()
        ]

    def document(self, name: str) -> Document:
        """A document with its text. Raises DocumentNotFound, and IndexDamaged when it is not what was stored."""
        query = f"SELECT id, {DOCUMENT_COLUMNS}, {self._seal}, text FROM documents WHERE name = ?"
        for *columns, stored, text in self.run(query, (name,)):
            _, _, title, source, digest, *_ = self._checked(columns, stored)
            if hashlib.sha256(f"{title}\x00{text}".encode("utf-8", "surrogatepass")).hexdigest() != digest:
                raise damaged(self.path.parent, f"the text of '{name}' is not the one that was stored")
            return Document(name, title, text, source, digest)
        raise not_found(name)

    def rows(self, ids: Iterable[int] | None = None) -> Iterator[PassageText]:
        """The passages with these ids, or all in the order of their ids. Raises IndexDamaged when one is not whole."""
        folder = self.path.parent
        if ids is None:
            total = 0
            with faults(folder):
                for row in self._connection.execute(f"{_PASSAGES} ORDER BY p.id"):
                    total += row[-1]
                    yield to_text(row)
            if total != self._of_state("passages"):
                raise damaged(folder, "passages are missing in it, or there twice")
            return
        for number in ids:
            found = self.run(f"{_PASSAGES} WHERE p.id = ?", (number,))
            if not found:
                raise damaged(folder, f"what was stored of passage {number} is missing in it")
            with faults(folder):
                yield to_text(found[0])

    def passages(self) -> tuple[list[int], list[Passage]]:
        """All passages in the order of their ids, with the ids."""
        rows = list(self.rows())
        return [row.id for row in rows], [row.passage for row in rows]

    def seals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids, ascending, and seals of all passages, (n,) each. Raises IndexDamaged when some are missing."""
        rows = self.run("SELECT id, seal FROM passages ORDER BY id")
        with faults(self.path.parent):
            found = np.array(rows, np.int64).reshape(-1, 2)
        if int(found[:, 1].sum()) != self._of_state("passages"):
            raise damaged(self.path.parent, "passages are missing in it, or there twice")
        return np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1])

    def vectors(self, ids: Sequence[int] | None = None) -> NDArray[np.float32]:
        """The vectors (n, size) of these passages, or of all in the order of their ids."""
        if ids is not None:
            found = self._blobs("vector", ids)
            return np.array([self._rows(found[number][0], np.float32)[0] for number in ids], np.float32).reshape(
                len(ids), self.recipe.size
            )
        [(count,)] = self.run("SELECT count(*) FROM passages")
        vectors = np.empty((count, self.recipe.size), np.float32)
        query = "SELECT v.vector FROM passages p LEFT JOIN vectors v ON v.passage = p.id ORDER BY p.id"
        with faults(self.path.parent):
            for row, (blob,) in enumerate(self._connection.execute(query)):
                vectors[row] = np.frombuffer(opened(blob), np.float32)
        return vectors

    def sentence_vectors(self, ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        found = self._blobs("sentence_vectors", ids)
        rows = self._rows(b"".join(blob for (blob,) in found.values()), np.float16)
        ends = np.cumsum([len(blob) // (2 * self.recipe.size) for (blob,) in found.values()])
        return dict(zip(found, np.split(rows, ends[:-1]), strict=True)) if found else {}

    def token_vectors(self, ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its tokens (T, size), with the error that `index.compression` makes."""
        found = self._blobs("token_vectors", ids)
        with faults(self.path.parent):
            return {number: unpack(blob) for number, (blob,) in found.items()}

    def token_means(self, ids: Iterable[int]) -> NDArray[np.float32]:
        """Of each passage the mean of its tokens' vectors (n, size)."""
        found = self._blobs("token_vectors", ids)
        with faults(self.path.parent):
            return np.array([unpack_mean(blob) for (blob,) in found.values()], np.float32)

    def names(self) -> list[str]:
        """The names of all documents, in the order of their passages."""
        rows = self.run("SELECT name FROM documents d ORDER BY (SELECT min(id) FROM passages WHERE document = d.id)")
        return [row[0] for row in rows]

    def ids_of(self, name: str) -> list[int]:
        """The ids of a document's passages, in order."""
        query = "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document WHERE d.name = ? ORDER BY p.id"
        return [row[0] for row in self.run(query, (name,))]

    def run(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """The rows that a statement gives."""
        with faults(self.path.parent):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction that raises the state number; nothing of it stays when it does not end well."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("UPDATE state SET number = number + 1")
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has already ended it
                self._connection.rollback()
            raise

    def _stored_recipe(self) -> dict[str, str]:
        return dict(self.run("SELECT key, value FROM recipe"))

    def _of_state(self, column: str) -> int:
        """A number of the state: its own, or a sum of seals."""
        rows = self.run(f"SELECT {column} FROM state")
        with faults(self.path.parent):
            [(value,)] = rows
            return int(value)

    def _blobs(self, columns: str, ids: Iterable[int]) -> dict[int, list[bytes]]:
        """These columns of passages' vectors, unsealed, in the order of `ids`. Raises IndexDamaged."""
        found: dict[int, list[bytes]] = {}
        numbers = [int(number) for number in ids]
        for begin in range(0, len(numbers), TOGETHER):
            some = numbers[begin : begin + TOGETHER]
            query = f"SELECT passage, {columns} FROM vectors WHERE passage IN ({','.join('?' * len(some))})"
            rows = self.run(query, some)
            with faults(self.path.parent):
                found.update((row[0], [opened(blob) for blob in row[1:]]) for row in rows)
        for number in numbers:
            if number not in found:
                raise damaged(self.path.parent, f"what was stored of passage {number} is missing in it")
        return {number: found[number] for number in numbers}

    def _rows(self, data: bytes, kind: type[np.floating[Any]]) -> NDArray[np.float32]:
        with faults(self.path.parent):
            return np.frombuffer(data, kind).reshape(-1, self.recipe.size).astype(np.float32)

    @cached_property
    def _seal(self) -> str:
        """The column of the documents' seals; an older program has stored none."""
        with faults(self.path.parent):
            return "seal" if schema.is_sealed(self._connection) else "NULL"

    def _documents(self, where: str = "", values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Id and DOCUMENT_COLUMNS of documents. Raises IndexDamaged for one that is not what was stored."""
        for *columns, stored in self.run(f"SELECT id, {DOCUMENT_COLUMNS}, {self._seal} FROM documents {where}", values):
            yield self._checked(columns, stored)

    def _all_documents(self) -> list[tuple[Any, ...]]:
        """`_documents` of all, by name, where none is missing. One statement: between two, others may write."""
        if self._seal == "NULL":
            return list(self._documents("ORDER BY name"))
        every = f"SELECT s.documents, d.id, {DOCUMENT_COLUMNS}, seal FROM state s LEFT JOIN documents d ORDER BY name"
        rows = self.run(every)
        found = [row[1:] for row in rows if row[1] is not None]
        if not rows or rows[0][0] != sum(row[-1] for row in found):
            raise damaged(self.path.parent, "documents are missing in it, or there twice")
        return [self._checked(columns, stored) for *columns, stored in found]

    def _checked(self, columns: Sequence[Any], stored: object) -> tuple[Any, ...]:
        """Id and DOCUMENT_COLUMNS. Raises IndexDamaged where they are not what was stored."""
        if self._seal != "NULL" and stored != seal(*columns[1:]):
            raise damaged(self.path.parent, f"what is stored of the document '{columns[1]}' is not what was")
        return tuple(columns)

    def _put_document(self, document: Document) -> int:
        """The id of a document that now stands in the place of one with the same name, without passages."""
        added = datetime.now(UTC).isoformat(timespec="seconds")
        spoken = language(document.text)
        columns = (document.name, document.title, document.source, document.digest, spoken, added)
        self.run("DELETE FROM documents WHERE name = ?", (document.name,))
        [(number,)] = self.run(
            f"INSERT INTO documents ({DOCUMENT_COLUMNS}, text, seal) VALUES (?,?,?,?,?,?,?,?) RETURNING id",
            (*columns, document.text, seal(*columns)),
        )
        return int(number)

    def _insert(self, document: int, digest: str, rows: Sequence[PassageRow]) -> None:
        with faults(self.path.parent):
            for row in rows:
                columns = to_columns(row)
                [(number,)] = self._connection.execute(
                    f"INSERT INTO passages (document, {PASSAGE_COLUMNS}, seal) VALUES (?,?,?,?,?,?,?,?,?) RETURNING id",
                    (document, *columns, seal(digest, *columns)),
                ).fetchall()
                self._connection.execute("INSERT INTO vectors VALUES (?,?,?,?)", (number, *to_blobs(row)))
