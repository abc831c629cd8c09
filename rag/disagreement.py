"""Two documents that say different things of one matter: both are shown, since nobody can tell here who is right."""

from index.tokens import tokens
from rag.names import names, people
from rag.numbers import numbers
from rag.when import times

ALIKE = 0.6
"""Share of the shorter sentence's words, without names and figures, that the other one has where both are of one
matter."""


def disagree(one: str, other: str, question: str) -> bool:
    """Whether two sentences say the same but for a figure, a time or a name.

    A sentence that lacks a figure, a time or a name of the question is of another matter.
    """
    mine, theirs = _particulars(one), _particulars(other)
    for kind, named in _particulars(question).items():
        if named - mine.get(kind, set()) or named - theirs.get(kind, set()):
            return False
    words, its_words = _words(one), _words(other)
    shorter = min(words, its_words, key=len)
    if len(shorter) < 2 or len(words & its_words) < ALIKE * len(shorter):
        return False
    shared = [(mine[kind], theirs[kind]) for kind in mine if kind in theirs]
    return any(not (values <= its_values or its_values <= values) for values, its_values in shared)


def _particulars(text: str) -> dict[str, set[object]]:
    """What a sentence is told apart by: names, times, and figures by their unit. Kinds that it has none of are
    left out."""
    found: dict[str, set[object]] = {}
    for number in numbers(text):
        found.setdefault(f"figure {number.unit}", set()).add(number.value)
    for kind, values in (("time", times(text)), ("name", _names(text))):
        if values:
            found[kind] = set(values)
    return found


def _names(text: str) -> set[str]:
    return {*names(text), *people(text)}


def _words(text: str) -> set[str]:
    """Its words without figures and names."""
    for name in _names(text):
        text = text.replace(name, " ")
    return {word for word in tokens(text) if not any(letter.isdigit() for letter in word)}
