"""What an index survives: SIGKILL at any point, damaged bytes in any file, a full disk."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from index import build
from index.catalogue import Catalogue
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, MureumError
from index.fake import FakeEncoder
from index.snapshot import Index, recipe_for
from rag.retrieval import search

ROOT = Path(__file__).parents[2]
RECIPE = recipe_for(FakeEncoder())

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")


class Survivor:
    """The other process: see survivor.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.index.survivor"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def run(
        self,
        what: str,
        folder: Path,
        argument: object,
        seconds: float | None = None,
        limit: int | None = None,
        end: signal.Signals = signal.SIGKILL,
    ) -> list[str]:
        """What it said; ended by a signal after `seconds`."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([what, str(folder), str(argument), seconds, limit, end]) + "\n")
        self._process.stdin.flush()
        said = []
        while not (line := self._line()).startswith("end"):
            said.append(line)
        code = int(line.split()[1])
        ended = seconds is not None and (code == -end or "interrupted" in said)
        assert code == 0 or ended or said[-1].startswith("error")
        return said

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        return line.rstrip("\n")


@pytest.fixture(scope="module")
def survivor() -> Iterator[Survivor]:
    with closing(Survivor()) as process:
        yield process


def text_of(name: str, version: int) -> str:
    return " ".join(f"Sentence {part} of {name} in version {version}." for part in range(40))


def write(files: Path, versions: dict[str, int]) -> None:
    files.mkdir(exist_ok=True)
    for name, version in versions.items():
        (files / name).write_text(text_of(name, version), "utf-8")


def stored(folder: Path) -> dict[str, str]:
    with closing(Catalogue.open_any(folder)) as opened:
        return {one.name: opened.document(one.name).text for one in opened.documents()}


def assert_whole(folder: Path, encoder: FakeEncoder) -> None:
    """Nothing is wrong with it, and it opens without anything being encoded."""
    assert build.verify(folder, recipe_for(encoder)) == []
    with closing(Index(folder, encoder)) as index:
        now = index.snapshot()
        assert np.array_equal(now.vectors.vectors(np.array(now.ids, np.int64)), now.catalogue.vectors())
        assert {passage.document for passage in now.passages} == set(stored(folder))
    assert encoder.encoded == 0


# --- SIGKILL: 20 + 10 + 20 points


def test_killed_while_adding(survivor: Survivor, tmp_path: Path) -> None:
    files, folder, chance = tmp_path / "files", tmp_path / "index", random.Random(1)
    versions = {f"d{number:02}.txt": 0 for number in range(12)}
    write(files, versions)
    begin = time.monotonic()
    assert len(survivor.run("add", tmp_path / "whole", files)) == 13
    whole = time.monotonic() - begin
    kept: dict[str, str] = {}
    for step in range(20):
        said = survivor.run("add", folder, files, seconds=chance.random() * whole)
        told = {line.split()[1] for line in said if line.startswith("stored")}
        try:
            now = stored(folder)
        except IndexMissing:
            assert not told and not kept
            continue
        assert_whole(folder, FakeEncoder())
        for name in told:
            assert now[name] == text_of(name, versions[name])
        assert all(now[name] in (before, text_of(name, versions[name])) for name, before in kept.items())
        kept = now
        for name in chance.sample(sorted(versions), 4 if step % 2 else 0):
            versions[name] += 1
        write(files, versions)
    assert survivor.run("add", folder, files)[-1] == "done"
    assert stored(folder) == {name: text_of(name, version) for name, version in versions.items()}
    assert_whole(folder, FakeEncoder())
    assert not list(folder.glob(".*"))


def test_killed_while_removing(survivor: Survivor, tmp_path: Path) -> None:
    files, folder, chance = tmp_path / "files", tmp_path / "index", random.Random(2)
    write(files, {f"d{number:02}.txt": 0 for number in range(12)})
    survivor.run("add", folder, files)
    begin = time.monotonic()
    survivor.run("remove", folder, "d00.txt d01.txt")
    whole = time.monotonic() - begin
    for _ in range(10):
        before = set(stored(folder))
        if len(before) < 4:
            survivor.run("add", folder, files)
            before = set(stored(folder))
        names = set(chance.sample(sorted(before), 2))
        said = survivor.run("remove", folder, " ".join(names), seconds=chance.random() * whole)
        assert set(stored(folder)) in ((before - names,) if "done" in said else (before, before - names))
        assert_whole(folder, FakeEncoder())


def test_killed_while_rebuilding(survivor: Survivor, tmp_path: Path) -> None:
    files, folder, chance = tmp_path / "files", tmp_path / "index", random.Random(3)
    write(files, {f"d{number:02}.txt": 0 for number in range(12)})
    survivor.run("add", folder, files)
    before, model = stored(folder), "fake"
    begin = time.monotonic()
    survivor.run("rebuild", folder, model)
    whole = time.monotonic() - begin
    for step in range(20):
        other = f"fake {step}"
        said = survivor.run("rebuild", folder, other, seconds=chance.random() * whole)
        with closing(Catalogue.open_any(folder)) as opened:
            assert opened.recipe.encoder in ((other,) if "done" in said else (model, other))
            model = opened.recipe.encoder
        assert stored(folder) == before
        assert_whole(folder, FakeEncoder(model))


# --- Ctrl-C, and reading meanwhile


def test_ctrl_c_while_adding_keeps_what_is_stored_and_the_rest_follows(survivor: Survivor, tmp_path: Path) -> None:
    files, folder, chance = tmp_path / "files", tmp_path / "index", random.Random(4)
    versions = {f"d{number:02}.txt": 0 for number in range(12)}
    write(files, versions)
    begin = time.monotonic()
    survivor.run("add", tmp_path / "whole", files)
    whole = time.monotonic() - begin
    kept: set[str] = set()
    for _ in range(8):
        said = survivor.run("add", folder, files, seconds=chance.random() * whole / 2, end=signal.SIGINT)
        told = {line.split()[1] for line in said if line.startswith("stored")}
        assert not told & kept  # what is there is not encoded again
        kept |= told
        try:
            assert kept <= set(stored(folder))
        except IndexMissing:
            assert not kept
            continue
        kept = set(stored(folder))
        assert_whole(folder, FakeEncoder())
    assert survivor.run("add", folder, files)[-1] == "done"
    assert set(stored(folder)) == set(versions)


def test_who_reads_meanwhile_sees_whole_states_alone(survivor: Survivor, tmp_path: Path) -> None:
    """Another process changes every document again and again, and this one asks."""
    files, folder = tmp_path / "files", tmp_path / "index"
    write(files, {f"d{number:02}.txt": 0 for number in range(6)})
    survivor.run("add", folder, files)
    states: set[int] = set()
    with closing(Index(folder, FakeEncoder())) as index, ThreadPoolExecutor(1) as pool:
        for version in range(1, 5):
            write(files, {f"d{number:02}.txt": version for number in range(6)})
            work = pool.submit(survivor.run, "add", folder, files)
            while not work.done():
                now = index.snapshot()
                states.add(now.state)
                assert {passage.document for passage in now.passages} == set(now.documents) == set(stored(folder))
                assert build.verify(folder, RECIPE) == []
                hits = search(index, "Which version has sentence 7?", 20, now)
                for text in {hit.passage.document: now.text(hit.passage.document) for hit in hits}.values():
                    assert len(set(re.findall(r"version \d", text))) == 1
            assert work.result()[-1] == "done"
        assert {re.findall(r"version (\d)", index.snapshot().text(name))[0] for name in stored(folder)} == {"4"}
    assert len(states) > 4


# --- damaged bytes


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    files = folder / "files"
    write(files, {f"d{number}.txt": number for number in range(4)})
    (files / "ko.txt").write_text("루닛의 의장이 발표했다. 정부가 기업을 지원한다.", "utf-8")
    build.add(folder / "index", [files], FakeEncoder())
    return folder / "index"


def read_all(folder: Path) -> list[object]:
    """All that an index can tell, as it is asked for by questions."""
    with closing(Index(folder, FakeEncoder())) as index:
        now = index.snapshot()
        parts, words = now.sentence_vectors(list(now.ids)), now.token_vectors(list(now.ids))
        question = index.encoder.encode_question("Which version has sentence 7?")
        ids, scores = now.vectors.search(question, 5)
        return [
            list(now.passages),
            list(now.languages),
            [now.text(passage.document) for passage in now.passages],
            [(parts[number].tolist(), words[number].tolist()) for number in now.ids],
            now.lexical.scores(["sentenc", "7", "version"]).tolist(),
            ([now.rows[number] for number in ids.tolist()], scores.tolist()),
            [(one.name, one.title, one.source, one.language) for one in index.catalogue.documents()],
        ]


def damages(data: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """The bytes with one flipped, cut off somewhere, or with a run of zeros."""
    for number in range(count):
        place = chance.randrange(len(data))
        if number % 5 == 0:
            yield data[:place]
        elif number % 5 == 1:
            length = min(chance.choice((1, 16, 512, 4096)), len(data) - place)
            yield data[:place] + bytes(length) + data[place + length :]
        else:
            yield data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def told(folder: Path) -> bool:
    """Whether `verify` finds something."""
    try:
        return bool(build.verify(folder, RECIPE))
    except (IndexDamaged, IndexMismatch, IndexMissing):
        return True


def test_a_damaged_file_is_told_or_mended_and_never_changes_what_is_read(good: Path, tmp_path: Path) -> None:
    wanted, chance, found = read_all(good), random.Random(7), 0
    for file in sorted(path for path in good.rglob("*") if path.is_file()):
        count = 100 if file.name == "catalogue.sqlite" else 5
        for number, damaged in enumerate(damages(file.read_bytes(), chance, count)):
            folder = tmp_path / f"{file.name}-{number}"
            shutil.copytree(good, folder)
            (folder / file.relative_to(good)).write_bytes(damaged)
            noticed = told(folder)
            try:
                assert read_all(folder) == wanted, folder
            except (IndexDamaged, IndexMismatch, IndexMissing) as error:
                assert noticed and "mureum index" in str(error), folder
                assert file.name == "catalogue.sqlite"
                found += 1
            else:
                assert file.name == "catalogue.sqlite" or not told(folder)
            shutil.rmtree(folder)
    assert found > 30


def test_damaged_passages_are_mended_by_a_rebuild(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(good, folder)
    with closing(Catalogue.open(folder, RECIPE)) as opened:
        opened.run("UPDATE vectors SET token_vectors = substr(token_vectors, 2)")
        opened.run("UPDATE passages SET start = 1 WHERE number = 0")
    assert told(folder)
    assert build.rebuild(folder, FakeEncoder()) == 5
    assert build.verify(folder, RECIPE) == []
    assert read_all(folder)[2:] == read_all(good)[2:]


# --- a full disk


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[bool]:
    """A disk of that many bytes in `folder`; False where none may be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and shutil.which("mount") and not subprocess.run(mount, capture_output=True).returncode
    try:
        yield bool(mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_costs_nothing_that_was_stored(survivor: Survivor, tmp_path: Path) -> None:
    files, folder = tmp_path / "files", tmp_path / "disk" / "index"
    versions = {f"d{number:02}.txt": 0 for number in range(60)}
    write(files, versions)
    with small_disk(tmp_path / "disk", 1 << 20) as mounted:
        limit = None if mounted else 400_000
        said = survivor.run("add", folder, files, limit=limit)
        told = [line.split()[1] for line in said if line.startswith("stored")]
        assert said[-1].startswith("error no-space" if mounted else "error index-not-writable")
        assert "'" + str(folder) + "'" in said[-1]
        assert 0 < len(told) < 60
        said = survivor.run("rebuild", folder, "another model", limit=limit)
        assert said[-1].startswith("error")
        if mounted:
            subprocess.run(["mount", "-o", "remount,size=20m", str(folder.parent)], check=True)
        assert build.verify(folder, RECIPE) == []
        assert set(told) <= set(stored(folder))
        assert survivor.run("add", folder, files)[-1] == "done"
        assert stored(folder) == {name: text_of(name, 0) for name in versions}
        assert_whole(folder, FakeEncoder())


def test_every_fault_says_what_to_do(good: Path, tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(5000))
    with pytest.raises(MureumError, match="mureum index"):
        Index(tmp_path, FakeEncoder())
