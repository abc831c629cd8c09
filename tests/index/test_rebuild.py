"""Removing and rebuilding, and two processes at once; killed ones are in test_survival.py."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import build, schema
from index.build import Progress
from index.catalogue import Catalogue
from index.encoder import Vectors
from index.errors import DocumentNotFound, IndexBusy, IndexMismatch, NoSpace
from index.fake import FakeEncoder
from index.records import Document, Span
from index.rows import PassageRow
from index.snapshot import Index
from tests.index.stored import RECIPE, assert_every_document_whole, content, many, texts

ROOT = Path(__file__).parents[2]


def test_removing_is_all_or_nothing(files: Path, folder: Path) -> None:
    build.add(folder, [files], FakeEncoder())
    with pytest.raises(DocumentNotFound, match="'gone'"):
        build.remove(folder, ["가.txt", "gone"], FakeEncoder())
    assert len(texts(folder)) == 4
    build.remove(folder, ["가.txt", "j1", "j1"], FakeEncoder())
    assert sorted(texts(folder)) == ["j2", "sub/b.md"]
    assert build.verify(folder, RECIPE) == []


def test_a_rebuilt_index_equals_a_fresh_one(files: Path, folder: Path, tmp_path: Path) -> None:
    build.add(folder, [files / "가.txt"], FakeEncoder("old model"))
    with pytest.raises(IndexMismatch, match="mureum index rebuild"):
        build.add(folder, [files], FakeEncoder())
    seen: list[Progress] = []
    assert build.rebuild(folder, FakeEncoder(), seen.append) == 1
    assert seen == [Progress(1, 1, 1, 1)]
    build.add(folder, [files], FakeEncoder())
    build.rebuild(folder, FakeEncoder())
    build.add(tmp_path / "fresh", [files], FakeEncoder())
    assert content(folder) == content(tmp_path / "fresh")
    assert build.verify(folder, RECIPE) == []


class Meddler(FakeEncoder):
    """While it encodes, another connection tries to add a document, or the power goes."""

    def __init__(self, folder: Path, stop: bool) -> None:
        super().__init__()
        self.folder, self.stop = folder, stop

    def encode_passages(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        if self.stop:
            raise KeyboardInterrupt
        with closing(Catalogue.open(self.folder, RECIPE)) as other, pytest.raises(IndexBusy):
            other.put(Document("meanwhile", "", "text", "", ""), [])
        return super().encode_passages(texts, sentences)


def test_nothing_is_written_while_an_index_is_rebuilt(
    files: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.01)
    build.add(folder, [files], FakeEncoder())
    before = content(folder)
    with pytest.raises(KeyboardInterrupt):
        build.rebuild(folder, Meddler(folder, stop=True))
    assert content(folder) == before
    assert build.rebuild(folder, Meddler(folder, stop=False)) == 4
    assert content(folder) == before


def test_a_disk_that_fills_up_keeps_what_is_stored(files: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "BATCH_PASSAGES", 1)
    put = Catalogue.put

    def small(self: Catalogue, document: Document, rows: Sequence[PassageRow]) -> None:
        if document.name == "sub/b.md":
            self.run(f"PRAGMA max_page_count = {self.run('PRAGMA page_count')[0][0]}")
            document = Document(document.name, "", "x" * 100_000, "", document.digest)
        put(self, document, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Catalogue, "put", small)
        with pytest.raises(NoSpace):
            build.add(folder, [files], FakeEncoder())
    assert sorted(texts(folder)) == ["j1", "j2"]
    assert build.verify(folder, RECIPE) == []
    report = build.add(folder, [files], FakeEncoder())
    assert (report.unchanged, report.added) == (["j1", "j2"], ["sub/b.md", "가.txt"])


# --- other processes

CHILD = """
import sys
from pathlib import Path
from index import build
from index.fake import FakeEncoder
build.tokens = str.split  # the real analyser takes a second to load
build.BATCH_PASSAGES = 1  # a transaction at a time
print("ready", flush=True)
sys.stdin.readline()
build.add(Path(sys.argv[1]), [Path(sys.argv[2])], FakeEncoder(), lambda step: print(step.documents, flush=True))
"""


def start(folder: Path, files: Path) -> "subprocess.Popen[str]":
    """A process that waits for a line and then adds `files`, telling of every document."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(files)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def test_two_processes_add_at_once(folder: Path, tmp_path: Path) -> None:
    files = many(tmp_path / "files", 15, "d")
    with start(folder, files) as one, start(folder, files) as two:
        for process in (one, two):
            go(process)
        assert (one.wait(120), two.wait(120)) == (0, 0)
        assert one.stdout and two.stdout
        assert one.stdout.read().split()[-1] == two.stdout.read().split()[-1] == "15"
    assert assert_every_document_whole(folder, files) == 15
    encoder = FakeEncoder()
    with closing(Index(folder, encoder)) as index:
        now = index.snapshot()
        stored = index.catalogue.vectors()
        assert np.array_equal(now.vectors.vectors(np.array(now.ids)), stored)
    assert encoder.encoded == 0
