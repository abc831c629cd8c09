"""A real Chromium, and a server with a scripted answerer behind it."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.scripted import ScriptedAnswerer
from ui.chat import serve

BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EXAMPLES = (
    ("행사는 어디에서 열렸나요?", "Where was the event held?"),
    ("참가자는 몇 명이었나요?", "How many took part?"),
)

PageAt = Callable[..., Page]
"""`page_at(url, **context_options)`: a page in a context of its own, once it can be used."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running chat."""

    url: str
    answerer: ScriptedAnswerer


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; where there is none the test is skipped, and under CI it fails."""
    path = next((found for name in BINARIES if (found := shutil.which(name))), None)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"no Chromium: none of {', '.join(BINARIES)} is installed")
    if path is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page_at(chromium: Browser) -> Iterator[PageAt]:
    """Opens pages. Afterwards: no request went to another host, and no script failed."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    failures: list[str] = []

    def opened(url: str, **options: Any) -> Page:
        options.setdefault("locale", "ko-KR")
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = chromium.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        own = urlsplit(url).netloc
        page.on("request", lambda sent: foreign.append(sent.url) if _is_foreign(sent.url, own) else None)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(url)
        page.wait_for_selector(".mureum[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not foreign
    assert not failures


def _is_foreign(url: str, own: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.netloc != own


@pytest.fixture(scope="session")
def server() -> Iterator[Served]:
    """The chat on a free port, for the whole run."""
    answerer = ScriptedAnswerer(pause=0.02)
    stop, ready = threading.Event(), threading.Event()
    urls: list[str] = []

    def on_ready(url: str) -> None:
        urls.append(url)
        ready.set()

    options = {"examples": EXAMPLES, "ready": on_ready, "stop": stop}
    thread = threading.Thread(target=serve, args=(answerer, "127.0.0.1", 0), kwargs=options)
    thread.start()
    assert ready.wait(60)
    yield Served(urls[0], answerer)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def served(server: Served) -> Served:
    """The chat with nothing asked yet."""
    server.answerer.asked.clear()
    server.answerer.cancelled.clear()
    return server
