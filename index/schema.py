"""The tables of a catalogue, and how they are made and opened.

Texts and what retrieval reads at every start lie in narrow rows; the vectors, which are read a few at a time, lie
apart. Every row of `documents` and `passages` has a seal, the state has the sum of them, and every blob ends with its
own (`index.seals`): a damaged, lost or doubled row is found.
"""

import sqlite3
import time
from dataclasses import asdict
from pathlib import Path

from index.errors import IndexMissing
from index.faults import faults
from index.records import Recipe

FILE = "catalogue.sqlite"
FORMAT = 4
BUSY_SECONDS = 10

INSERT_RECIPE = "INSERT INTO recipe VALUES (?, ?)"

DOCUMENT_COLUMNS = "name, title, source, digest, language, added"
"""What a document's seal is made of; its text has the digest."""

PASSAGE_COLUMNS = 'number, start, "end", sentences, repeated, language, tokens'
"""What a passage's seal is made of, with the digest of its document."""

_TABLES = (
    "CREATE TABLE recipe (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL,"
    " documents INTEGER NOT NULL DEFAULT 0, passages INTEGER NOT NULL DEFAULT 0)",
    "INSERT INTO state (only, number) VALUES (1, 0)",
    "CREATE TABLE documents (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL,"
    " text TEXT NOT NULL, source TEXT NOT NULL, digest TEXT NOT NULL, language TEXT NOT NULL, added TEXT NOT NULL,"
    " seal INTEGER NOT NULL DEFAULT 0)",
)

_DOCUMENT_SUMS = (
    "CREATE TRIGGER document_in AFTER INSERT ON documents BEGIN UPDATE state SET documents = documents + new.seal; END",
    "CREATE TRIGGER document_changed AFTER UPDATE OF seal ON documents"
    " BEGIN UPDATE state SET documents = documents + new.seal - old.seal; END",
    "CREATE TRIGGER document_out AFTER DELETE ON documents"
    " BEGIN UPDATE state SET documents = documents - old.seal; END",
)

_PASSAGES = (
    "CREATE TABLE passages (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,"
    ' number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences TEXT NOT NULL,'
    " repeated INTEGER NOT NULL, language TEXT NOT NULL, tokens TEXT NOT NULL, seal INTEGER NOT NULL,"
    " UNIQUE (document, number))",
    "CREATE INDEX passage_seals ON passages (id, seal)",
    "CREATE TABLE vectors (passage INTEGER PRIMARY KEY REFERENCES passages(id) ON DELETE CASCADE,"
    " vector BLOB NOT NULL, sentence_vectors BLOB NOT NULL, token_vectors BLOB NOT NULL)",
    "CREATE TRIGGER passage_in AFTER INSERT ON passages BEGIN UPDATE state SET passages = passages + new.seal; END",
    "CREATE TRIGGER passage_out AFTER DELETE ON passages BEGIN UPDATE state SET passages = passages - old.seal; END",
)


def recipe_rows(recipe: Recipe) -> list[tuple[str, str]]:
    """A recipe as the table has it."""
    return [(key, str(value)) for key, value in asdict(recipe).items()]


def connect(folder: Path) -> sqlite3.Connection:
    """Open the catalogue that is there. Raises IndexMissing."""
    path = folder / FILE
    with faults(folder):
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


def make(folder: Path, recipe: Recipe) -> None:
    """Make an empty catalogue in a folder where there is none.

    Several processes may do so at once. One that is killed meanwhile leaves a catalogue without tables, which counts
    as none.
    """
    with faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(folder / FILE, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            if not _has_tables(connection):
                _make_tables(connection, recipe)
        finally:
            connection.close()


def is_sealed(connection: sqlite3.Connection) -> bool:
    """Whether the documents have seals: those of programs before format 4 have none."""
    return any(row[1] == "seal" for row in connection.execute("PRAGMA table_info(documents)"))


def empty_passages(connection: sqlite3.Connection) -> None:
    """Drop the passages, which an older program may have kept in other columns, and make them anew, without rows.

    Their ids go on where the old ones stopped: no id ever means two passages. Within a transaction.
    """
    [(number,)] = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passages'"
    ).fetchall()
    connection.execute("DROP TABLE IF EXISTS vectors")
    connection.execute("DROP TABLE passages")
    if not is_sealed(connection):
        connection.execute("ALTER TABLE documents ADD COLUMN seal INTEGER NOT NULL DEFAULT 0")
        connection.execute("ALTER TABLE state ADD COLUMN documents INTEGER NOT NULL DEFAULT 0")
        connection.execute("ALTER TABLE state ADD COLUMN passages INTEGER NOT NULL DEFAULT 0")
        for statement in _DOCUMENT_SUMS:
            connection.execute(statement)
    for statement in _PASSAGES:
        connection.execute(statement)
    connection.execute("UPDATE state SET passages = 0")
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'passages'")
    connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('passages', ?)", (number,))


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
        for statement in (*_TABLES, *_DOCUMENT_SUMS, *_PASSAGES):
            connection.execute(statement)
        connection.executemany(INSERT_RECIPE, recipe_rows(recipe))
    connection.execute("COMMIT")
