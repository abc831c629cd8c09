"""Input methods: composition events of Chromium itself, and the orders that other browsers have."""

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import PageAt, Served

HALF = "어디에서 열렸나"
WHOLE = "어디에서 열렸나요"


def compose(session: CDPSession, text: str) -> None:
    session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


def press(session: CDPSession, kind: str, code: int) -> None:
    key = {"windowsVirtualKeyCode": code, "code": "Enter", "key": "Process" if code == 229 else "Enter"}
    session.send("Input.dispatchKeyEvent", {"type": kind, **key, **({"text": "\r"} if kind == "keyDown" else {})})


def begun(page: Page, text: str, composing: str) -> CDPSession:
    page.locator("textarea").focus()
    session = page.context.new_cdp_session(page)
    if text:
        session.send("Input.insertText", {"text": text})
    compose(session, composing)
    return session


def sent(served: Served, page: Page) -> list[str]:
    expect(page.locator(".turn").last).to_have_attribute("data-phase", "answered", timeout=15_000)
    page.wait_for_timeout(300)
    return [question for question, _ in served.asked]


def test_hangul_enter_then_end(served: Served, page_at: PageAt) -> None:
    """As Chromium does: keydown 229 while composing, the end, and a second keydown of the same press."""
    page = page_at(served.url)
    session = begun(page, HALF, "요")
    press(session, "rawKeyDown", 229)
    session.send("Input.insertText", {"text": "요"})
    press(session, "keyDown", 13)
    press(session, "keyUp", 13)
    assert sent(served, page) == [WHOLE]
    expect(page.locator("textarea")).to_have_value("")


def test_hangul_enter_then_end_without_a_second_keydown(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    session = begun(page, HALF, "요")
    press(session, "rawKeyDown", 229)
    session.send("Input.insertText", {"text": "요"})
    press(session, "keyUp", 229)
    assert sent(served, page) == [WHOLE]


@pytest.mark.parametrize("code", [229, 13])
def test_hangul_end_then_enter(served: Served, page_at: PageAt, code: int) -> None:
    """As Safari does."""
    page = page_at(served.url)
    session = begun(page, HALF, "요")
    session.send("Input.insertText", {"text": "요"})
    press(session, "rawKeyDown" if code == 229 else "keyDown", code)
    press(session, "keyUp", code)
    assert sent(served, page) == [WHOLE]
    expect(page.locator("textarea")).to_have_value("")


def test_an_input_method_that_goes_on_composing_is_ended(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    session = begun(page, HALF, "요")
    press(session, "keyDown", 13)
    press(session, "keyUp", 13)
    assert sent(served, page) == [WHOLE]


@pytest.mark.parametrize(("composing", "picked"), [("にほん", "日本"), ("zhongguo", "中国")])
def test_a_candidate_is_picked_without_sending(served: Served, page_at: PageAt, composing: str, picked: str) -> None:
    page = page_at(served.url)
    session = begun(page, "", composing)
    press(session, "rawKeyDown", 229)
    session.send("Input.insertText", {"text": picked})
    press(session, "keyUp", 13)
    compose(session, composing)
    session.send("Input.insertText", {"text": picked})
    press(session, "rawKeyDown", 229)
    press(session, "keyUp", 13)
    page.wait_for_timeout(400)
    assert not served.asked
    expect(page.locator("textarea")).to_have_value(picked * 2)
    press(session, "keyDown", 13)
    press(session, "keyUp", 13)
    assert sent(served, page) == [picked * 2]


def test_shift_enter_breaks_the_line(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    page.fill("textarea", "어디")
    page.press("textarea", "Shift+Enter")
    page.keyboard.insert_text("언제")
    assert not served.asked
    page.press("textarea", "Enter")
    assert sent(served, page) == ["어디\n언제"]


def test_a_held_enter_sends_once(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    page.fill("textarea", WHOLE)
    for _ in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    assert sent(served, page) == [WHOLE]
