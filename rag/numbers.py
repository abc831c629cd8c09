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
_MONTHS = (
    "January February March April May June July August September October November December"
    " Jan Feb Mar Apr - Jun Jul Aug Sep Oct Nov Dec"
).split()
# 'May' and 'March' are words too: a month is one beside a day or a year, or after 'in', 'of' and the like.
_BEFORE_MONTH = "|".join(
    rf"(?<=\b[{word[0].upper()}{word[0]}]{word[1:]} )" for word in "in of since from until by last next".split()
)
_MONTH = re.compile(
    rf"(?:{_BEFORE_MONTH})(?:{'|'.join(_MONTHS)})\b"
    rf"|\b(?:{'|'.join(_MONTHS)})\.?(?=\s\d)|(?<=\d )(?:{'|'.join(_MONTHS)})\b"
)
_UNITS = (
    ("month", re.compile(r"\s?월(?![가-힣]*드)")),
    ("day", re.compile(r"\s?일(?!간|째|차|본|반)|(?:st|nd|rd|th)\b")),
    ("percent", re.compile(r"\s?(?:%|퍼센트|percent|per cent)")),
)
_PART = re.compile(rf"(?P<digits>{_DIGITS})\s?(?P<small>[천백십])?\s?(?P<large>[조억만])?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands in a text: its value, and its character range there.

    unit: 'month', 'day', 'year' or 'percent' where the text says so, else ''. The 6th is not June.
    """

    value: Decimal
    start: int
    end: int
    unit: str = ""

    def agrees(self, other: "Number") -> bool:
        """Whether both say the same, as far as they say it."""
        return self.value == other.value and (self.unit == other.unit or "" in (self.unit, other.unit))


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
        end = match.start() + len(raw)
        unit = _unit(text[end:], value) if match.group("plain") else ""
        found.append(Number(value.normalize(), match.start(), end, unit))
    for match in _MONTH.finditer(text):
        month = Decimal(_MONTHS.index(match.group().rstrip(".")) % 12 + 1)
        found.append(Number(month.normalize(), match.start(), match.end(), "month"))
    return sorted(found, key=lambda number: number.start)


def values(text: str) -> set[Decimal]:
    """The values of all numbers of a text."""
    return {number.value for number in numbers(text)}


def unsupported(text: str, sources: list[str]) -> list[str]:
    """The numbers of `text`, as written there, that stand in none of the sources."""
    known = [number for source in sources for number in numbers(source)]
    return [
        text[number.start : number.end] for number in numbers(text) if not any(number.agrees(other) for other in known)
    ]


def in_english(text: str) -> list[tuple[str, str]]:
    """Korean amounts of a text that English counts otherwise, each with its English form: ('300조', '300 trillion')."""
    pairs = []
    for match in _NUMBER.finditer(text):
        raw = match.group().rstrip()
        if match.group("korean") and not raw[-1].isdigit():
            pairs.append((raw, _spell(_korean(raw))))
    return pairs


def _unit(after: str, value: Decimal) -> str:
    """The unit that the text after a number gives it."""
    for unit, pattern in _UNITS:
        if pattern.match(after):
            return unit
    return "year" if re.match(r"\s?년(?!간|째|차)", after) and value >= 1000 else ""


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
