"""The same of an index whose vectors and words lie in files and of one that keeps them in Milvus (Lite)."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import build
from index.address import Address
from index.errors import StoreUnreachable, UsageError
from index.fake import FakeEncoder
from index.lexical import LexicalStore
from index.settings import index_folder
from index.snapshot import Index, Snapshot, recipe_for
from index.tokens import tokens

pytest.importorskip("pymilvus")

QUESTIONS = ("Who opened the bridge?", "의장은 누구인가", "sentence 7 of document 3", "nothing of the kind")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(6):
        text = " ".join(f"Sentence {part} of document {number}." for part in range(60))
        (folder / f"d{number}.txt").write_text(text, "utf-8")
    (folder / "bridge.txt").write_text("The bridge opened in 1973. The mayor opened the bridge.", "utf-8")
    (folder / "ko.txt").write_text("루닛의 의장이 발표했다. 정부가 기업을 지원한다.", "utf-8")
    return folder


@pytest.fixture(params=["files", "milvus"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("index.settings.user_data_path", lambda _: tmp_path / "data")
    return index_folder(f"milvus+file:{tmp_path / 'lite'}" if request.param == "milvus" else "stored")


@pytest.fixture
def index(folder: Path, files: Path) -> Iterator[Index]:
    build.add(folder, [files], FakeEncoder())
    with closing(Index(folder, FakeEncoder())) as opened:
        yield opened


def assert_true_to_the_catalogue(index: Index, now: Snapshot) -> None:
    """Vectors against NumPy, words against BM25 of all passages."""
    stored = now.catalogue.vectors()
    assert np.allclose(now.vectors.vectors(np.array(now.ids)), stored, atol=1e-6)
    lexical = LexicalStore([row.tokens for row in now.catalogue.rows()])
    assert now.vectors.count == len(stored)
    for question in QUESTIONS:
        vector = index.encoder.encode_question(question)
        ids, scores = now.vectors.search(vector, 5)
        cosines = stored @ vector
        assert np.allclose(scores, np.sort(cosines)[::-1][:5], atol=1e-5)
        assert np.allclose(cosines[[now.rows[number] for number in ids.tolist()]], scores, atol=1e-5)
        some = np.array(now.ids)[::3]
        assert sorted(now.vectors.search(vector, 99, some)[0].tolist()) == some.tolist()
        words = tokens(question)
        assert now.lexical.scores(words) == pytest.approx(lexical.scores(words), rel=0.1, abs=1e-5)
        assert [now.lexical.weight(word) for word in words] == [lexical.weight(word) for word in words]
        assert now.lexical.weight_of_any(words) == lexical.weight_of_any(words)
        given = {word: 1.0 + number for number, word in enumerate(words)}
        assert now.lexical.weighted(given) == pytest.approx(lexical.weighted(given), rel=0.1, abs=1e-5)


def test_it_finds_what_numpy_finds(index: Index) -> None:
    now = index.snapshot()
    assert_true_to_the_catalogue(index, now)
    assert now.counts == {"en": len(now.ids) - 1, "ko": 1}
    assert build.verify(index.folder, recipe_for(FakeEncoder())) == []


def test_it_follows_changes_and_removals(index: Index, files: Path) -> None:
    (files / "bridge.txt").write_text("The tunnel was closed by the mayor.", "utf-8")
    (files / "new.txt").write_text("A new document about a ferry. 의장이 배를 탔다.", "utf-8")
    (files / "d5.txt").unlink()
    build.add(index.folder, [files], FakeEncoder())
    assert_true_to_the_catalogue(index, index.snapshot())
    build.remove(index.folder, ["d4.txt", "ko.txt"], FakeEncoder())
    assert_true_to_the_catalogue(index, index.snapshot())
    build.remove(index.folder, [one.name for one in index.catalogue.documents()], FakeEncoder())
    assert (index.snapshot().vectors.count, len(index.snapshot().lexical.scores(["bridg"]))) == (0, 0)


def test_reopening_and_rebuilding(index: Index) -> None:
    encoder = FakeEncoder()
    with closing(Index(index.folder, encoder)) as again:
        assert_true_to_the_catalogue(again, again.snapshot())
    assert encoder.encoded == 0
    build.rebuild(index.folder, FakeEncoder())
    assert_true_to_the_catalogue(index, index.snapshot())


def test_a_lost_collection_is_filled_again(folder: Path, files: Path) -> None:
    build.add(folder, [files], FakeEncoder())
    if address := Address.of_folder(folder):
        from index.milvus import Collection

        Collection(address, FakeEncoder().size).empty()
    for note in folder.glob("derived-*/vectors*"):
        note.unlink()
    with closing(Index(folder, FakeEncoder())) as index:
        assert_true_to_the_catalogue(index, index.snapshot())


@pytest.mark.parametrize("text", ["milvus+file:", "milvus+http:/host", "milvus+ftp://host/x", "milvus+http://h:1/a/b"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="milvus"):
        index_folder(text)


def test_an_address_and_its_folder() -> None:
    address = Address.of("milvus+http://host:19530/reports")
    assert (address.uri, address.collection) == ("http://host:19530", "reports")
    assert Address.of_folder(Path("somewhere") / address.folder_name) == address
    assert Address.of_folder(Path("reports")) is None


def test_a_milvus_that_is_not_there_is_told(tmp_path: Path) -> None:
    from index.milvus import Collection

    (tmp_path / "file").write_text("in the way")
    with pytest.raises((StoreUnreachable, OSError)):
        Collection(Address.of(f"milvus+file:{tmp_path / 'file' / 'x'}"), 8)
