"""What a message is for, and the questions it is made of."""

import pytest

from rag.intents import Intent, intent, split_questions, subject


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("안녕하세요!", "greeting"),
        ("Hi there", "greeting"),
        ("네, 감사합니다 ^^", "thanks"),
        ("thanks a lot!", "thanks"),
        ("넌 누구야?", "help"),
        ("What can you do?", "help"),
        ("이 기사 요약해줘", "summary"),
        ("무슨 내용이야?", "summary"),
        ("이 문서의 핵심은 뭐야?", "summary"),
        ("What is this document about?", "summary"),
        ("Please summarise the report", "summary"),
        ("tl;dr", "summary"),
    ],
)
def test_plain_intents(text: str, wanted: Intent) -> None:
    assert intent(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "안녕이라는 말은 누가 했어?",
        "요약본은 어디서 받아?",
        "발표의 요점은 무엇인가?",
        "누가 고맙다고 했어?",
        "Who said hello to the minister?",
        "What does the report say about prices?",
        "Who helped the company?",
        "What is it about the ministry that surprised them?",
    ],
)
def test_questions_that_only_look_like_something_else(text: str) -> None:
    assert intent(text) == "question"


def test_the_document_that_a_summary_is_of() -> None:
    assert subject("이 기사 요약해줘") == set() == subject("What is this document about?")
    assert subject("물가 보고서 요약해줘") == {"물가"}
    assert "inflat" in subject("Can you give me a short summary of the inflation report?")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("누가 발표했어? 그리고 언제 열려?", ["누가 발표했어?", "그리고 언제 열려?"]),
        ("Who gave the talk, and when was it held?", ["Who gave the talk", "when was it held?"]),
        ("Why and how did it fall?", ["Why and how did it fall?"]),
        ("어디서? 언제?", ["어디서? 언제?"]),
        ("Who won and lost?", ["Who won and lost?"]),
    ],
)
def test_parts(text: str, parts: list[str]) -> None:
    assert split_questions(text) == parts
