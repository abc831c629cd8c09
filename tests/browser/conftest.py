"""A real Chromium, and a server with a scripted answerer behind it."""

import contextlib
import json
import multiprocessing
import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
BINARIES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""By preference: the headless shell has no window around the page to draw, which takes half of a core otherwise."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.browser.scripted", "ui.chat"])
expect.set_options(timeout=60_000)  # for a busy machine; what is there is seen at once
PageAt = Callable[..., Page]
"""`page_at(url, **context_options)`: a page in a context of its own, once it can be used."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running chat, and what its answerer wrote down."""

    url: str
    log: Path
    process: ForkServerProcess

    def end(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Send it a signal and wait for its end; its exit code."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)
        self.process.join(20)
        return self.process.exitcode

    @property
    def asked(self) -> list[tuple[str, list[list[str]]]]:
        """The questions with the turns that came along."""
        return [(line[1], line[2]) for line in self._lines() if line[0] == "asked"]

    @property
    def limited(self) -> list[list[str]]:
        """The documents that the questions were limited to."""
        return [line[3] for line in self._lines() if line[0] == "asked"]

    @property
    def stopped(self) -> list[str]:
        """The questions that were really stopped."""
        return [line[1] for line in self._lines() if line[0] == "stopped"]

    @property
    def network(self) -> list[str]:
        """The other hosts that the server tried to reach."""
        return [line[1] for line in self._lines() if line[0] == "network"]

    def _lines(self) -> list[list[Any]]:
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


def system_chromium() -> str | None:
    """The first Chromium that is installed; None where only Playwright may have one."""
    return next((path for name in BINARIES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else the one that `make test` had Playwright fetch; where there is none the test is
    skipped, and under CI it fails."""
    with sync_playwright() as playwright:
        path = system_chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            reason = f"no Chromium: neither one of {', '.join(BINARIES)} nor Playwright's own is installed"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
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
        context.set_default_timeout(60_000)
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


@contextlib.contextmanager
def scripted(log: Path, *options: str) -> Iterator[Served]:
    """The chat with a scripted answerer in a process of its own, where Gradio's warnings stay.

    It is forked from one that has imported Gradio and is otherwise as new: importing takes most of a start.
    """
    log.touch()
    said = log.with_name(f"{log.name}.{secrets.token_hex(4)}.stderr")
    said.touch()
    process = FORKS.Process(target=_serve, args=(str(said), [str(log), *options]))
    process.start()
    try:
        while not (url := re.search(r"^http://\S+$", said.read_text("utf-8"), re.MULTILINE)):
            if not process.is_alive():
                pytest.fail(f"the server did not start:\n{said.read_text('utf-8')}")
            time.sleep(0.02)
        yield Served(url[0], log, process)
    finally:
        process.terminate()
        process.join(90)


def _serve(said: str, arguments: list[str]) -> None:
    """In the new process: serve, with what goes to stderr in the file `said`."""
    os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), 2)
    from tests.browser.scripted import main

    main(arguments)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The chat on a free port, for the whole run."""
    with scripted(tmp_path_factory.mktemp("chat") / "log.jsonl") as served:
        yield served


@pytest.fixture
def served(server: Served) -> Iterator[Served]:
    """The chat with nothing asked yet. Afterwards: the server tried to reach no other host."""
    server.log.write_text("")
    yield server
    assert not server.network
