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
from rag.model import AnsweringModel
from rag.numbers import unsupported
from rag.records import Language
from rag.when import strange_times

FILE = "translations.sqlite"

VERSION = 2
"""Part of the key of what is kept; to be raised when translations would come out otherwise."""

LONGEST = 128
"""Tokens of a translation."""

ATTEMPTS = 2
"""Translations of a sentence that are tried: the second one is told what the first one made up."""

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
        without: list[str] = []
        for _ in range(ATTEMPTS):
            prompt = prompts.translation(sentence, wanted, without)
            text = _INTRODUCTION.sub("", " ".join("".join(self._model.stream(prompt, LONGEST, cancel)).split()))
            wrong = [*unsupported(text, [sentence]), *strange_times(text, [sentence])]
            if language(text) == wanted and not wrong:
                break
            text, without = "", wrong
        self._keep(self._key(sentence, wanted), text)
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
