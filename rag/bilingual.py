"""The parts of a Korean sentence that code puts into English: amounts, dates, persons, their titles, bodies and places.

A small model garbles exactly these. `half_english` writes them into the sentence before the model translates the rest.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from index.tokens import kiwi
from rag.names import SURNAMES, TITLES, people, romanise, romanise_name, surname, title_after
from rag.numbers import in_english

_MONTHS = "January February March April May June July August September October November December".split()
_DATE = re.compile(
    r"(?<![\d,.])(?:(?P<month>1[0-2]|[1-9])월(?:\s?(?P<of>3[01]|[12]\d|[1-9])일)?|(?P<day>3[01]|[12]\d|[1-9])일)"
    r"(?![간째차본반])(?!부터\s*\d)"
)
_ENGLISH_DATE = re.compile(
    rf"\b(?:the )?(?:{'|'.join(_MONTHS)}) (?P<day>3[01]|[12]\d|[1-9])(?:st|nd|rd|th)?\b(?!,? \d{{4}})"
)
# '백 의장'. Not the syllables that are more often a word of their own before a title ('이 의장': this chairman).
_SURNAME_AND_TITLE = re.compile(
    rf"(?<![가-힣])(?P<surname>[{''.join(sorted(set(SURNAMES) - set('이한전신현주부모각양두')))}])"
    rf"\s(?P<title>{'|'.join(sorted(TITLES, key=len, reverse=True))})(?![가-힣]{{2}})"
)
_BODY_BEFORE = re.compile(r"(?<![가-힣A-Za-z])[\'‘\"“]?(?P<body>[가-힣A-Za-z]{2,20})[\'’\"”]?\s$")
_WITH_ARTICLE = re.compile(
    r"Ministry|Committee|Commission|Institute|Agency|Foundation|Service|Association|Council|Federation|Bank of"
)
_HANGUL_WORD = re.compile(r"[가-힣]{2,}")
_FIELD = re.compile(r"(?<![가-힣])[가-힣]{2,10}$")
"""What a title may be one of, written before it without a space: 제조산업|정책관."""
_PARTICLES = "|".join(
    "은 는 이 가 을 를 의 에 에서 에게 와 과 도 만 로 으로 및 측 인 부터 까지 보다 처럼 이나 나"
    " 이며 며 이고 고 라고 이라고".split()
)
_END_OF_WORD = rf"(?=(?:{_PARTICLES})?(?:은|는|도|만|의)?(?![가-힣]))"


@dataclass(frozen=True, slots=True)
class Term:
    """A stretch of a Korean text, text[start:end], and its English form."""

    start: int
    end: int
    english: str


@lru_cache(maxsize=4096)
def terms(text: str) -> tuple[Term, ...]:
    """What has an English form of its own, in order, none inside another; of two that overlap the longer one."""
    found = [*_amounts(text), *_dates(text), *_persons(text)]
    found += [Term(match.start(), match.end(), glossary()[match.group()]) for match in _known().finditer(text)]
    found += [
        Term(match.start(), match.end(), english)
        for match in _named_body().finditer(text)
        if (english := body_in_english(match.group()))
    ]
    return _apart([*found, *_strange_names(text)])


def common_words(text: str) -> list[Term]:
    """What stands by itself in a text of the words that small models get wrong or leave out."""
    return [Term(match.start(), match.end(), _words("word")[match.group()]) for match in _single_word().finditer(text)]


def half_english(text: str) -> str:
    """The text with its terms, and words that small models get wrong, in English: '백승욱 의장은 6일 말했다' → 'Baek
    Seung-uk chairman은 the 6th 말했다'."""
    pieces: list[str] = []
    end = 0
    for term in _apart([*terms(text), *common_words(text), *_introductions(text)]):
        between = text[end : term.start]
        if not term.english.startswith("의") and (between[-1:].isalpha() or (end and not between)):
            between += " "
        pieces += [between, term.english]
        end = term.end
    return "".join(pieces) + text[end:]


@cache
def glossary() -> dict[str, str]:
    """Korean names of bodies, companies and places, and their English forms (assets/glossary.tsv)."""
    lines = files("rag").joinpath("assets/glossary.tsv").read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {korean: english for korean, english in pairs}


@lru_cache(maxsize=1024)
def body_in_english(name: str) -> str:
    """A body's name from the English of its parts, '서울디지털재단' → 'Seoul Digital Foundation'; '' where one of them
    is not known."""
    if name in glossary():
        return glossary()[name]
    ending = next((one for one in sorted(_words("ending"), key=len, reverse=True) if name.endswith(one)), "")
    if not ending or name == ending:
        return ""
    parts = _parts(name.removesuffix(ending))
    return " ".join([*parts, _words("ending")[ending]]) if parts else ""


def _parts(name: str) -> list[str]:
    """The English of the parts that a name consists of, as few as there can be; [] where something is left over."""
    known = {korean: english.title() for korean, english in _words("word").items()} | _words("part")
    found: list[list[str]] = [[]]  # for each length of the beginning its parts
    for end in range(1, len(name) + 1):
        ways = [
            [*found[start], known[name[start:end]]]
            for start in range(end)
            if name[start:end] in known and (found[start] or start == 0)
        ]
        found.append(min(ways, key=len, default=[]))
    return found[-1]


@cache
def _words(kind: str) -> dict[str, str]:
    """Korean words of a kind and their English (assets/words.tsv)."""
    lines = files("rag").joinpath("assets/words.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {korean: english for its_kind, korean, english in rows if its_kind == kind}


@cache
def _known() -> re.Pattern[str]:
    """Any glossary name that begins a word; the longest first."""
    return re.compile(rf"(?:(?<![가-힣])|(?<=직속)){_any_of(glossary())}{_END_OF_WORD}")


@cache
def _single_word() -> re.Pattern[str]:
    """Any of the words, where it stands by itself."""
    return re.compile(rf"(?<![가-힣]){_any_of(_words('word'))}{_END_OF_WORD}")


@cache
def _named_body() -> re.Pattern[str]:
    """What may be a body's name by its ending."""
    return re.compile(rf"(?<![가-힣])[가-힣]{{2,14}}{_any_of(_words('ending'))}{_END_OF_WORD}")


def _any_of(words: Iterable[str]) -> str:
    return rf"(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})"


def _apart(found: Sequence[Term]) -> tuple[Term, ...]:
    """In order, none inside another; of two that overlap the longer one, of two as long the first."""
    kept: list[Term] = []
    for term in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(term.end <= other.start or other.end <= term.start for other in kept):
            kept.append(term)
    return tuple(sorted(kept, key=lambda one: one.start))


def _amounts(text: str) -> list[Term]:
    return [
        Term(match.start(), match.end(), english)
        for korean, english in in_english(text)
        for match in re.finditer(rf"(?<!\d){re.escape(korean)}", text)
    ]


def _dates(text: str) -> list[Term]:
    found = []
    for match in _DATE.finditer(text):
        month = _MONTHS[int(match["month"]) - 1] if match["month"] else ""
        day = match["of"] or match["day"] or ""
        date = f"{month} {day}".strip() if month else _ordinal(int(day))
        alone = day and not text[match.end() :].lstrip("에")[:1].isalnum()
        found.append(Term(match.start(), match.end(), f"on {date}" if alone else date))
    return found


def _persons(text: str) -> list[Term]:
    found = []
    for name in people(text):
        found += [Term(match.start(), match.end(), romanise_name(name)) for match in re.finditer(name, text)]
        if title := title_after(text, name):
            end = text.index(title, text.index(name)) + len(title)
            field = _FIELD.search(text, 0, end - len(title))
            parts = _parts(field.group()) if field else []
            start = field.start() if field and parts else end - len(title)
            found.append(Term(start, end, " ".join([*parts, TITLES[title]])))
    for match in _SURNAME_AND_TITLE.finditer(text):
        english = f"{TITLES[match['title']].capitalize()} {surname(match['surname'])}"
        found.append(Term(match.start(), match.end(), english))
    return found


def _introductions(text: str) -> list[Term]:
    """Persons with their body and title in an order that English has: '김도윤 네이버 대표' → 'Kim Do-yun, CEO of
    Naver,', '네이버 김도윤 대표' → '네이버의 CEO Kim Do-yun'. A small model mixes up who is whose otherwise."""
    found = []
    for name in people(text):
        title = title_after(text, name)
        start = text.index(name)
        title_start = text.find(title, start) if title else -1
        if title_start < 0:
            continue
        between = text[start + len(name) : title_start]
        field = _FIELD.search(between) if " " in between.strip() else None
        body = between[: field.start()].strip() if field else between.strip()
        parts = _parts(field.group()) if field else []
        role, english = " ".join([*parts, TITLES[title]]), _english_of_body(body)
        before = None if body else _BODY_BEFORE.search(text, 0, start)
        if english and (parts or not field):
            article = "the " if _WITH_ARTICLE.search(english) else ""
            whole = f"{romanise_name(name)}, {role} of {article}{english},"
            found.append(Term(start, title_start + len(title), whole))
        elif before and _english_of_body(before["body"]):
            found.append(Term(start - 1, title_start + len(title), f"의 {role} {romanise_name(name)}"))
    return found


def _english_of_body(body: str) -> str:
    """The English form of a company's or body's name that code knows whole; '' where it does not."""
    own = re.sub(r"^[가-힣]+직속\s*", "", body)
    return body_in_english(own) if own else ""


def _strange_names(text: str) -> list[Term]:
    """Names that no dictionary has, in Latin letters: of buildings, by their endings (엘타워 → El Tower), and what
    stands alone between quotation marks ('뤼딘' → 'Rwidin'), unless its own Latin form follows in brackets."""
    found = []
    parts = kiwi().tokenize(text) if _HANGUL_WORD.search(text) else []
    for before, token, after in zip(["", *(part.tag for part in parts)], parts, [*parts[1:], None], strict=False):
        end = token.start + token.len
        if not token.oov or not _HANGUL_WORD.fullmatch(token.form) or text[token.start : end] != token.form:
            continue
        building = next((one for one in _words("building") if token.form.endswith(one) and token.form != one), "")
        if building:
            stem = token.form.removesuffix(building)
            english = " ".join([*(_parts(stem) or [romanise(stem)]), _words("building")[building]])
            found.append(Term(token.start, end, english))
        elif before == "SSO" and after is not None and after.tag == "SSC" and text[end + 1 : end + 2] != "(":
            found.append(Term(token.start, end, romanise(token.form)))
    return found


def with_fields(translation: str, sentence: str) -> str:
    """A translation of a Korean sentence with the fields of titles that it leaves out: 'policy director general' →
    'Manufacturing Industry policy director general'."""
    for term in terms(sentence):
        title = max((one for one in TITLES.values() if term.english.endswith(f" {one}")), key=len, default="")
        if title and term.english not in translation and translation.count(title) == 1:
            translation = translation.replace(title, term.english)
    return translation


def without_month(text: str) -> str:
    """An English text with days of a month for dates: 'on June 6' → 'on the 6th'."""
    return _ENGLISH_DATE.sub(lambda date: _ordinal(int(date["day"])), text)


def _ordinal(day: int) -> str:
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"the {day}{suffix}"
