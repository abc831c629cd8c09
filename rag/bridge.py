"""From documents in one language to questions in the other: every sentence as the asker's language can read it."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Vectors
from index.errors import Cancelled
from index.lexical import LexicalStore
from index.sentences import language
from index.tokens import tokens
from rag import prompts
from rag.bilingual import half_english
from rag.late import Tokens, centred
from rag.records import Language
from rag.translations import Translations

DIRECT_SHARE = 0.5
"""Share of the sentence itself in its cosine and in its similarity by tokens; the rest is its translation's."""

TOKEN_SHARE = 0.5
"""Weight of the similarity by tokens; that of the cosine is nearly 1."""

KEPT = 2000
"""Texts whose vectors are kept, some 30 KB each."""

COVERAGE_SHARE = 0.1
"""What a translated sentence that has all words of the question gains over one that has none (cosine scale)."""

LEXICON_SHARE = 0.2
"""The same of the sentence itself, whose words are compared through the lexicon."""


@dataclass(frozen=True, slots=True)
class Direct:
    """How near sentences themselves are to a question in the other language, (n,) each: cosines, similarities by
    tokens, and the shares of its words that they have in theirs (`rag.worded`)."""

    cosines: Vectors
    similar: Vectors
    shared: Vectors


class Bridge:
    """Reads sentences in the language of a question. Safe to share between threads."""

    def __init__(self, encoder: Encoder, translations: Translations) -> None:
        self._encoder = encoder
        self._translations = translations
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Vectors, NDArray[np.float16]]] = {}

    def read(self, sentence: str, wanted: Language, role: str = "") -> str:
        """The sentence itself, its translation, or where there is none the sentence with its terms in English; a bare
        name behind what it is there for (role, `Context.role`).

        Only the first two are in the wanted language.
        """
        label = prompts.ROLES[wanted].get(role, "")
        if not foreign(sentence, wanted):
            return label + sentence
        known = self._translations.known(sentence, wanted)
        return label + (known or (half_english(sentence) if wanted == "en" else sentence))

    def translation(self, sentence: str, wanted: Language) -> str:
        """The translation for who reads it beside the sentence; '' when it needs none or has none."""
        return (self._translations.known(sentence, wanted) or "") if foreign(sentence, wanted) else ""

    def untranslated(self, sentences: Sequence[str], wanted: Language) -> list[str]:
        """Those that are in another language and that nobody has tried to translate yet."""
        return [one for one in sentences if foreign(one, wanted) and self._translations.known(one, wanted) is None]

    def translate(self, sentence: str, wanted: Language, cancel: threading.Event | None = None) -> None:
        """See to it that a sentence has been translated, or tried. Raises what the model raises."""
        if foreign(sentence, wanted):
            self._translations.translate(sentence, wanted, cancel)

    def relevance(self, question: str, readings: Sequence[str], direct: Direct | None = None) -> Vectors:
        """How well each reading answers to the question, both in one language, shape (n,): cosine, shared words and
        similarity by tokens.

        direct: of the sentences themselves, where it is known.
        """
        words = tokens(question)
        sets = [frozenset(tokens(one)) for one in readings]
        lexical = LexicalStore([sorted(one) for one in sets])
        shared = np.array([lexical.coverage(words, one) for one in sets], np.float32)
        asked = self._encoder.encode_asked(question)
        vectors, found = self._encoded(readings)
        centre = self._encoder.centre(language(question))
        cosines = vectors @ asked.vector
        similar = Tokens(asked, centre).similarity(centred(found, centre.token))
        own = np.zeros(len(readings), np.float32)
        if direct is not None:
            cosines = DIRECT_SHARE * direct.cosines + (1 - DIRECT_SHARE) * cosines
            similar = DIRECT_SHARE * direct.similar + (1 - DIRECT_SHARE) * similar
            own += LEXICON_SHARE * direct.shared
        whole = (1 - COVERAGE_SHARE) * cosines + COVERAGE_SHARE * shared + TOKEN_SHARE * similar + own
        return np.asarray(whole, np.float32)

    def get_ready(self, texts: Sequence[str], way: threading.Event | None = None) -> None:
        """Compute the vectors of texts that have none yet, a few at a time. Raises Cancelled once `way` is set."""
        for batch in _batches(list(dict.fromkeys(texts)), 16):
            if way is not None and way.is_set():
                raise Cancelled("Somebody asks.")
            with self._lock:
                new = [text for text in batch if text not in self._known]
                if new:
                    vectors, _, words = self._encoder.encode_in_full(new, [[(0, len(text))] for text in new])
                    halved = [its.astype(np.float16) for its in words]
                    self._known.update(zip(new, zip(vectors, halved, strict=True), strict=True))

    def _encoded(self, texts: Sequence[str]) -> tuple[Vectors, list[Vectors]]:
        """Their vectors as passages (n, size), and of each its tokens' (T, size). Those of the last texts are kept."""
        self.get_ready(texts)
        with self._lock:
            found = [self._known.pop(text) for text in dict.fromkeys(texts)]
            self._known.update(zip(dict.fromkeys(texts), found, strict=True))
            known = [self._known[text] for text in texts]
            for text in list(self._known)[: -max(KEPT, len(found))]:
                del self._known[text]
        return np.array([vector for vector, _ in known], np.float32), [its.astype(np.float32) for _, its in known]


def foreign(sentence: str, wanted: Language) -> bool:
    """Whether a reader of the wanted language needs it translated; figures and bare Latin names need nothing."""
    return language(sentence) not in (wanted, "") and any(letter.isalpha() for letter in sentence)


def _batches(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(texts), size):
        yield list(texts[start : start + size])
