"""Korean and English numbers compared by value."""

import random
from decimal import Decimal

import pytest

from rag.numbers import in_english, numbers, unsupported, values


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("연간 300조원", "300 trillion won a year"),
        ("12조3천억 번", "12.3 trillion times"),
        ("12조 3,000억 번", "12,300 billion times"),
        ("1억1천만 달러", "$110 million"),
        ("3만 5000명", "35,000 people"),
        ("1만5천원", "15 thousand won"),
        ("5천만 명", "50 million people"),
        ("3백만", "three million"),
        ("1.5억", "150 million"),
        ("2천 명", "2,000 people"),
        ("100% 적용", "applied to 100 percent"),
        ("2024년 3월 6일", "on 6 3 2024"),
        ("3.5%", "3.5 percent"),
    ],
)
def test_korean_and_english_forms_have_one_value(korean: str, english: str) -> None:
    assert values(korean) == values(english)


def test_generated_amounts_agree() -> None:
    """Every amount, spelt with Korean units and with English ones, is the value that it was made from."""
    rng = random.Random(7)
    scales = {"trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 10**3}
    for _ in range(400):
        jo, eok, man = rng.randint(0, 99), rng.randint(0, 9999), rng.randint(0, 9999)
        value = jo * 10**12 + eok * 10**8 + man * 10**4
        if value == 0:
            continue
        korean = "".join(f"{part}{unit}" for part, unit in ((jo, "조 "), (eok, "억 "), (man, "만")) if part).strip()
        assert values(f"모두 {korean}원이다") == {Decimal(value).normalize()}, korean
        word, scale = rng.choice([(word, scale) for word, scale in scales.items() if scale <= value])
        english = f"{Decimal(value) / scale:f} {word}"
        assert values(f"about {english} won") == {Decimal(value).normalize()}, english


def test_a_wrong_scale_is_unsupported() -> None:
    source = ["연간 300조원 이상 비용절감 효과를 얻을 수 있다"]
    assert unsupported("It saves 300 trillion won.", source) == []
    assert unsupported("It saves 300 billion won.", source) == ["300 billion"]
    assert unsupported("It saves 300 won.", source) == ["300"]


def test_ranges_are_where_the_numbers_stand() -> None:
    text = "2012년에 3만5000명"
    assert [text[number.start : number.end] for number in numbers(text)] == ["2012", "3만5000"]


def test_words_that_only_look_like_units_are_none() -> None:
    assert values("조 회장은 만나지 않았다") == set()
    assert values("억울하다, 백 의장") == set()


def test_english_forms_for_korean_amounts() -> None:
    assert in_english("연간 300조원, 1억1천만 달러, 35명") == [("300조", "300 trillion"), ("1억1천만", "110 million")]


def test_the_sixth_is_not_june() -> None:
    assert unsupported("It was held in June.", ["6일 서울에서 열렸다"]) == ["June"]
    assert unsupported("It was held on the 6th.", ["6일 서울에서 열렸다"]) == []
    assert unsupported("6월에 열렸다", ["6일 서울에서 열렸다"]) == ["6"]
    assert unsupported("It was held on March 6, 2024.", ["2024년 3월 6일에 열렸다"]) == []
    assert unsupported("It may start 3 days late; they march on.", ["3일 늦을 수 있다"]) == []
