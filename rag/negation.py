"""Whether a claim says the contrary of a sentence: what one denies, the other affirms."""

import re
from collections.abc import Sequence
from functools import lru_cache

from index.tokens import Token, kiwi, stem

_NOT = re.compile(r"\b(?:not|never|no longer|cannot|\w+n['’]t)\b", re.IGNORECASE)
_SKIPPED = frozenset("be been being have has had a an the yet also so very much to will would do does did any".split())


_PAIRS = (
    "늘/줄 늘/감소 늘/줄어들 늘어나/줄 늘어나/줄어들 늘리/줄이 증가/감소 증가/줄 오르/내리 오르/떨어지"
    " 상승/하락 확대/축소 강화/완화 높/낮 많/적 크/작 길/짧 넓/좁 빠르/느리 가깝/멀 쉽/어렵 밝/어둡 좋/나쁘"
    " 새롭/낡 편하/불편 편리/불편 가능/불가능 만족/불만 찬성/반대 성공/실패 합격/불합격 합법/불법 승리/패배"
    " 이기/지 흑자/적자 열/닫 사/팔 켜/끄 시작/끝나 참석/불참 동의/거부 수락/거절 increas/decreas rise/fall"
    " rose/fell grow/shrink grew/shrank gain/lose higher/lower more/less more/fewer larger/smaller"
    " longer/shorter faster/slower support/oppos approv/reject accept/refus agre/disagre succeed/fail"
    " success/failur win/lose won/lost open/close begin/end profit/loss legal/illeg possibl/imposs"
    " satisfi/dissatisfi buy/sell"
)
"""Stems that say contraries of each other, in both languages."""


def _opposites() -> dict[str, frozenset[str]]:
    """Of each stem of `_PAIRS` those that it is paired with."""
    pairs = [pair.split("/") for pair in _PAIRS.split()]
    both = [*pairs, *([other, one] for one, other in pairs)]
    return {stem_of: frozenset(other for one, other in both if one == stem_of) for stem_of, _ in both}


_OPPOSITES = _opposites()


def contradicts(claim: str, sentence: str) -> bool:
    """Whether a word that one of them denies is affirmed by the other, or a word of the claim stands in the sentence as
    its opposite alone. Other words that only one of them has tell nothing."""
    denied, affirmed = _stems(claim)
    its_denied, its_affirmed = _stems(sentence)
    if (denied & its_affirmed) - its_denied or (affirmed & its_denied) - denied - its_affirmed:
        return True
    strange = affirmed - its_affirmed - its_denied
    return any(_OPPOSITES[word] & its_affirmed - affirmed for word in strange & _OPPOSITES.keys())


@lru_cache(maxsize=1024)
def _stems(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The stems that a text denies and those that it says without a denial."""
    if any("가" <= letter <= "힣" for letter in text):
        return _korean(kiwi().tokenize(text))
    return _english(text)


def _korean(tokens: Sequence[Token]) -> tuple[frozenset[str], frozenset[str]]:
    """'크지 않다', '안 크다', '못 한다': the stem before or after; '아니다', '없다': the noun before."""
    denied: set[str] = set()
    said: set[str] = set()
    for place, token in enumerate(tokens):
        if token.tag[:2] not in ("VV", "VA", "XR", "NN"):
            continue
        stem_of = token.form
        after = [one.form for one in tokens[place + 1 : place + 5]]
        before = tokens[place - 1].form if place else ""
        if token.tag[:2] == "NN":
            verb = place + 1 < len(tokens) and tokens[place + 1].tag in ("XSV", "XSA")
            if not verb:
                if "아니" in after[:2]:
                    denied.add(stem_of)
                elif "없" in after[:2]:
                    denied.add(f"{stem_of} 있")
                elif "있" in after[:2]:
                    said.add(f"{stem_of} 있")
                continue
            after = after[1:]
        negated = before in ("안", "못") or (
            "지" in after[:2] and any(one in ("않", "못하", "못", "말") for one in after[1:4])
        )
        (denied if negated else said).add(stem_of)
    return frozenset(denied), frozenset(said)


def _english(text: str) -> tuple[frozenset[str], frozenset[str]]:
    words = [(match.start(), stem(match.group().lower())) for match in re.finditer(r"[A-Za-z]+", text)]
    denied: set[str] = set()
    for match in _NOT.finditer(text):
        after = [word for start, word in words if start >= match.end() and word not in _SKIPPED]
        denied.update(after[:1])
    said = {word for _, word in words} - denied
    return frozenset(denied), frozenset(said)
