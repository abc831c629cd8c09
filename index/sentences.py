"""Sentences as character ranges: Kiwi for lines with Hangul, sentencex for the others.

Both libraries work on one line at a time, since a line break always ends a sentence here (headings, captions, list
items), and both are corrected where they cut what belongs together: a boundary inside a word or a quotation.
"""

import re
import unicodedata

import sentencex

from index.records import Span
from index.tokens import kiwi

_HANGUL = re.compile(r"[가-힣]")
_ENDING = re.compile(r"[.?!…。][\"'”’」』)\]〉》]*\s+")
_CLOSED = re.compile(r"[.?!…。:;][\"'”’」』)\]〉》]*$")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(“\"‘'])(?:[A-Za-z]|No|Dr|Mr|Ms|Mrs|Prof|vs|St|Inc|Ltd|Co|Corp)\.$|^\s*(?:\d{1,2}|[가나다라마바사아자차카타파하])\.$"
)
_INITIALS = re.compile(r"(?:^|[\s(“\"‘'])(?:[A-Za-z]\.){2,}$")
_QUOTED = re.compile(r"“[^”]{1,300}”|\"[^\"]{1,300}\"|‘[^’]{1,300}’|「[^」]{1,300}」|『[^』]{1,300}』|\([^)]{1,300}\)")


def sentences(text: str) -> list[Span]:
    """The sentences of `text` in order, without the white space around them.

    Every character that is not white space is in exactly one of them.
    """
    spans: list[Span] = []
    offset = 0
    for line in text.split("\n"):
        if line.strip():
            spans += [(offset + start, offset + end) for start, end in _line_sentences(line)]
        offset += len(line) + 1
    return spans


def language(text: str) -> str:
    """'ko' where Hangul has at least a fifth of the letters, else 'en'.

    A Korean sentence may hold many Latin names and abbreviations ('Lunit 의장 이름이 뭐야?'), an English one hardly
    any Hangul.
    """
    hangul = len(_HANGUL.findall(text))
    letters = sum(unicodedata.category(letter).startswith("L") for letter in text)
    return "ko" if hangul and hangul * 5 >= letters else "en"


def _line_sentences(line: str) -> list[Span]:
    if _HANGUL.search(line):
        cuts = {span.end for span in kiwi().split_into_sents(line)} | {m.end() for m in _ENDING.finditer(line)}
    else:
        cuts = {boundary["end_index"] for boundary in sentencex.get_sentence_boundaries("en", line)}
    quoted = [match.span() for match in _QUOTED.finditer(line)]
    spans: list[Span] = []
    start = 0
    for cut in sorted(cuts | {len(line)}):
        inside = any(opened < cut < closed for opened, closed in quoted)
        if cut < len(line) and (inside or not _ends_sentence(line, start, cut)):
            continue
        piece = line[start:cut]
        lead = len(piece) - len(piece.lstrip())
        if piece.strip():
            spans.append((start + lead, start + len(piece.rstrip())))
        start = cut
    return spans


def _ends_sentence(line: str, start: int, cut: int) -> bool:
    """Whether a proposed boundary stands: not inside a word, not after an abbreviation or a list number."""
    before = line[start:cut].rstrip()
    inside_word = not line[cut - 1].isspace() and not line[cut].isspace()
    if inside_word and not _CLOSED.search(before):
        return False
    if _INITIALS.search(before):  # 'U.S. 정부', 'e.g. this': only before a capital may it be the end of a sentence
        return line[cut:].lstrip()[:1].isupper()
    return not _ABBREVIATION.search(before)
