"""The main path of this package: from files to a searchable index.

add(folder, paths) → files_of → read → passages → encode, tokens → Catalogue.put → snapshot.load
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from index.catalogue import Catalogue
from index.encoder import Encoder
from index.errors import DocumentConflict, DocumentError, DocumentNotFound, DocumentUnsupported
from index.inspection import check
from index.passages import passages
from index.reading import files_of, read
from index.records import Document, Passage, Recipe
from index.rows import PassageRow
from index.sentences import language
from index.snapshot import derived_fault, load, recipe_for
from index.tokens import tokens

BATCH_PASSAGES = 128
"""Passages that are embedded together, over the borders of documents; what is stored is never more behind."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an `add` or a `rebuild` is.

    files, all_files: read, of all (of a rebuild: documents).
    documents, passages: dealt with, and newly stored.
    bytes, all_bytes, new_bytes: of the files read, of all files, and of the documents that were embedded.
    seconds: since the beginning.
    """

    files: int
    all_files: int
    documents: int
    passages: int
    bytes: int = field(default=0, compare=False)
    all_bytes: int = field(default=0, compare=False)
    new_bytes: int = field(default=0, compare=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def rate(self) -> float:
        """Passages stored a second; 0 while there is none."""
        return self.passages / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At most so long, if all that is left is new and goes on at the same rate; None while that is not known."""
        if self.bytes >= self.all_bytes:
            return 0.0
        return self.seconds * (self.all_bytes - self.bytes) / self.new_bytes if self.new_bytes else None


@dataclass(slots=True)
class AddReport:
    """What an `add` did, by document name, and what it refused, each with its reason.

    removed: documents whose file, or whose line of a JSONL file, is gone. A renamed file is added under its new name,
    without being embedded again, and removed under its old one.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[DocumentError] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def add(
    folder: Path,
    paths: Sequence[Path],
    encoder: Encoder,
    progress: Callable[[Progress], None] = lambda _: None,
) -> AddReport:
    """Add files and folders to the index in `folder`, which is made when there is none.

    What is there unchanged is left alone; a changed file takes the place of its older self; what is gone from a folder
    that is added again is forgotten; a text that the index has already is not embedded again. What cannot be read is
    reported and hinders nothing else. Documents are stored one transaction each: whatever ends the process, those
    stored stay, and another `add` goes on with the rest. A file that is named twice is read once. Raises
    DocumentNotFound before anything is written, IndexMismatch, IndexBusy, IndexNotWritable, NoSpace.
    """
    files = list(dict.fromkeys(chain.from_iterable(files_of(path) for path in paths)))
    report = AddReport()
    if not files:  # which is also what a drive looks like that is not there today: nothing is forgotten
        named = ", ".join(f"'{path}'" for path in paths)
        report.refused.append(
            DocumentUnsupported(f"{named} holds no document that can be read.", document=named, suffixes="")
        )
        return report
    catalogue = Catalogue.create(folder, recipe_for(encoder))
    try:
        intake = _Intake(catalogue, files, report)
        for lot in _embedded(intake.news(), encoder):
            for document, rows in lot:
                catalogue.put(document, rows)
                intake.stored(document, len(rows))
            progress(intake.progress())
        intake.forget_gone([path.resolve() for path in paths])
        progress(intake.progress())
        load(catalogue)
    finally:
        catalogue.close()
    return report


def put(folder: Path, documents: Iterable[Document], encoder: Encoder) -> AddReport:
    """Add documents that come from no file of their own, as `add` does; none is ever taken to be gone or renamed.

    Raises IndexMismatch, IndexBusy, IndexNotWritable, NoSpace.
    """
    report = AddReport()
    catalogue = Catalogue.create(folder, recipe_for(encoder))
    try:
        intake = _Intake(catalogue, [], report)
        news = chain.from_iterable(intake.news_of(replace(document, source="")) for document in documents)
        for lot in _embedded(news, encoder):
            for document, rows in lot:
                catalogue.put(document, rows)
                intake.stored(document, len(rows))
        load(catalogue)
    finally:
        catalogue.close()
    return report


def remove(folder: Path, names: Sequence[str], encoder: Encoder) -> None:
    """Forget documents by name, all or none. Raises DocumentNotFound."""
    catalogue = Catalogue.open(folder, recipe_for(encoder))
    try:
        catalogue.remove(names)
        load(catalogue)
    finally:
        catalogue.close()


def rebuild(folder: Path, encoder: Encoder, progress: Callable[[Progress], None] = lambda _: None) -> int:
    """Make everything anew from the stored texts, with this program and this model; how many documents.

    The old state stays until the new one is whole; nothing else can be written meanwhile.
    """
    catalogue = Catalogue.open_any(folder)
    begin = time.monotonic()
    count = all_bytes = 0

    def made_anew(documents: Iterable[Document]) -> Iterator[tuple[Document, list[PassageRow]]]:
        done = stored = size = 0
        for lot in _embedded(documents, encoder):
            yield from lot
            done, stored = done + len(lot), stored + sum(len(rows) for _, rows in lot)
            size += sum(_bytes(document) for document, _ in lot)
            progress(Progress(done, count, done, stored, size, all_bytes, size, time.monotonic() - begin))

    try:
        known = catalogue.documents()
        count, all_bytes = len(known), sum(one.bytes for one in known)
        documents = catalogue.replace_all(recipe_for(encoder), made_anew)
        load(catalogue)
    finally:
        catalogue.close()
    return documents


def verify(folder: Path, recipe: Recipe) -> list[str]:
    """What is wrong with an index, a line each; empty when it is whole."""
    catalogue = Catalogue.open(folder, recipe)
    try:
        catalogue.pin()  # what others write meanwhile is no fault
        faults = check(catalogue)
        fault = derived_fault(catalogue)
        return [*faults, fault] if fault else faults
    finally:
        catalogue.close()


class _Intake:
    """The documents of an `add` on their way in: which are news, and what becomes of the others."""

    def __init__(self, catalogue: Catalogue, files: Sequence[tuple[Path, str]], report: AddReport) -> None:
        self._catalogue = catalogue
        self._files = files
        self._report = report
        self._known = catalogue.digests()
        self._names = {digest: name for name, (digest, _) in self._known.items()}
        self._seen: dict[str, tuple[str, str]] = {}
        self._whole: set[str] = set()  # sources of several documents that were read without a fault
        self._sizes = [_size(path) for path, _ in files]
        self._read = self._documents = self._passages = self._new_bytes = self._bytes = 0
        self._begin = time.monotonic()

    def news(self) -> Iterator[Document]:
        """The documents that have to be embedded, in the order of the files."""
        for (path, name), size in zip(self._files, self._sizes, strict=True):
            found = read(path, name)
            before = self._bytes
            for document in found:
                if isinstance(document, DocumentError):
                    self._report.refused.append(document)
                    continue
                self._bytes = min(self._bytes + _bytes(document), before + size)
                yield from self.news_of(document)
            if path.suffix.lower() == ".jsonl" and all(isinstance(one, Document) for one in found):
                self._whole.update(one.source for one in found if isinstance(one, Document))
            self._read, self._bytes = self._read + 1, before + size

    def news_of(self, document: Document) -> Iterator[Document]:
        """The document, where it has to be embedded."""
        if self._is_news(document):
            if self._is_copy(document):
                self._documents += 1
            else:
                yield document

    def stored(self, document: Document, passages: int) -> None:
        """A document is in the catalogue now."""
        self._names[document.digest] = document.name
        self._documents += 1
        self._passages += passages
        self._new_bytes += _bytes(document)

    def forget_gone(self, roots: Sequence[Path]) -> None:
        """Forget the documents below `roots`, and the old names of renamed ones, whose file or line is gone."""
        fresh = {self._seen[name][0] for name in self._report.added}
        gone = []
        for name, (digest, source) in self._catalogue.digests().items():
            if name in self._seen or not source:
                continue
            below = any(Path(source).is_relative_to(root) for root in roots)
            if source in self._whole or ((below or digest in fresh) and _is_gone(Path(source))):
                gone.append(name)
        if gone:
            with suppress(DocumentNotFound):  # another process was faster; the next `add` sees to the rest
                self._catalogue.remove(gone)
                self._report.removed += gone

    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            self._read,
            len(self._files),
            self._documents + len(self._report.unchanged),
            self._passages,
            self._bytes,
            sum(self._sizes),
            self._new_bytes,
            time.monotonic() - self._begin,
        )

    def _is_news(self, document: Document) -> bool:
        """Whether a document has to be stored; notes in the report what becomes of it."""
        this = (document.digest, document.source)
        if self._seen.get(document.name) == this:  # named twice, or a line that a JSONL file repeats
            return False
        digest, source = self._seen.get(document.name) or self._known.get(document.name, ("", ""))
        elsewhere = source not in ("", document.source) and digest != document.digest and Path(source).exists()
        if document.name in self._seen or elsewhere:
            place = f" (from '{source}')" if source else ""
            self._report.refused.append(
                DocumentConflict(
                    f"'{document.name}' is already the name of another document{place}. "
                    "Add the folder above both, or rename one.",
                    document=document.name,
                    source=source,
                )
            )
            return False
        self._seen[document.name] = this
        if digest == document.digest:
            if source != document.source:
                self._catalogue.move(document.name, document.source)
            self._report.unchanged.append(document.name)
            return False
        (self._report.changed if digest else self._report.added).append(document.name)
        return True

    def _is_copy(self, document: Document) -> bool:
        """Whether the same text is in the catalogue under another name; it is then stored from there."""
        twin = self._names.get(document.digest)
        return twin is not None and self._catalogue.copy(twin, document)


def _embedded(documents: Iterable[Document], encoder: Encoder) -> Iterator[list[tuple[Document, list[PassageRow]]]]:
    """Documents with their passages, vectors and tokens, in order, in lots that are worth embedding together."""
    lot: list[tuple[Document, list[Passage]]] = []
    size = 0
    for document in documents:
        lot.append((document, passages(document, encoder.count_tokens)))
        size += len(lot[-1][1])
        if size >= BATCH_PASSAGES:
            yield _embed(lot, encoder)
            lot, size = [], 0
    if lot:
        yield _embed(lot, encoder)


def _embed(lot: Sequence[tuple[Document, list[Passage]]], encoder: Encoder) -> list[tuple[Document, list[PassageRow]]]:
    """The lot's passages, all embedded together; of documents with the same text only the first."""
    first = {document.digest: (document, parts) for document, parts in reversed(lot)}
    pieces = [(document.text, part) for document, parts in first.values() for part in parts]
    texts = [text[part.start : part.end] for text, part in pieces]
    ranges = [[(start - part.start, end - part.start) for start, end in part.sentences] for _, part in pieces]
    made = iter(zip(texts, *encoder.encode_in_full(texts, ranges), strict=True))
    rows = {
        digest: [
            PassageRow(part, tokens(text), vector, sentences, words, language(text))
            for part, (text, vector, sentences, words) in zip(parts, made, strict=False)
        ]
        for digest, (_, parts) in first.items()
    }
    return [
        (
            document,
            [replace(row, passage=replace(row.passage, document=document.name)) for row in rows[document.digest]],
        )
        for document, _ in lot
    ]


def _bytes(document: Document) -> int:
    return len(document.text.encode())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_gone(path: Path) -> bool:
    """Whether a file is surely not there: one that may only not be looked at is none."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False
