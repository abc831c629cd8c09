"""BM25 over morphemes: against its formula, and across particles and endings."""

import math
from pathlib import Path

import numpy as np
import pytest

from index.lexical import LexicalStore, Postings, best_rows
from index.tokens import tokens

TEXTS = ["루닛의 의장이 발표했다.", "정부는 기업을 지원한다.", "The chairman of Lunit spoke.", "의장, 의장, 또 의장."]


def formula(rows: list[list[str]], question: list[str]) -> list[float]:
    """Lucene's BM25 term by term, k1 = 1.5, b = 0.75."""
    mean = sum(map(len, rows)) / len(rows)
    scores = []
    for row in rows:
        score = 0.0
        for token in question:
            frequency = sum(token in other for other in rows)
            weight = math.log(1 + (len(rows) - frequency + 0.5) / (frequency + 0.5))
            times = row.count(token)
            score += weight * times / (times + 1.5 * (1 - 0.75 + 0.75 * len(row) / mean))
        scores.append(score)
    return scores


def test_the_scores_are_bm25() -> None:
    rows = [tokens(text) for text in TEXTS]
    question = tokens("의장이 무엇을 발표했나")
    assert LexicalStore(rows).scores(question) == pytest.approx(formula(rows, question), abs=1e-5)


@pytest.mark.parametrize("word", ["의장", "의장은", "의장이", "의장을", "의장에게", "의장의"])
def test_particles_do_not_hide_a_match(word: str) -> None:
    assert tokens(word) == ["의장"]
    scores = LexicalStore([tokens(text) for text in TEXTS]).scores(tokens(word))
    assert (scores > 0).tolist() == [True, False, False, True]


def test_endings_and_capitals_do_not_hide_a_match() -> None:
    scores = LexicalStore([tokens(text) for text in TEXTS])
    assert (scores.scores(tokens("누가 지원했습니까")) > 0).tolist() == [False, True, False, False]
    assert (scores.scores(tokens("LUNIT")) > 0).tolist() == [False, False, True, False]


def test_what_no_passage_has_scores_nothing() -> None:
    store = LexicalStore([tokens(text) for text in TEXTS])
    for question in (tokens("우주선"), []):
        assert store.scores(question).tolist() == [0, 0, 0, 0]
    for count in (0, 2):
        empty = LexicalStore([[]] * count)
        assert empty.scores(["의장"]).shape == (count,)
        assert not np.any(empty.scores(["의장"]))


def test_the_rarer_a_word_the_more_it_tells() -> None:
    store = LexicalStore([["a", "b"], ["a"], ["a", "c"]])
    assert 0 <= store.weight("a") < store.weight("b") < store.weight("unknown")
    assert store.coverage(["a", "b"], {"a", "b"}) == 1
    assert store.coverage(["a", "b"], {"a"}) < 0.5 < store.coverage(["a", "b"], {"b"})
    assert store.coverage([], {"a"}) == 0


def test_what_has_changed_since_the_files_were_made_scores_as_if_they_were_made_anew(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    rows = [[f"w{int(word)}" for word in chance.zipf(1.5, 30) if word < 50] for _ in range(60)]
    Postings.of(rows[:50]).save(tmp_path)
    base = Postings.load(tmp_path)
    kept = chance.random(50) < 0.7
    changed = LexicalStore(rows[50:], base, kept)
    anew = LexicalStore([row for row, stays in zip(rows[:50], kept, strict=True) if stays] + rows[50:])
    for question in (["w1", "w7", "w7"], ["w3", "w49", "unknown"], ["unknown"]):
        assert changed.scores(question) == pytest.approx(anew.scores(question), abs=1e-6)
        assert [changed.weight(word) for word in question] == [anew.weight(word) for word in question]
    assert np.array_equal(LexicalStore([], base).scores(["w2"]), LexicalStore(rows[:50]).scores(["w2"]))


def test_the_best_rows_are_those_of_a_whole_sort() -> None:
    chance = np.random.default_rng(6)
    for scores in (chance.integers(0, 9, 100).astype(np.float32), np.zeros(9, np.float32), np.ones(3, np.float32)):
        for k in (1, 5, 50, 200):
            wanted = [row for row in np.argsort(-scores, kind="stable")[:k] if scores[row] > 0]
            assert best_rows(scores, k).tolist() == wanted
    assert best_rows(np.zeros(0, np.float32), 5).tolist() == []
