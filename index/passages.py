"""A document's sentences grouped into passages, with repeated captions and credit lines kept apart."""

import re
from collections import Counter
from collections.abc import Callable

from index.records import Document, Passage, Span
from index.sentences import sentences

RULES = 1
"""The version of these rules; an index records it, since other rules cut other passages."""

TARGET = 256
"""Tokens of the embedding model after which a passage is closed."""

LONGEST = 384
"""Tokens after which a single sentence is cut, at a space: longer ones would not fit the model's window whole."""

_CREDIT = re.compile(
    r"^\s*(?:[(\[]?(?:사진|그래픽|자료|일러스트|Photo|Credit)\s*[=:·].{0,60}"
    r"|[가-힣]{2,4}\s?(?:선임|수습|사진|객원)?\s?(?:기자|특파원|PD)[=,]?\s*\S+@\S+"
    r"|\S+@\S+"
    r"|.{0,40}무단\s?전재.{0,40}"
    r"|(?:ⓒ|©|Copyright).{0,60})\s*$"
)

CountTokens = Callable[[list[str]], list[int]]


def passages(document: Document, count_tokens: CountTokens) -> list[Passage]:
    """The passages of a document, in order; together they hold every sentence once.

    A passage ends at the target length, before a heading, and where text and repeated lines (captions that stand
    more than once, credit lines) meet, so that those are passages of their own.
    """
    text = document.text
    spans = sentences(text)
    lengths = count_tokens([text[start:end] for start, end in spans])
    pieces = [
        (piece, max(1, length))
        for span, length in zip(spans, lengths, strict=True)
        for piece, length in _cut(text, span, length, count_tokens)
    ]
    keys = [_key(text[start:end]) for (start, end), _ in pieces]
    times = Counter(keys)
    groups: list[list[int]] = []
    size = 0
    for row, (_, length) in enumerate(pieces):
        if not groups or _begins_passage(text, pieces, keys, times, groups[-1], row, size + length):
            groups.append([])
            size = 0
        groups[-1].append(row)
        size += length
    return [
        Passage(
            document=document.name,
            number=number,
            start=pieces[rows[0]][0][0],
            end=pieces[rows[-1]][0][1],
            sentences=tuple(pieces[row][0] for row in rows),
            repeated=_is_repeated(text, pieces[rows[0]][0], keys[rows[0]], times),
        )
        for number, rows in enumerate(groups)
    ]


def _begins_passage(
    text: str,
    pieces: list[tuple[Span, int]],
    keys: list[str],
    times: Counter[str],
    group: list[int],
    row: int,
    size: int,
) -> bool:
    """Whether sentence `row` opens a new passage after `group`; `size` is the length with it (tokens)."""
    span, last = pieces[row][0], pieces[group[-1]][0]
    repeated = _is_repeated(text, span, keys[row], times)
    if repeated != _is_repeated(text, last, keys[group[-1]], times):
        return True
    if repeated and keys[row] in {keys[other] for other in group}:
        return True
    if size > TARGET:
        return True
    return "\n" in text[last[1] : span[0]] and text[span[0] : span[1]].startswith("#")


def _is_repeated(text: str, span: Span, key: str, times: Counter[str]) -> bool:
    return (times[key] > 1 and len(key) >= 12) or bool(_CREDIT.match(text[span[0] : span[1]]))


def _key(sentence: str) -> str:
    return re.sub(r"\s+", "", sentence)


def _cut(text: str, span: Span, length: int, count_tokens: CountTokens) -> list[tuple[Span, int]]:
    """A sentence in pieces of at most LONGEST tokens, each with its length, cut at spaces where it has any.

    The pieces are cut by the sentence's mean token length and counted; one that is denser than the mean, and so too
    long, is cut again. A single character is never cut.
    """
    if length <= LONGEST or span[1] - span[0] == 1:
        return [(span, length)]
    spans = _slices(text, span, max(1, (span[1] - span[0]) * LONGEST // length))
    lengths = count_tokens([text[start:end] for start, end in spans])
    return [
        piece for part, count in zip(spans, lengths, strict=True) for piece in _cut(text, part, count, count_tokens)
    ]


def _slices(text: str, span: Span, step: int) -> list[Span]:
    """A range in slices of at most `step` characters, cut at spaces where one is not too far back."""
    start, end = span
    slices: list[Span] = []
    while start < end:
        stop = min(start + step, end)
        space = max(text.rfind(" ", start, stop), text.rfind("\t", start, stop))
        if stop < end and space > start + step // 2:
            stop = space
        slices.append((start, start + len(text[start:stop].rstrip())))
        start = stop
        while start < end and text[start].isspace():
            start += 1
    return slices
