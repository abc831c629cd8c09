"""The conversations of this machine's visitors, and what they said of the answers: one SQLite file.

A turn is kept with everything that was shown: its quotes are copies, sliced when the answer was made, so that they say
what was cited then, whatever has become of the document since.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from index.errors import MureumError, NoSpace
from rag.records import Answer, Citation, Language, Status, Timings

FILE = "conversations.sqlite"
LAYOUT = 1
BUSY_SECONDS = 10
ALMOST_FULL = 1 << 20  # bytes; with fewer free, "disk I/O error" means a full disk
TITLE_LETTERS = 80
COMMENT_LETTERS = 2000

KeptStatus = Literal[Status, "stopped", "failed"]
Collection = Literal["shared", "own"]
"""What was asked: the index that the chat was started with, or the visitor's own documents."""
Verdict = Literal["right", "wrong", "wrong_source"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "wrong_source")

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = """
CREATE TABLE conversations (
    owner TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL,
    PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE TABLE turns (
    owner TEXT NOT NULL, conversation TEXT NOT NULL, number INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (owner, conversation, number),
    FOREIGN KEY (owner, conversation) REFERENCES conversations (owner, id) ON DELETE CASCADE);
CREATE TABLE feedback (
    owner TEXT NOT NULL, conversation TEXT NOT NULL, asked TEXT NOT NULL, given TEXT NOT NULL,
    verdict TEXT NOT NULL, comment TEXT NOT NULL, earlier TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (owner, conversation, asked),
    FOREIGN KEY (owner, conversation) REFERENCES conversations (owner, id) ON DELETE CASCADE)
"""


class DataFault(MureumError):
    """What the chat keeps cannot be read or written. Values: `path`, `reason`."""

    code = "data"


class ConversationNotFound(MureumError):
    """The visitor has no such conversation, or the conversation no such turn."""

    code = "conversation-not-found"


@dataclass(frozen=True, slots=True)
class KeptCitation:
    """A citation with its quote as it stood in the document then."""

    citation: Citation
    quote: str


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """One question and what came of it.

    asked:      when (ISO 8601, UTC); it also tells a turn from the one that took its place.
    failure:    for status 'failed', why, in Korean and English.
    collection, state: which index it was answered from, and the number of its state.
    documents:  the documents and folders that it was limited to; none where it was not.
    """

    number: int
    asked: str
    question: str
    language: Language
    status: KeptStatus
    text: str = ""
    reason: str = ""
    citations: tuple[KeptCitation, ...] = ()
    found: tuple[KeptCitation, ...] = ()
    timings: Timings = field(default_factory=Timings)
    failure: tuple[str, str] = ("", "")
    collection: Collection = "shared"
    state: int = 0
    documents: tuple[str, ...] = ()

    def answer(self) -> Answer | None:
        """The answer, None where there was none."""
        if self.status == "stopped" or self.status == "failed":
            return None
        cited, found = ([one.citation for one in part] for part in (self.citations, self.found))
        return Answer(
            self.question,
            self.language,
            self.status,
            self.text,
            tuple(cited),
            tuple(found),
            self.reason,
            self.timings,
        )

    def quote(self, document: str, start: int, end: int) -> str:
        """What stood in a range then; '' for a range that was not shown."""
        wanted = (document, (start, end))
        for one in (*self.citations, *self.found):
            if (one.citation.document, one.citation.span) == wanted:
                return one.quote
        return ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A line of the list. created, changed: ISO 8601, UTC."""

    id: str
    title: str
    created: str
    changed: str
    turns: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a visitor said of an answer, with the questions before it and the turn as it was."""

    given: str
    verdict: Verdict
    comment: str
    earlier: tuple[str, ...]
    turn: KeptTurn


class Conversations:
    """The file in a folder. Safe to share between threads and processes; every call is one transaction.

    set_aside: where a damaged file was put when a new one had to be begun.
    """

    def __init__(self, folder: Path) -> None:
        """Open or begin it. Raises DataFault, NoSpace."""
        self.path = folder / FILE
        self.set_aside: Path | None = None
        with _faults(self.path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with self._open() as database:
                sound = [row[0] for row in database.execute("PRAGMA quick_check")] == ["ok"]
        except sqlite3.DatabaseError as error:
            sound = not _is_damage(error)
            if sound:
                raise _fault(self.path, error) from error
        if not sound:
            self._set_aside()

    def all_of(self, owner: str) -> list[Conversation]:
        """The owner's conversations, the one that changed last first."""
        rows = self._run(
            "SELECT id, title, created, changed, (SELECT count(*) FROM turns t WHERE t.owner = c.owner AND"
            " t.conversation = c.id) FROM conversations c WHERE owner = ? ORDER BY changed DESC, id",
            owner,
        )
        return [Conversation(*row) for row in rows]

    def conversation(self, owner: str, conversation: str) -> Conversation:
        """Raises ConversationNotFound."""
        for one in self.all_of(owner):
            if one.id == conversation:
                return one
        raise _not_found()

    def turns(self, owner: str, conversation: str) -> list[KeptTurn]:
        """The turns in order; none of a conversation that is not this owner's."""
        rows = self._run(
            "SELECT record FROM turns WHERE owner = ? AND conversation = ? ORDER BY number", owner, conversation
        )
        return [_from_record(json.loads(row[0])) for row in rows]

    def keep(self, owner: str, conversation: str, turn: KeptTurn, replaced: int | None = None) -> KeptTurn:
        """Keep a turn as the conversation's last one, or in the place of the last one when that is `replaced`.

        The first turn begins the conversation, with its question as the title. Returns the turn with its number.
        """
        if not _IDENTIFIER.fullmatch(conversation):
            raise _not_found()
        with self._change() as database:
            title = " ".join(turn.question.split())[:TITLE_LETTERS]
            database.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET changed = excluded.changed",
                (owner, conversation, title, turn.asked, turn.asked),
            )
            where = (owner, conversation)
            [(last,)] = database.execute("SELECT max(number) FROM turns WHERE owner = ? AND conversation = ?", where)
            number = 0 if last is None else last if last == replaced else last + 1
            turn = replace(turn, number=number)
            database.execute("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?)", (*where, number, _to_record(turn)))
        return turn

    def rename(self, owner: str, conversation: str, title: str) -> None:
        """Give it another title; an empty one leaves it. Raises ConversationNotFound."""
        title = " ".join(title.split())[:TITLE_LETTERS] or self.conversation(owner, conversation).title
        sentence = "UPDATE conversations SET title = ? WHERE owner = ? AND id = ? RETURNING id"
        if not self._run(sentence, title, owner, conversation):
            raise _not_found()

    def delete(self, owner: str, conversation: str) -> None:
        """Forget it with its turns and what was said of them; nothing of it stays in the file."""
        self._run("DELETE FROM conversations WHERE owner = ? AND id = ?", owner, conversation)

    def judge(self, owner: str, conversation: str, number: int, verdict: Verdict, comment: str = "") -> None:
        """Keep what the owner says of an answer, in the place of what was said before. Raises ConversationNotFound."""
        turns = {turn.number: turn for turn in self.turns(owner, conversation)}
        if number not in turns:
            raise _not_found()
        earlier = [turn.question for turn in turns.values() if turn.number < number]
        turn = turns[number]
        said = (_now(), verdict, comment.strip()[:COMMENT_LETTERS], json.dumps(earlier), _to_record(turn))
        self._run(
            "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?)", owner, conversation, turn.asked, *said
        )

    def verdicts(self, owner: str, conversation: str) -> dict[str, tuple[Verdict, str]]:
        """For each judged turn, by when it was asked: verdict and comment."""
        sentence = "SELECT asked, verdict, comment FROM feedback WHERE owner = ? AND conversation = ?"
        return {asked: (verdict, comment) for asked, verdict, comment in self._run(sentence, owner, conversation)}

    def feedback(self) -> list[Feedback]:
        """What everybody said, the oldest first."""
        rows = self._run("SELECT given, verdict, comment, earlier, record FROM feedback ORDER BY given")
        return [
            Feedback(given, verdict, comment, tuple(json.loads(earlier)), _from_record(json.loads(record)))
            for given, verdict, comment, earlier, record in rows
        ]

    def _run(self, statement: str, *values: object) -> Sequence[Any]:
        with self._change() as database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction. A file that turns out to be damaged is set aside, so that the next call works."""
        try:
            with _faults(self.path), self._open() as database:
                yield database
        except DataFault as fault:
            if isinstance(fault.__cause__, sqlite3.Error) and _is_damage(fault.__cause__):
                self._set_aside()
            raise

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection with a transaction that is committed when all went well."""
        with _faults(self.path, passing=True):
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA secure_delete = ON")
            database.execute("BEGIN IMMEDIATE")
            try:
                self._require_tables(database)
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:  # a full disk has already ended it
                    database.execute("ROLLBACK")
                raise

    def _require_tables(self, database: sqlite3.Connection) -> None:
        [(layout,)] = database.execute("PRAGMA user_version")
        [(tables,)] = database.execute("SELECT count(*) FROM sqlite_master")
        if not tables:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {LAYOUT}")
        elif layout != LAYOUT:
            reason = f"layout {layout}, this version reads {LAYOUT}"
            raise DataFault(
                f"'{self.path}' was written by another version of mureum ({reason}). Choose another folder with "
                "--data, or use that version.",
                path=self.path,
                reason=reason,
            )

    def _set_aside(self) -> None:
        """Move the damaged file, whose conversations may yet be saved by hand, out of the way and begin a new one."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.set_aside = self.path.with_name(f"conversations.damaged-{stamp}.sqlite")
        with _faults(self.path):
            for ending in ("", "-journal"):
                if (part := Path(f"{self.path}{ending}")).exists():
                    part.replace(f"{self.set_aside}{ending}")
            with self._open():
                pass


def owner_of(visitor: str, account: str | None = None) -> str:
    """What a visitor's things are kept under: a digest, which is also a safe name for a folder.

    The account where there is one, and otherwise the browser's own unguessable id, 32 hexadecimal digits. Raises
    ConversationNotFound for anything else.
    """
    if account is None and not _IDENTIFIER.fullmatch(visitor):
        raise _not_found()
    key = f"visitor\x00{visitor}" if account is None else f"account\x00{account}"
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def turn_of(
    question: str, language: Language, status: KeptStatus, *, collection: Collection, state: int, **more: Any
) -> KeptTurn:
    """A turn that has just come to its end, not kept yet: number -1."""
    return KeptTurn(-1, _now(), question, language, status, collection=collection, state=state, **more)


def _to_record(turn: KeptTurn) -> str:
    return json.dumps(asdict(turn), ensure_ascii=False)


def _from_record(record: dict[str, Any]) -> KeptTurn:
    for part in ("citations", "found"):
        record[part] = tuple(KeptCitation(Citation(**one["citation"]), one["quote"]) for one in record[part])
    record["timings"] = Timings(**record["timings"])
    for part in ("failure", "documents"):
        record[part] = tuple(record.get(part, ()))
    return KeptTurn(**record)


def _not_found() -> ConversationNotFound:
    return ConversationNotFound("There is no such conversation. It may have been deleted; choose another one.")


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


@contextmanager
def _faults(path: Path, passing: bool = False) -> Iterator[None]:
    """The errors of SQLite and of the disk as the project's own; `passing`: those of the disk alone."""
    try:
        yield
    except sqlite3.Error as error:
        if passing:
            raise
        raise _fault(path, error) from error
    except OSError as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: sqlite3.Error | OSError) -> MureumError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_almost_full(path)):
        return NoSpace(f"The disk of '{path}' is full. Make room and try again.", path=path)
    reason = getattr(error, "strerror", None) or str(error)
    return DataFault(
        f"'{path}' cannot be read or written ({reason}). Choose another folder with --data.", path=path, reason=reason
    )


def _is_almost_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < ALMOST_FULL
    except OSError:
        return False
