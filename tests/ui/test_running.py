"""The questions at work: stopped by whoever asked them, and not too many of one visitor."""

import pytest

from ui.running import EACH, Running, TooManyQuestions


def test_a_visitor_has_so_many_at_once_and_no_more() -> None:
    running = Running()
    for number in range(EACH):
        running.start(f"window {number}", "ask", "one")
    with pytest.raises(TooManyQuestions):
        running.start("another window", "ask", "one")
    assert not running.is_busy("another window")
    running.start("another window", "ask", "other")
    running.end("window 0", "ask")
    assert not running.start("window 5", "ask", "one").is_set()


def test_stop_is_for_one_asking_or_a_session_or_all() -> None:
    running = Running()
    one, two, other = (running.start(*key, "me") for key in (("a", "1"), ("a", "2"), ("b", "1")))
    running.stop("a", "1")
    assert one.is_set() and not two.is_set() and not other.is_set()
    running.stop("a")
    assert two.is_set() and not other.is_set()
    running.end("b", "1")
    assert other.is_set() and not running.is_busy("b") and running.has("1")
