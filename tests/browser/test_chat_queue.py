"""Many visitors, one model: everybody sees the evidence and a place in the line, and gets the own answer."""

import statistics

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAt, Served
from tests.browser.test_chat_page import ask, phase, until
from tests.browser.test_chat_speed import WATCH

VISITORS = 10


def answered(page: Page, question: str, turns: int) -> None:
    """The page has so many turns, and the last one answers that question."""
    expect(page.locator(".turn")).to_have_count(turns)
    phase(page, "answered")
    expect(page.locator(".turn").last.locator(".body")).to_contain_text(f"You asked {question} [1].")


def test_ten_visitors_at_once(served: Served, page_at: PageAt) -> None:
    size = {"width": 1000, "height": 700}
    pages = [page_at(served.url, viewport=size, locale=("ko-KR", "en-US")[n % 2]) for n in range(VISITORS)]
    for number, page in enumerate(pages):
        page.evaluate(WATCH)
        page.fill("textarea", f"line at once {number}")
    for page in pages:
        page.press("textarea", "Enter")
    for number, page in enumerate(pages):
        answered(page, f"line at once {number}", 1)
    took = [page.evaluate("window.took[0]") for page in pages]
    print(
        f"\nten at once, question sent → evidence shown: p50 {statistics.median(took):.0f} ms, most {max(took):.0f} ms"
    )

    served.log.write_text("")
    for number, page in enumerate(pages):  # and one after the other, while the first one keeps the model
        ask(page, f"line {number}" + " keep" * (number == 0))
        assert until(lambda number=number: len(served.asked) == number + 1, 30)  # type: ignore[misc]
    status = ".turn:last-child .status"
    expect(pages[2].locator(status)).to_contain_text("앞에 2명")
    expect(pages[9].locator(status)).to_contain_text("9 ahead of you")
    expect(pages[9].locator(".evidence.active .card.found")).to_have_count(4)
    pages[1].locator(".go").click()
    phase(pages[1], "stopped")
    expect(pages[9].locator(status)).to_contain_text("8 ahead of you")
    pages[2].close()
    expect(pages[9].locator(status)).to_contain_text("7 ahead of you")
    pages[0].locator(".go").click()
    for number in range(3, VISITORS):
        answered(pages[number], f"line {number}", 2)
    assert sorted(question for question, _ in served.asked) == ["line 0 keep", *(f"line {n}" for n in range(1, 10))]
