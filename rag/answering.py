"""The main path of this package: from a question to a verified, cited answer."""

import threading
from collections.abc import Iterator, Sequence

from index.snapshot import Index
from rag.model import AnsweringModel
from rag.records import Answer, Event, Hit, Turn

LONGEST_QUESTION = 2000
"""Characters."""


class Answerer:
    """Answers questions from one index with one model. Safe to share between threads."""

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index
        self.model = model

    def stream(
        self, question: str, history: Sequence[Turn] = (), cancel: threading.Event | None = None
    ) -> Iterator[Event]:
        """Found, then Draft as often as there is news, then Finished.

        Raises QuestionEmpty, QuestionTooLong, Cancelled, ModelTimeout, ModelUnreachable, ModelFailed and what the
        index raises.
        """
        raise NotImplementedError

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer alone."""
        raise NotImplementedError

    def search(self, question: str, k: int = 10, history: Sequence[Turn] = ()) -> list[Hit]:
        """Retrieval alone: the k best hits, best first."""
        raise NotImplementedError

    def warm_up(self) -> None:
        """Have the model read what all prompts begin with."""
        raise NotImplementedError
