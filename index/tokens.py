"""Words for the lexical side: Kiwi's morphemes, so that particles and endings do not hide a match.

'의장은', '의장이' and '의장' are one token here, so are the inflected forms of a verb, and 'plan' and
'plans' in English.
"""

import functools
import importlib.metadata
import threading
from collections.abc import Iterable

import snowballstemmer
from kiwipiepy import Kiwi, Token

__all__ = ["CONTENT_TAGS", "Token", "kiwi", "stem", "token_lists", "tokens", "version"]

CONTENT_TAGS = frozenset(
    "NNG NNP NNB NR NP VV VA XR MM MAG SL SN SH VV-I VV-R VA-I VA-R W_SERIAL W_EMAIL W_URL".split()
)

_STEMMING = threading.Lock()


@functools.cache
def kiwi() -> Kiwi:
    """The one analyser of this process; it loads in a second or two and is safe to share between threads."""
    return Kiwi()


def version() -> str:
    """What an index records: tokens of another version may differ."""
    return f"kiwi {importlib.metadata.version('kiwipiepy')} {importlib.metadata.version('kiwipiepy-model')} v2"


def tokens(text: str) -> list[str]:
    """The content morphemes of `text`, in order, in lower case; English words by their stem."""
    return _content(kiwi().tokenize(text))


def token_lists(texts: Iterable[str]) -> list[list[str]]:
    """Those of each text; for many short ones four times as fast."""
    return list(map(_content, kiwi().tokenize(texts)))


def _content(found: Iterable[Token]) -> list[str]:
    return [
        stem(token.form.lower().rstrip(".")) if token.tag == "SL" else token.form.lower().rstrip(".")
        for token in found
        if token.tag in CONTENT_TAGS
    ]


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of an English word in lower case (Porter 2): companies and company are 'compani'."""
    with _STEMMING:  # the stemmer keeps the word that it works on
        return str(_stemmer().stemWord(word))


@functools.cache
def _stemmer() -> "snowballstemmer.stemmer":
    return snowballstemmer.stemmer("english")
