"""The questions at work, so that another request can stop one, and so that no visitor has too many."""

import threading

from index.errors import QuestionError

EACH = 4
"""Questions that one visitor can have at work or in the line at once, in several windows."""


class TooManyQuestions(QuestionError):
    """The visitor has as many questions at work as one can have. Value: `count`."""

    code = "questions-too-many"


class Running:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[tuple[str, str], threading.Event] = {}
        self._owners: dict[tuple[str, str], str] = {}

    def start(self, session: str, ask: str, owner: str) -> threading.Event:
        """A cancel event for this asking. Raises TooManyQuestions."""
        with self._lock:
            if list(self._owners.values()).count(owner) >= EACH:
                raise TooManyQuestions(
                    f"{EACH} of your questions are still at work. Wait for one of them, or stop it.", count=EACH
                )
            self._owners[session, ask] = owner
            return self._events.setdefault((session, ask), threading.Event())

    def end(self, session: str, ask: str) -> None:
        """Set its event, for whoever still works on it, and forget it."""
        with self._lock:
            event = self._events.pop((session, ask), None)
            self._owners.pop((session, ask), None)
        if event is not None:
            event.set()

    def has(self, ask: str) -> bool:
        """Whether an asking is at work, whosever it is."""
        with self._lock:
            return any(ask == its_ask for _, its_ask in self._events)

    def is_busy(self, session: str) -> bool:
        """Whether an asking of a session is at work."""
        with self._lock:
            return any(session == its_session for its_session, _ in self._events)

    def stop(self, session: str | None = None, ask: str | None = None) -> None:
        """Cancel the askings of a session, or one of them, or all there are."""
        with self._lock:
            for (its_session, its_ask), event in self._events.items():
                if session in (None, its_session) and ask in (None, its_ask):
                    event.set()
