"""Sentences of the documents in the other language: translated by the answering model once, checked, and kept.

An English question is answered from English sentences, so that it can be searched, read and checked as a Korean one is
in Korean text. The translation is a bridge and never the evidence: what is cited is the sentence of the document.
"""

import contextlib
import hashlib
import re
import sqlite3
import threading
from pathlib import Path

from index.sentences import language
from rag import prompts
from rag.bilingual import common_words, half_english, terms, with_fields, without_month
from rag.model import AnsweringModel
from rag.numbers import unsupported
from rag.records import Language
from rag.when import strange_times

FILE = "translations.sqlite"

VERSION = 9
"""Part of the key of what is kept; to be raised when translations would come out otherwise."""

LONGEST = 128
"""Tokens of a translation."""

ATTEMPTS = 2
"""Translations of a sentence that are tried: the second one is told what the first one made up and
left out."""

BEGINNING = 5
"""Letters by which a word is known again."""

SHORTEST = 0.8
"""Least length of a translation, in lengths of the sentence; English has about twice the letters of Korean."""

_MONTH = re.compile(r"\d\s?월")
_LATIN = re.compile(r"(?<![\w@.])[A-Za-z][A-Za-z0-9&-]+(?![\w@])")
_HANGUL = re.compile("[가-힣]")
_INTRODUCTION = re.compile(r"^(?:here is|the|english)[\w\s]{0,20}translation[^:]{0,20}:\s*", re.IGNORECASE)


class Translations:
    """What has been translated for one index with one model. Safe to share between threads.

    It is kept in the index folder; a damaged file is begun anew, and where nothing can be written (a full disk) it
    lives as long as the process.
    """

    def __init__(self, folder: Path, model: AnsweringModel) -> None:
        self._model = model
        self._file = folder / FILE
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        with contextlib.suppress(sqlite3.Error):
            self._known = self._read()

    def known(self, sentence: str, wanted: Language) -> str | None:
        """The translation; '' where none came out that could be trusted, None where none was tried yet."""
        return self._known.get(self._key(sentence, wanted))

    def translate(self, sentence: str, wanted: Language, cancel: threading.Event | None = None) -> str:
        """The translation, made now where there is none; '' when its numbers, times or language come out wrong.

        Raises what the model raises.
        """
        known = self.known(sentence, wanted)
        if known is not None:
            return known
        text = half_english(sentence) if wanted == "en" else ""
        if language(text) != wanted or _HANGUL.search(text):
            text = self._attempts(sentence, wanted, cancel)
        self._keep(self._key(sentence, wanted), text)
        return text

    def _attempts(self, sentence: str, wanted: Language, cancel: threading.Event | None) -> str:
        """The best of what the model writes; '' when nothing can be trusted."""
        text, lacks = "", 0
        made_up: list[str] = []
        left_out: list[str] = []
        for _ in range(ATTEMPTS):
            prompt = prompts.translation(sentence, wanted, made_up, left_out)
            written = _INTRODUCTION.sub("", " ".join("".join(self._model.stream(prompt, LONGEST, cancel)).split()))
            if wanted == "en":
                written = with_fields(written if _MONTH.search(sentence) else without_month(written), sentence)
            made_up = [*unsupported(written, [sentence]), *strange_times(written, [sentence])]
            left_out = _left_out(written, sentence) if wanted == "en" else []
            is_sound = language(written) == wanted and not made_up and len(written) > SHORTEST * len(sentence)
            if is_sound and (not text or len(left_out) < lacks):
                text, lacks = written, len(left_out)
            if text and not left_out:
                break
        return text

    def _key(self, sentence: str, wanted: Language) -> str:
        parts = "\0".join((str(VERSION), self._model.name, wanted, " ".join(sentence.split())))
        return hashlib.sha256(parts.encode()).hexdigest()

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        try:
            with contextlib.closing(sqlite3.connect(self._file)) as store:
                return dict(store.execute("SELECT key, text FROM translations"))
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                self._file.unlink()
            return {}

    def _keep(self, key: str, text: str) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._known[key] = text
            with contextlib.closing(sqlite3.connect(self._file)) as store, store:
                store.execute("CREATE TABLE IF NOT EXISTS translations (key TEXT PRIMARY KEY, text TEXT NOT NULL)")
                store.execute("INSERT OR REPLACE INTO translations VALUES (?, ?)", (key, text))


def _left_out(translation: str, sentence: str) -> list[str]:
    """What a Korean sentence has and its translation lacks: English forms of terms, words that were put into English
    (by their beginnings: 'ministries', 'ministry'), and what stands in Latin letters."""
    known = translation.casefold()
    asked = [(term.english, re.findall(r"[a-z]{3,}|\d+", term.english.casefold())) for term in terms(sentence)]
    asked += [
        (term.english, [word[:BEGINNING] for word in re.findall(r"[a-z]{4,}", term.english.casefold())])
        for term in common_words(sentence)
    ]
    asked += [(word, [word.casefold()]) for word in _LATIN.findall(sentence)]
    return list(dict.fromkeys(english for english, parts in asked if not all(part in known for part in parts)))
