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
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastapi
import gradio as gr
from starlette.requests import Request
from starlette.routing import Mount

from index.errors import Cancelled, MureumError, NoSuchDocument, QuestionEmpty, QuestionTooLong
from index.snapshot import Index
from rag.answering import Answerer
from rag.records import Answer, Checking, Citation, Draft, Event, Finished, Found, Language, Quote, Turn, Waiting
from ui import page
from ui.api import SignedOut, routes
from ui.chat_server import Server, Shield, bind, url_of
from ui.conversations import Collection, Conversations, KeptCitation, KeptTurn, owner_of, turn_of
from ui.desk import Desk
from ui.library import Library, NoOwnDocuments
from ui.page import View
from ui.preparing import Preparation
from ui.running import Running, TooManyQuestions
from ui.words import WORDS, language_of, word

TURNS_BEFORE = 3
"""How many earlier turns go along with a question."""
AT_ONCE = 32
"""How many visitors' questions run at once; the model queues them itself, so that nobody's search waits."""
DRAFT_EVERY = 0.05
"""Seconds between two drafts on the page at least."""
FONTS = ["Pretendard", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", "system-ui"]

Auth = tuple[str, str] | list[tuple[str, str]]
"""Name and password, or several."""

log = logging.getLogger(__name__)


class Chat:
    """What the page's events do."""

    def __init__(self, library: Library, kept: Conversations) -> None:
        self.library = library
        self.kept = kept
        self.running = Running()
        self._left: set[str] = set()

    def ask(self, asked: gr.EventData, request: gr.Request) -> Iterator[Any]:
        """Views of a turn; with the last one it has been kept."""
        session, name = request.session_hash or "", _text(asked, "ask")
        owner = owner_of(_text(asked, "visitor"), request.username)
        try:
            cancel = self.running.start(session, name, owner)
        except TooManyQuestions as error:
            yield _refused(name, language_of(_text(asked, "question")), error).wire()
            return
        try:
            collection: Collection = "own" if _text(asked, "collection") == "own" else "shared"
            question = Asking(name, _text(asked, "question"), owner, _text(asked, "conversation"), collection)
            question.replaced = _number(asked, "replaced")
            question.documents = _names(asked, "documents")
            for view in self._views(question, cancel, lambda: session in self._left):
                yield view.wire()
        finally:
            self.running.end(session, name)
            self._left.discard(session)

    def stop(self, asked: gr.EventData, request: gr.Request) -> None:
        """Stop an asking of this visitor."""
        self.running.stop(request.session_hash or "", _text(asked, "ask"))

    def leave(self, request: gr.Request) -> None:
        """The visitor has gone: nothing needs answering any more, and the question waits in the page's box."""
        session = request.session_hash or ""
        if self.running.is_busy(session):
            self._left.add(session)
            self.running.stop(session)

    def _views(self, asking: "Asking", cancel: threading.Event, has_left: Callable[[], bool]) -> Iterator[View]:
        name, language = asking.name, language_of(asking.question)
        quotes = ""
        try:
            turns = self.kept.turns(asking.owner, asking.conversation)
            earlier = [turn for turn in turns if turn.number != asking.replaced and turn.answer() is not None]
            history = [Turn(turn.question, turn.text) for turn in earlier]
            answerer = self.library.answerer(asking.owner, asking.collection)
            quote = answerer.index.quote
            before, documents = history[-TURNS_BEFORE:], asking.documents
            for event in _thinned(answerer.stream(asking.question, before, cancel, documents, asking.owner)):
                if isinstance(event, Finished):
                    asking.state = answerer.index.snapshot().state
                    self.library.soon(answerer)
                    yield self._finished(asking, event.answer, quote)
                    continue
                if isinstance(event, Found):
                    asking.found = _kept(event.sentences, quote)
                elif isinstance(event, Quote):
                    quotes = page.quotes_html(event.sentences, quote)
                found = [one.citation for one in asking.found]
                yield _view(name, event, language, quotes, found, quote)
        except (QuestionEmpty, QuestionTooLong, NoOwnDocuments, NoSuchDocument) as error:
            yield _refused(name, language, error)
        except Cancelled:
            if not has_left():
                yield self._ended(asking, turn_of(asking.question, language, "stopped", **asking.kept()))
        except Exception as error:
            log.exception("a question failed")
            failure = page.error_words(error)
            yield self._ended(asking, turn_of(asking.question, language, "failed", failure=failure, **asking.kept()))

    def _finished(self, asking: "Asking", answer: Answer, quote: page.Quote) -> View:
        asking.found = _kept(answer.found, quote)
        turn = turn_of(
            asking.question,
            answer.language,
            answer.status,
            text=answer.text,
            reason=answer.reason,
            citations=_kept(answer.citations, quote),
            timings=answer.timings,
            **asking.kept(),
        )
        return self._ended(asking, turn)

    def _ended(self, asking: "Asking", turn: KeptTurn) -> View:
        """Keep the turn and show it; an answer that cannot be kept is shown all the same."""
        try:
            kept = self.kept.keep(asking.owner, asking.conversation, turn, asking.replaced)
        except MureumError as error:
            log.error("a turn was not kept: %s", error)
            ko, en = page.error_words(error)
            pair = word("not_kept", "ko", reason=ko), word("not_kept", "en", reason=en)
            return page.turn_view(turn, asking.name, page.words(pair))
        return page.turn_view(kept, asking.name)


@dataclass(slots=True)
class Asking:
    """A question on its way. replaced: the number of the turn that it asks again, -1 for a new one; documents: the
    names that it is limited to."""

    name: str
    question: str
    owner: str
    conversation: str
    collection: Collection
    replaced: int = -1
    documents: tuple[str, ...] = ()
    found: tuple[KeptCitation, ...] = ()
    state: int = 0

    def kept(self) -> dict[str, Any]:
        """What is kept of it whatever its end."""
        return {
            "collection": self.collection,
            "state": self.state,
            "found": self.found,
            "documents": self.documents,
        }


def _refused(name: str, language: Language, error: MureumError) -> View:
    """A question that is not taken, and why."""
    return View(name, "refused", language, "", page.words(page.error_words(error)))


def _view(
    name: str, event: Event, language: Language, quotes: str, found: Sequence[Citation], quote: page.Quote
) -> View:
    """An event on the way to the answer."""
    if isinstance(event, Found):
        evidence = page.found_html(event.sentences, quote)
        return View(name, "writing", language, page.status_html("writing", note="reading_note"), "", evidence)
    if isinstance(event, Waiting):
        return page.waiting_view(name, event.ahead, language)
    if isinstance(event, Quote):
        evidence = page.quoted_html(event.sentences, found, quote)
        return View(name, "writing", language, page.status_html("writing", note="quote_note"), quotes, evidence)
    if isinstance(event, Checking):
        return View(name, "checking", language, page.status_html("checking"))
    assert isinstance(event, Draft)
    return View(name, "writing", language, page.status_html("writing"), page.draft_html(event.text) + quotes)


def _kept(citations: Sequence[Citation], quote: page.Quote) -> tuple[KeptCitation, ...]:
    """Citations with their quotes as the documents are now."""
    return tuple(KeptCitation(one, quote(one.document, *one.span)) for one in citations)


def serve(
    answerer: Answerer,
    host: str = "127.0.0.1",
    port: int = 7860,
    auth: Auth | None = None,
    *,
    data: Path,
    examples: Sequence[tuple[str, str]] = (),
    ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    open_answerer: Callable[[Index], Answerer] | None = None,
) -> None:
    """Serve the chat until SIGINT or SIGTERM (or `stop`) ends it.

    `data` is the folder for what visitors leave: conversations, feedback, documents of their own, which
    `open_answerer` answers from (by default with the same model). What can be prepared is prepared while nobody asks.
    The address is printed on stderr, and handed to `ready`, once it can be opened. Port 0 is any free port. Raises
    PortInUse and CannotListen, before anything is built, DataFault and NoSpace.
    """
    with bind(host, port) as sock, closing(Preparation()) as preparation:
        kept = Conversations(data)
        if kept.set_aside:
            print(f"mureum: {word('set_aside', 'en', path=kept.set_aside)}", file=sys.stderr)
        chat = Chat(Library(answerer, data / "people", open_answerer, preparation.soon), kept)
        preparation.soon(answerer)
        app, end_streams = _application(chat, _page(chat, examples), auth)
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
    with gr.Blocks(title=" · ".join(WORDS["title"]), fill_width=True, analytics_enabled=False) as blocks:
        stage = gr.HTML(
            value={},
            html_template="",
            js_on_load=page.script(),
            apply_default_css=False,
            elem_id="mureum",
            shell=page.shell(examples),
        )
        hidden: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple", "api_visibility": "private"}
        stage.ask(chat.ask, None, [stage], concurrency_limit=AT_ONCE, **hidden)
        stage.stop(chat.stop, None, None, queue=False, **hidden)
        blocks.unload(chat.leave)
    blocks.queue(default_concurrency_limit=AT_ONCE, api_open=False)
    return blocks


def _application(chat: Chat, blocks: gr.Blocks, auth: Auth | None) -> tuple[Shield, Callable[[], None]]:
    """The web application, and what ends the streams that it keeps open."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    favicon = base64.b64encode(page.asset("favicon.svg").encode()).decode()
    outer = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def account(request: Request) -> str | None:
        """Gradio's own accounts: what a sign-in has put in a cookie."""
        if auth is None:
            return None
        names = (f"access-token-{inner.cookie_id}", f"access-token-unsecure-{inner.cookie_id}")
        name = next((inner.tokens[one] for key in names if (one := request.cookies.get(key)) in inner.tokens), None)
        if name is None:
            raise SignedOut
        return str(name)

    desk = Desk(chat.kept, chat.library, chat.running.has)
    outer.router.routes.extend(routes(desk.handlers(), chat.library, account))
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
    """The events, with drafts that come too soon after another left out, but for the last one."""
    last = 0.0
    held: Draft | None = None
    for event in events:
        now = time.monotonic()
        if isinstance(event, Draft):
            if now - last < DRAFT_EVERY:
                held = event
                continue
            last = now
        elif held is not None:
            yield held
        held = None
        yield event


def _text(asked: gr.EventData, name: str) -> str:
    value = getattr(asked, name, "")
    return value if isinstance(value, str) else ""


def _names(asked: gr.EventData, name: str) -> tuple[str, ...]:
    value = getattr(asked, name, [])
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _number(asked: gr.EventData, name: str) -> int:
    value = getattr(asked, name, -1)
    return value if isinstance(value, int) else -1
