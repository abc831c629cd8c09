"""What code puts into English."""

import pytest

from rag.bilingual import body_in_english, glossary, half_english, terms, with_fields, without_month


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("백승욱 루닛 의장은 6일 말했다.", "Baek Seung-uk, chairman of Lunit,은 on the 6th 말했다."),
        ("백 의장은 예상했다.", "Chairman Baek은 예상했다."),
        ("이 의장은 예상했다.", "이 의장은 예상했다."),  # this chairman, or a Mr Lee: the model may tell
        ("김민수기자 mskim@example.com", "Kim Min-su reporter mskim@example.com"),
        ("연간 300조원이다.", "연간 300 trillion원이다."),
        ("5월 3일부터 사흘간", "May 3부터 사흘간"),
        ("3일간 열린다.", "3일간 열린다."),
        ("보건복지부와 국세청은", "Ministry of Health and Welfare와 National Tax Service은"),
        ("규제보다는 진흥에 힘쓴다.", "regulation보다는 promotion에 힘쓴다."),
        ("내년 예산안은 조만간 나온다.", "next year budget bill은 soon 나온다."),
        ("진흥원장과 규제개혁", "진흥원장과 규제개혁"),  # parts of other words
        ("부산관광진흥원이 연다.", "Busan Tourism Promotion Agency이 연다."),
        ("AI 업체 '루닛' 백승욱 의장은", "AI 업체 'Lunit'의 chairman Baek Seung-uk은"),
        ("네이버 김도윤 대표는", "Naver의 CEO Kim Do-yun는"),
        (
            "김도윤 과기정통부 정보통신정책관은",
            "Kim Do-yun, ICT policy director general of the Ministry of Science and ICT,은",
        ),
        ("김도윤 노리마당 대표는", "Kim Do-yun 노리마당 CEO는"),  # a body that code does not know
        ("새빛플라자에서 열렸다.", "Saebit Plaza에서 열렸다."),
        ("신약 '뤼딘'과 '챗봇'은", "new drug 'Rwidin'과 '챗봇'은"),
        ("'하늘정(Skywell)'은", "'하늘정(Skywell)'은"),
        ("중산업부문", "중산업부문"),  # 산업부 inside a word is no ministry
        (
            "대통령직속디지털플랫폼정부위원회는",
            "대통령직속 Presidential Committee on the Digital Platform Government는",
        ),
    ],
)
def test_terms_are_carried_over(korean: str, english: str) -> None:
    assert half_english(korean) == english


def test_terms_do_not_overlap() -> None:
    found = terms("삼성전자와 한국전력공사 김동철 사장이 2조3000억원을 5월 7일 냈다.")
    assert [term.english for term in found] == [
        "Samsung Electronics",
        "Korea Electric Power Corporation",
        "Kim Dong-cheol",
        "president",
        "2.3 trillion",
        "on May 7",
    ]


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("대구디지털혁신진흥원", "Daegu Digital Innovation Promotion Agency"),
        ("한국소프트웨어산업협회", "Korea Software Industry Association"),
        ("금융위원회", "Financial Services Commission"),  # as it calls itself, not by its parts
        ("김치재단", ""),
        ("재단", ""),
        ("서울", ""),
    ],
)
def test_a_bodys_name_is_put_together(korean: str, english: str) -> None:
    assert body_in_english(korean) == english


def test_the_field_of_a_title_is_put_back() -> None:
    sentence = "박동일 제조산업정책관은 말했다."
    whole = "Park Dong-il, the Manufacturing Industry policy director general, said so."
    assert with_fields("Park Dong-il, the policy director general, said so.", sentence) == whole
    assert with_fields(whole, sentence) == whole
    assert with_fields("He said so.", sentence) == "He said so."


def test_a_day_without_a_month() -> None:
    assert without_month("held on June 6 and on the May 21st") == "held on the 6th and on the 21st"
    assert without_month("May 3, 2024; a May day") == "May 3, 2024; a May day"


def test_the_glossary_is_clean() -> None:
    for korean, english in glossary().items():
        assert korean == korean.strip() and english == english.strip() and english.isascii()
