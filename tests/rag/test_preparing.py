"""What is loaded and read before anybody asks."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest

from index.build import add
from index.fake import FakeEncoder
from index.snapshot import Index
from rag.answering import Answerer
from rag.model import FakeModel

AnswererOf = Callable[[FakeModel], Answerer]


@pytest.fixture
def answerer_of(tmp_path: Path) -> Iterator[AnswererOf]:
    (tmp_path / "drug.txt").write_text("한빛제약은 3일 부산 벡스코에서 신약 '하늘정'을 공개했다.\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "drug.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        yield lambda model: Answerer(index, model)


def test_what_a_search_needs_is_loaded_beforehand(answerer_of: AnswererOf) -> None:
    with patch("rag.worded.tokens", return_value=["question"]) as tokens, patch("rag.lexicon.others") as others:
        answerer_of(FakeModel()).warm_up()
    assert tokens.called and others.called  # the analyser of morphemes and the lexicon take seconds to load


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_question_before_the_preparation_brings_back_what_another_start_has_read(
    answerer_of: AnswererOf, is_kept: bool
) -> None:
    model = FakeModel(lambda _: "부산 벡스코", lambda _: 5.0)
    model.kept = is_kept
    answerer = answerer_of(model)
    answerer.ask("신약은 어디서 공개됐어?")
    assert answerer.is_warm(answerer.context(), "ko") == bool(model.warmed) == is_kept
    answerer.ask("When was it presented?")  # not translated yet: there is nothing to bring back
    assert len(model.warmed) == is_kept
