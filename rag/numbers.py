"""Numbers in Korean and English text as values that can be compared: 300조원 = 300 trillion won = 3e14."""

import re
from dataclasses import dataclass
from decimal import Decimal

_KOREAN_LARGE = {"조": 10**12, "억": 10**8, "만": 10**4}
_KOREAN_SMALL = {"천": 1000, "백": 100, "십": 10}
_ENGLISH = {
    "trillion": 10**12,
    "tn": 10**12,
    "billion": 10**9,
    "bn": 10**9,
    "million": 10**6,
    "mn": 10**6,
    "thousand": 1000,
    "hundred": 100,
}
_WORDS = dict(
    zip(
        "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty".split(),
        (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 30, 40, 50),
        strict=True,
    )
)

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER = re.compile(
    rf"(?P<korean>(?:(?:{_DIGITS})\s?[천백십]?\s?(?:조|억|만)\s?)+(?:(?:{_DIGITS})[천백십]?)?"
    rf"|(?:{_DIGITS})[천백](?=\s?(?:원|명|개|달러|만|억|조|여|곳|건|대|톤|회|\s|$)))"
    rf"|(?P<english>(?:{_DIGITS}|\b(?:{'|'.join(_WORDS)})\b)[\s-]?(?:{'|'.join(_ENGLISH)})\b)"
    rf"|(?P<plain>{_DIGITS})",
    re.IGNORECASE,
)
_PART = re.compile(rf"(?P<digits>{_DIGITS})\s?(?P<small>[천백십])?\s?(?P<large>[조억만])?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands in a text: its value, and its character range there."""

    value: Decimal
    start: int
    end: int


def numbers(text: str) -> list[Number]:
    """All numbers written with digits (and '… million' with words), in order, multiplied out."""
    found = []
    for match in _NUMBER.finditer(text):
        raw = match.group().rstrip()
        if match.group("korean"):
            value = _korean(raw)
        elif match.group("english"):
            value = _english(raw)
        else:
            value = _digits(raw)
        found.append(Number(value.normalize(), match.start(), match.start() + len(raw)))
    return found


def values(text: str) -> set[Decimal]:
    """The values of all numbers of a text."""
    return {number.value for number in numbers(text)}


def unsupported(text: str, sources: list[str]) -> list[str]:
    """The numbers of `text`, as written there, whose value stands in none of the sources."""
    known = {value for source in sources for value in values(source)}
    return [text[number.start : number.end] for number in numbers(text) if number.value not in known]


def in_english(text: str) -> list[tuple[str, str]]:
    """Korean amounts of a text that English counts otherwise, each with its English form: ('300조', '300 trillion')."""
    pairs = []
    for match in _NUMBER.finditer(text):
        raw = match.group().rstrip()
        if match.group("korean") and not raw[-1].isdigit():
            pairs.append((raw, _spell(_korean(raw))))
    return pairs


def _spell(value: Decimal) -> str:
    for word, scale in (("trillion", 10**12), ("billion", 10**9), ("million", 10**6)):
        if value >= scale:
            return f"{(value / scale).normalize():f} {word}"
    return f"{value.normalize():,f}"


def _digits(raw: str) -> Decimal:
    return Decimal(raw.replace(",", ""))


def _korean(raw: str) -> Decimal:
    """12조3천억 = 12·10¹² + 3000·10⁸."""
    total = Decimal(0)
    for part in _PART.finditer(raw):
        value = _digits(part["digits"])
        value *= _KOREAN_SMALL.get(part["small"] or "", 1)
        value *= _KOREAN_LARGE.get(part["large"] or "", 1)
        total += value
    return total


def _english(raw: str) -> Decimal:
    amount, scale = re.split(rf"[\s-]?(?=(?:{'|'.join(_ENGLISH)})$)", raw.lower(), maxsplit=1)
    value = Decimal(_WORDS[amount]) if amount in _WORDS else _digits(amount)
    return value * _ENGLISH[scale.strip(" -")]
