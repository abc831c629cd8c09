"""The page's HTML: whatever a document holds stays text, and every state has its own look and word."""

from html.parser import HTMLParser

import pytest

from index.errors import ModelUnreachable
from rag.records import Answer, Citation, Status
from ui import page
from ui.conversations import KeptCitation, turn_of

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "'\"><svg/onload=alert(1)>",
    "![x](https://evil.example/x.png) [y](javascript:alert(1))",
    "</p></bdi></blockquote><iframe src=//evil.example>",
    "\u202egnp.txt\u202c",
    "&lt;b&gt; &amp; \x00",
    "`${alert(1)}` {{alert}}",
]
ALLOWED = {
    *("article", "b", "bdi", "blockquote", "button", "details", "div", "h2", "h3", "li", "mark", "ol", "p"),
    *("span", "summary", "svg", "use"),
}


class Reader(HTMLParser):
    """What a browser would make of a piece of HTML: its elements, attributes and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def having(self, kind: str) -> list[dict[str, str | None]]:
        """The attributes of the elements of a class."""
        return [attributes for _, attributes in self.elements if kind in (attributes.get("class") or "").split()]


def whole(document: str, start: int, end: int) -> str:
    return TEXT[start:end]


TEXT = "하나. 둘 [1]. 셋.\n<b>넷</b> 다섯.\n\n여섯."


def cited(marker: int, start: int, end: int, document: str = "a.txt", translation: str = "") -> Citation:
    return Citation(marker, document, start, end, 0.9, translation)


def answer(status: Status, text: str, *citations: Citation, found: tuple[Citation, ...] = ()) -> Answer:
    return Answer("?", "ko", status, text, citations, found)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_is_shown(text: str) -> None:
    citation = cited(1, 0, 1, document=text, translation=text)

    def quote(document: str, start: int, end: int) -> str:
        return text

    verified = answer("answered", f"{text} [1]", citation, found=(citation, cited(2, 3, 4, document=text)))
    quoted = answer("quoted", text, citation)
    for markup in (
        page.draft_html(text),
        page.answer_html(verified, quote),
        page.answer_html(quoted, quote),
        page.evidence_html(verified, quote),
        page.found_html([citation], quote),
        page.source_html(text, (0, 3), [(2, 5)]),
        page.error_html(ModelUnreachable(text, url=text)),
        page.words((text, text)),
        page.label((text, text)),
    ):
        read = Reader(markup)
        assert {tag for tag, _ in read.elements} <= ALLOWED
        for _, attributes in read.elements:
            assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "srcdoc")]
            assert (attributes.get("href") or "#m-").startswith("#m-")


def test_text_is_shown_letter_by_letter() -> None:
    for text in HOSTILE:
        assert text.replace("\x00", "\ufffd") in Reader(page.isolated(text)).text


def test_text_of_another_direction_is_isolated() -> None:
    read = Reader(page.found_html([cited(1, 0, 1, document="\u202egnp.txt")], whole))
    (name,) = read.having("document")
    assert name["dir"] == "auto"
    assert page.isolated("abc").startswith("<bdi")


def test_marks_are_buttons_and_other_brackets_are_text() -> None:
    read = Reader(page.marks_html("하나 [1], 둘 [2][12] <[3]", {1, 12}))
    assert [button["data-marker"] for button in read.having("mark")] == ["1", "12"]
    assert read.having("mark")[0]["data-aria-ko"] == "출처 1 보기"
    assert read.having("mark")[0]["data-aria-en"] == "Show source 1"
    assert read.text == "하나 [1], 둘 [2][12] <[3]"


def test_a_mark_written_in_a_document_is_no_button_in_a_quote() -> None:
    quoted = answer("quoted", "“둘 [1].” [1]", cited(1, 4, 10))
    read = Reader(page.answer_html(quoted, whole))
    assert TEXT[4:10] == "둘 [1]."
    assert len(read.having("mark")) == 1
    assert read.text == "둘 [1]. [1]"


def test_evidence_holds_what_is_cited_and_folds_the_rest() -> None:
    one, other = cited(1, 0, 3), cited(1, 11, 13)
    read = Reader(page.evidence_html(answer("answered", "x [1]", one, found=(one, other)), whole))
    verified, found = read.having("card")
    assert (verified["data-start"], verified["data-end"], verified["data-document"]) == ("0", "3", "a.txt")
    assert "found" in (found["class"] or "") and "data-marker" not in found
    assert [tag for tag, _ in read.elements].count("details") == 1
    nothing = page.evidence_html(answer("not_found", "", found=(one,)), whole)
    assert "details" not in nothing and "가장 가까운 문장" in nothing
    assert "찾은 문장이 없습니다" in page.evidence_html(answer("not_found", ""), whole)


def test_a_translation_says_that_it_is_one() -> None:
    read = Reader(page.answer_html(answer("quoted", "“하나.” [1]", cited(1, 0, 3, translation="One.")), whole))
    assert read.text == "하나. [1]기계 번역Machine translationOne."


def test_an_answer_without_words_gets_some_in_its_language() -> None:
    assert "찾지 못했습니다" in page.answer_html(answer("not_found", ""), whole)
    english = Answer("?", "en", "not_found", "")
    assert "do not hold the answer" in page.answer_html(english, whole)
    assert page.answer_html(answer("not_found", "없어요."), whole) == '<p dir="auto">없어요.</p>'


def test_the_source_is_whole_and_the_sentence_is_marked_in_its_paragraph() -> None:
    read = Reader(page.source_html(TEXT, (4, 10), [(0, 3), (4, 10)]))
    assert read.text == TEXT.replace("\n", "")
    assert page.source_html(TEXT, (4, 10)).count('<mark class="chosen">둘 [1].</mark>') == 1
    assert len(read.having("here")) == 1
    assert len(read.having("other")) == 1


@pytest.mark.parametrize(("span", "marked"), [((11, 18), 2), ((0, len(TEXT)), 3), ((900, 901), 0), ((-5, 2), 1)])
def test_a_range_over_lines_or_out_of_the_text(span: tuple[int, int], marked: int) -> None:
    read = Reader(page.source_html(TEXT, span))
    assert len(read.having("chosen")) == marked
    assert read.text == TEXT.replace("\n", "")


def test_overlapping_ranges_lose_no_letter() -> None:
    assert Reader(page.source_html(TEXT, (2, 8), [(0, 5), (6, 12), (3, 4)])).text == TEXT.replace("\n", "")


def test_each_state_has_its_own_word_and_picture() -> None:
    phases = ["searching", "writing", "checking", "answered", "quoted", "not_found", "failed", "stopped"]
    sprite = page.asset("icons.svg")
    assert all(f'id="m-{phase}"' in sprite for phase in phases)
    words = [page.status_html(phase) for phase in phases]
    assert len({Reader(markup).text for markup in words}) == len(phases)
    assert all("<b>" in markup and "#m-" in markup for markup in words)
    assert "4.2초" in page.status_html("answered", 4.2) and "4.2 s" in page.status_html("answered", 4.2)


def test_an_unforeseen_error_shows_its_kind_alone() -> None:
    markup = page.error_html(RuntimeError("<b>secret</b>"))
    assert "RuntimeError" in markup and "secret" not in markup


def test_the_shell_is_complete_and_asks_no_other_host() -> None:
    shell = page.shell([("어디?", 'Where "exactly"?')])
    assert "[[" not in shell.replace("[[favicon]]", "")
    assert 'data-en="Where &quot;exactly&quot;?"' in shell
    scripts = [f"{name}.js" for name in page.SCRIPTS]
    for name in ("shell.html", "chat.css", "head.html", "icons.svg", *scripts):
        text = page.asset(name)
        assert not [word for word in ("http:", "https:", "@import", "url(") if word in text], name


def test_a_view_is_whole() -> None:
    view = page.View("a", "answered", "ko", "s", "b", "e", 3).wire()
    shown = {"ask": "a", "phase": "answered", "lang": "ko", "status": "s", "body": "b", "evidence": "e"}
    assert view == {**shown, "number": 3, "notice": ""}


@pytest.mark.parametrize(("translation", "says"), [("", "every sentence was checked"), ("One.", "machine translation")])
def test_what_was_checked_against_what_is_said(translation: str, says: str) -> None:
    citation = KeptCitation(cited(1, 0, 3, translation=translation), "하나.")
    turn = turn_of("What?", "en", "answered", collection="shared", state=1, text="One [1]", citations=(citation,))
    assert says in Reader(page.turn_view(turn, "1").status).text


def test_what_no_document_was_asked_for_is_a_reply_and_not_verified() -> None:
    hello = Answer("안녕", "ko", "answered", "", reason="greeting")
    assert "물어보세요" in page.answer_html(hello, whole)
    status = page.answer_status(hello)
    assert "안내" in status and "확인됨" not in status and "#m-reply" in status
    assert "찾아보지 않아" in page.evidence_html(hello, whole)


def test_a_partly_quoted_answer_says_what_is_missing() -> None:
    text = "“하나.” [1]\n‘값은?’: 문서에서 답을 찾지 못했습니다."
    read = Reader(page.answer_html(answer("quoted", text, cited(1, 0, 3)), whole))
    assert read.text == "‘값은?’: 문서에서 답을 찾지 못했습니다.하나. [1]"
