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
        assert found.tolist() == ids[order].tolist()
        assert np.allclose(scores, cosines[order], atol=1e-6)
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


def test_the_file_goes_there_and_back_under_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "색인 폴더 é"
    folder.mkdir()
    vectors, question = unit(50, 16), unit(1, 16)[0]
    store = VectorStore.build(np.arange(50), vectors)
    store.save(folder / "벡터.faiss")
    assert [path.name for path in folder.iterdir()] == ["벡터.faiss"]
    loaded = VectorStore.load(folder / "벡터.faiss")
    (ids, scores), (same_ids, same_scores) = loaded.search(question, 50), store.search(question, 50)
    assert np.array_equal(ids, same_ids)
    assert np.array_equal(scores, same_scores)


@pytest.mark.parametrize("content", [b"", b"not faiss", None])
def test_another_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.faiss"
    VectorStore.build(np.arange(50), unit(50, 16)).save(path)
    path.write_bytes(path.read_bytes()[:1000] if content is None else content)
    with pytest.raises(IndexDamaged):
        VectorStore.load(path)
