"""What is made ready beforehand: the first one before all others, the others in turn, and nothing fails of it."""

import threading
from collections.abc import Iterator
from contextlib import closing

from index.errors import ModelFailed
from ui.preparing import Preparation


class Work:
    """Some steps of preparing; `error` comes after them."""

    def __init__(self, name: str, steps: int, log: list[str], error: Exception | None = None) -> None:
        self.name, self.steps, self.log, self.error = name, steps, log, error
        self.begin = threading.Event()
        self.done = threading.Event()
        self.times = 0

    def prepare(self, stop: threading.Event) -> Iterator[None]:
        assert self.begin.wait(20)
        for _ in range(self.steps):
            self.log.append(self.name)
            yield
        self.times += 1
        self.done.set()
        if self.error:
            raise self.error


def test_the_first_goes_before_the_others_which_take_turns() -> None:
    log: list[str] = []
    first, one, other = Work("first", 3, log), Work("one", 2, log), Work("other", 2, log)
    with closing(Preparation()) as preparation:
        for work in (first, one, other):
            preparation.soon(work)
        for work in (one, other, first):
            work.begin.set()
        assert one.done.wait(20) and other.done.wait(20)
    assert log == ["first"] * 3 + ["one", "other"] * 2


def test_what_changes_meanwhile_is_prepared_again_and_failures_hinder_no_other() -> None:
    log: list[str] = []
    broken = Work("broken", 1, log, ModelFailed("It failed.", name="fake", reason="it did"))
    one = Work("one", 1, log)
    with closing(Preparation()) as preparation:
        preparation.soon(broken)
        preparation.soon(one)
        preparation.soon(one)
        broken.begin.set()
        one.begin.set()
        assert one.done.wait(20)
        one.done.clear()
        preparation.soon(one)
        assert one.done.wait(20)
    assert one.times == 2 and log == ["broken", "one", "one"]
