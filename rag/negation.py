"""Whether a claim says the contrary of a sentence: what one denies, the other affirms."""

import re
from collections.abc import Sequence
from functools import lru_cache

from index.tokens import Token, kiwi, stem

_NOT = re.compile(r"\b(?:not|never|no longer|cannot|\w+n['’]t)\b", re.IGNORECASE)
_SKIPPED = frozenset("be been being have has had a an the yet also so very much to will would do does did any".split())


def contradicts(claim: str, sentence: str) -> bool:
    """Whether a word that one of them denies is affirmed by the other. Words that only one of them has tell nothing."""
    denied, affirmed = _stems(claim)
    its_denied, its_affirmed = _stems(sentence)
    return bool((denied & its_affirmed) - its_denied or (affirmed & its_denied) - denied - its_affirmed)


@lru_cache(maxsize=1024)
def _stems(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The stems that a text denies and those that it says without a denial."""
    if any("가" <= letter <= "힣" for letter in text):
        return _korean(kiwi().tokenize(text))
    return _english(text)


def _korean(tokens: Sequence[Token]) -> tuple[frozenset[str], frozenset[str]]:
    """'크지 않다', '안 크다', '못 한다', '발표하지 못했다': the stem before or after. '아니다': the noun before."""
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
