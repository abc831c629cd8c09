"""Hits: both sides mixed, repeated captions behind text, each wording once, sentences in order of relevance."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import add
from index.fake import FakeEncoder
from index.snapshot import Index
from rag import retrieval
from rag.across import QuestionTranslator
from rag.model import FakeModel
from rag.retrieval import search

CAPTION = "이도윤 연구소장이 부산 벡스코에서 신약 하늘정을 소개하고 있다.\n박사진 기자 photo@example.com\n"
TEXT = f"""한빛제약은 3일 부산 벡스코에서 신약 '하늘정'을 공개했다. 개발에는 5년간 1200억원이 들었다.

{CAPTION}
회사는 내년 봄 미국에서 임상 시험을 시작한다. 공장은 대전에 짓는다.

{CAPTION}
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "drug.txt").write_text(TEXT, "utf-8")
    (tmp_path / "library.txt").write_text("The city library will close on Mondays from May.\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "drug.txt", tmp_path / "library.txt"], FakeEncoder())
    opened = Index(tmp_path / "index", FakeEncoder())
    yield opened
    opened.close()


def texts(index: Index, question: str, k: int = 10) -> list[str]:
    return [index.quote(hit.passage.document, hit.passage.start, hit.passage.end) for hit in search(index, question, k)]


def test_a_translation_raises_what_the_question_does_not_find(index: Index) -> None:
    def score(translated: str) -> float:
        hits = search(index, "월요일에 쉬는 곳은?", translated=translated)
        return next(hit.score for hit in hits if hit.passage.document == "library.txt")

    assert score("Which library will close on Mondays?") > score("") + 0.1
    assert score(" ") == score("")


def test_questions_are_translated_once_and_where_it_is_of_use(index: Index) -> None:
    model = FakeModel(lambda _: "Which library?")
    translator = QuestionTranslator(model)
    snapshot = index.snapshot()
    assert [translator.of("어느 도서관?", snapshot) for _ in range(2)] == ["Which library?"] * 2
    assert len(model.prompts) == 1
    translator.of("본문에 따르면, 어느 학교가 문을 닫아?", snapshot)
    assert model.prompts[-1][-1].content == "어느 학교가 문을 닫아?"  # nothing that is said of the text itself
    assert translator.of("어느 도서관?", replace(snapshot, counts={"ko": 3, "en": 0})) == ""
    echo = QuestionTranslator(FakeModel(lambda _: "어느 도서관?"))
    assert echo.of("어느 도서관?", snapshot) == ""  # not translated at all


def test_the_passage_with_the_words_comes_first(index: Index) -> None:
    assert "임상 시험" in texts(index, "임상 시험은 언제 시작해?")[0]
    assert "library" in texts(index, "When does the library close?")[0]


def test_particles_do_not_hide_a_match(index: Index) -> None:
    assert search(index, "공장을 어디에 지어?")[0].lexical > 0


def test_scores_are_in_order_and_in_range(index: Index) -> None:
    hits = search(index, "신약 하늘정 개발비는 얼마였어?")
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(-1.001 <= hit.dense <= 1.001 and hit.lexical >= 0 for hit in hits)


def test_repeated_captions_come_once_and_after_the_text(index: Index) -> None:
    found = texts(index, "신약 하늘정은 어디서 공개했어?")
    assert "공개했다" in found[0]
    assert sum("소개하고 있다" in text for text in found) == 1


def test_the_photographer_is_still_found(index: Index) -> None:
    assert any("박사진" in text for text in texts(index, "박사진 기자의 주소는?", 2))


def test_sentences_are_ranked_within_their_passage(index: Index) -> None:
    (hit,) = search(index, "개발에 얼마가 들었어?", 1)
    best = hit.sentences[0]
    assert index.quote(hit.passage.document, best.start, best.end) == "개발에는 5년간 1200억원이 들었다."
    assert [one.score for one in hit.sentences] == sorted((one.score for one in hit.sentences), reverse=True)


def test_passages_are_compared_token_by_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both passages have the question's words; in the long one they drown in the passage's one vector."""
    other = " ".join(f"w{number}x{number}" for number in range(60))
    (tmp_path / "long.txt").write_text(f"{other} quartz lantern.", "utf-8")
    (tmp_path / "short.txt").write_text("quartz lamp lanes", "utf-8")
    add(tmp_path / "index", [tmp_path / "long.txt", tmp_path / "short.txt"], FakeEncoder())
    monkeypatch.setattr(retrieval, "DENSE_WEIGHT", 1.0)
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        assert search(index, "quartz lantern")[0].passage.document == "long.txt"
        monkeypatch.setattr("rag.retrieval._View.by_tokens", lambda view, rows: view.nearest(rows))
        monkeypatch.setattr("rag.retrieval._View.by_sentence", lambda view, rows: [np.zeros(1)] * len(rows))
        assert search(index, "quartz lantern")[0].passage.document == "short.txt"  # as their vectors alone have it


def test_k_limits(index: Index) -> None:
    assert len(search(index, "부산", 2)) == 2


def test_an_index_emptied_of_documents_has_no_hits(tmp_path: Path) -> None:
    from index.build import remove

    (tmp_path / "one.txt").write_text("하나뿐인 문서.\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "one.txt"], FakeEncoder())
    remove(tmp_path / "index", ["one.txt"], FakeEncoder())
    index = Index(tmp_path / "index", FakeEncoder())
    assert search(index, "문서") == []
    index.close()
