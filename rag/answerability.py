"""What a question names and the documents lack: cheap checks of what a small model's own feeling misses."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from index.sentences import language
from index.tokens import kiwi
from rag.bilingual import glossary
from rag.names import TITLES, people, title_after
from rag.numbers import numbers
from rag.records import Language
from rag.when import strange_times

ALIKE = 0.85
"""Share of letters in common, by difflib, of a word and what it may be misspelt for."""

# Words that ask, or name the kind of thing asked for: that they do not stand in the text tells nothing.
ASKING = frozenset(
    "뜻 의미 직책 직위 직함 소속 이름 성함 사람 인물 분 회사 업체 기업 기관 단체"
    " 곳 데 장소 위치 이유 까닭 원인 제목 주제 기사 문서 글 본문 사진 이메일 메일"
    " 주소 연락처 기간 때 날짜 시간 요일 얘기 이야기 말 내용 핵심 요점 요약 정리 설명"
    " 소개 행사 발표 계획 방법 경우 정도 종류 예 예시 앞 뒤 다음 처음 마지막"
    " 순서 상황 표현 평가 언급 질문 답 대답 결과 역할 목적 목표 특징 차이 비교"
    " 인용 무엇 누구 언제 어디 얼마 왜 가지 개 명 번 것 거 수"
    " 중 쪽 편 점 부분 번째 며칠 확인 부탁 전체 구체 본격 바탕 한마디 건물 관련 자세 간단".split()
)
_OTHER_TIMES = frozenset(("last year", "next year", "year before last", "last month", "next month"))
"""Times that a question names only where they are another time than that of the text."""
_YES_NO = {
    "ko": re.compile(r"(?:나요|가요|까요|니까|니|지|죠|거야|건가|어|아|야|해|돼|요)\s*\?*$"),
    "en": re.compile(r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b", re.IGNORECASE),
}
_OFFICES = {
    "mayor": "(?:특별|광역|[가-힣]시)시장|시장실",
    "governor": "도지사|주지사|총재",
    "professor": "교수",
    "lawyer": "변호사",
    "prosecutor": "검사|검찰",
    "judge": "판사|법관",
    "lawmaker": "의원",
    "ambassador": "대사",
    "singer": "가수",
    "actor": "배우",
}
"""Titles that English and Korean have one word for, and how a Korean text may say them."""
_BARE_TOPIC = re.compile(r"(?:은|는)요\s*\?*$")
"""'재단은요?': the same is asked of something else."""
_WH = re.compile(r"누구|누가|뭐|뭘|무엇|무슨|어느|어떤|어떻|어디|언제|왜|얼마|몇|며칠|이유|뭔|이름|알려|말해|설명|보여")

_ALIKE_SOUNDS = ("ᄀᄁᄏ", "ᄃᄄᄐ", "ᄇᄈᄑ", "ᄉᄊ", "ᄌᄍᄎ", "ᅢᅦ", "ᅤᅨ", "ᅫᅬᅰ")
"""Letters (conjoining jamo) that are often written for each other."""
_SOUNDS = {ord(other): alike[0] for alike in _ALIKE_SOUNDS for other in alike[1:]}


def missing(question: str, spoken: Language, sentences: Sequence[str]) -> list[str]:
    """What the question takes for granted and no sentence has, as it stands in the documents: numbers, 'next year',
    bodies and companies known by name, and for a Korean question on Korean text its particular nouns. A yes/no
    question may well name what is not so."""
    text = "\n".join(sentences)
    lacking = [time for time in strange_times(question, [text]) if time in _OTHER_TIMES]
    if is_yes_no(question, spoken):
        return lacking
    if spoken == "en":
        lacking += [*_unknown_bodies(question, text), *_unknown_titles(question, text)]
    known = {number.value for number in numbers(text)}
    lacking += [question[one.start : one.end] for one in numbers(question) if one.value not in known and one.value > 31]
    if spoken == "ko" and language(text) == "ko":
        lacking += unknown_nouns(question, sentences)
    return lacking


def lack(question: str, spoken: Language, sentences: Sequence[str]) -> tuple[int, bool]:
    """How many numbers, times and names the question takes for granted that no sentence has; and whether it has common
    nouns that no sentence has, which may just be other words for what stands there."""
    lacking, common = missing(question, spoken, sentences), _common_nouns(question)
    return sum(word not in common for word in lacking), any(word in common for word in lacking)


def asks_of_strangers(question: str, spoken: Language, sentences: Iterable[str]) -> bool:
    """Whether an English question takes for granted what a body did that none of all sentences names."""
    return not is_yes_no(question, spoken) and bool(_unknown_bodies(question, "\n".join(sentences)))


def _common_nouns(question: str) -> set[str]:
    return {token.form for token in kiwi().tokenize(question) if token.tag == "NNG"}


def is_yes_no(question: str, spoken: Language) -> bool:
    """Whether it can be answered by yes or no."""
    return bool(_YES_NO[spoken].search(question)) and not (
        spoken == "ko" and (_WH.search(question) or _BARE_TOPIC.search(question))
    )


def _unknown_bodies(question: str, text: str) -> list[str]:
    """The glossary's English names in a question that a Korean text has in none of their forms."""
    forms: dict[str, list[str]] = {}
    for korean, english in glossary().items():
        forms.setdefault(english, []).append(korean)
    squeezed = "".join(text.split()).lower()
    return [
        english
        for english, koreans in forms.items()
        if " " in english
        and re.search(rf"\b{re.escape(english)}\b", question)
        and not any("".join(form.split()).lower() in squeezed for form in (english, *koreans))
    ]


def _unknown_titles(question: str, text: str) -> list[str]:
    """The titles in an English question that a text has nobody with, in either language."""
    known = {TITLES[title].split()[-1] for name in people(text) if (title := title_after(text, name))}
    return [
        title
        for title, korean in _OFFICES.items()
        if re.search(rf"\b{title}\b", question, re.IGNORECASE)
        and title not in known
        and not re.search(rf"\b{title}|{korean}", text, re.IGNORECASE)
    ]


def unknown_nouns(question: str, sentences: Sequence[str]) -> list[str]:
    """The question's Korean nouns that stand in no sentence: not as a part of a word, as its abbreviation, nor
    misspelt by a letter."""
    text = "\n".join(sentences)
    squeezed = "".join(text.split()).lower()
    words = set(re.findall(r"[가-힣A-Za-z]{3,}", text))
    unknown = []
    for token in kiwi().tokenize(question):
        form = token.form.lower()
        if token.tag not in ("NNG", "NNP") or _only_asks(form) or form in squeezed or len(form) < 2:
            continue
        if not any(abbreviates(form, word) or _misspells(form, word) for word in words):
            unknown.append(token.form)
    return unknown


def _only_asks(form: str) -> bool:
    """A word of asking, or one of them with an ending for a place, person, name or day: 행사장, 발표자, 회사명."""
    return form in ASKING or (form[-1:] in ("장", "자", "명", "일") and form[:-1] in ASKING)


def _misspells(form: str, word: str) -> bool:
    """Letters (jamo) of as many syllables that differ in about one (컨퍼런스 for 콘퍼런스), or only in such as sound
    nearly the same (초첨 for 초점)."""
    one, other = (unicodedata.normalize("NFD", text) for text in (form, word[: len(form)].lower()))
    if one.translate(_SOUNDS) == other.translate(_SOUNDS):
        return True
    return len(form) >= 3 and SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def abbreviates(short: str, word: str) -> bool:
    """산업부 for 산업통상자원부: the letters in their order, the first one first."""
    if not 3 <= len(short) < len(word) or short[0] != word[0]:
        return False
    rest = iter(word)
    return all(letter in rest for letter in short)
