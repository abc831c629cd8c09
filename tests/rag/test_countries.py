"""Which country a sentence is about."""

import pytest

from rag.countries import has_country, is_about_other_country

SURVEY = "정부는 미국 컨설팅 업체와 한 조사에서 한국 경제가 해마다 3조원을 아낀다고 밝혔다."


@pytest.mark.parametrize(
    ("question", "sentence", "is_other"),
    [
        ("미국은 얼마를 아낀다고 해?", SURVEY, True),
        ("How much would the United States save?", SURVEY, True),
        ("How much would the U.S. save?", SURVEY, True),
        ("Which US consulting firm took part?", SURVEY, False),
        ("어느 미국 회사와 조사했어?", SURVEY, False),
        ("한국과 미국은 얼마를 아껴?", SURVEY, False),
        ("얼마를 아낀다고 해?", SURVEY, False),
        ("일본 수출은 얼마야?", "중국 수출은 3조원이다.", True),
        ("일본 수출은 얼마야?", "일본 수출은 3조원이다.", False),
        ("일본 수출은 얼마야?", "수출은 3조원이다.", False),
        ("How much did Japan export?", "Exports of China came to 3 billion dollars.", True),
        ("미국 행사는 어디서 열렸어?", "행사는 라스베이거스에서 열렸고 한국 기업이 많았다.", False),
        ("Tell us how much it was.", SURVEY, False),
    ],
)
def test_a_sentence_about_another_country(question: str, sentence: str, is_other: bool) -> None:
    assert is_about_other_country(question, sentence) is is_other


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("인도네시아로", True),
        ("인도와", True),
        ("인도적 지원", False),
        ("give us time", False),
        ("'전환'이란 말", False),
    ],
)
def test_naming_a_country(text: str, has: bool) -> None:
    assert has_country(text) is has
