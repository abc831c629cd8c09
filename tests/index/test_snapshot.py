"""An index as it is read: it follows the catalogue, mends its FAISS file, and old snapshots stay true."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import build, derived, snapshot
from index.catalogue import Catalogue
from index.derived import Derived
from index.errors import DocumentNotFound, IndexDamaged, IndexMissing
from index.fake import FakeEncoder
from index.reading import document
from index.records import Recipe
from index.snapshot import Index, recipe_for
from index.tokens import tokens

OLD, NEW = "루닛의 의장이 발표했다.", "정부가 기업을 지원한다. 새 문장이 하나 더 있다."


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text(OLD, "utf-8")
    (folder / "b.txt").write_text("날씨가 맑다.", "utf-8")
    return folder


@pytest.fixture
def folder(files: Path, tmp_path: Path) -> Path:
    build.add(tmp_path / "색인", [files], FakeEncoder())
    return tmp_path / "색인"


@pytest.fixture
def index(folder: Path) -> Iterator[Index]:
    with closing(Index(folder, FakeEncoder())) as opened:
        yield opened


def derived_folder(folder: Path) -> Path:
    [path] = folder.glob("derived-*")
    return path


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in derived_folder(folder).iterdir()}


def nearest(index: Index, question: str) -> str:
    now = index.snapshot()
    [number], [score] = now.vectors.search(index.encoder.encode_question(question), 1)
    assert 0 < score <= 1 + 1e-6
    passage = now.passages[now.rows[int(number)]]
    return now.quote(passage.document, passage.start, passage.end)


def test_the_rows_of_a_snapshot_belong_together(index: Index) -> None:
    now = index.snapshot()
    assert index.snapshot() is now
    assert (len(now.ids), len(now.passages), now.vectors.count) == (2, 2, 2)
    for row, (number, passage) in enumerate(zip(now.ids, now.passages, strict=True)):
        text = now.text(passage.document)
        assert now.rows[number] == row
        assert now.lexical.scores(tokens(text)).argmax() == row
        assert np.allclose(now.vectors.vectors(np.array([number]))[0], index.encoder.encode_question(text))
        assert now.sentence_vectors([number])[number].shape == (1, index.encoder.size)
    assert nearest(index, "의장은 누구인가") == OLD
    assert (index.text("a.txt"), index.quote("a.txt", 0, 2)) == (OLD, "루닛")
    with pytest.raises(DocumentNotFound):
        index.text("gone.txt")


def test_it_follows_a_change_while_an_old_snapshot_still_answers(index: Index, files: Path) -> None:
    old = index.snapshot()
    (files / "a.txt").write_text(NEW, "utf-8")
    build.add(index.folder, [files], FakeEncoder())
    build.remove(index.folder, ["b.txt"], FakeEncoder())
    assert [old.text(name) for name in ("a.txt", "b.txt")] == [OLD, "날씨가 맑다."]  # read only now
    assert index.text("a.txt") == OLD
    assert sorted(old.sentence_vectors(old.ids)) == list(old.ids)
    new = index.snapshot()
    assert new.state == old.state + 2
    assert [passage.document for passage in new.passages] == ["a.txt"]
    assert new.text("a.txt") == index.text("a.txt") == NEW
    assert old.text("a.txt") == OLD
    assert nearest(index, "정부가 무엇을 하나") == NEW


def test_a_snapshot_that_nobody_holds_lets_go_of_its_files(index: Index) -> None:
    old = index.snapshot().catalogue
    build.remove(index.folder, ["b.txt"], FakeEncoder())
    index.snapshot()
    gc.collect()
    with pytest.raises(IndexDamaged, match="closed"):
        old.state()


def test_a_change_in_the_midst_of_loading_is_not_seen_by_half(
    folder: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(derived_folder(folder))
    make = Derived.make

    def interrupted(catalogue: Catalogue) -> Derived:
        one = document("c.txt", "그 사이에 들어온 문서이다.")
        monkeypatch.setattr(Derived, "make", make)
        with closing(Catalogue.open(folder, recipe_for(FakeEncoder()))) as other:
            other.put(one, [])
        build.rebuild(folder, FakeEncoder())
        return make(catalogue)

    monkeypatch.setattr(Derived, "make", interrupted)
    with closing(Index(folder, FakeEncoder())) as index:
        then = index._snapshot
        assert len(then.ids) == then.vectors.count == len(then.lexical.scores(["x"])) == len(then.passages) == 2
        now = index.snapshot()
        assert len(now.ids) == now.vectors.count == len(now.lexical.scores(["x"])) == len(now.passages) == 3


def test_it_opens_while_another_process_writes(folder: Path) -> None:
    with closing(Catalogue.open(folder, recipe_for(FakeEncoder()))) as writer:
        with writer._change():
            writer.run("DELETE FROM documents")
            with closing(Index(folder, FakeEncoder())) as index:
                assert len(index.snapshot().ids) == 2
        assert writer.documents() == []


# --- what is derived


def test_reopening_encodes_nothing_and_makes_nothing(folder: Path) -> None:
    encoder, before = FakeEncoder(), times(folder)
    with closing(Index(folder, encoder)) as index:
        assert nearest(index, "의장") == OLD
    assert encoder.encoded == 0
    assert times(folder) == before


@pytest.mark.parametrize("name", ["vectors.faiss", "rows", "words.json", "ids", "manifest.json"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_file_is_made_anew_without_encoding(damage: str, name: str, folder: Path) -> None:
    path = derived_folder(folder) / name
    good = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(good[:-5] + bytes([good[-5] ^ 1]) + good[-4:])
    elif damage == "cut":
        path.write_bytes(good[:5])
    else:
        path.unlink()
    assert build.verify(folder, recipe_for(FakeEncoder())) == [
        f"{path.parent.name} is damaged; the next start makes it anew"
    ]
    encoder = FakeEncoder()
    with closing(Index(folder, encoder)) as index:
        assert nearest(index, "의장") == OLD
    assert encoder.encoded == 0
    assert path.read_bytes() == good
    assert build.verify(folder, recipe_for(FakeEncoder())) == []


def test_what_is_replaced_while_it_is_looked_at_is_no_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Index(folder, FakeEncoder()).close()
    mine, looked, fault = derived_folder(folder), [], derived.fault

    def replaced(found: Path | None, recipe: Recipe) -> str:
        looked.append(found)
        if len(looked) == 1:  # another process has made the same state
            shutil.copytree(mine, folder / "copy")
            shutil.rmtree(mine)
            (folder / "copy").rename(mine)
            return "damaged"
        return fault(found, recipe)

    monkeypatch.setattr(derived, "fault", replaced)
    assert build.verify(folder, recipe_for(FakeEncoder())) == []
    assert looked == [mine, mine]


def test_an_older_state_goes_in_one_step(folder: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is emptied file by file has no longer the name by which others look for it."""
    Index(folder, FakeEncoder()).close()
    before, emptied, rmtree = derived_folder(folder), [], shutil.rmtree

    def emptying(path: Path, ignore_errors: bool = False) -> None:
        emptied.append(Path(path))
        rmtree(path, ignore_errors=ignore_errors)

    (files / "more.txt").write_text("하나 더 있다.", "utf-8")
    monkeypatch.setattr("index.derived.shutil.rmtree", emptying)
    build.add(folder, [files], FakeEncoder())
    Index(folder, FakeEncoder()).close()
    assert derived_folder(folder) != before and not before.exists()
    assert emptied and all(path.name.startswith(".") for path in emptied)


def test_it_is_made_when_it_is_first_wanted(folder: Path) -> None:
    shutil.rmtree(derived_folder(folder))
    assert build.verify(folder, recipe_for(FakeEncoder())) == []
    Index(folder, FakeEncoder()).close()
    assert derived_folder(folder).is_dir()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(13, "Permission denied")])
def test_where_it_cannot_be_kept_the_index_works(
    error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise error

    shutil.rmtree(derived_folder(folder))
    monkeypatch.setattr("index.lexical.Postings.save", refused)
    with closing(Index(folder, FakeEncoder())) as index:
        assert nearest(index, "의장") == OLD
    assert not list(folder.glob("*derived-*"))


def test_folders_of_older_states_and_of_killed_processes_are_cleaned_up(folder: Path, files: Path) -> None:
    (folder / ".derived-1.k1ll3d").mkdir()
    (folder / "vectors-1.faiss").write_bytes(b"of an older program")
    old = derived_folder(folder)
    (files / "c.txt").write_text("셋째 문서", "utf-8")
    build.add(folder, [files], FakeEncoder())
    assert derived_folder(folder) != old
    assert {path.name for path in folder.iterdir()} == {"catalogue.sqlite", derived_folder(folder).name}


def test_what_another_process_is_making_stays(folder: Path, files: Path) -> None:
    making = folder / f".derived-9.{os.getppid()}.at_work"
    making.mkdir()
    (files / "c.txt").write_text("셋째 문서", "utf-8")
    build.add(folder, [files], FakeEncoder())
    assert making.is_dir()
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    making.rename(folder / f".derived-9.{gone.pid}.killed")
    (files / "d.txt").write_text("넷째 문서", "utf-8")
    build.add(folder, [files], FakeEncoder())
    assert not list(folder.glob(".derived-*"))


def test_in_a_large_index_changes_lie_over_what_is_derived(
    folder: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SMALL", 0)
    monkeypatch.setattr(snapshot, "CHANGED", 1)
    before = times(folder)
    (files / "a.txt").write_text(NEW, "utf-8")
    (files / "c.txt").write_text("셋째 문서에 의장이 나온다. An English sentence.", "utf-8")
    build.add(folder, [files], FakeEncoder())
    assert times(folder) == before
    with closing(Index(folder, FakeEncoder())) as index:
        over = index.snapshot()
        assert nearest(index, "정부가 무엇을 하나") == NEW
        monkeypatch.setattr(snapshot, "SMALL", 10)
        anew = snapshot.load(Catalogue.open(folder, recipe_for(FakeEncoder())))
        assert times(folder).keys() == before.keys()
        assert times(folder) != before
        for question in ("의장", "문장", "없는 말"):
            words, vector = tokens(question), index.encoder.encode_question(question)
            assert over.lexical.scores(words) == pytest.approx(anew.lexical.scores(words))
            found, wanted = (dict(zip(*one.vectors.search(vector, 9), strict=True)) for one in (over, anew))
            assert found == pytest.approx(wanted)
        assert (over.ids, over.languages, over.counts) == (anew.ids, anew.languages, anew.counts)
        assert list(over.passages) == list(anew.passages) == [over.passages[row] for row in range(3)]
        anew.catalogue.close()


def test_an_index_without_documents_opens(folder: Path) -> None:
    build.remove(folder, ["a.txt", "b.txt"], FakeEncoder())
    with closing(Index(folder, FakeEncoder())) as index:
        now = index.snapshot()
        assert (list(now.ids), now.vectors.count, now.lexical.scores(["a"]).shape) == ([], 0, (0,))


def test_no_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        Index(tmp_path / "none", FakeEncoder())
