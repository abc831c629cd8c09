"""Who a question is about: the persons and bodies of the documents that it names. What another one said or did is no
answer to it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from index.sentences import language
from index.tokens import kiwi
from rag.answerability import abbreviates
from rag.bilingual import body_in_english
from rag.names import people, romanise_name

_BODY = re.compile(
    r"(?<![가-힣])[가-힣]{1,12}(?:부|처|청|위원회|재단|협회|공단|공사|은행)(?=[은는이가의와과을를에도로]|[^가-힣]|$)"
)
_NO_BODY = frozenset(
    "정부 일부 내부 외부 전부 세부 대부 본부 간부 공부 기부 여부 거부 남부 북부 동부 서부 중부 상부 하부 두부 피부 근처"
    " 출처 대처 조처 부처 거처 상처 시청 신청 요청 초청 구청 공사 은행".split()
)

_WHO = re.compile(r"누가|누구|누군|\bwho\b", re.IGNORECASE)
_QUOTATION = re.compile(r"[“\"][^”\"]*[”\"]")


def asks_who(question: str) -> bool:
    """Whether a question asks for a person who does something."""
    return bool(_WHO.search(question))


@lru_cache(maxsize=4096)
def leaves_open_who(sentence: str) -> bool:
    """Whether a Korean sentence has no subject of its own outside quotations, or a pronoun: who it is about stands
    before it ('특히 셋을 꼽았다.', '그는 “…”고 했다.')."""
    if language(sentence) != "ko":
        return False
    parts = kiwi().tokenize(_QUOTATION.sub(" ", sentence))
    return not any(
        (token.tag == "JKS" or (token.tag == "JX" and token.form in ("은", "는", "도"))) and before.tag != "NP"
        for before, token in pairwise(parts)
    )


def persons(text: str) -> set[str]:
    """The Korean names of persons in a text."""
    return set(people(text))


def bodies(text: str) -> set[str]:
    """The ministries, offices, committees and the like that a Korean text names."""
    return {match.group() for match in _BODY.finditer(text)} - _NO_BODY


def asked_about(question: str, originals: Sequence[str]) -> set[str]:
    """The persons and bodies of the originals that a question in either language names."""
    return {name for text in originals for name in persons(text) | bodies(text) if _names(question, name)}


def strays(question: str, cited: str, originals: Sequence[str]) -> bool:
    """Whether the cited sentence names persons or bodies, but none of those that the question names."""
    for named in (persons, bodies):
        known = {name for text in originals for name in named(text)}
        asked = {name for name in known if _names(question, name)}
        mine = named(cited)
        if asked and mine and not any(_same(one, other) for one in asked for other in mine):
            return True
    return False


def _names(question: str, name: str) -> bool:
    """Whether a question in either language has a name of a Korean text, or a short form of it."""
    if name in question or any(abbreviates(word, name) for word in re.findall(r"[가-힣]{3,}", _plain(question))):
        return True
    english = {body_in_english(name), romanise_name(name) if len(name) == 3 or len(name) == 2 else ""} - {""}
    asked = _letters(question)
    return any(_letters(form) in asked for form in english)


def _same(one: str, other: str) -> bool:
    return one == other or abbreviates(one, other) or abbreviates(other, one)


def _plain(question: str) -> str:
    """Words without the commonest particles."""
    return re.sub(r"(?<=[가-힣]{3})(?:에서는|에서|은|는|이|가|의|을|를|하고)(?![가-힣])", " ", question)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
