"""The SQLite catalogue: documents, passages, their vectors and tokens, and the recipe they were made by.

It is the truth of an index. FAISS and BM25 are made from it, without the embedding model.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import DocumentNotFound, IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, NoSpace
from index.records import Document, DocumentInfo, Passage, Recipe
from index.sentences import language

FILE = "catalogue.sqlite"
FORMAT = 1
BUSY_SECONDS = 10

_SCHEMA = """
CREATE TABLE recipe (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    source TEXT NOT NULL, digest TEXT NOT NULL, language TEXT NOT NULL, added TEXT NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences TEXT NOT NULL,
    repeated INTEGER NOT NULL, tokens TEXT NOT NULL, vector BLOB NOT NULL, sentence_vectors BLOB NOT NULL,
    UNIQUE (document, number));
"""

_INSERT_RECIPE = "INSERT INTO recipe VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage with what was computed of it: tokens, its vector (size,) and its sentences' (k, size), float32."""

    passage: Passage
    tokens: Sequence[str]
    vector: NDArray[np.float32]
    sentence_vectors: NDArray[np.float32]


class Catalogue:
    """One open catalogue. Every change is one transaction, and raises the state number by one."""

    def __init__(self, connection: sqlite3.Connection, path: Path, recipe: Recipe) -> None:
        self._connection = connection
        self.path = path
        self.recipe = recipe

    @classmethod
    def open(cls, folder: Path, recipe: Recipe) -> "Catalogue":
        """The catalogue of an index folder. Raises IndexMissing, IndexMismatch, IndexDamaged."""
        path = folder / FILE
        if not path.is_file():
            raise IndexMissing(
                f"There is no index in '{folder}'. Make one: mureum index add PATH --index '{folder}'.", path=folder
            )
        with _faults(folder):
            connection = _connect(path)
        catalogue = cls(connection, path, recipe)
        try:
            catalogue.require_recipe()
        except IndexMismatch:
            catalogue.close()
            raise
        return catalogue

    def require_recipe(self) -> None:
        """Raises IndexMismatch when the index was built by another model or version than this program works with."""
        folder = self.path.parent
        with _faults(folder):
            stored = dict(self._connection.execute("SELECT key, value FROM recipe"))
        for key, value in _recipe_rows(self.recipe):
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
        path = folder / FILE
        if not path.exists():
            with _faults(folder):
                folder.mkdir(parents=True, exist_ok=True)
                new = path.with_suffix(".new")
                new.unlink(missing_ok=True)
                connection = sqlite3.connect(new)
                with connection:
                    connection.executescript(_SCHEMA)
                    connection.executemany(_INSERT_RECIPE, _recipe_rows(recipe))
                connection.close()
                new.rename(path)
        return cls.open(folder, recipe)

    @classmethod
    def open_any(cls, folder: Path) -> "Catalogue":
        """The catalogue of an index folder whatever built it, for reading its documents."""
        path = folder / FILE
        if not path.is_file():
            raise IndexMissing(f"There is no index in '{folder}'.", path=folder)
        with _faults(folder):
            connection = _connect(path)
            stored = dict(connection.execute("SELECT key, value FROM recipe"))
        recipe = Recipe(
            format=int(stored.get("format", 0)),
            encoder=stored.get("encoder", ""),
            size=int(stored.get("size", 0)),
            tokens=stored.get("tokens", ""),
            passages=int(stored.get("passages", 0)),
        )
        return cls(connection, path, recipe)

    def replace_all(self, recipe: Recipe, documents: Iterable[tuple[str, Sequence[PassageRow]]]) -> None:
        """Take a new recipe and new passages for every document, all or nothing.

        Whoever reads meanwhile goes on with the old ones.
        """
        with _faults(self.path.parent), self._connection:
            self._connection.execute("DELETE FROM passages")
            self._connection.execute("DELETE FROM recipe")
            self._connection.executemany(_INSERT_RECIPE, _recipe_rows(recipe))
            for name, rows in documents:
                number = self._connection.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()[0]
                self._insert(number, rows)
            self._advance()
        self.recipe = recipe

    def close(self) -> None:
        """Close the connection; the object is of no use afterwards."""
        self._connection.close()

    def state(self) -> int:
        """A number that grows with every change."""
        with _faults(self.path.parent):
            row = self._connection.execute("SELECT number FROM state").fetchone()
        return int(row[0])

    def put(self, document: Document, rows: Sequence[PassageRow]) -> None:
        """Store a document with its passages, in the place of one with the same name."""
        added = datetime.now(UTC).isoformat(timespec="seconds")
        with _faults(self.path.parent), self._connection:
            self._connection.execute("DELETE FROM documents WHERE name = ?", (document.name,))
            cursor = self._connection.execute(
                "INSERT INTO documents (name, title, text, source, digest, language, added) VALUES (?,?,?,?,?,?,?)",
                (
                    document.name,
                    document.title,
                    document.text,
                    document.source,
                    document.digest,
                    language(document.text),
                    added,
                ),
            )
            self._insert(cursor.lastrowid or 0, rows)
            self._advance()

    def move(self, name: str, source: str) -> None:
        """Note that an unchanged document is now read from another path."""
        with _faults(self.path.parent), self._connection:
            self._connection.execute("UPDATE documents SET source = ? WHERE name = ?", (source, name))

    def remove(self, name: str) -> None:
        """Forget a document. Raises DocumentNotFound."""
        with _faults(self.path.parent), self._connection:
            if not self._connection.execute("DELETE FROM documents WHERE name = ?", (name,)).rowcount:
                raise DocumentNotFound(
                    f"The index has no document '{name}'. 'mureum index list' names those it has.", document=name
                )
            self._advance()

    def digests(self) -> dict[str, tuple[str, str]]:
        """For each document's name: its digest and its source."""
        with _faults(self.path.parent):
            rows = self._connection.execute("SELECT name, digest, source FROM documents").fetchall()
        return {name: (digest, source) for name, digest, source in rows}

    def documents(self) -> list[DocumentInfo]:
        """All documents, by name."""
        with _faults(self.path.parent):
            rows = self._connection.execute(
                "SELECT d.name, d.title, d.source, count(p.id), length(CAST(d.text AS BLOB)), d.language, d.added"
                " FROM documents d LEFT JOIN passages p ON p.document = d.id GROUP BY d.id ORDER BY d.name"
            ).fetchall()
        return [DocumentInfo(*row) for row in rows]

    def stored(self) -> Iterator[Document]:
        """All documents with their texts, by name."""
        with _faults(self.path.parent):
            rows = self._connection.execute(
                "SELECT name, title, text, source, digest FROM documents ORDER BY name"
            )
            yield from (Document(*row) for row in rows)

    def text(self, name: str) -> str:
        """The stored text of a document. Raises DocumentNotFound."""
        with _faults(self.path.parent):
            row = self._connection.execute("SELECT text FROM documents WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise DocumentNotFound(f"The index has no document '{name}'.", document=name)
        return str(row[0])

    def passages(self) -> tuple[list[int], list[Passage]]:
        """All passages in the order of their ids, with the ids."""
        with _faults(self.path.parent):
            rows = self._connection.execute(
                'SELECT p.id, d.name, p.number, p.start, p."end", p.sentences, p.repeated'
                " FROM passages p JOIN documents d ON d.id = p.document ORDER BY p.id"
            ).fetchall()
        return [row[0] for row in rows], [_to_passage(row[1:]) for row in rows]

    def tokens(self) -> list[list[str]]:
        """The tokens of all passages, in the order of their ids."""
        with _faults(self.path.parent):
            rows = self._connection.execute("SELECT tokens FROM passages ORDER BY id").fetchall()
        return [row[0].split(" ") if row[0] else [] for row in rows]

    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all passages (n, size), in the order of their ids."""
        with _faults(self.path.parent):
            rows = self._connection.execute("SELECT vector FROM passages ORDER BY id").fetchall()
        flat = b"".join(row[0] for row in rows)
        return np.frombuffer(flat, np.float32).reshape(len(rows), self.recipe.size)

    def sentence_vectors(self, ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        found: dict[int, NDArray[np.float32]] = {}
        with _faults(self.path.parent):
            for number in ids:
                row = self._connection.execute(
                    "SELECT sentence_vectors FROM passages WHERE id = ?", (number,)
                ).fetchone()
                if row:
                    found[number] = (
                        np.frombuffer(row[0], np.float16).reshape(-1, self.recipe.size).astype(np.float32)
                    )
        return found

    def check(self) -> list[str]:
        """What is wrong with the catalogue, a line each; empty when nothing is."""
        faults: list[str] = []
        with _faults(self.path.parent):
            result = self._connection.execute("PRAGMA integrity_check").fetchall()
            faults += [f"SQLite: {row[0]}" for row in result if row[0] != "ok"]
            odd = self._connection.execute(
                "SELECT d.name, p.number FROM passages p JOIN documents d ON d.id = p.document"
                ' WHERE p.start < 0 OR p."end" > length(d.text) OR length(p.vector) != ?',
                (4 * self.recipe.size,),
            ).fetchall()
        faults += [f"passage {number} of '{name}' does not fit its document" for name, number in odd]
        return faults

    def _insert(self, document: int, rows: Sequence[PassageRow]) -> None:
        self._connection.executemany(
            'INSERT INTO passages (document, number, start, "end", sentences, repeated, tokens, vector,'
            " sentence_vectors) VALUES (?,?,?,?,?,?,?,?,?)",
            [(document, *_to_columns(row)) for row in rows],
        )

    def _advance(self) -> None:
        self._connection.execute("UPDATE state SET number = number + 1")


def _recipe_rows(recipe: Recipe) -> list[tuple[str, str]]:
    return [(key, str(value)) for key, value in asdict(recipe).items()]


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    """SQLite's errors as the project's own."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        reason = str(error)
        if "full" in reason:
            raise NoSpace(
                f"The disk of '{folder}' is full; what was stored before is unharmed. Make room and try again.",
                path=folder,
            ) from error
        if "locked" in reason or "busy" in reason:
            raise IndexBusy(
                f"Another program is writing the index in '{folder}'. Wait until it is done and try again.",
                path=folder,
            ) from error
        raise IndexDamaged(
            f"The index in '{folder}' cannot be read: {reason}. Add the documents to a new index folder.",
            path=folder,
            reason=reason,
        ) from error
    except OSError as error:
        raise NoSpace(
            f"The index folder '{folder}' cannot be written: {error.strerror}.", path=folder, reason=error.strerror
        ) from error


def _to_columns(row: PassageRow) -> tuple[object, ...]:
    passage = row.passage
    return (
        passage.number,
        passage.start,
        passage.end,
        json.dumps(passage.sentences),
        int(passage.repeated),
        " ".join(row.tokens),
        row.vector.astype(np.float32).tobytes(),
        row.sentence_vectors.astype(np.float16).tobytes(),
    )


def _to_passage(row: tuple[str, int, int, int, str, int]) -> Passage:
    name, number, start, end, sentences, repeated = row
    spans = tuple((first, last) for first, last in json.loads(sentences))
    return Passage(name, number, start, end, spans, bool(repeated))
