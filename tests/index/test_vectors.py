"""The FAISS store against NumPy brute force, and its file."""

from pathlib import Path

import numpy as np
import pytest

from index.encoder import Vectors
from index.errors import IndexDamaged
from index.vectors import VectorStore

RANDOM = np.random.default_rng(3)


def unit(rows: int, size: int) -> Vectors:
    vectors = RANDOM.standard_normal((rows, size), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@pytest.mark.parametrize("k", [1, 7, 500, 9999])
def test_the_order_is_that_of_brute_force_and_the_scores_are_cosines(k: int) -> None:
    vectors, ids = unit(500, 384), RANDOM.permutation(100_000)[:500].astype(np.int64)
    store = VectorStore.build(ids, vectors)
    assert store.count == 500
    for question in unit(5, 384):
        cosines = vectors @ question
        order = np.argsort(-cosines, kind="stable")[:k]
        found, scores = store.search(question, k)
        assert np.allclose(scores, cosines[order], atol=1e-6)
        # in that order but for those whose cosines differ in the last places alone, which libraries round differently
        places = {number: place for place, number in enumerate(ids.tolist())}
        assert np.allclose(cosines[[places[number] for number in found.tolist()]], cosines[order], atol=1e-6)
        assert len(set(found.tolist())) == len(order)
        assert np.abs(scores).max() <= 1 + 1e-6


def test_stored_vectors_come_back_by_id() -> None:
    vectors = unit(20, 8)
    store = VectorStore.build(np.arange(100, 120), vectors)
    assert np.array_equal(store.vectors(np.array([119, 100])), vectors[[19, 0]])
    assert store.vectors(np.array([], np.int64)).shape == (0, 8)


def test_a_store_without_vectors_finds_nothing() -> None:
    store = VectorStore.build(np.array([], np.int64), np.zeros((0, 8), np.float32))
    ids, scores = store.search(np.ones(8, np.float32), 5)
    assert (store.count, len(ids), len(scores)) == (0, 0, 0)


def test_the_files_go_there_and_back_under_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "색인 폴더 é"
    folder.mkdir()
    vectors, question = unit(50, 16), unit(1, 16)[0]
    store = VectorStore.build(np.arange(50), vectors)
    store.save(folder)
    loaded = VectorStore.load(folder, np.arange(50), 16)
    (ids, scores), (same_ids, same_scores) = loaded.search(question, 50), store.search(question, 50)
    assert np.array_equal(ids, same_ids)
    assert np.array_equal(scores, same_scores)
    assert np.array_equal(loaded.vectors(np.arange(50)), vectors)


@pytest.mark.parametrize("size", [0, 1000, 50 * 64 - 1])
def test_other_files_are_refused(size: int, tmp_path: Path) -> None:
    VectorStore.build(np.arange(50), unit(50, 16)).save(tmp_path)
    (tmp_path / "vectors.faiss").write_bytes((tmp_path / "vectors.faiss").read_bytes()[:size])
    with pytest.raises(IndexDamaged):
        VectorStore.load(tmp_path, np.arange(50), 16)


# --- many vectors


def like_passages(rows: int, size: int) -> Vectors:
    """Vectors in clumps, as those of texts are."""
    vectors = unit(rows // 50, size)[RANDOM.integers(0, rows // 50, rows)] + 0.7 * unit(rows, size)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors, np.float32)


def near(vectors: Vectors, count: int) -> Vectors:
    """Questions about some of them."""
    questions = vectors[RANDOM.integers(0, len(vectors), count)] + 0.7 * unit(count, vectors.shape[1])
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    return np.asarray(questions, np.float32)


def recall(store: VectorStore, ids: np.ndarray, vectors: Vectors, questions: Vectors) -> float:
    """Share of brute force's ten nearest that the store finds; its scores have to be exact."""
    found = 0
    for question in questions:
        cosines = vectors @ question
        its, scores = store.search(question, 10)
        assert np.allclose(scores, cosines[np.searchsorted(ids, its)], atol=1e-5)
        assert (np.diff(scores) <= 1e-6).all()
        found += len(set(its.tolist()) & set(ids[np.argsort(-cosines, kind="stable")[:10]].tolist()))
    return found / (10 * len(questions))


def test_many_vectors_are_searched_by_lists_with_the_recall_that_was_asked_for(tmp_path: Path) -> None:
    vectors, ids = like_passages(12_000, 32), np.arange(0, 24_000, 2)
    store = VectorStore.build(ids, vectors, exact=5_000)
    assert not store.is_exact
    questions = near(vectors, 100)
    assert recall(store, ids, vectors, questions) > 0.95
    store.save(tmp_path)
    loaded = VectorStore.load(tmp_path, ids, 32)
    assert not loaded.is_exact
    for question in questions[:10]:
        assert [one.tolist() for one in loaded.search(question, 20)] == [
            one.tolist() for one in store.search(question, 20)
        ]
    lists = tmp_path / "lists.faiss"
    whole = lists.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        cut = tmp_path / f"cut to {size}"  # a folder of its own: the file above is still mapped
        cut.mkdir()
        (cut / "vectors").write_bytes((tmp_path / "vectors").read_bytes())
        (cut / "lists.faiss").write_bytes(whole[:size])
        with pytest.raises(IndexDamaged):
            VectorStore.load(cut, ids, 32)


@pytest.mark.parametrize("exact", [50, 100_000])
def test_what_has_changed_since_lies_over_it(exact: int) -> None:
    vectors = like_passages(3_000, 16)
    kept = RANDOM.random(2_500) < 0.6
    store = VectorStore.build(np.arange(2_500), vectors[:2_500], exact)
    now = store.changed(kept, np.arange(2_500, 3_000), vectors[2_500:])
    rows = np.concatenate([np.flatnonzero(kept), np.arange(2_500, 3_000)])
    assert now.count == len(rows)
    assert recall(now, rows, vectors[rows], near(vectors[rows], 100)) > (0.9 if exact == 50 else 0.999)
    assert set(now.search(vectors[0], len(rows))[0].tolist()) <= set(rows.tolist())
    assert np.array_equal(now.vectors(rows[::-7]), vectors[rows[::-7]])
    assert store.count == 2_500


@pytest.mark.parametrize("exact", [0, 100_000])
def test_a_search_may_be_limited_to_some(exact: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.vectors.EXACT", exact)  # 0: as where more are left than can all be compared
    vectors = unit(600, 16)
    store = VectorStore.build(np.arange(500), vectors[:500], 100_000)
    now = store.changed(RANDOM.random(500) < 0.9, np.arange(500, 600), vectors[500:])
    some = np.array([3, 77, 301, 499, 555, 599])
    some = some[np.isin(some, now.search(vectors[0], 600)[0])]
    for question in unit(5, 16):
        ids, scores = now.search(question, 4, some)
        cosines = vectors[some] @ question
        assert ids.tolist() == some[np.argsort(-cosines)[:4]].tolist()
        assert np.allclose(scores, np.sort(cosines)[::-1][:4], atol=1e-6)
    assert len(now.search(vectors[0], 9, some[:0])[0]) == 0


def test_vectors_that_stand_there_often_do_not_make_the_lists_slow() -> None:
    chance = np.random.default_rng(5)
    once = chance.standard_normal((1000, 32)).astype(np.float32)
    once /= np.linalg.norm(once, axis=1, keepdims=True)
    vectors = np.repeat(once, 12, axis=0)
    store = VectorStore.build(np.arange(len(vectors)), vectors, exact=1000)
    assert store._lists.nprobe < store._lists.nlist / 2
    _, scores = store.search(once[7], 10)
    assert scores == pytest.approx(np.ones(10), abs=1e-5)
