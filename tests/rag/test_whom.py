"""Whom a sentence is about that does not say so, and whose words answer a question."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from index.build import add
from index.fake import FakeEncoder
from index.snapshot import Index
from rag.answering import Answerer
from rag.calibration import Calibration
from rag.model import FakeModel
from rag.questions import read_question
from rag.ranking import Means, Ranking
from rag.records import Answer
from rag.retrieval import search

Tell = Callable[[str, str], Answerer]


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    """Makes what answers from a text with a draft."""
    with ExitStack() as opened:

        def make(text: str, draft: str) -> Answerer:
            (tmp_path / "isle.txt").write_text(text, "utf-8")
            add(tmp_path / "index", [tmp_path / "isle.txt"], FakeEncoder())
            index = opened.enter_context(closing(Index(tmp_path / "index", FakeEncoder())))
            return Answerer(index, FakeModel(lambda _: draft, lambda _: 5.0))

        yield make


def quotes_of(answerer: Answerer, answer: Answer) -> list[str]:
    return [answerer.index.quote(one.document, *one.span) for one in answer.citations]


def test_another_ones_words_are_not_quoted_for_whom_the_question_names(tell: Tell) -> None:
    text = "한지수 위원장은 “섬마다 학교를 짓겠다”고 말했다. 박도담 시장은 “다리는 내년에 놓겠다”고 말했다."
    answer = tell(text, "하늘 바다").ask("박도담 시장이 섬마다 학교를 짓겠다고 말하면서 든 학교 이름은?")
    assert (answer.status, answer.reason) == ("not_found", "actor")


@pytest.mark.parametrize("draft", ["하늘 바다", "특히 장점으로 튼튼함을 꼽았다."])
def test_who_is_quoted_from_before_a_sentence_without_a_subject(tell: Tell, draft: str) -> None:
    text = """박도담 시장이 새 다리를 소개했다. 공사에는 세 해가 걸렸다. 특히 장점으로 튼튼함과 아름다움을 꼽았다.

날씨는 맑았다. 한지수 위원장은 배를 타고 왔다."""
    answerer = tell(text, draft)
    answer = answerer.ask("장점으로 튼튼함과 아름다움을 꼽은 사람은 누구야?")
    done, who = quotes_of(answerer, answer)
    assert answer.status == "quoted" and done.startswith("특히 장점으로") and who.startswith("박도담 시장이")


def test_whom_a_sentence_leaves_out_counts_as_if_named_there(tell: Tell) -> None:
    text = "한지수 위원장은 배를 타고 왔다. 다만 “섬이 멀어 아쉽다”고 덧붙였다. 박도담 시장은 걸어서 왔다."
    answerer = tell(text, "")

    def gain(question: str) -> dict[str, float]:
        asked, context = read_question(question), answerer.context()
        found = context.ranked(search(answerer.index, question))
        means = Means(answerer.index, answerer.bridge, answerer.model, Calibration())
        ranked = Ranking(asked, context, means, None).of(found)
        before = {one.span: one.score for one in found}
        return {context.text(one)[:2]: round(one.score - before[one.span], 6) for one in ranked}

    assert gain("한지수 위원장이 아쉽다고 한 것은?")["다만"] > 0
    assert gain("한지수 위원장이 아쉽다고 한 것은?")["한지"] == 0
    assert gain("박도담 시장이 아쉽다고 한 것은?")["다만"] == 0


def test_who_rests_on_what_was_done_and_on_who_stands_before_it(tell: Tell) -> None:
    text = """박도담 시장이 새 다리를 소개했다. 공사에는 세 해가 걸렸다. 특히 장점으로 튼튼함과 아름다움을 꼽았다.

박도담 시장은 장점으로 섬의 아름다움도 안다. 날씨는 맑았다."""
    answerer = tell(text, "박도담 시장")
    answer = answerer.ask("장점으로 튼튼함과 아름다움을 꼽은 사람은 누구야?")
    quotes = quotes_of(answerer, answer)
    assert answer.status == "answered" and answer.text.startswith("박도담 시장")
    assert [quote[:5] for quote in quotes] == ["박도담 시", "특히 장점"] and "소개했다" in quotes[0]


def test_a_name_is_no_answer_where_its_sentence_has_nothing_of_the_question(tell: Tell) -> None:
    text = "The Harbour Society runs the old lighthouse. A gull landed. Mira Holt baked bread for the feast."
    answerer = tell(text, "The Harbour Society")
    assert answerer.ask("Who runs the lighthouse?").status == "answered"
    assert answerer.ask("Who opened the parliament?").status != "answered"
