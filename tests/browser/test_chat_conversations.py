"""Kept conversations in a real browser: reload, restart, rename, delete, export, and nobody else's; feedback."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PageAt, Served, scripted
from tests.browser.scripted import PEOPLE, PLACE
from tests.browser.test_chat_page import EN, KO, ask, phase, until


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")


def act(page: Page, name: str, item: int = 0) -> None:
    page.locator(".conversations summary").nth(item).click()
    page.locator(".menu[open]").get_by_role("button", name=name).click()


def test_a_reload_shows_the_conversation_that_was_open(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    for question in (KO, "없는 것은?", "인용해 주세요", "boom"):
        ask(page, question)
        expect(page.locator(".turn").last).to_have_attribute(
            "data-phase",
            "answered not_found quoted failed".split()[(KO, "없는 것은?", "인용해 주세요", "boom").index(question)],
        )
    before = page.locator(".turns").inner_html()
    reload(page)
    expect(page.locator(".turn")).to_have_count(4)
    assert page.locator(".turns").inner_html() == before
    page.locator(".turn").first.locator(".show-evidence").click()
    page.locator(".turn").first.locator(".mark").first.click()
    expect(page.locator("mark.chosen")).to_have_text(PLACE)
    ask(page, EN)
    expect(page.locator(".turn")).to_have_count(5)
    phase(page, "answered")
    assert [turn[0] for turn in served.asked[-1][1]] == [KO, "없는 것은?", "인용해 주세요"]


def test_what_was_stopped_is_kept_and_what_was_left_waits_in_the_box(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "slow one")
    expect(page.locator(".draft")).to_be_visible()
    page.locator(".go").click()
    expect(page.locator(".conversations .item")).to_have_count(1)
    ask(page, "slow two")
    expect(page.locator(".turn").last.locator(".draft")).to_be_visible()
    reload(page)
    expect(page.locator(".turn")).to_have_count(1)
    phase(page, "stopped")
    expect(page.locator(".evidence.active .card.found")).to_have_count(4)
    expect(page.locator("textarea")).to_have_value("slow two")


def test_list_open_rename_delete(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    expect(page.locator(".conversations")).to_contain_text("아직 대화가 없습니다")
    ask(page, KO)
    phase(page, "answered")
    page.get_by_role("button", name="새 대화").click()
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, "없는 <b>것</b>은?")
    phase(page, "not_found")
    titles = page.locator(".conversations .item-title")
    expect(titles).to_have_text(["없는 <b>것</b>은?", KO])
    expect(page.locator(".conversations [aria-current=true]")).to_contain_text("없는 <b>")
    page.locator(".conversations .item-open").nth(1).click()
    phase(page, "answered")
    expect(page.locator(".turn")).to_have_count(1)
    act(page, "이름 바꾸기", 1)
    expect(page.locator("dialog input")).to_have_value(KO)
    page.locator("dialog input").fill("행사 <i>이야기</i>")
    page.keyboard.press("Enter")
    expect(titles.nth(1)).to_have_text("행사 <i>이야기</i>")
    act(page, "지우기", 1)
    expect(page.locator("dialog")).to_contain_text("이 대화를 지울까요?")
    page.keyboard.press("Escape")
    expect(titles).to_have_count(2)
    act(page, "지우기", 1)
    page.locator("dialog").get_by_role("button", name="지우기").click()
    expect(titles).to_have_text(["없는 <b>것</b>은?"])
    expect(page.locator(".turn")).to_have_count(0)
    reload(page)
    expect(page.locator(".turn")).to_have_count(0)


def test_exports_are_made_in_the_browser(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url, accept_downloads=True)
    ask(page, KO)
    phase(page, "answered")
    expect(page.locator(".conversations .item")).to_have_count(1)
    with page.expect_download() as caught:
        act(page, "Markdown으로 내보내기")
    assert caught.value.suggested_filename == "행사는 언제 어디에서 열렸나요.md"
    assert f"> \\[1\\] {PLACE}" in Path(caught.value.path()).read_text("utf-8")
    with page.expect_download() as caught:
        act(page, "JSON으로 내보내기")
    record = json.loads(Path(caught.value.path()).read_text("utf-8"))
    assert [one["quote"] for one in record["turns"][0]["citations"]] == [PLACE, PEOPLE]


def test_a_restart_shows_what_was_cited_though_the_document_has_changed(tmp_path: Path, page_at: PageAt) -> None:
    with scripted(tmp_path / "log") as served:
        page = page_at(served.url, accept_downloads=True)
        ask(page, KO)
        phase(page, "answered")
        served.end()
    with scripted(tmp_path / "log", "--port", served.url.rsplit(":", 1)[1], "--changed"):
        reload(page)
        phase(page, "answered")
        expect(page.locator(".evidence.active .cards").first.locator(".sentence")).to_have_text([PLACE, PEOPLE])
        page.get_by_role("button", name="출처 1 보기").click()
        expect(page.locator(".kept")).to_contain_text("지금 문서에는 없습니다")
        expect(page.locator(".kept blockquote")).to_have_text(PLACE)
        expect(page.locator("mark.chosen")).to_have_count(0)
        page.get_by_role("button", name="출처 2 보기").click()
        expect(page.locator(".kept")).to_contain_text("다른 자리에 있습니다")
        expect(page.locator("mark.chosen")).to_have_text(PEOPLE)
        for name in ("Markdown으로 내보내기", "JSON으로 내보내기"):
            with page.expect_download() as caught:
                act(page, name)
            assert PLACE in Path(caught.value.path()).read_text("utf-8")


def test_nobody_sees_anothers_conversations(served: Served, page_at: PageAt) -> None:
    one, other = page_at(served.url), page_at(served.url)
    ask(one, KO)
    phase(one, "answered")
    expect(one.locator(".conversations .item")).to_have_count(1)
    name = one.locator(".conversations .item").get_attribute("data-conversation")
    reload(other)
    expect(other.locator(".conversations")).to_contain_text("아직 대화가 없습니다")
    assert one.evaluate("localStorage['mureum.visitor']") != other.evaluate("localStorage['mureum.visitor']")
    for what in ("open", "export", "rename", "delete", "feedback"):
        data = {"conversation": name, "title": "x", "format": "json", "language": "ko", "number": 0, "comment": ""}
        reply = other.request.post(
            f"{served.url}/mureum/{what}",
            data={**data, "verdict": "right"},
            headers={"x-mureum-visitor": other.evaluate("localStorage['mureum.visitor']")},
        )
        assert KO not in reply.text()
        assert reply.ok == (what in ("open", "delete"))
    reload(one)
    expect(one.locator(".conversations .item-title")).to_have_text([KO])


def test_requests_without_a_visitor_or_with_nonsense_are_refused(served: Served, page_at: PageAt) -> None:
    request = page_at(served.url).request
    url, headers = f"{served.url}/mureum/conversations", {"x-mureum-visitor": "0" * 32}
    assert request.post(url, data={}).status == 401
    assert request.post(url, data={}, headers={"x-mureum-visitor": "../.."}).status == 404
    assert request.post(url, data="[1]", headers=headers).status == 400
    assert request.post(url, data="{", headers=headers).status == 400
    assert request.post(f"{served.url}/mureum/open", data={}, headers=headers).status == 400
    assert request.get(url, headers=headers).status in (404, 405)
    assert request.post(url, data={}, headers=headers).ok


def test_accounts_have_their_own_conversations_in_any_browser(tmp_path: Path, chromium: Browser) -> None:
    with scripted(tmp_path / "log", "--auth", "me:secret") as served:

        def signed_in(name: str) -> Page:
            page = chromium.new_context(locale="ko-KR").new_page()
            page.goto(served.url)
            page.locator("input").first.fill(name)
            page.locator("input[type=password]").fill("secret")
            page.locator("button:visible").first.click()
            page.wait_for_selector(".mureum[data-ready]")
            return page

        first = signed_in("me")
        ask(first, KO)
        phase(first, "answered")
        same, other = signed_in("me"), signed_in("me2")
        same.locator(".menu-button").click()
        expect(same.locator(".conversations .item-title")).to_have_text([KO])
        other.locator(".menu-button").click()
        expect(other.locator(".conversations")).to_contain_text("아직 대화가 없습니다")
        stranger = chromium.new_context()
        reply = stranger.request.post(
            f"{served.url}/mureum/conversations", data={}, headers={"x-mureum-visitor": "0" * 32}
        )
        assert reply.status == 401
        for page in (first, same, other):
            page.context.close()
        stranger.close()


def test_a_damaged_file_is_told_on_the_page(tmp_path: Path, page_at: PageAt) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "conversations.sqlite").write_bytes(b"damaged" * 1000)
    with scripted(tmp_path / "log") as served:
        page = page_at(served.url)
        expect(page.locator(".notice")).to_contain_text("손상되어")
        ask(page, KO)
        phase(page, "answered")
        expect(page.locator(".conversations .item")).to_have_count(1)


def test_an_answer_that_cannot_be_kept_is_shown_and_that_is_told(tmp_path: Path, page_at: PageAt) -> None:
    with scripted(tmp_path / "log") as served:
        page = page_at(served.url)
        with closing(sqlite3.connect(tmp_path / "data" / "conversations.sqlite")) as other:
            other.execute("DROP TABLE turns")
        ask(page, KO)
        expect(page.locator(".turn").last).to_have_attribute("data-phase", "failed")
        expect(page.locator(".hint")).to_contain_text("저장하지 못했습니다")


def test_feedback_is_kept_and_shown_again(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, KO)
    phase(page, "answered")
    page.get_by_role("button", name="출처 틀림").click()
    expect(page.locator(".feedback-said")).to_contain_text("저장했습니다")
    page.locator(".comment input").fill("두 번째 출처가 <b>다르다</b>")
    page.keyboard.press("Enter")
    database = served.log.parent / "data" / "conversations.sqlite"

    def said() -> list[tuple[str, str]]:
        with closing(sqlite3.connect(database)) as opened:
            rows = opened.execute("SELECT verdict, comment FROM feedback ORDER BY given")
            return [(verdict, comment) for verdict, comment in rows]

    assert until(lambda: ("wrong_source", "두 번째 출처가 <b>다르다</b>") in said())
    reload(page)
    expect(page.get_by_role("button", name="출처 틀림")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".comment input")).to_have_value("두 번째 출처가 <b>다르다</b>")


def test_only_answers_can_be_judged(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, "boom")
    phase(page, "failed")
    expect(page.locator(".verdicts")).to_be_hidden()
