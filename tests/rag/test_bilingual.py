"""What code puts into English."""

import pytest

from rag.bilingual import glossary, half_english, terms


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("백승욱 루닛 의장은 6일 말했다.", "Baek Seung-uk 루닛 chairman은 on the 6th 말했다."),
        ("백 의장은 예상했다.", "Chairman Baek은 예상했다."),
        ("이 의장은 예상했다.", "이 의장은 예상했다."),  # this chairman, or a Mr Lee: the model may tell
        ("김민수기자 mskim@example.com", "Kim Min-su reporter mskim@example.com"),
        ("연간 300조원이다.", "연간 300 trillion원이다."),
        ("5월 3일부터 사흘간", "May 3부터 사흘간"),
        ("3일간 열린다.", "3일간 열린다."),
        ("보건복지부와 국세청은", "Ministry of Health and Welfare와 National Tax Service은"),
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


def test_the_glossary_is_clean() -> None:
    for korean, english in glossary().items():
        assert korean == korean.strip() and english == english.strip() and english.isascii()
