"""How fast the page itself is, without a model: bounds for a busy machine, and the figures in the test's output."""

import statistics

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAt, Served
from tests.browser.test_chat_page import KO, ask, phase

QUESTIONS = 10

WATCH = """() => {
  window.took = [];
  let asked = 0;
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") asked = performance.now(); }, true);
  new MutationObserver(() => {
    if (asked && document.querySelector(".evidence.active .card")) { took.push(performance.now() - asked); asked = 0; }
  }).observe(document.querySelector(".side"), { subtree: true, childList: true });
}"""


def ready_after(page: Page) -> float:
    """Milliseconds from the beginning of a loading to a page that can be used."""
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")
    return float(page.evaluate("performance.getEntriesByName('mureum-ready')[0].startTime"))


def test_the_page_is_ready_in_time(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    took = statistics.median(ready_after(page) for _ in range(3))
    print(f"\nready (warm, median of 3): {took:.0f} ms")
    assert took < 4000


def test_evidence_is_there_in_time(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    page.evaluate(WATCH)
    for number in range(QUESTIONS):
        ask(page, KO)
        expect(page.locator(".turn")).to_have_count(number + 1)
        phase(page, "answered")
    took = page.evaluate("window.took")
    print(f"\nquestion sent → evidence shown: p50 {statistics.median(took):.0f} ms, most {max(took):.0f} ms")
    assert len(took) == QUESTIONS
    assert statistics.median(took) < 1000
