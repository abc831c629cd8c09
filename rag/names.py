"""Korean names in Latin letters (Revised Romanization, with the surnames' customary spellings)."""

import re
from collections.abc import Sequence
from functools import lru_cache

from index.tokens import kiwi

_INITIAL = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
_MEDIAL = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINAL = "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()
_CUSTOM = {
    "김": "Kim", "이": "Lee", "박": "Park", "최": "Choi", "정": "Jung", "조": "Cho", "윤": "Yoon", "임": "Lim",
    "오": "Oh", "신": "Shin", "권": "Kwon", "고": "Ko", "문": "Moon", "백": "Baek", "유": "Yoo", "구": "Koo",
    "우": "Woo", "노": "Noh", "심": "Shim", "곽": "Kwak", "주": "Joo", "추": "Choo", "류": "Ryu", "강": "Kang",
    "전": "Jeon", "국": "Kook", "금": "Keum", "길": "Gil", "경": "Kyung",
}  # fmt: skip
SURNAMES = (
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추도소석"
    "선설마길연위표명기반왕금옥육인맹제모탁국어은편용예경봉사부가복태목형두감음빈동온호범좌승"
)
TITLES = {
    "부위원장": "vice chair", "위원장": "chair", "부의장": "vice chairman", "의장": "chairman",
    "부회장": "vice chairman", "회장": "chairman", "부사장": "vice president", "사장": "president",
    "대표이사": "CEO", "대표": "CEO",
    "이사장": "chief director", "이사": "director", "상무": "managing director", "전무": "senior managing director",
    "본부장": "division head", "실장": "office head", "국장": "director general", "과장": "section chief",
    "팀장": "team leader", "정책관": "policy director general", "장관": "minister", "차관": "vice minister",
    "총리": "prime minister", "대통령": "president", "교수": "professor", "박사": "Dr.", "연구원": "researcher",
    "연구소장": "head of the institute", "원장": "director", "소장": "director", "센터장": "center director",
    "기자": "reporter", "의원": "lawmaker", "시장": "mayor", "지사": "governor", "감독": "director", "선수": "player",
    "변호사": "lawyer", "판사": "judge", "검사": "prosecutor", "작가": "writer", "배우": "actor", "가수": "singer",
}  # fmt: skip
"""Titles that follow a person's name, with what newspapers call them in English."""

_PERSON = re.compile(
    rf"(?<![가-힣])([{SURNAMES}][가-힣]{{1,2}})"
    rf"(?=(?:기자|\s(?:[가-힣A-Za-z·]{{1,20}}\s){{0,2}}[가-힣]{{0,12}}(?:{'|'.join(TITLES)})))"
)
_CAPITALISED = re.compile(r"\b[A-Z][\w&'’.-]*[\w]")
_PLACES = frozenset(
    "한국 서울 부산 인천 인도 이란 중국 태국 호주 제주 전주 광주 안양 강남 강원 경기 경남 경북 전남 전북".split()
)


def romanise_name(name: str) -> str:
    """A person's name as newspapers write it: 송상훈 → Song Sang-hun."""
    parts = [_syllable(letter) for letter in name[1:]]
    return f"{surname(name[0])} {'-'.join(parts).capitalize()}".strip()


def romanise(word: str) -> str:
    """A word letter by letter, as a name: 루닛 → Runit."""
    return "".join(_syllable(letter) for letter in word).capitalize()


def surname(letter: str) -> str:
    """A surname as its bearers mostly write it: 백 → Baek, 김 → Kim."""
    return _CUSTOM.get(letter) or _syllable(letter).capitalize()


@lru_cache(maxsize=1024)
def people(text: str) -> tuple[str, ...]:
    """The Korean names of persons in a text, each once: a word that begins with a surname, with a title after it.

    A word that the dictionary knows as a common noun ('정부') or as anything inflected is none, nor is a place.
    """
    found: dict[str, None] = {}
    for match in _PERSON.finditer(text):
        word = match.group(1)
        parts = kiwi().tokenize(word)
        known = len(parts) == 1 and parts[0].tag != "NNP" and not parts[0].oov
        inflected = any(part.tag[0] in "VE" or (part.tag[0] == "J" and part.form >= "가") for part in parts)
        if not known and not inflected and word not in _PLACES:
            found[word] = None
    return tuple(found)


@lru_cache(maxsize=1024)
def title_after(text: str, name: str) -> str:
    """The title that stands after a person's name in a text, as it is written there; '' when there is none."""
    match = re.search(rf"{name}\s?(?:[가-힣A-Za-z·]{{1,20}}\s){{0,2}}[가-힣]{{0,12}}?({'|'.join(TITLES)})", text)
    return match.group(1) if match else ""


def names(text: str) -> tuple[str, ...]:
    """What looks like a name in a text, each once: capitalised words in English, Latin words in Korean text, and what
    the Korean analyser takes for a proper noun. A capital that begins an English sentence is none."""
    if any("가" <= letter <= "힣" for letter in text):
        found = [token.form for token in kiwi().tokenize(text) if token.tag in ("NNP", "SL") and len(token.form) > 1]
    else:
        found = [
            match.group()
            for match in _CAPITALISED.finditer(text)
            if text[: match.start()].strip() and text[: match.start()].rstrip()[-1] not in ".!?:"
        ]
    return tuple(dict.fromkeys(found))


def strange_names(text: str, sources: Sequence[str]) -> list[str]:
    """The names in a text that none of the sources has."""
    known = "".join("".join(source.split()) for source in sources).lower()
    return [name for name in names(text) if "".join(name.split()).lower().removesuffix("'s") not in known]


def _syllable(letter: str) -> str:
    code = ord(letter) - 0xAC00
    if not 0 <= code < 11172:
        return letter.lower()
    parts = (_INITIAL[code // 588], _MEDIAL[code % 588 // 28], _FINAL[code % 28])
    return "".join(part for part in parts if part != "-")
