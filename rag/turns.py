"""Whose turn it is with the answering model: one question after the other, and other work only while nobody asks.

Visitors take turns: in every round each of them has one question, so that who asks many waits for his own. (Fair
queueing by rounds: Nagle 1985, RFC 970.)
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from index.errors import Cancelled

LOOK = 0.25
"""Seconds between two looks at whether one who waits has given up."""


WARM = 4
"""Beginnings of prompts that a model is taken to have at hand; llama.cpp keeps as many of some 50 MB in its memory."""


class Warm:
    """The beginnings of prompts that a model has read, those used last. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[Hashable, None] = {}

    def add(self, beginning: Hashable) -> None:
        """The model has read it."""
        with self._lock:
            self._read.pop(beginning, None)
            self._read[beginning] = None
            while len(self._read) > WARM:
                del self._read[next(iter(self._read))]

    def has(self, beginning: Hashable) -> bool:
        """Whether it need not be read again; it is about to be used."""
        known = beginning in self._read
        if known:
            self.add(beginning)
        return known


@dataclass(slots=True, eq=False)
class _Ticket:
    """A question in the line: those that are worked on come first, then the earlier rounds."""

    visitor: str
    round: int
    number: int
    waits: bool = True

    def place(self) -> tuple[bool, int, int]:
        """What the line is sorted by."""
        return self.waits, self.round, self.number


class Turns:
    """The line before one answering model. Safe to share between threads."""

    def __init__(self, at_once: int = 1) -> None:
        """at_once: questions that are worked on at the same time."""
        self._at_once = at_once
        self._changed = threading.Condition()
        self._line: list[_Ticket] = []
        self._round = self._number = 0
        self._way = threading.Event()

    @contextmanager
    def asking(self, visitor: str = "") -> Iterator["Place"]:
        """While a question is asked: it has a place in the line, and other work makes way for it from the beginning."""
        with self._changed:
            rounds = [one.round + 1 for one in self._line if one.visitor == visitor]
            ticket = _Ticket(visitor, max([self._round, *rounds]), self._number)
            self._number += 1
            self._line = sorted([*self._line, ticket], key=_Ticket.place)
            self._way.set()
            self._changed.notify_all()
        try:
            yield Place(self, ticket)
        finally:
            with self._changed:
                self._line.remove(ticket)
                if not self._line:
                    self._way.clear()
                self._changed.notify_all()

    def meanwhile(self, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        """Do `work` while nobody asks; the event it is given is set when somebody does, and then it is begun again.

        Nothing once `stop` is set.
        """
        while not stop.is_set():
            with self._changed:
                if not self._changed.wait_for(lambda: not self._line, timeout=1.0):
                    continue
            try:
                work(self._way)
                return
            except Cancelled:
                continue

    def _begin(self, ticket: _Ticket, told: int) -> int:
        """How many are before a question: as soon as that is not what was told, or after a moment. At 0 it begins."""
        with self._changed:
            self._changed.wait_for(lambda: self._ahead(ticket) != told, LOOK)
            ahead = self._ahead(ticket)
            if not ahead:
                ticket.waits = False
                self._round = max(self._round, ticket.round)
                self._line.sort(key=_Ticket.place)
            return ahead

    def _ahead(self, ticket: _Ticket) -> int:
        return max(0, self._line.index(ticket) + 1 - self._at_once)


class Place:
    """One question's place in the line."""

    def __init__(self, turns: Turns, ticket: _Ticket) -> None:
        self._turns = turns
        self._ticket = ticket

    def waiting(self, cancel: threading.Event | None = None) -> Iterator[int]:
        """How many questions are ahead, whenever that changes, 0 last; nothing where there was none to begin with.

        Raises Cancelled within a moment once `cancel` is set.
        """
        told = -1
        while True:
            if cancel is not None and cancel.is_set():
                raise Cancelled("The answer was stopped.")
            ahead = self._turns._begin(self._ticket, told)
            if ahead != told and (ahead or told > 0):
                yield ahead
            if not ahead:
                return
            told = ahead
