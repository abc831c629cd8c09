"""For everybody: axe finds nothing serious in any state, the keyboard alone is enough, every width, paper."""

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAt, Served
from tests.browser.scripted import PLACE
from tests.browser.test_chat_documents import upload
from tests.browser.test_chat_page import EN, KO, ask, phase

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TEXT = "물결팀은 2019년에 만들어졌다.\n"


def faults(page: Page, state: str) -> list[str]:
    """What axe calls serious or critical, a line each."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{state}: {one['id']} {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def stop(page: Page) -> None:
    page.locator(".go").click()
    phase(page, "stopped")


def ask_anew(page: Page, question: str) -> None:
    """In a new conversation: what axe takes grows with all that is on the page."""
    page.locator(".new").dispatch_event("click")
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, question)


@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [("ko-KR", "light", 1440), ("ko-KR", "dark", 360), ("en-US", "light", 360), ("en-US", "dark", 1440)],
)
def test_axe_finds_nothing_serious_in_any_state(
    served: Served, page_at: PageAt, locale: str, scheme: str, width: int
) -> None:
    page = page_at(served.url, locale=locale, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    found = faults(page, "welcome")
    ask(page, " ")
    found += faults(page, "hint")
    for question, shown in (
        ("wait", ".turn[data-phase=searching]"),
        ("look", ".card.found"),
        ("hold", ".card.quote"),
        ("slow", ".draft"),
        ("check", ".turn[data-phase=checking]"),
        ("ahead", ".turn[data-phase=waiting]"),
    ):
        ask_anew(page, question)
        expect(
            page.locator(f".turn:last-child{shown}, .turn:last-child {shown}, .evidence.active {shown}").first
        ).to_be_visible()
        found += faults(page, question)
        stop(page)
    found += faults(page, "stopped")
    for question, name in (
        (KO, "answered"),
        ("quote it", "quoted"),
        ("missing", "not_found"),
        ("hello", "answered"),
        ("boom", "failed"),
    ):
        ask_anew(page, question)
        phase(page, name)
        found += faults(page, question)
    ask(page, "hostile")
    phase(page, "answered")
    page.locator(".turn").last.locator("[data-verdict=wrong]").click()
    expect(page.locator(".feedback-said").last).not_to_be_empty()
    found += faults(page, "feedback")
    page.locator(".turn").last.locator(".mark").first.click()
    expect(page.locator("mark.chosen")).to_be_visible()
    found += faults(page, "source")
    page.keyboard.press("Escape")
    page.locator(".evidence.active .sentence").first.evaluate("node => { node.textContent = 'as it was' }")
    page.locator(".evidence.active .card, .turn:last-child .card").first.locator(".open").click()
    expect(page.locator(".source-text .kept")).to_be_visible()
    found += faults(page, "source changed")
    page.keyboard.press("Escape")
    if width < 1280:
        page.locator(".menu-button").click()
    found += faults(page, "conversations")
    page.locator(".conversations summary").first.click()
    found += faults(page, "menu")
    page.locator(".menu[open] [data-act=rename]").click()
    found += faults(page, "rename")
    page.keyboard.press("Escape")
    page.locator(".conversations summary").first.click()
    page.locator(".menu[open] [data-act=delete]").click()
    found += faults(page, "delete")
    page.keyboard.press("Escape")
    page.locator("[data-panel=documents]").click()
    expect(page.locator(".documents .item").first).to_be_visible()
    found += faults(page, "documents")
    upload(page, ("물결.txt", TEXT), ("그림.png", b"x"))
    expect(page.locator(".uploads li[data-state=done]")).to_have_count(1)
    expect(page.locator(".uploads li[data-state=refused]")).to_have_count(1)
    found += faults(page, "uploads")
    page.locator(".documents .remove").click()
    found += faults(page, "remove")
    assert not found, "\n".join(found)


def tab_to(page: Page, selector: str, key: str = "Tab", most: int = 40) -> None:
    """Press Tab until the focus is on what is looked for."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} does not come to {selector}")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_keyboard_alone_is_enough(served: Served, page_at: PageAt, width: int) -> None:
    page = page_at(served.url, viewport={"width": width, "height": 800})
    tab_to(page, ".question-box")
    page.keyboard.type(KO)
    page.keyboard.press("Enter")
    phase(page, "answered")
    tab_to(page, "[data-verdict=right]", "Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("[data-verdict=right]")).to_have_attribute("aria-pressed", "true")
    tab_to(page, ".mark[data-marker='1']", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("mark.chosen")).to_have_text(PLACE)
    page.keyboard.press("Escape")
    expect(page.locator(".mark").first).to_be_focused()
    if width < 1280:
        tab_to(page, ".menu-button", "Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".close-rail")).to_be_focused()
    tab_to(page, ".conversations summary", "Tab" if width < 1280 else "Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dialog input")).to_be_focused()
    page.keyboard.type("새 이름")
    page.keyboard.press("Enter")
    expect(page.locator(".conversations .item-title")).to_have_text(["새 이름"])
    expect(page.locator(".conversations summary")).to_be_focused()
    tab_to(page, "[role=tab][aria-selected=true]", "Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="문서")).to_be_focused()
    tab_to(page, "[name=mureum-collection]:checked")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="내 문서")).to_be_checked()
    tab_to(page, ".files")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    if width < 1280:
        expect(page.locator(".menu-button")).to_be_focused()


@pytest.mark.parametrize("width", [360, 500, 768, 1024, 1280, 1440, 1600])
def test_no_width_scrolls_sideways(served: Served, page_at: PageAt, width: int) -> None:
    page = page_at(served.url, viewport={"width": width, "height": 740})
    ask(page, "quote " + "긴낱말" * 60)
    phase(page, "quoted")
    page.locator("[data-verdict=wrong]").click()
    if width < 1280:
        page.locator(".menu-button").click()
    page.locator("[data-panel=documents]").click()
    upload(page, ("긴이름" * 30 + ".png", b"x"))
    expect(page.locator(".uploads li[data-state=refused]")).to_be_visible()
    nodes = "[...document.querySelectorAll('html, .scroll, .evidence, .card, .top, .rail, .panel, .item, .uploads li')]"
    assert (
        page.evaluate(f"{nodes}.filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.className)")
        == []
    )
    for box in page.locator(".rail, .top, .composer .box").all():
        measured = box.bounding_box()
        assert measured is not None and measured["x"] >= 0 and measured["x"] + measured["width"] <= width + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_has_every_answer_with_its_evidence_and_nothing_to_press(
    served: Served, page_at: PageAt, scheme: str
) -> None:
    page = page_at(served.url, color_scheme=scheme)
    for question, name in ((KO, "answered"), ("인용해 주세요", "quoted")):
        ask(page, question)
        phase(page, name)
    page.emulate_media(media="print")
    for sentence in page.locator(".turn .slot .cards:not(.unused *) .sentence").all():
        expect(sentence).to_be_visible()
    expect(page.locator(".turn .slot .card:not(.unused *)")).to_have_count(3)
    for hidden in (".composer", ".rail", ".languages", ".feedback >> nth=0", ".open >> nth=0", ".side"):
        expect(page.locator(hidden)).to_be_hidden()
    paper, ink = page.evaluate(
        "['backgroundColor', 'color'].map(name => getComputedStyle(document.querySelector('.mureum'))[name])"
    )
    assert paper == "rgb(255, 255, 255)" and ink == "rgb(30, 35, 34)"
    assert page.evaluate("document.querySelector('.mureum').scrollHeight > 300")
    page.emulate_media(media="screen")
    expect(page.locator(".side .evidence.active .card").first).to_be_visible()


def test_languages_are_marked(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url, locale="en-US")
    ask(page, EN)
    phase(page, "answered")
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.locator(".body")).to_have_attribute("lang", "en")
    expect(page.locator(".question")).to_have_attribute("lang", "en")
    expect(page.locator(".evidence.active .sentence").first).to_have_attribute("lang", "ko")
    expect(page.locator(".item-title").first).to_have_attribute("lang", "en")
    page.get_by_role("button", name="한국어").click()
    assert page.evaluate("document.documentElement.lang") == "ko"
    expect(page.locator(".body")).to_have_attribute("lang", "en")
