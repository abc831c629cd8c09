"""Answerers made ready while nobody asks: what the model can read and translate beforehand, for all in turn."""

import logging
import threading
from collections.abc import Iterator
from typing import Protocol

from index.errors import MureumError

log = logging.getLogger(__name__)


class Preparable(Protocol):
    """What can be made ready, such as an `Answerer`."""

    def prepare(self, stop: threading.Event) -> Iterator[object]:
        """One step of the work each; it makes way for questions by itself, and is short where all has been done."""
        ...


class Preparation:
    """Works in a thread of its own, a step for each in turn; the first one it was given goes before all others."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._first: Preparable | None = None
        self._asked: list[Preparable] = []
        self._work: dict[Preparable, Iterator[object]] = {}
        threading.Thread(target=self._run, daemon=True).start()

    def soon(self, one: Preparable) -> None:
        """Have it made ready, anew where that is being done: it may have changed since."""
        with self._changed:
            self._first = self._first or one
            if one not in self._asked:
                self._asked.append(one)
            self._changed.notify_all()

    def close(self) -> None:
        """Leave the rest undone."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        while one := self._next():
            try:
                next(self._work[one])
                self._work[one] = self._work.pop(one)  # to the end
            except StopIteration:
                del self._work[one]
            except Exception as error:  # the first question will meet the same, and tell the person
                del self._work[one]
                if not isinstance(error, MureumError):
                    log.exception("preparing failed")

    def _next(self) -> Preparable | None:
        """Whose step comes next, as soon as there is one; None when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._work or self._stop.is_set())
            if self._stop.is_set():
                return None
            for one in [one for one in self._asked if one not in self._work]:
                self._asked.remove(one)
                self._work[one] = one.prepare(self._stop)
            return self._first if self._first in self._work else next(iter(self._work))
