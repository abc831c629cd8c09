"""A visitor's own documents in a real browser: dropped or chosen, refused with a reason, asked, shown, removed."""

import json
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PageAt, Served, scripted
from tests.browser.scripted import ARTICLE
from tests.browser.test_chat_page import EN, KO, ask, phase

TEXT = "물결팀은 2019년에 만들어졌다. 팀원은 모두 여섯 명이다.\n\n<b>굵은</b> 글씨도 있다.\n"

DROP = """([names, text]) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File([text], name));
  const root = document.querySelector(".mureum");
  for (const kind of ["dragenter", "dragover", "drop"])
    root.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
}"""


def documents(page: Page) -> None:
    page.get_by_role("tab", name="문서").click()


def upload(page: Page, *files: tuple[str, str | bytes]) -> None:
    sent = [
        {"name": name, "mimeType": "text/plain", "buffer": data if isinstance(data, bytes) else data.encode()}
        for name, data in files
    ]
    page.set_input_files(".files", sent)  # type: ignore[arg-type]


def test_the_list_of_the_shared_documents_and_a_preview(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    documents(page)
    items = page.locator(".documents .item")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("it-megavision-2024.txt")
    expect(items.first.locator(".meta")).to_contain_text("단락 12개")
    expect(items.first.locator(".meta")).to_contain_text("KB")
    expect(items.first.locator(".meta")).to_contain_text("한국어")
    expect(items.first.locator("time")).to_have_text("2024년 3월 14일")
    expect(items.nth(1)).to_contain_text('<img src=x onerror="window.pwned=1">.txt')
    expect(page.locator(".documents .remove")).to_have_count(0)
    items.nth(1).locator(".preview").click()
    expect(page.locator(".source-text")).to_contain_text("<script>window.pwned=1</script>")
    expect(page.locator(".source-text mark")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(items.nth(1).locator(".preview")).to_be_focused()
    page.get_by_role("button", name="English").click()
    expect(items.first.locator("time")).to_have_text("Mar 14, 2024")
    assert page.evaluate("window.pwned") is None


def test_chosen_files_can_be_asked_and_removed(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    documents(page)
    upload(page, ("물결.txt", TEXT), ("둘째.md", "# 둘째\n\n둘째 문서다.\n"))
    expect(page.locator(".uploads li[data-state=done]")).to_have_count(2)
    expect(page.locator(".uploads")).to_contain_text("문서 1개를 넣었습니다")
    expect(page.locator(".documents .item-title")).to_have_text(["둘째.md", "물결.txt"])
    expect(page.get_by_role("radio", name="내 문서")).to_be_checked()
    expect(page.locator(".where")).to_contain_text("내 문서")
    page.locator(".documents .preview").nth(1).click()
    expect(page.locator(".source-text")).to_contain_text("<b>굵은</b>")
    page.keyboard.press("Escape")
    ask(page, "첫 문장은?")
    phase(page, "answered")
    page.locator(".body .mark").click()
    chosen = page.locator("mark.chosen")
    expect(chosen).to_be_visible()
    cited = chosen.inner_text()
    page.get_by_label("'둘째.md' 빼기").click()
    expect(page.locator("dialog")).to_contain_text("이 문서를 뺄까요?")
    page.keyboard.press("Escape")
    expect(page.locator(".documents .item")).to_have_count(2)
    for name in ("둘째.md", "물결.txt"):
        page.get_by_label(f"'{name}' 빼기").click()
        page.locator("dialog").get_by_role("button", name="빼기").click()
        expect(page.locator(".documents")).not_to_contain_text(name)
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")
    page.locator(".body .mark").click()
    expect(page.locator(".kept")).to_contain_text("더 이상 열 수 없습니다")
    expect(page.locator(".kept blockquote")).to_have_text(cited)
    ask(page, "또 물어보면?")
    expect(page.locator(".hint")).to_contain_text("아직 내 문서가 없습니다")
    expect(page.locator("textarea")).to_have_value("또 물어보면?")
    documents(page)
    page.get_by_role("radio", name="공용 문서").check()
    page.press("textarea", "Enter")
    expect(page.locator(".turn")).to_have_count(2)
    phase(page, "answered")
    assert served.asked[-1][0] == "또 물어보면?"


def test_questions_can_be_limited_to_documents(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url, accept_downloads=True)
    documents(page)
    where, tick = page.locator(".where"), page.get_by_role("checkbox", name=f"'{ARTICLE}'에서만 찾기")
    expect(where).not_to_contain_text("개")
    for box in page.locator(".documents .choose").all():
        box.check()
    expect(where).to_contain_text("문서 2개")
    page.locator(".documents .choose").nth(1).uncheck()
    expect(where).to_contain_text("문서 1개")
    ask(page, KO)
    phase(page, "answered")
    expect(page.locator(".limited")).to_be_visible()
    expect(page.locator(".limited-to")).to_have_text([ARTICLE])
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")
    expect(page.locator(".limited-to")).to_have_text([ARTICLE])
    expect(where).to_contain_text("문서 1개")
    ask(page, "그럼 몇 명?")
    expect(page.locator(".turn")).to_have_count(2)
    phase(page, "answered")
    assert served.limited == [[ARTICLE], [ARTICLE]]
    documents(page)
    expect(tick).to_be_checked()
    page.get_by_role("button", name="모두 풀기").click()
    expect(tick).not_to_be_checked()
    page.get_by_role("button", name="새 대화").click()
    ask(page, EN)
    phase(page, "answered")
    expect(page.locator(".limited")).to_be_hidden()
    page.get_by_role("tab", name="대화").click()
    page.locator(".conversations .item-open").last.click()
    expect(page.locator(".turn")).to_have_count(2)
    page.get_by_role("button", name="English").click()
    expect(where).to_contain_text("1 document")
    page.locator(".conversations summary").last.click()
    with page.expect_download() as caught:
        page.locator(".menu[open]").get_by_role("button", name="Export as JSON").click()
    record = json.loads(Path(caught.value.path()).read_text("utf-8"))
    assert [turn["documents"] for turn in record["turns"]] == [[ARTICLE], [ARTICLE]]


def test_a_limit_that_is_gone_is_told_and_dropped(served: Served, page_at: PageAt) -> None:
    page, other = page_at(served.url), None
    documents(page)
    upload(page, ("a.txt", TEXT), ("b.txt", TEXT))
    expect(page.locator(".documents .item-title")).to_have_text(["a.txt", "b.txt"])
    page.get_by_role("checkbox", name="'b.txt'에서만 찾기").check()
    other = page.context.new_page()
    other.goto(served.url)
    other.wait_for_selector(".mureum[data-ready]")
    documents(other)
    expect(other.locator(".where")).to_contain_text("문서 1개")
    other.get_by_label("'b.txt' 빼기").click()
    other.locator("dialog").get_by_role("button", name="빼기").click()
    expect(other.locator(".documents .item-title")).to_have_text(["a.txt"])
    expect(other.locator(".where")).not_to_contain_text("1개")
    ask(page, "첫 문장은?")
    expect(page.locator(".hint")).to_contain_text("'b.txt'(이)라는 문서나 폴더가 없습니다")
    expect(page.locator("textarea")).to_have_value("첫 문장은?")
    expect(page.locator(".where")).not_to_contain_text("1개")
    page.press("textarea", "Enter")
    phase(page, "answered")


def test_dropped_files_are_taken(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    page.evaluate(DROP, [["끌어다 놓은.txt"], TEXT])
    expect(page.locator(".documents .item-title")).to_have_text(["끌어다 놓은.txt"])
    expect(page.get_by_role("tab", name="문서")).to_have_attribute("aria-selected", "true")
    page.reload()
    page.wait_for_selector(".mureum[data-ready]")
    documents(page)
    expect(page.get_by_role("radio", name="내 문서")).to_be_checked()
    expect(page.locator(".documents .item-title")).to_have_text(["끌어다 놓은.txt"])


@pytest.mark.parametrize(
    ("name", "data", "ko", "en"),
    [
        ("그림.png", b"\x89PNG", "읽을 수 없는 형식", "cannot be read"),
        ("빈.txt", b" ", "글이 없습니다", "no text"),
        ("옛날.txt", "오래된 한글 문서".encode("cp949"), "UTF-8", "UTF-8"),
        ("big.txt", b"x" * (20 * 1024 * 1024 + 1), "너무 큽니다", "too large"),
        ("<img src=x onerror=window.pwned=1>.txt", b"\xff", "읽을 수 있는 글이 아닙니다", "not text"),
    ],
)
def test_a_refused_file_says_why_in_both_languages_and_hinders_no_other(
    served: Served, page_at: PageAt, tmp_path: Path, name: str, data: bytes, ko: str, en: str
) -> None:
    page = page_at(served.url)
    documents(page)
    (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text(TEXT, "utf-8")
    page.set_input_files(".files", [tmp_path / name, tmp_path / "good.txt"])
    refused = page.locator(".uploads li[data-state=refused]")
    expect(refused).to_contain_text(ko)
    expect(refused).to_contain_text(name)
    expect(page.locator(".documents .item-title")).to_have_text(["good.txt"])
    page.get_by_role("button", name="English").click()
    expect(refused).to_contain_text(en)
    assert page.evaluate("window.pwned") is None


def test_each_upload_has_its_own_progress(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    documents(page)
    page.evaluate(
        """() => { window.seen = new Set(); new MutationObserver(() => {
          for (const line of document.querySelectorAll(".uploads li"))
            window.seen.add(line.querySelector(".upload-name").textContent + " " + line.dataset.state);
        }).observe(document.querySelector(".uploads"), { subtree: true, childList: true, attributes: true }); }"""
    )
    upload(page, ("one.txt", TEXT * 1000), ("two.txt", "Two."))
    expect(page.locator(".uploads li[data-state=done]")).to_have_count(2)
    seen = set(page.evaluate("[...window.seen]"))
    assert {f"{name} {state}" for name in ("one.txt", "two.txt") for state in ("waiting", "reading", "done")} <= seen
    assert "one.txt sending" in seen


def test_nobody_sees_anothers_documents(served: Served, page_at: PageAt) -> None:
    one, other = page_at(served.url), page_at(served.url)
    for page in (one, other):
        documents(page)
    upload(one, ("secret.txt", TEXT))
    expect(one.locator(".documents .item")).to_have_count(1)
    other.get_by_role("radio", name="내 문서").check()
    expect(other.locator(".documents")).to_contain_text("아직 내 문서가 없습니다")
    reply = other.request.post(
        f"{served.url}/mureum/source",
        data={"document": "secret.txt", "start": 0, "end": 5, "collection": "own"},
        headers={"x-mureum-visitor": other.evaluate("localStorage['mureum.visitor']")},
    )
    assert "물결팀" not in reply.text()


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, page_at: PageAt) -> None:
    with scripted(tmp_path / "log", "--full") as served:
        page = page_at(served.url)
        documents(page)
        upload(page, ("first.txt", TEXT), ("full.txt", "This one finds the disk full."), ("last.txt", "Last."))
        expect(page.locator(".uploads li[data-state=refused]")).to_contain_text("가득 찼습니다")
        expect(page.locator(".documents .item-title")).to_have_text(["first.txt", "last.txt"])


def test_a_server_that_is_gone_is_told(tmp_path: Path, page_at: PageAt) -> None:
    with scripted(tmp_path / "log") as served:
        page = page_at(served.url)
        documents(page)
        served.end(signal.SIGKILL)
        upload(page, ("a.txt", TEXT))
        expect(page.locator(".uploads li[data-state=refused]")).to_contain_text("연결이 끊겼습니다")


def test_shared_and_own_answers_stand_in_one_conversation(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    ask(page, KO)
    phase(page, "answered")
    documents(page)
    upload(page, ("a.txt", TEXT))
    expect(page.locator(".documents .item")).to_have_count(1)
    ask(page, EN)
    expect(page.locator(".turn")).to_have_count(2)
    phase(page, "answered")
    expect(page.locator(".turn").last.locator(".body")).to_contain_text("물결팀은")
    page.locator(".turn").first.locator(".mark").first.click()
    expect(page.locator("mark.chosen")).to_contain_text("코엑스")
