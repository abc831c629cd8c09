"""BM25 over morphemes: against its formula, and across particles and endings."""

import math

import numpy as np
import pytest

from index.lexical import LexicalStore
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
