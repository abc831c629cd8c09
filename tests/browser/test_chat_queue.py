"""Many visitors, one model: everybody sees the evidence and a place in the line, and gets the own answer."""

from playwright.sync_api import expect

from tests.browser.conftest import PageAt, Served
from tests.browser.test_chat_page import ask, phase, until

VISITORS = 10


def test_ten_visitors_at_once(served: Served, page_at: PageAt) -> None:
    size = {"width": 400, "height": 700}
    pages = [page_at(served.url, viewport=size, locale=("ko-KR", "en-US")[n % 2]) for n in range(VISITORS)]
    for number, page in enumerate(pages):
        ask(page, f"line {number}" + " keep" * (number == 0))
        assert until(lambda number=number: len(served.asked) == number + 1, 30)  # type: ignore[misc]
    expect(pages[2].locator(".status")).to_contain_text("앞에 2명")
    expect(pages[9].locator(".status")).to_contain_text("9 ahead of you")
    expect(pages[9].locator(".evidence .card.found")).to_have_count(4)
    pages[1].locator(".go").click()
    phase(pages[1], "stopped")
    expect(pages[9].locator(".status")).to_contain_text("8 ahead of you")
    pages[2].close()
    expect(pages[9].locator(".status")).to_contain_text("7 ahead of you")
    pages[0].locator(".go").click()
    for number in range(3, VISITORS):
        phase(pages[number], "answered")
        expect(pages[number].locator(".turn")).to_have_count(1)
        expect(pages[number].locator(".body")).to_contain_text(f"You asked line {number} [1].")
    assert sorted(question for question, _ in served.asked) == ["line 0 keep", *(f"line {n}" for n in range(1, 10))]
