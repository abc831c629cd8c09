"""Questions: cleaned, refused when empty or too long, and joined to the turn before when they lean on it."""

import unicodedata

import pytest

from index.errors import QuestionEmpty, QuestionTooLong
from rag.questions import LONGEST, leans_on_earlier, read_question, shifts
from rag.records import Language, Turn

BEFORE = [Turn("기조강연은 누가 했어?", "백승욱 루닛 의장이 했습니다. [1]")]


@pytest.mark.parametrize("asked", ["", "   \n", "?!", "🙂🙂"])
def test_nothing_asked(asked: str) -> None:
    with pytest.raises(QuestionEmpty):
        read_question(asked)


def test_too_much_asked() -> None:
    assert read_question("가" * LONGEST).text
    with pytest.raises(QuestionTooLong, match="10,000"):
        read_question("가" * 10_000)


def test_decomposed_hangul_is_composed() -> None:
    assert read_question(unicodedata.normalize("NFD", "누가 했어요?")).text == "누가 했어요?"


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("어디서 열렸어?", "ko"),
        ("Where was it held?", "en"),
        ("Lunit 의장 이름이 뭐야?", "ko"),
        ("What does 전자신문 mean in the article about AI?", "en"),
    ],
)
def test_language(asked: str, spoken: str) -> None:
    assert read_question(asked).language == spoken


@pytest.mark.parametrize("asked", ["그건 누가 말했어?", "그 사람 직책은?", "산업부는?", "왜?", "왜 그렇게 한대요?"])
def test_korean_follow_ups(asked: str) -> None:
    question = read_question(asked, BEFORE)
    assert question.earlier is not None
    assert "기조강연" in question.search and "[1]" not in question.search
    assert ("백승욱" in question.search) is not shifts(asked, "ko")


def test_a_short_question_that_names_its_matter_stands_alone() -> None:
    assert not leans_on_earlier("행사는 어디서 열렸어?", "ko")
    assert not leans_on_earlier("개발비는 얼마였어?", "ko")
    assert leans_on_earlier("며칠에?", "ko") and leans_on_earlier("제목이 뭐였어?", "ko")


@pytest.mark.parametrize(
    "asked", ["and who said that?", "What about the industry ministry?", "What is his job?", "Why?"]
)
def test_english_follow_ups(asked: str) -> None:
    assert leans_on_earlier(asked, "en")


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("서울디지털재단이 중소기업을 위해 하는 일을 알려 주세요", "ko"),
        ("서울디지털재단은 무엇을 하나요?", "ko"),
        ("시립도서관은 며칠에 문을 여나요?", "ko"),
        ("개막식 기조강연 제목은 뭐예요?", "ko"),
        ("Which consulting firm worked with the science ministry on the survey?", "en"),
    ],
)
def test_whole_questions_stand_alone(asked: str, spoken: str) -> None:
    question = read_question(asked, BEFORE)
    assert question.language == spoken
    assert question.earlier is None
    assert question.search == question.text


def test_nothing_before_nothing_to_lean_on() -> None:
    assert read_question("그건 누가 말했어?").earlier is None


@pytest.mark.parametrize(
    ("text", "spoken", "shifted"),
    [
        ("그럼 도서관에서는?", "ko", True),
        ("시청은요?", "ko", True),
        ("그 사람은?", "ko", False),
        ("그건 누가 말했어?", "ko", False),
        ("And the city library?", "en", True),
        ("What about the mayor?", "en", True),
        ("What about his age?", "en", False),
        ("And who said that?", "en", False),
        ("And where was it held?", "en", False),
    ],
)
def test_the_same_of_something_else(text: str, spoken: Language, shifted: bool) -> None:
    assert shifts(text, spoken) is shifted
    search = read_question(text, [Turn("누가 왔어?", "시장이 왔다.")]).search
    assert ("시장이 왔다" in search) is not shifted


@pytest.mark.parametrize(
    ("text", "wordings"),
    [
        ("그분은 세계 상황을 어떻게 봤어?", 2),
        ("그러면서 뭐가 아쉽다고 했어?", 2),
        ("그건 누가 말했어?", 1),
        ("왜 그렇게 한다는 거예요?", 1),
        ("And what did he say was a pity?", 2),
        ("Why is that?", 1),
        ("And who said that?", 1),
    ],
)
def test_a_follow_up_with_words_of_its_own_is_searched_for_by_itself_too(text: str, wordings: int) -> None:
    question = read_question(text, BEFORE)
    assert len(question.wordings) == wordings and sum(share for share, _ in question.wordings) == pytest.approx(1)
    assert question.wordings[0][1] == question.search
