"""The SQLite catalogue: documents, passages, their vectors and tokens, and the recipe they were made by.

It is the truth of an index. FAISS and BM25 are made from it, without the embedding model.
"""

import errno
import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.compression import LONGEST_HEAD, pack, unpack, unpack_mean
from index.errors import (
    DocumentNotFound,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexNotWritable,
    MureumError,
    NoSpace,
)
from index.records import Document, DocumentInfo, Passage, Recipe
from index.sentences import language

FILE = "catalogue.sqlite"
FORMAT = 3
BUSY_SECONDS = 10
ALMOST_FULL = 1 << 20  # bytes; with fewer free, "disk I/O error" means a full disk

_SCHEMA = """
CREATE TABLE recipe (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    source TEXT NOT NULL, digest TEXT NOT NULL, language TEXT NOT NULL, added TEXT NOT NULL);
"""

_PASSAGES = """
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences TEXT NOT NULL,
    repeated INTEGER NOT NULL, language TEXT NOT NULL, tokens TEXT NOT NULL, vector BLOB NOT NULL,
    sentence_vectors BLOB NOT NULL, token_vectors BLOB NOT NULL,
    UNIQUE (document, number))
"""

_INSERT_RECIPE = "INSERT INTO recipe VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage with what was computed of it: tokens, its vector (size,), its sentences' (k, size) and its tokens of
    the embedding model's (T, size), float32, and its language ('ko' or 'en')."""

    passage: Passage
    tokens: Sequence[str]
    vector: NDArray[np.float32]
    sentence_vectors: NDArray[np.float32]
    token_vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    language: str = "en"


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
        catalogue = cls(_connect(folder), folder / FILE, recipe)
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
        """Open the catalogue of a folder, making an empty one first where there is none.

        Several processes may do so at once. One that is killed meanwhile leaves a catalogue without tables, which
        counts as none.
        """
        with _faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(folder / FILE, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                if not _has_tables(connection):
                    _make_tables(connection, recipe)
            finally:
                connection.close()
        return cls.open(folder, recipe)

    @classmethod
    def open_any(cls, folder: Path) -> "Catalogue":
        """The catalogue of an index folder whatever built it, for reading its documents."""
        catalogue = cls(_connect(folder), folder / FILE, Recipe(0, "", 0, "", 0))
        try:
            stored = catalogue._stored_recipe()
            with _faults(folder):
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
            self._run("DROP TABLE passages")  # an older program's may have other columns
            self._run(_PASSAGES)
            self._run("DELETE FROM recipe")
            for pair in _recipe_rows(recipe):
                self._run(_INSERT_RECIPE, pair)
            numbers = {name: number for number, name in self._run("SELECT id, name FROM documents ORDER BY name")}
            for document, rows in rows_of(self.document(name) for name in numbers):
                self._insert(numbers[document.name], rows)
        self.recipe = recipe
        return len(numbers)

    def close(self) -> None:
        """Close the connection; the object is of no use afterwards."""
        self._connection.close()

    def pin(self) -> int:
        """Keep to the present state from here on, whatever others write, and return its number."""
        if not self._connection.in_transaction:
            self._run("BEGIN")
        return self.state()

    def state(self) -> int:
        """A number that grows with every change."""
        return int(self._run("SELECT number FROM state")[0][0])

    def put(self, document: Document, rows: Sequence[PassageRow]) -> None:
        """Store a document with its passages, in the place of one with the same name."""
        with self._change():
            self._insert(self._put_document(document), rows)

    def copy(self, twin: str, document: Document) -> bool:
        """Store a document with the passages of `twin`, which has the same text; False when that is not so (any more).

        Nothing is stored then.
        """
        with self._change():
            found = self._run("SELECT id FROM documents WHERE name = ? AND digest = ?", (twin, document.digest))
            if not found or twin == document.name:
                return False
            columns = (
                'number, start, "end", sentences, repeated, language, tokens, vector, sentence_vectors, token_vectors'
            )
            self._run(
                f"INSERT INTO passages (document, {columns}) SELECT ?, {columns} FROM passages WHERE document = ?"
                " ORDER BY number",
                (self._put_document(document), found[0][0]),
            )
        return True

    def move(self, name: str, source: str) -> None:
        """Note that an unchanged document is now read from another path."""
        self._run("UPDATE documents SET source = ? WHERE name = ?", (source, name))

    def remove(self, names: Iterable[str]) -> None:
        """Forget documents, all or none. Raises DocumentNotFound."""
        with self._change():
            for name in dict.fromkeys(names):
                if not self._run("DELETE FROM documents WHERE name = ? RETURNING id", (name,)):
                    raise _not_found(name)

    def digests(self) -> dict[str, tuple[str, str]]:
        """For each document's name: its digest and its source."""
        rows = self._run("SELECT name, digest, source FROM documents")
        return {name: (digest, source) for name, digest, source in rows}

    def documents(self) -> list[DocumentInfo]:
        """All documents, by name."""
        rows = self._run(
            "SELECT d.name, d.title, d.source, count(p.id), length(CAST(d.text AS BLOB)), d.language, d.added"
            " FROM documents d LEFT JOIN passages p ON p.document = d.id GROUP BY d.id ORDER BY d.name"
        )
        return [DocumentInfo(*row) for row in rows]

    def document(self, name: str) -> Document:
        """A document with its text. Raises DocumentNotFound."""
        rows = self._run("SELECT name, title, text, source, digest FROM documents WHERE name = ?", (name,))
        if not rows:
            raise _not_found(name)
        return Document(*rows[0])

    def passages(self) -> tuple[list[int], list[Passage]]:
        """All passages in the order of their ids, with the ids."""
        rows = self._run(
            'SELECT p.id, d.name, p.number, p.start, p."end", p.sentences, p.repeated'
            " FROM passages p JOIN documents d ON d.id = p.document ORDER BY p.id"
        )
        with _faults(self.path.parent):
            return [row[0] for row in rows], [_to_passage(row[1:]) for row in rows]

    def tokens(self) -> list[list[str]]:
        """The tokens of all passages, in the order of their ids."""
        return [row[0].split(" ") if row[0] else [] for row in self._run("SELECT tokens FROM passages ORDER BY id")]

    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all passages (n, size), in the order of their ids."""
        rows = self._run("SELECT vector FROM passages ORDER BY id")
        with _faults(self.path.parent):
            return np.frombuffer(b"".join(row[0] for row in rows), np.float32).reshape(len(rows), self.recipe.size)

    def sentence_vectors(self, ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its sentences (k, size)."""
        found: dict[int, NDArray[np.float32]] = {}
        for number in ids:
            for (blob,) in self._run("SELECT sentence_vectors FROM passages WHERE id = ?", (number,)):
                with _faults(self.path.parent):
                    found[number] = np.frombuffer(blob, np.float16).reshape(-1, self.recipe.size).astype(np.float32)
        return found

    def languages(self) -> list[str]:
        """The languages of all passages, in the order of their ids."""
        return [row[0] for row in self._run("SELECT language FROM passages ORDER BY id")]

    def token_vectors(self, ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """For each passage id the vectors of its tokens (T, size), with the error that `index.compression` makes."""
        found: dict[int, NDArray[np.float32]] = {}
        for number in ids:
            for (blob,) in self._run("SELECT token_vectors FROM passages WHERE id = ?", (number,)):
                with _faults(self.path.parent):
                    found[number] = unpack(blob)
        return found

    def token_means(self, ids: Iterable[int]) -> NDArray[np.float32]:
        """Of each passage the mean of its tokens' vectors (n, size)."""
        statement = f"SELECT substr(token_vectors, 1, {LONGEST_HEAD}) FROM passages WHERE id = ?"
        heads = [blob for number in ids for (blob,) in self._run(statement, (number,))]
        with _faults(self.path.parent):
            return np.array([unpack_mean(head) for head in heads], np.float32)

    def check(self) -> list[str]:
        """What is wrong with the catalogue, a line each; empty when nothing is."""
        faults = [f"SQLite: {row[0]}" for row in self._run("PRAGMA integrity_check") if row[0] != "ok"]
        odd = self._run(
            "SELECT d.name, p.number FROM passages p JOIN documents d ON d.id = p.document"
            ' WHERE p.start < 0 OR p."end" > length(d.text) OR length(p.vector) != ?',
            (4 * self.recipe.size,),
        )
        faults += [f"passage {number} of '{name}' does not fit its document" for name, number in odd]
        for (name,) in self._run("SELECT name FROM documents ORDER BY name"):
            document = self.document(name)
            if hashlib.sha256(f"{document.title}\x00{document.text}".encode()).hexdigest() != document.digest:
                faults.append(f"the text of '{name}' is not the one that was stored")
        return faults

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction that raises the state number; nothing of it stays when it does not end well."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("UPDATE state SET number = number + 1")
            self._run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has already ended it
                self._connection.rollback()
            raise

    def _run(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        with _faults(self.path.parent):
            return self._connection.execute(statement, values).fetchall()

    def _stored_recipe(self) -> dict[str, str]:
        return dict(self._run("SELECT key, value FROM recipe"))

    def _put_document(self, document: Document) -> int:
        """The id of a document that now stands in the place of one with the same name, without passages."""
        added = datetime.now(UTC).isoformat(timespec="seconds")
        values = (document.name, document.title, document.text, document.source, document.digest)
        self._run("DELETE FROM documents WHERE name = ?", (document.name,))
        [(number,)] = self._run(
            "INSERT INTO documents (name, title, text, source, digest, language, added) VALUES (?,?,?,?,?,?,?)"
            " RETURNING id",
            (*values, language(document.text), added),
        )
        return int(number)

    def _insert(self, document: int, rows: Sequence[PassageRow]) -> None:
        with _faults(self.path.parent):
            self._connection.executemany(
                'INSERT INTO passages (document, number, start, "end", sentences, repeated, language, tokens, vector,'
                " sentence_vectors, token_vectors) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                [(document, *_to_columns(row)) for row in rows],
            )


def _recipe_rows(recipe: Recipe) -> list[tuple[str, str]]:
    return [(key, str(value)) for key, value in asdict(recipe).items()]


def _connect(folder: Path) -> sqlite3.Connection:
    """Open the catalogue that is there. Raises IndexMissing."""
    path = folder / FILE
    with _faults(folder):
        if path.is_file():
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
            try:
                if _has_tables(connection):
                    connection.execute("PRAGMA synchronous = FULL")
                    connection.execute("PRAGMA foreign_keys = ON")
                    return connection
            except BaseException:
                connection.close()
                raise
            connection.close()
    raise IndexMissing(
        f"There is no index in '{folder}'. Make one: mureum index add PATH --index '{folder}'.", path=folder
    )


def _has_tables(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _make_tables(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """Make the tables in one transaction, unless another process has just done so; readers do not wait for writers."""
    end = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # SQLite itself does not wait here for another process that does the same
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    connection.execute("BEGIN IMMEDIATE")
    if not _has_tables(connection):
        for statement in (*_SCHEMA.strip().rstrip(";").split(";"), _PASSAGES):
            connection.execute(statement)
        connection.executemany(_INSERT_RECIPE, _recipe_rows(recipe))
    connection.execute("COMMIT")


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    """The errors of SQLite, of the disk, and of stored values that cannot be read, as the project's own."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(folder, error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(folder) from error
        raise _not_writable(folder, error.strerror or str(error)) from error
    except (ValueError, TypeError) as error:
        raise _damaged(folder, str(error)) from error


def _fault(folder: Path, error: sqlite3.Error) -> MureumError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest of it tells finer shades
    full = code == sqlite3.SQLITE_IOERR and shutil.disk_usage(folder).free < ALMOST_FULL
    if full or code == sqlite3.SQLITE_FULL:
        return _no_space(folder)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexBusy(
            f"Another program is writing the index in '{folder}'. Wait until it is done and try again.", path=folder
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _not_writable(folder, str(error))
    return _damaged(folder, str(error))


def _no_space(folder: Path) -> NoSpace:
    return NoSpace(
        f"The disk of '{folder}' is full; what was stored before is unharmed. Make room and try again.", path=folder
    )


def _not_writable(folder: Path, reason: str) -> IndexNotWritable:
    return IndexNotWritable(
        f"The index in '{folder}' cannot be written or opened: {reason}. Check the path and its permissions, which an "
        "index needs for reading too, or name another folder with --index.",
        path=folder,
        reason=reason,
    )


def _damaged(folder: Path, reason: str) -> IndexDamaged:
    return IndexDamaged(
        f"The index in '{folder}' cannot be read: {reason}. Add the documents to a new index folder.",
        path=folder,
        reason=reason,
    )


def _not_found(name: str) -> DocumentNotFound:
    return DocumentNotFound(
        f"The index has no document '{name}'. 'mureum index list' names those it has.", document=name
    )


def _to_columns(row: PassageRow) -> tuple[object, ...]:
    passage = row.passage
    return (
        passage.number,
        passage.start,
        passage.end,
        json.dumps(passage.sentences),
        int(passage.repeated),
        row.language,
        " ".join(row.tokens),
        row.vector.astype(np.float32).tobytes(),
        row.sentence_vectors.astype(np.float16).tobytes(),
        pack(row.token_vectors),
    )


def _to_passage(row: tuple[str, int, int, int, str, int]) -> Passage:
    name, number, start, end, sentences, repeated = row
    spans = tuple((first, last) for first, last in json.loads(sentences))
    return Passage(name, number, start, end, spans, bool(repeated))
