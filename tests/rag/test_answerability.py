"""What a question takes for granted, and what kind of answer it asks for."""

import pytest

from rag.answerability import asks_of_strangers, is_yes_no, lack, missing, unknown_nouns
from rag.kinds import has_kind
from rag.records import Language

SENTENCES = [
    "한빛제약은 2024년 3월 부산 벡스코에서 신약 '하늘정'을 공개했다.",
    "산업통상자원부는 개발에 5년간 1200억원을 지원했다.",
]


@pytest.mark.parametrize(
    ("question", "spoken"),
    [
        ("신약은 어디서 공개했나요?", "ko"),
        ("산업부는 얼마를 지원했어?", "ko"),
        ("2024년에 공개한 약 이름은?", "ko"),
        ("서울에서 공개한 거야?", "ko"),
        ("Where was the drug unveiled in 2024?", "en"),
        ("Was it unveiled in 2019?", "en"),
    ],
)
def test_nothing_is_missing(question: str, spoken: Language) -> None:
    assert missing(question, spoken, SENTENCES) == []


@pytest.mark.parametrize(
    ("question", "spoken", "what"),
    [
        ("2023년에는 어디서 공개했나요?", "ko", "2023"),
        ("신약의 부작용은 뭔가요?", "ko", "부작용"),
        ("내년에는 어디서 공개하나요?", "ko", "내년"),
        ("Where was it unveiled in 2019?", "en", "2019"),
        ("What will the company unveil next year?", "en", "next year"),
    ],
)
def test_what_is_missing_is_named(question: str, spoken: Language, what: str) -> None:
    assert any(what in name for name in missing(question, spoken, SENTENCES))


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ("몇 월에 열렸어?", "6일에 열렸다", False),
        ("몇 월에 열렸어?", "3월", True),
        ("In which month was it held?", "It was held in March.", True),
        ("In which month was it held?", "On the 6th.", False),
        ("What year was it?", "2012", True),
        ("몇 년이야?", "작년", False),
        ("How old is he?", "He is the chairman.", False),
        ("나이가 어떻게 돼요?", "45세", True),
        ("몇 명이 왔어?", "많이 왔다", False),
        ("How many came?", "two people", True),
        ("누가 말했어?", "의장", True),
    ],
)
def test_the_kind_of_answer(question: str, answer: str, fits: bool) -> None:
    assert has_kind(question, answer) is fits


def test_common_nouns_are_told_from_names_and_numbers() -> None:
    assert lack("참석 인원과 예산 규모는?", "ko", ["행사는 3일 열린다."]) == (0, True)
    assert lack("오세훈 시장은 2023년에 뭐랬어?", "ko", ["시장은 3일 말했다."]) == (2, False)
    assert lack("행사는 며칠이야? 확인 부탁해요.", "ko", ["행사는 3일 열린다."]) == (0, False)


def test_yes_no_questions() -> None:
    assert is_yes_no("부산에서 열린 거야?", "ko") and not is_yes_no("어디서 열린 거야?", "ko")
    assert unknown_nouns("행사장과 발표자, 회사명은?", ["다리가 놓인다."]) == []
    assert unknown_nouns("체육관과 발표회는?", ["다리가 놓인다."]) == ["체육관", "발표회"]
    assert not is_yes_no("그럼 재단은요?", "ko")
    assert is_yes_no("Did he say so?", "en") and not is_yes_no("What did he say?", "en")


@pytest.mark.parametrize(
    ("asked", "written", "missing"), [("내용의 초점", "초첨을 맞췄다", []), ("새 규제", "새 구제", ["규제"])]
)
def test_a_short_noun_may_differ_in_letters_that_sound_alike(asked: str, written: str, missing: list[str]) -> None:
    assert unknown_nouns(f"{asked}은 뭐야?", [f"{written} 한다."]) == missing


@pytest.mark.parametrize("misspelt", ["컨퍼런스는 언제 열려?", "콘퍼런쓰는 언제 열려?"])
def test_a_misspelt_noun_is_not_missing(misspelt: str) -> None:
    assert unknown_nouns(misspelt, ["콘퍼런스는 3일 열린다."]) == []
    assert unknown_nouns(misspelt, ["박람회는 3일 열린다."])


def test_a_short_word_that_differs_by_a_letter_is_another_word() -> None:
    assert unknown_nouns("예선은 언제야?", ["예산은 3일 정한다."]) == ["예선"]
    assert not is_yes_no("발표한 사람 이름을 알려주세요", "ko")


def test_what_a_body_did_that_no_sentence_names() -> None:
    sentences = ["과기정통부는 조사 결과를 공개했다."]
    asked = "What did the Ministry of SMEs and Startups announce?"
    assert asks_of_strangers(asked, "en", sentences)
    assert not asks_of_strangers("What did the Ministry of Science and ICT announce?", "en", sentences)
    assert not asks_of_strangers("Did the Ministry of SMEs and Startups announce it?", "en", sentences)


def test_a_title_that_nobody_has() -> None:
    assert missing("What did the mayor say?", "en", ["고진 위원장이 말했다. 시장이 크다."]) == ["mayor"]
    assert missing("What did the mayor say?", "en", ["오세훈 서울시장이 말했다."]) == []
    assert missing("What did the professor say?", "en", ["Professor Kim said so."]) == []
