"""The browser chat: Gradio around the answerer.

Gradio carries the events, the sessions and the queue; the page itself is one `gr.HTML` whose markup, style and script
are in `ui/assets`. Python sends it views of a turn, whole (`ui.page.View`); no text is ever rendered as Markdown.
"""

import base64
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import fastapi
import gradio as gr
from starlette.routing import Mount

from index.errors import Cancelled, DocumentNotFound, QuestionEmpty, QuestionTooLong
from rag.answering import Answerer
from rag.records import Answer, Draft, Event, Finished, Found, Language, Quote, Turn
from ui import page
from ui.chat_server import Server, Shield, bind, url_of
from ui.page import View
from ui.words import WORDS, language_of

TURNS_BEFORE = 3
"""How many earlier turns go along with a question."""
AT_ONCE = 32
"""How many visitors' questions run at once; the model queues them itself, so that nobody's search waits."""
DRAFT_EVERY = 0.05
"""Seconds between two drafts on the page at least."""
FONTS = ["Pretendard", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", "system-ui"]

History = tuple[tuple[int, Turn], ...]
"""The finished turns of a conversation with their numbers."""
Auth = tuple[str, str] | list[tuple[str, str]]
"""Name and password, or several."""

log = logging.getLogger(__name__)


class Running:
    """The askings at work, so that another request can stop one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[tuple[str, str], threading.Event] = {}

    def start(self, session: str, ask: str) -> threading.Event:
        """A cancel event for this asking."""
        with self._lock:
            return self._events.setdefault((session, ask), threading.Event())

    def end(self, session: str, ask: str) -> None:
        """Set its event, for whoever still works on it, and forget it."""
        with self._lock:
            event = self._events.pop((session, ask), None)
        if event is not None:
            event.set()

    def has(self, ask: str) -> bool:
        """Whether an asking is at work, whosever it is."""
        with self._lock:
            return any(ask == its_ask for _, its_ask in self._events)

    def stop(self, session: str | None = None, ask: str | None = None) -> None:
        """Cancel the askings of a session, or one of them, or all there are."""
        with self._lock:
            for (its_session, its_ask), event in self._events.items():
                if session in (None, its_session) and ask in (None, its_ask):
                    event.set()


class Chat:
    """What the page's events do."""

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self.running = Running()

    def ask(self, asked: gr.EventData, history: History, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        """Views of a turn, and with the last one the history that it leaves."""
        question, name = _text(asked, "question"), _text(asked, "ask")
        number, first = _number(asked, "turn"), _number(asked, "first")
        before = tuple((at, turn) for at, turn in history if first <= at < number)
        session = request.session_hash or ""
        cancel = self.running.start(session, name)
        try:
            for view, answer in self._views(name, question, [turn for _, turn in before[-TURNS_BEFORE:]], cancel):
                after = (*before, (number, Turn(question, answer.text))) if answer else None
                yield view.wire(), gr.skip() if after is None else after
        finally:
            self.running.end(session, name)

    def stop(self, asked: gr.EventData, request: gr.Request) -> None:
        """Stop an asking of this visitor."""
        self.running.stop(request.session_hash or "", _text(asked, "ask"))

    def leave(self, request: gr.Request) -> None:
        """The visitor has gone: nothing needs answering any more."""
        self.running.stop(request.session_hash or "")

    def source(self, wanted: dict[str, Any]) -> str:
        """A document's whole text with a range marked, as HTML; '' when it is not there any more."""
        try:
            text = self.answerer.index.text(str(wanted["document"]))
            others = [(int(start), int(end)) for start, end in wanted.get("others", [])]
            return page.source_html(text, (int(wanted["start"]), int(wanted["end"])), others)
        except (DocumentNotFound, KeyError, TypeError, ValueError):
            return ""

    def _views(
        self, name: str, question: str, history: Sequence[Turn], cancel: threading.Event
    ) -> Iterator[tuple[View, Answer | None]]:
        language = language_of(question)
        quotes = ""
        try:
            for event in _thinned(self.answerer.stream(question, history, cancel)):
                if isinstance(event, Quote):
                    quotes = page.quotes_html(event.sentences, self._quote)
                yield self._view(name, event, language, quotes), event.answer if isinstance(event, Finished) else None
        except (QuestionEmpty, QuestionTooLong) as error:
            yield View(name, "refused", language, "", page.words(page.error_words(error))), None
        except Cancelled:
            yield View(name, "stopped", language, page.status_html("stopped")), None
        except Exception as error:
            log.exception("a question failed")
            yield View(name, "failed", language, page.status_html("failed"), page.error_html(error)), None

    def _view(self, name: str, event: Event, language: Language, quotes: str) -> View:
        if isinstance(event, Found):
            evidence = page.found_html(event.sentences, self._quote)
            status = page.status_html("writing", note="reading_note")
            return View(name, "writing", language, status, "", evidence)
        if isinstance(event, Quote):
            evidence = page.quoted_html(event.sentences, self._quote)
            return View(name, "writing", language, page.status_html("writing", note="quote_note"), quotes, evidence)
        if isinstance(event, Draft):
            status = page.status_html("writing")
            return View(name, "writing", language, status, page.draft_html(event.text) + quotes)
        answer = event.answer
        status = page.status_html(answer.status, answer.timings.total_ms / 1000)
        body, evidence = page.answer_html(answer, self._quote), page.evidence_html(answer, self._quote)
        return View(name, answer.status, answer.language, status, body, evidence)

    def _quote(self, document: str, start: int, end: int) -> str:
        return self.answerer.index.quote(document, start, end)


def build(answerer: Answerer, *, examples: Sequence[tuple[str, str]] = ()) -> gr.Blocks:
    """The page. `examples` are questions to click, each in Korean and English."""
    return _page(Chat(answerer), examples)


def serve(
    answerer: Answerer,
    host: str = "127.0.0.1",
    port: int = 7860,
    auth: Auth | None = None,
    *,
    examples: Sequence[tuple[str, str]] = (),
    ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve the chat until SIGINT or SIGTERM (or `stop`) ends it.

    The address is printed on stderr, and handed to `ready`, once it can be opened. Port 0 is any free port.
    Raises PortInUse and CannotListen, before anything is built.
    """
    with bind(host, port) as sock:
        chat = Chat(answerer)
        app, end_streams = _application(_page(chat, examples), auth)
        url = url_of(host, sock)

        def on_ready() -> None:
            print(url, file=sys.stderr, flush=True)
            if ready is not None:
                ready(url)

        def on_end() -> None:
            chat.running.stop()
            end_streams()

        server = Server(app, on_ready, on_end)
        if stop is not None:
            threading.Thread(target=_end_when, args=(stop, server), daemon=True).start()
        server.run(sockets=[sock])


def _end_when(stop: threading.Event, server: Server) -> None:
    stop.wait()
    server.should_exit = True


def _page(chat: Chat, examples: Sequence[tuple[str, str]]) -> gr.Blocks:
    def source(wanted: dict[str, Any]) -> str:
        return chat.source(wanted)

    def alive(ask: str) -> bool:
        return chat.running.has(str(ask))

    with gr.Blocks(title=" · ".join(WORDS["title"]), fill_width=True, analytics_enabled=False) as blocks:
        history = gr.State(())
        stage = gr.HTML(
            value={},
            html_template="",
            js_on_load=page.asset("chat.js"),
            apply_default_css=False,
            elem_id="mureum",
            server_functions=[source, alive],  # not methods: Gradio writes an attribute on them
            shell=page.shell(examples),
        )
        hidden: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple", "api_visibility": "private"}
        stage.ask(chat.ask, [history], [stage, history], concurrency_limit=AT_ONCE, **hidden)
        stage.stop(chat.stop, None, None, queue=False, **hidden)
        blocks.unload(chat.leave)
    blocks.queue(default_concurrency_limit=AT_ONCE, api_open=False)
    return blocks


def _application(blocks: gr.Blocks, auth: Auth | None) -> tuple[Shield, Callable[[], None]]:
    """The web application, and what ends the streams that it keeps open."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    favicon = base64.b64encode(page.asset("favicon.svg").encode()).decode()
    outer = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        outer,
        blocks,
        path="/",
        auth=auth,
        auth_message=" · ".join(WORDS["login"]),
        theme=gr.themes.Base(font=[*FONTS, "sans-serif"], font_mono=["ui-monospace", "D2Coding", "monospace"]),
        head=page.asset("head.html").replace("[[favicon]]", f"data:image/svg+xml;base64,{favicon}"),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    inner: Any = next(route.app for route in outer.routes if isinstance(route, Mount))
    return Shield(outer), lambda: inner.stop_event.set()


def _thinned(events: Iterator[Event]) -> Iterator[Event]:
    """The events, with drafts that come too soon after another left out."""
    last = 0.0
    for event in events:
        now = time.monotonic()
        if isinstance(event, Draft):
            if now - last < DRAFT_EVERY:
                continue
            last = now
        yield event


def _text(asked: gr.EventData, name: str) -> str:
    value = getattr(asked, name, "")
    return value if isinstance(value, str) else ""


def _number(asked: gr.EventData, name: str) -> int:
    value = getattr(asked, name, 0)
    return value if isinstance(value, int) else 0
