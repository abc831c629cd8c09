"""A question in the other language, to search with where passages are in it."""

import threading

from index.sentences import language
from index.snapshot import Snapshot
from rag import prompts
from rag.framing import matter
from rag.model import AnsweringModel
from rag.records import Language

LONGEST = 64
"""Tokens of a translated question."""


class QuestionTranslator:
    """Translates questions with an answering model, each once."""

    def __init__(self, model: AnsweringModel) -> None:
        self._model = model
        self._known: dict[str, str] = {}

    def of(self, question: str, snapshot: Snapshot, cancel: threading.Event | None = None) -> str:
        """The question in the language that it is not asked in; '' where no passage of the snapshot is in that, and
        where the model has not translated it.

        Raises what the model raises.
        """
        wanted: Language = "en" if language(question) == "ko" else "ko"
        if not snapshot.counts.get(wanted):
            return ""
        if question not in self._known:
            prompt = prompts.question_translation(matter(question), wanted)
            written = "".join(self._model.stream(prompt, LONGEST, cancel)).strip()
            self._known[question] = written if language(written) == wanted else ""
        return self._known[question]
