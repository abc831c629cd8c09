"""The line before the model: in order, round by round, given up at once, and other work only while nobody asks."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from index.build import add
from index.errors import Cancelled
from index.fake import FakeEncoder
from index.snapshot import Index
from rag.answering import Answerer
from rag.model import FakeModel, Prompt
from rag.records import Event, Found, Waiting
from rag.turns import WARM, Turns, Warm


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


class Line:
    """Questions that come one after the other and are worked on until they are let go."""

    def __init__(self, at_once: int = 1) -> None:
        self.turns = Turns(at_once)
        self.served: list[str] = []
        self.told: dict[str, list[int]] = {}
        self._let: dict[str, threading.Event] = {}
        self.cancel: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def ask(self, question: str, visitor: str) -> None:
        """Put a question into the line, and come back when it is in it."""
        self.told[question], self._let[question] = [], threading.Event()
        self.cancel[question] = threading.Event()
        before = len(self.turns._line)
        thread = threading.Thread(target=self._work, args=(question, visitor), daemon=True)
        thread.start()
        self._threads.append(thread)
        until(lambda: len(self.turns._line) > before)

    def end(self, question: str) -> None:
        """Let its work come to its end."""
        until(lambda: question in self.served)
        self._let[question].set()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)
        assert not self.turns._line

    def _work(self, question: str, visitor: str) -> None:
        with self.turns.asking(visitor) as place:
            try:
                for ahead in place.waiting(self.cancel[question]):
                    self.told[question].append(ahead)
            except Cancelled:
                self.told[question].append(-1)
                return
            self.served.append(question)
            assert self._let[question].wait(20)


def test_one_after_the_other_and_everybody_is_told_how_many_are_ahead() -> None:
    line = Line()
    for question in "abc":
        line.ask(question, question)
    until(lambda: line.told["c"] == [2] and line.told["b"] == [1])
    line.end("a")
    until(lambda: line.told["c"] == [2, 1])
    line.end("b")
    line.end("c")
    line.join()
    assert line.served == ["a", "b", "c"]
    assert line.told == {"a": [], "b": [1, 0], "c": [2, 1, 0]}


def test_many_questions_of_one_visitor_do_not_hold_up_another() -> None:
    line = Line()
    for question in ("a1", "a2", "a3", "a4"):
        line.ask(question, "a")
    line.ask("b1", "b")
    line.ask("c1", "c")
    line.ask("b2", "b")
    for question in ("a1", "b1", "c1", "a2", "b2", "a3", "a4"):
        line.end(question)
    line.join()
    assert line.served == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]
    assert line.told["a2"][-2:] == [1, 0] and line.told["b1"] == [1, 0]


def test_who_gives_up_frees_his_place() -> None:
    line = Line()
    for question in "abc":
        line.ask(question, question)
    until(lambda: line.told["c"] == [2])
    line.cancel["b"].set()
    until(lambda: line.told["c"] == [2, 1])
    assert line.told["b"][-1] == -1
    line.end("a")
    line.end("c")
    line.join()


def test_a_model_that_can_works_on_several_at_once() -> None:
    line = Line(at_once=2)
    for question in "abc":
        line.ask(question, question)
    until(lambda: sorted(line.served) == ["a", "b"] and line.told["c"] == [1])
    for question in "bca":
        line.end(question)
    line.join()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "drug.txt").write_text("신약은 부산 벡스코에서 공개됐다. 개발에는 1200억원이 들었다.\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "drug.txt"], FakeEncoder())
    opened = Index(tmp_path / "index", FakeEncoder())
    yield opened
    opened.close()


def test_evidence_does_not_wait_and_answerers_of_one_model_share_its_line(index: Index) -> None:
    let = threading.Event()

    def reply(prompt: Prompt) -> str:
        assert let.wait(20)
        return "부산 벡스코"

    first = Answerer(index, FakeModel(reply, lambda _: 5.0))
    second = Answerer(index, first.model, first)
    events: list[Event] = []
    one = threading.Thread(target=first.ask, args=("신약은 어디서 공개됐어?",))
    one.start()
    until(lambda: bool(first.turns._line) and not first.turns._line[0].waits)
    other = threading.Thread(target=lambda: events.extend(second.stream("신약은 어디서 공개됐어?", visitor="b")))
    stream: Any = second.stream("신약은 어디서 공개됐어?", visitor="c")
    assert isinstance(next(stream), Found) and next(stream) == Waiting(1)
    other.start()
    until(lambda: any(isinstance(event, Waiting) for event in events))
    stream.close()
    let.set()
    one.join(20)
    other.join(20)
    assert isinstance(events[0], Found) and Waiting(0) in events and not first.turns._line


def test_what_was_used_last_stays_read() -> None:
    warm = Warm()
    for number in range(WARM):
        warm.add(number)
    assert warm.has(0)
    warm.add("new")
    assert warm.has(0) and warm.has("new") and not warm.has(1)


def test_questions_go_before_what_is_prepared() -> None:
    turns, stop = Turns(), threading.Event()
    begun, asked = threading.Event(), threading.Event()
    tries: list[str] = []

    def work(way: threading.Event) -> None:
        tries.append("begun")
        begun.set()
        if len(tries) == 1:
            assert way.wait(10)
            tries.append("made way")
            raise Cancelled("Somebody asks.")
        assert asked.is_set()

    thread = threading.Thread(target=turns.meanwhile, args=(work, stop))
    thread.start()
    assert begun.wait(10)
    with turns.asking():
        while len(tries) < 2:
            pass
        asked.set()
    thread.join(10)
    assert tries == ["begun", "made way", "begun"]


def test_nothing_begins_once_stopped() -> None:
    stop = threading.Event()
    stop.set()

    def work(_: threading.Event) -> None:
        raise AssertionError

    Turns().meanwhile(work, stop)
