"""The documents that can be asked: those of the index the chat was started with, and each visitor's own.

A visitor's own index lies in a folder named by the owner's digest. The name of an uploaded file is what its document is
called and never a path: the bytes are read from a file with a random name.
"""

import re
import secrets
import threading
import unicodedata
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from index import build
from index.errors import DocumentError, IndexMismatch, IndexMissing, MureumError
from index.reading import read
from index.records import Document, DocumentInfo
from index.snapshot import Index
from rag.answering import Answerer
from ui.conversations import Collection

LIMIT = 20 * 1024 * 1024
"""Bytes of one uploaded file."""
NAME_LETTERS = 200
OPEN = 16
"""Visitors' indexes that are kept open at once."""

_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")


class UploadTooLarge(DocumentError):
    """More bytes than are taken. Values: `document`, `limit`."""

    code = "upload-too-large"


class NoOwnDocuments(MureumError):
    """The visitor's own documents were asked, and there are none."""

    code = "no-own-documents"


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of one file: the documents that are in the index now, and what was refused."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[DocumentError, ...]


class Library:
    """Safe to share between threads."""

    def __init__(
        self,
        shared: Answerer,
        folder: Path,
        open_answerer: Callable[[Index], Answerer] | None = None,
        soon: Callable[[Answerer], None] = lambda _: None,
    ) -> None:
        """`folder` is where visitors' indexes are kept; it is made with the first upload. `soon` has an answerer
        prepared whose documents have changed."""
        self.shared = shared
        self.soon = soon
        self._folder = folder
        self._open_answerer = open_answerer or (lambda index: Answerer(index, shared.model, shared))
        self._lock = threading.Lock()
        self._writing: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()
        self._open: OrderedDict[str, Answerer] = OrderedDict()

    def answerer(self, owner: str, collection: Collection) -> Answerer:
        """Who answers from a collection, with its index in its newest state. Raises NoOwnDocuments and what opening an
        index raises."""
        if collection == "shared":
            return self.shared
        answerer = self._opened_before(owner)
        if answerer is None:
            with self._writer(owner):
                answerer = self._opened_before(owner) or self._keep_open(owner, self._opened(owner))
        if not answerer.index.catalogue.documents():
            raise _none()
        answerer.index.snapshot()
        return answerer

    def documents(self, owner: str, collection: Collection) -> list[DocumentInfo]:
        """The documents of a collection, by name."""
        try:
            return self.answerer(owner, collection).index.catalogue.documents()
        except NoOwnDocuments:
            return []

    def incoming(self, owner: str, name: str) -> Path:
        """Where the bytes of an upload are to be put: a new file's path, with the ending of `name` and nothing else."""
        folder = self._own(owner).parent
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        ending = Path(name).suffix.lower()
        return folder / f"incoming-{secrets.token_hex(8)}{ending if _SUFFIX.fullmatch(ending) else ''}"

    def add(self, owner: str, incoming: Path, name: str) -> Upload:
        """Take the bytes at `incoming` into the owner's index. Raises NoSpace, IndexBusy, IndexNotWritable."""
        read_ = read(incoming, name)
        refused = [one for one in read_ if isinstance(one, DocumentError)]
        documents = [one for one in read_ if isinstance(one, Document)]
        if not documents:
            return Upload((), (), (), tuple(refused))
        with self._writer(owner):
            report = build.put(self._own(owner), documents, self.shared.index.encoder)
        with suppress(MureumError):  # whoever asks will meet the same
            self.soon(self.answerer(owner, "own"))
        return Upload(tuple(report.added), tuple(report.changed), tuple(report.unchanged), (*refused, *report.refused))

    def remove(self, owner: str, document: str) -> None:
        """Forget one of the owner's documents. Raises DocumentNotFound, IndexMissing."""
        with self._writer(owner):
            build.remove(self._own(owner), [document], self.shared.index.encoder)

    def _own(self, owner: str) -> Path:
        return self._folder / owner / "index"

    def _opened_before(self, owner: str) -> Answerer | None:
        with self._lock:
            if owner in self._open:
                self._open.move_to_end(owner)
            return self._open.get(owner)

    def _keep_open(self, owner: str, answerer: Answerer) -> Answerer:
        with self._lock:
            self._open[owner] = answerer
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return answerer

    def _writer(self, owner: str) -> "_Lock":
        with self._lock:
            return self._writing.setdefault(owner, _Lock())

    def _opened(self, owner: str) -> Answerer:
        """The owner's index, made anew from its texts when another model or version built it."""
        folder, encoder = self._own(owner), self.shared.index.encoder
        try:
            try:
                index = Index(folder, encoder)
            except IndexMismatch:
                build.rebuild(folder, encoder)
                index = Index(folder, encoder)
        except IndexMissing as error:
            raise _none() from error
        weakref.finalize(index, index.catalogue.close)
        return self._open_answerer(index)


class _Lock:
    """A lock that can be referred to weakly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def document_name(name: str) -> str:
    """What an uploaded file's document is called: its name without folders and without letters that cannot be seen."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    return "".join(letter for letter in name if letter.isprintable()).strip()[:NAME_LETTERS]


def too_large(name: str) -> UploadTooLarge:
    """The error for a file with more bytes than are taken."""
    limit = f"{LIMIT >> 20} MiB"
    return UploadTooLarge(f"'{name}' is too large: at most {limit} are taken. Split it.", document=name, limit=limit)


def _none() -> NoOwnDocuments:
    return NoOwnDocuments("There are no documents of your own here yet. Add one, or ask the shared documents.")
