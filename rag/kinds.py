"""What kind of thing a question asks for, and whether a text has one: the 6th is not a month, a host is not a price."""

import re
from collections.abc import Callable
from typing import Literal

from rag.countries import has_country
from rag.names import TITLES, people
from rag.numbers import numbers
from rag.when import times

_TITLE_KO = "|".join(sorted(TITLES, key=len, reverse=True))
_TITLE_EN = "|".join(
    sorted({english.split()[-1] for english in TITLES.values()} | {"head", "boss", "leader", "author"})
)
_ASKS = {
    "month": r"몇\s?월|\b(?:which|what) month\b",
    "year": r"몇\s?년도?(?:이|에|야|인|\s*\?|$)|어느 해|\b(?:which|what) year\b",
    "day": r"며칠|몇\s?일(?!\s?(?:동안|간))|\bwhat (?:day|date)\b|\bwhich day\b",
    "time": r"언제|\bwhen (?:is|are|was|were|will|did|does|do|has|had)\b",
    "age": r"몇\s?살|나이|연세|\bhow old\b|\b(?:his|her|'s) age\b",
    "percent": r"몇\s?(?:퍼센트|프로|%)|\b(?:what|in|how many) per ?cent(?:age)?\b"
    r"|\bpercentage\b.*\?",
    "money": r"(?:가격|비용|요금|참가비|입장료|연봉|매출|예산)(?:\s?규모)?\S{0,3}\s?(?:은|는|이|가)?\s?얼마"
    r"|\bhow much (?:did|does|do|is|was|will) (?:it|the \w+(?: \w+)?) cost\b"
    r"|\bwhat (?:is|was) the (?:price|fee|budget)\b"
    r"|\bhow much money\b"
    r"|몇\s?(?:조|억|만|천)?\s?(?:원|달러|유로|엔|위안)"
    r"|\bhow many (?:(?:trillions?|billions?|millions?|thousands?)(?: of)? )?(?:won|dollars?|euros?|yen)\b",
    "countries": r"나라(?:들)?\s?이름|(?:두|세|네|몇|어느|무슨|어떤) 나라들?|나라들(?:은|이)"
    r"|\bcountries\b.*\?",
    "people": r"몇\s?(?:명|사람|분)"
    r"|\bhow many (?:\w+ )?(?:people|persons|attendees|participants|visitors|employees|guests)\b",
    "companies": r"(?:기업|회사|업체|기관)(?:은|는|이|가)?\s?몇|\bhow many (?:\w+ )?(?:companies|firms|businesses)\b",
    "number": r"몇\s?(?:명|개|곳|번|회|건|대|가지|사람|분|마리|권|장|면|쪽|페이지|시간|년간|배)|\bhow many\b",
    "person": rf"(?:{_TITLE_KO})(?:의|은|는|이|가)?\s?(?:이름|성함|누구)"
    rf"|\bname of (?:the|its|their) (?:\w+ ){{0,3}}(?:{_TITLE_EN})\b"
    rf"|\bwho(?:'s| is| was) (?:the|its) (?:\w+ ){{0,3}}(?:{_TITLE_EN})\b",
    "floor": r"몇\s?층|어느 층|\b(?:which|what) (?:floor|storey)\b",
    "email": r"이메일|메일 주소|\be-?mail\b",
    "telephone": r"전화\s?번호|연락처|\b(?:tele)?phone number\b",
}
_KINDS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _ASKS.items()}
_SOON = re.compile(
    r"조만간|곧|이미|최근|봄|여름|가을|겨울|상반기|하반기|분기|연말|연초|당시|[0-9]+시|요일|주말"
    r"|\b(?:soon|already|recently|spring|summer|autumn|fall|winter|quarter|half|weekend|\w+day)\b",
    re.IGNORECASE,
)
_MEANING = re.compile(
    r"뜻|의미|약자|줄임말|줄인 말|뭐의 준말|\b(?:stands? for|means?|meaning|abbreviat\w+|acronym|short for)\b"
)
_PICTURE = re.compile(
    r"(?:사진|촬영).*(?:찍|촬영|기자|작가|출처|제공|저작권|이메일|메일|누구\s?(?:거|것|꺼|작품))|촬영\S*\s*누가|누가\s.*촬영"
    r"|\bphotograph(?:er|ed by)\b"
    r"|\b(?:photo|picture|image)\w*\b.*\b(?:taken|took|takes|shot|credit\w*|by(?=\s*\?)|e-?mail)\b"
    r"|\b(?:took|takes|shot|credit\w*)\b.*\b(?:photo|picture|image)\w*|\bbehind the camera\b",
    re.IGNORECASE,
)
"""Who took a picture, not what or whom it shows."""
_AUTHOR = re.compile(
    r"기자|(?:기사|글)\S{0,2}\s*(?:누가\s*)?(?:쓴|썼|작성)"
    r"|\b(?:reporter|journalist|author|byline)\b|\bwho wrote\b",
    re.IGNORECASE,
)
_HEADLINE = re.compile(
    r"헤드라인|(?:기사|문서|글)\S{0,2}\s?제목|\bheadline\b"
    r"|\btitle of (?:the|this) (?:article|document|report|page|text)\b",
    re.IGNORECASE,
)
_SHORT_FORM = re.compile(r"[A-Z][A-Za-z0-9]{0,9}(?![a-z])|[가-힣]{2,6}(?=[은는이가]?\s)")
_AGE = re.compile(r"\d+\s?(?:세|살)|\d+[\s-]years?[\s-]old|\baged \d+", re.IGNORECASE)
_MONEY = re.compile(
    r"\d[\d,.]*\s?[천백십]?[조억만천]*\s?(?:원|달러|유로|엔|위안)|[$€£₩]\s?\d[\d,.]*"
    r"|(?:\d[\d,.]* )?(?:(?:trillion|billion|million|thousand) )?\b(?:won|dollars?|euros?|yen)\b"
)
_SHARE = re.compile(r"\d[\d,.]*\s?(?:%|퍼센트|프로(?![가-힣])|per ?cent)")
_COUNTED = re.compile(
    r"\d|(?<![가-힣])(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|수십|수백|수천)\s?(?:명|개|곳|번|회|건|가지|대|사람|배)"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozens?|hundreds?|thousands?|million|billion|trillion)\b",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"(?:\d[\d,.]*\s?[만천백]?|수[십백천만]|한|두|세|네|다섯|열)\s?여?\s?(?:명|사람|인(?![가-힣])|분(?![가-힣]))"
    r"|\d[\d,]* (?:\w+ )?(?:people|persons|attendees|participants|visitors|employees|guests|members)",
    re.IGNORECASE,
)
_COMPANIES = re.compile(
    r"(?:\d[\d,.]*\s?[만천백]?|수[십백천만]|한|두|세|네|다섯|열)\s?여?\s?(?:곳|개|사(?![가-힣])|社)"
    r"|\d[\d,]* (?:\w+ )?(?:companies|firms)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?:그|이)\s?중(?:에서?)?\s+(?P<ko>[가-힣A-Za-z]{2,}?)(?:은|는|이|가)\s(?=.*(?:얼마|몇))"
    r"|\bhow (?:much|many) of (?:that|it|this|those|them|these)\b.*?"
    r"\b(?:from|for|in|by|on|to) (?:the )?(?P<en>[A-Za-z-]{3,})\W*$",
    re.IGNORECASE,
)
_FLOOR = re.compile(r"(?:\d|지하|[일이삼사오육칠팔구십맨위아래])\s?층|\b(?:floor|storey|basement)\b", re.IGNORECASE)
_DASHED = re.compile(r"\d{2,4}-\d{3,4}(?:-\d{4})?|\+\d{8,}")


def _has_unit(unit: str) -> Callable[[str], bool]:
    return lambda text: any(one.unit == unit for one in numbers(text))


_HAS: dict[str, Callable[[str], bool]] = {
    "month": _has_unit("month"),
    "floor": lambda text: bool(_FLOOR.search(text)),
    "year": lambda text: any(
        one.unit == "year" or (not one.unit and 1000 <= one.value <= 2999) for one in numbers(text)
    ),
    "day": lambda text: any(one.unit == "day" or (not one.unit and one.value <= 31) for one in numbers(text)),
    "time": lambda text: bool(numbers(text) or times(text) or _SOON.search(text)),
    "age": lambda text: bool(_AGE.search(text)),
    "percent": _has_unit("percent"),
    "money": lambda text: bool(_MONEY.search(text)),
    "countries": has_country,
    "people": lambda text: bool(_PEOPLE.search(text)),
    "companies": lambda text: bool(_COMPANIES.search(text)),
    "number": lambda text: bool(_COUNTED.search(_SHARE.sub("", _MONEY.sub("", text)))),
    "person": lambda text: bool(people(text) or re.search(r"\b[A-Z][a-z]+(?: [A-Z][a-z-]+)+", text)),
    "email": lambda text: "@" in text,
    "telephone": lambda text: bool(_DASHED.search(text)),
}


_CRISP = frozenset(("age", "percent", "money", "number", "email", "telephone"))
"""Kinds that leave no doubt whether an answer has one."""


def defines(question: str, text: str) -> bool:
    """Whether a question asks what a short form means, and the text has it in brackets or before some: 전환(AX)."""
    if not _MEANING.search(question):
        return False
    return any(
        re.search(rf"\({re.escape(term)}\)|(?<![A-Za-z]){re.escape(term)}\s?\([^)]", text)
        for term in _SHORT_FORM.findall(question)
    )


def role_asked(question: str) -> Literal["headline", "photo", "byline", ""]:
    """Whether a question is about the headline, about who took the pictures or who wrote the text."""
    if _HEADLINE.search(question):
        return "headline"
    if _PICTURE.search(question):
        return "photo"
    return "byline" if _AUTHOR.search(question) else ""


def kind_of(question: str) -> str:
    """The kind of thing that a question asks for, where its words show that; '' otherwise."""
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(question)), "")


def part_asked(question: str) -> str:
    """Of what part of an amount mentioned before a question wants the figure: 'How much of that is for rent?' → 'rent',
    '그중에 월세는 얼마야?' → '월세'; '' where it does not."""
    match = _PART.search(question)
    return (match["ko"] or match["en"]).lower() if match else ""


def asks_figure(question: str) -> bool:
    """Whether a number answers a question: an age, an amount, a percentage, how many."""
    return kind_of(question) in _CRISP - {"email", "telephone"}


def lacks_figure(question: str, claim: str) -> bool:
    """Whether a question asks for a figure or an address of a kind that the claim has none of, so that the claim, true
    or not, answers something else."""
    kind = kind_of(question)
    return kind in _CRISP and not _HAS[kind](claim)


def has_kind(question: str, text: str) -> bool:
    """Whether a text, in either language, has a thing of the kind that the question asks for."""
    kind = kind_of(question)
    return not kind or _HAS[kind](text)
