"""The page in a real browser: states, sources, stopping, languages, hostile text, width."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAt, Served
from tests.browser.scripted import PEOPLE, PLACE

KO = "행사는 언제 어디에서 열렸나요?"
EN = "Where was the event held?"


def ask(page: Page, question: str) -> None:
    page.fill("textarea", question)
    page.press("textarea", "Enter")


def phase(page: Page, name: str) -> None:
    expect(page.locator(".turn").last).to_have_attribute("data-phase", name)


def until(what: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


@pytest.mark.parametrize(
    ("question", "locale", "state", "mark"),
    [(KO, "ko-KR", "확인됨", "출처 1 보기"), (EN, "en-US", "Verified", "Show source 1")],
)
def test_an_answer_leads_to_its_sentence(
    served: Served, page_at: PageAt, question: str, locale: str, state: str, mark: str
) -> None:
    page = page_at(served.url, locale=locale)
    ask(page, question)
    phase(page, "answered")
    expect(page.locator(".status")).to_contain_text(state)
    expect(page.locator(".side .cards >> nth=0").locator(".sentence")).to_have_text([PLACE, PEOPLE])
    expect(page.locator("details.unused .card")).to_have_count(2)
    expect(page.locator("details.unused")).not_to_have_attribute("open", "")
    page.get_by_role("button", name=mark).click()
    expect(page.locator("mark.chosen")).to_have_text(PLACE)
    expect(page.locator("mark.chosen")).to_be_in_viewport()
    expect(page.locator("p.here")).to_contain_text(PEOPLE)
    expect(page.locator(".body")).to_have_attribute("lang", "ko" if locale == "ko-KR" else "en")


def test_a_mark_and_its_card_light_up_together(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    for question in (KO, "인용해 주세요"):
        ask(page, question)
        phase(page, {KO: "answered"}.get(question, "quoted"))
    turn, cards = page.locator(".turn"), page.locator(".evidence.active .card[data-marker]")
    turn.last.locator(".mark").hover()
    expect(cards).to_have_class(re.compile(r"\blit\b"))
    turn.first.locator(".mark").nth(1).hover()  # of an earlier turn: its evidence, as long as it is pointed at
    expect(cards.locator(".sentence")).to_have_text([PLACE, PEOPLE])
    expect(cards.nth(1)).to_have_class(re.compile(r"\blit\b"))
    expect(cards.nth(0)).not_to_have_class(re.compile(r"\blit\b"))
    page.locator(".top h1").hover()
    expect(cards).to_have_count(1)
    expect(page.locator(".lit")).to_have_count(0)
    cards.first.hover()
    expect(turn.last.locator(".mark")).to_have_class(re.compile(r"\blit\b"))
    turn.first.locator(".mark").nth(1).focus()
    expect(cards.nth(1)).to_have_class(re.compile(r"\blit\b"))


def test_the_source_goes_from_sentence_to_sentence(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, KO)
    phase(page, "answered")
    expect(page.locator(".evidence.active .card").first.locator(".place")).to_contain_text("28~54번째 글자")
    page.get_by_role("button", name="출처 1 보기").click()
    expect(page.locator(".step-at")).to_have_text("1 / 2")
    for chosen, place in ((PEOPLE, "56~73번째"), (PLACE, "28~54번째")):
        page.get_by_role("button", name="다음 문장").click()
        expect(page.locator("mark.chosen")).to_have_text(chosen)
        expect(page.locator(".source-place")).to_contain_text(place)
        expect(page.get_by_role("button", name="다음 문장")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="출처 1 보기")).to_be_focused()
    page.get_by_role("tab", name="문서").click()
    page.locator(".documents .preview").first.click()
    expect(page.locator(".source-text")).to_contain_text("메가비전")
    expect(page.locator(".steps")).to_be_hidden()
    expect(page.locator(".source-place")).to_be_empty()


def test_keyboard_alone_reaches_the_source_and_comes_back(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    page.keyboard.type(KO)
    page.keyboard.press("Enter")
    phase(page, "answered")
    expect(page.locator("textarea")).to_be_focused()
    expect(page.locator("textarea")).to_have_value("")
    for _ in range(4):  # over the three judgements
        page.keyboard.press("Shift+Tab")
    expect(page.locator(".mark").last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("mark.chosen")).to_have_text(PEOPLE)
    page.keyboard.press("Escape")
    expect(page.locator(".source")).to_be_hidden()
    expect(page.locator(".mark").last).to_be_focused()


def test_what_was_found_is_there_before_the_answer_and_the_draft_is_marked(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "look closely")
    expect(page.locator(".evidence.active .card.found")).to_have_count(4)
    page.locator(".go").click()
    phase(page, "stopped")
    ask(page, "slow please")
    phase(page, "writing")
    expect(page.locator(".draft")).to_be_visible()
    expect(page.locator(".status").last).to_contain_text("초안이며 아직 확인하지 않았습니다")
    page.locator(".go").click()
    phase(page, "stopped")


def test_the_whole_draft_is_there_while_it_is_checked(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "check it")
    phase(page, "checking")
    expect(page.locator(".status")).to_contain_text("원문과 맞춰 보고 있습니다")
    expect(page.locator(".draft")).to_contain_text("It had 1,200 participants [2].")
    page.get_by_role("button", name="멈추기").click()
    phase(page, "stopped")


def test_the_sentence_is_quoted_before_anything_is_written(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "hold it")
    expect(page.locator(".body blockquote")).to_contain_text(PLACE)
    expect(page.locator(".draft")).to_have_count(0)
    expect(page.locator(".status")).to_contain_text("문서에 있는 그대로")
    expect(page.locator(".evidence.active .card.quote .sentence")).to_have_text([PLACE])
    expect(page.locator(".evidence.active details.unused .card")).to_have_count(3)
    page.locator(".body .mark").click()
    expect(page.locator("mark.chosen")).to_have_text(PLACE)
    page.get_by_role("button", name="멈추기").click()
    phase(page, "stopped")
    expect(page.locator(".body blockquote")).to_contain_text(PLACE)


@pytest.mark.parametrize(
    ("question", "name", "says"),
    [
        ("없는 것은?", "not_found", "답을 찾지 못했습니다"),
        ("인용해 주세요", "quoted", "300조원"),
        ("unreachable", "failed", "연결할 수 없습니다"),
        ("boom", "failed", "RuntimeError"),
    ],
)
def test_states_say_what_they_are(served: Served, page_at: PageAt, question: str, name: str, says: str) -> None:
    page = page_at(served.url)
    ask(page, question)
    phase(page, name)
    expect(page.locator(".body")).to_contain_text(says)
    expect(page.locator(".body")).not_to_contain_text("secret detail")
    expect(page.locator(".state .icon")).to_be_visible()
    if name == "quoted":
        expect(page.locator(".body .translation")).to_contain_text("기계 번역")
        expect(page.locator(".body .translation")).to_contain_text("300 trillion")


@pytest.mark.parametrize("question", ["slow one", "wait for me"])
def test_stop_really_stops(served: Served, page_at: PageAt, question: str) -> None:
    page = page_at(served.url)
    ask(page, question)
    assert until(lambda: len(served.asked) == 1)
    page.get_by_role("button", name="멈추기").click()
    phase(page, "stopped")
    assert until(lambda: served.stopped == [question])
    ask(page, KO)
    expect(page.locator(".turn")).to_have_count(2)
    phase(page, "answered")


def test_closing_the_page_stops_the_answer(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "slow and left")
    expect(page.locator(".draft")).to_be_visible()
    page.close()
    assert until(lambda: served.stopped == ["slow and left"], 20)


def test_nothing_is_sent_while_an_answer_runs(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "slow")
    expect(page.locator(".draft")).to_be_visible()
    ask(page, KO)
    page.press("textarea", "Enter")
    expect(page.locator(".hint")).to_contain_text("멈춘 뒤에")
    expect(page.locator("textarea")).to_have_value(KO)
    assert len(served.asked) == 1
    page.get_by_role("button", name="멈추기").click()
    phase(page, "stopped")


def test_empty_and_too_long(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "  \n ")
    expect(page.locator(".hint")).to_contain_text("질문을 먼저")
    long = "가" * 10_000
    ask(page, long)
    expect(page.locator(".hint")).to_contain_text("너무 깁니다")
    expect(page.locator("textarea")).to_have_value(long)
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")
    expect(page.locator("textarea")).to_have_value(long)


def test_history_retry_and_a_new_conversation(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    for question in (KO, EN):
        ask(page, question)
        phase(page, "answered")
    page.get_by_role("button", name="다시 묻기").click()
    assert until(lambda: len(served.asked) == 3)
    phase(page, "answered")
    assert [[turn[0] for turn in turns] for _, turns in served.asked] == [[], [KO], [KO]]
    assert served.asked[1][1][0][1].startswith("행사는 3월 14일")
    expect(page.locator(".turn")).to_have_count(2)
    page.get_by_role("button", name="새 대화").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="행사는 어디에서 열렸나요?").click()
    phase(page, "answered")
    assert served.asked[3] == ("행사는 어디에서 열렸나요?", [])


def test_two_visitors_do_not_meet(served: Served, page_at: PageAt) -> None:
    one, other = page_at(served.url), page_at(served.url, locale="en-US")
    ask(one, "slow for one")
    expect(one.locator(".draft")).to_be_visible()
    ask(other, EN)
    phase(other, "answered")
    expect(other.locator(".turn")).to_have_count(1)
    expect(one.locator(".turn")).to_have_count(1)
    assert dict(served.asked)[EN] == []
    assert not served.stopped
    one.locator(".go").click()
    phase(one, "stopped")


def test_the_language_switch_sticks(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url, locale="en-US")
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.locator("textarea")).to_have_attribute("placeholder", "Ask about the documents")
    ask(page, KO)
    phase(page, "answered")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator(".status")).to_contain_text("확인됨")
    expect(page.get_by_role("button", name="출처 2 보기")).to_be_visible()
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")
    assert page.evaluate("document.documentElement.lang") == "ko"
    expect(page.locator("textarea")).to_have_attribute("aria-label", "질문")


def test_hostile_text_is_only_text(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    question = "hostile <img src=x onerror=window.pwned=1>"
    ask(page, question)
    phase(page, "answered")
    expect(page.locator(".question")).to_have_text(question)
    expect(page.locator(".body")).to_contain_text("<script>window.pwned=1</script>")
    expect(page.locator(".body")).to_contain_text("[7]")
    expect(page.locator(".evidence.active .document").first).to_contain_text("<img src=x")
    page.locator(".card").first.click()
    expect(page.locator("mark.chosen")).to_contain_text("<script>")
    expect(page.locator(".source-text")).to_contain_text("</p></bdi><iframe")
    expect(page.locator(".mureum :is(img, script, iframe, a)")).to_have_count(0)
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_no_sideways_scrolling(served: Served, page_at: PageAt, width: int) -> None:
    page = page_at(served.url, viewport={"width": width, "height": 740})
    ask(page, "hostile " + "긴낱말" * 80)
    phase(page, "answered")
    wider = "[...document.querySelectorAll('html, .scroll, .evidence, .card, .top')]"
    assert page.evaluate(f"{wider}.filter(node => node.scrollWidth > node.clientWidth + 1).length") == 0
    page.locator(".card").first.click()
    expect(page.locator("mark.chosen")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_jumps_while_the_answer_streams(served: Served, page_at: PageAt, width: int) -> None:
    page = page_at(served.url, viewport={"width": width, "height": 740})
    page.evaluate(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => "
        "{ window.shift += entry.value })).observe({type: 'layout-shift'})"
    )
    ask(page, EN)
    phase(page, "answered")
    shift = page.evaluate("window.shift")
    print(f"\nlayout shift at {width} px: {shift:.3f}")
    assert shift < 0.1
