"""Words of one language as they may stand in the other (assets/lexicon.tsv): search by words across languages."""

import functools
import threading
from collections import defaultdict
from importlib.resources import files

from index.tokens import stem, token_lists

FUNCTION = frozenset(
    stem(word)
    for word in (
        "a about above after again against all also am an and any are as at back be because been before being"
        " below between both but by can come could did do does doing down during each even few for from further"
        " get go had has have having he her here hers herself him himself his how i if in into is it its itself"
        " just like look may me might more most must my myself no nor not now of off on once one only or other"
        " our ours ourselves out over s same see shall she should so some such take than that the their theirs"
        " them themselves then there these they this those through to too two under until up us very was way we"
        " well were what when where which while who whom why will with would you your yours yourself"
    ).split()
)
"""Stems of English words that Korean has as endings and particles, or that stand in any sentence."""

_LOADING = threading.Lock()


def others(word: str) -> frozenset[str]:
    """What a token (`index.tokens.tokens`) may be in the other language, as tokens; empty where that is not known."""
    with _LOADING:
        return _tables().get(word, frozenset())


@functools.cache
def _tables() -> dict[str, frozenset[str]]:
    """Of each token of either language those of the other; reading and splitting them takes about a second."""
    entries = []
    for line in files("rag").joinpath("assets/lexicon.tsv").read_text("utf-8").splitlines():
        word, _, senses = line.partition("\t")
        if senses and not line.startswith("#"):
            entries += [(stem(word), sense) for sense in senses.split(", ")]
    found = defaultdict[str, set[str]](set)
    for (word, _), its in zip(entries, token_lists([sense for _, sense in entries]), strict=True):
        found[word].update(its)
        if len(its) == 1:  # a compound's parts are not what the English word says
            found[its[0]].add(word)
    return {word: frozenset(its) for word, its in found.items()}
