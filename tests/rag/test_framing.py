"""What a question says of the text and of options is left out; what it asks for stays."""

import pytest

from rag.framing import matter


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("According to the document, when does the library close?", "when does the library close?"),
        ("Based on the information given in this report, who pays?", "who pays?"),
        ("Which of the following statements about the new bridge is not true?", "about the new bridge ?"),
        ("본문에 따르면, 도서관은 무슨 요일에 쉬나요?", "도서관은 무슨 요일에 쉬나요?"),
        ("이 문서에 따르면 요금은 누가 내나요?", "요금은 누가 내나요?"),
        ("다음 중 새 다리에 대한 설명으로 옳지 않은 것은 무엇입니까?", "새 다리 ?"),
    ],
)
def test_the_frame_is_left_out(question: str, left: str) -> None:
    assert matter(question) == left


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote the article about the bridge?",
        "What is the document called?",
        "What does the report say about prices?",
        "기사를 쓴 사람은 누구인가요?",
        "다음 회의는 언제 열리나요?",
        "회의에서 무엇을 결정했나요?",
        "그 글의 제목은?",
        "Is it true?",
        "다음 중 옳은 것은 무엇입니까?",
    ],
)
def test_what_is_asked_for_stays(question: str) -> None:
    assert matter(question) == question
