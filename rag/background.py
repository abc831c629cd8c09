"""Work that has the model only while nobody asks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from index.errors import Cancelled


class Background:
    """Lets questions go first: work that is under way is stopped for them, and begun again when they are done."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking = 0
        self._way = threading.Event()

    @contextmanager
    def making_way(self) -> Iterator[None]:
        """While a question is worked on."""
        with self._changed:
            self._asking += 1
            self._way.set()
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                if not self._asking:
                    self._way.clear()
                    self._changed.notify_all()

    def run(self, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        """Do `work` while nobody asks; the event it is given is set when somebody does. Nothing once `stop` is set."""
        while not stop.is_set():
            with self._changed:
                if not self._changed.wait_for(lambda: not self._asking, timeout=1.0):
                    continue
            try:
                work(self._way)
                return
            except Cancelled:
                continue
