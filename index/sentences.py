"""Sentences as character ranges: Kiwi for lines with Hangul, sentencex for the others.

Both libraries work on one line at a time, since a line break always ends a sentence here (headings, captions, list
items), and both are corrected where they cut what belongs together: a boundary inside a word or a quotation.
"""

import re
import unicodedata
from bisect import bisect_right

import sentencex

from index.records import Span
from index.tokens import kiwi

STRETCH = 4000
"""Characters of a line that Kiwi gets at a time, at most."""

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
        cuts = _korean_cuts(line)
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


def _korean_cuts(line: str) -> set[int]:
    """Where Kiwi or a full stop would end a sentence. Kiwi gets a long line in stretches: its time is their square."""
    endings = [match.end() for match in _ENDING.finditer(line)]
    cuts = set(endings)
    start = 0
    while start < len(line):
        stop = min(start + STRETCH, len(line))
        ending = bisect_right(endings, stop)
        at_ending = stop == len(line) or (ending > 0 and endings[ending - 1] > start)
        if stop < len(line):
            space = line.rfind(" ", start, stop) + 1
            stop = endings[ending - 1] if at_ending else space if space > start else stop
        ends = [start + span.end for span in kiwi().split_into_sents(line[start:stop])]
        cuts.update(ends if at_ending else ends[:-1])  # a stretch that ends anywhere ends no sentence
        start = stop
    return cuts


def _ends_sentence(line: str, start: int, cut: int) -> bool:
    """Whether a proposed boundary stands: not inside a word, not after an abbreviation or a list number."""
    before = line[start:cut].rstrip()
    inside_word = not line[cut - 1].isspace() and not line[cut].isspace()
    if inside_word and not _CLOSED.search(before):
        return False
    if _INITIALS.search(before):  # 'U.S. 정부', 'e.g. this': only before a capital may it be the end of a sentence
        return line[cut:].lstrip()[:1].isupper()
    return not _ABBREVIATION.search(before)
