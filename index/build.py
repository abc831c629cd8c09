"""The main path of this package: from files to a searchable index.

add(folder, paths) → files_of → read → passages → encode, tokens → Catalogue.put → snapshot.load
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from index.catalogue import Catalogue, PassageRow
from index.encoder import Encoder
from index.errors import DocumentConflict, DocumentError, DocumentUnsupported
from index.passages import passages
from index.reading import files_of, read
from index.records import Document, Passage, Recipe
from index.snapshot import load, recipe_for, vectors_fault, vectors_path
from index.tokens import tokens

BATCH_PASSAGES = 128
"""Passages that are embedded together, over the borders of documents; what is stored is never more behind."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an `add` is: files read of all, documents and passages stored."""

    files: int
    all_files: int
    documents: int
    passages: int


@dataclass(slots=True)
class AddReport:
    """What an `add` did, by document name, and what it refused, each with its reason."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[DocumentError] = field(default_factory=list)


def add(
    folder: Path,
    paths: Sequence[Path],
    encoder: Encoder,
    progress: Callable[[Progress], None] = lambda _: None,
) -> AddReport:
    """Add files and folders to the index in `folder`, which is made when there is none.

    What is there unchanged is left alone; a changed file takes the place of its older self; what cannot be read is
    reported and hinders nothing else. Documents are stored one transaction each: whatever ends the process, those
    stored stay, and another `add` goes on with the rest. A file that is named twice is read once. Raises
    DocumentNotFound before anything is written, IndexMismatch, IndexBusy, IndexNotWritable, NoSpace.
    """
    files = list(dict.fromkeys(chain.from_iterable(files_of(path) for path in paths)))
    report = AddReport()
    if not files:
        named = ", ".join(f"'{path}'" for path in paths)
        report.refused.append(
            DocumentUnsupported(f"{named} holds no document that can be read.", document=named, suffixes="")
        )
        return report
    catalogue = Catalogue.create(folder, recipe_for(encoder))
    try:
        stored = 0
        for number, batch in _batches(catalogue, files, encoder, report):
            for (document, _), (_, rows) in zip(batch, _embed(batch, encoder), strict=True):
                catalogue.put(document, rows)
                stored += len(rows)
            done = len(report.added) + len(report.changed) + len(report.unchanged)
            progress(Progress(number, len(files), done, stored))
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
    count = documents = stored = 0

    def made_anew(document: Document) -> list[PassageRow]:
        nonlocal documents, stored
        [(_, rows)] = _embed([(document, passages(document, encoder.count_tokens))], encoder)
        documents, stored = documents + 1, stored + len(rows)
        progress(Progress(documents, max(count, documents), documents, stored))
        return rows

    try:
        count = len(catalogue.digests())
        catalogue.replace_all(recipe_for(encoder), made_anew)
        load(catalogue)
    finally:
        catalogue.close()
    return documents


def verify(folder: Path, recipe: Recipe) -> list[str]:
    """What is wrong with an index, a line each; empty when it is whole."""
    catalogue = Catalogue.open(folder, recipe)
    try:
        faults = catalogue.check()
        state = catalogue.state()
        fault = vectors_fault(catalogue, state)
        if fault not in ("", "missing"):  # it is made when it is first wanted: that it is not there is no fault
            faults.append(f"{vectors_path(catalogue, state).name} is {fault}; the next start makes it anew")
        return faults
    finally:
        catalogue.close()


Work = tuple[Document, list[Passage]]


def _batches(
    catalogue: Catalogue, files: Iterable[tuple[Path, str]], encoder: Encoder, report: AddReport
) -> Iterator[tuple[int, list[Work]]]:
    """New and changed documents with their passages, in lots worth embedding together, after how many files."""
    known = catalogue.digests()
    seen: dict[str, tuple[str, str]] = {}
    lot: list[Work] = []
    number = 0
    for number, (path, name) in enumerate(files, start=1):
        for document in read(path, name):
            if isinstance(document, DocumentError):
                report.refused.append(document)
            elif _is_news(catalogue, document, known, seen, report):
                lot.append((document, passages(document, encoder.count_tokens)))
                if sum(len(parts) for _, parts in lot) >= BATCH_PASSAGES:
                    yield number, lot
                    lot = []
    yield number, lot


def _is_news(
    catalogue: Catalogue,
    document: Document,
    known: dict[str, tuple[str, str]],
    seen: dict[str, tuple[str, str]],
    report: AddReport,
) -> bool:
    """Whether a document has to be embedded; notes in the report what becomes of it."""
    this = (document.digest, document.source)
    if seen.get(document.name) == this:  # named twice, or a line that a JSONL file repeats
        return False
    digest, source = seen.get(document.name) or known.get(document.name, ("", ""))
    elsewhere = source not in ("", document.source) and digest != document.digest and Path(source).exists()
    if document.name in seen or elsewhere:
        report.refused.append(
            DocumentConflict(
                f"'{document.name}' is already the name of another document (from '{source}'). "
                "Add the folder above both, or rename one.",
                document=document.name,
                source=source,
            )
        )
        return False
    seen[document.name] = this
    if digest == document.digest:
        if source != document.source:
            catalogue.move(document.name, document.source)
        report.unchanged.append(document.name)
        return False
    (report.changed if digest else report.added).append(document.name)
    return True


def _embed(lot: Sequence[Work], encoder: Encoder) -> Iterator[tuple[str, list[PassageRow]]]:
    """For each document its name and its passages with vectors and tokens, all embedded together."""
    if not lot:
        return
    texts = [document.text[part.start : part.end] for document, parts in lot for part in parts]
    ranges = [
        [(start - part.start, end - part.start) for start, end in part.sentences] for _, parts in lot for part in parts
    ]
    vectors, sentence_vectors = encoder.encode_passages(texts, ranges)
    row = 0
    for document, parts in lot:
        rows = []
        for part in parts:
            rows.append(PassageRow(part, tokens(texts[row]), vectors[row], sentence_vectors[row]))
            row += 1
        yield document.name, rows
