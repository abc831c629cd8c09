"""A real Chromium, and a server with a scripted answerer behind it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=60_000)  # for a busy machine; what is there is seen at once
PageAt = Callable[..., Page]
"""`page_at(url, **context_options)`: a page in a context of its own, once it can be used."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running chat, and what its answerer wrote down."""

    url: str
    log: Path
    process: "subprocess.Popen[str]"

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
    """The chat with a scripted answerer in a process of its own, where Gradio's warnings stay."""
    command = [sys.executable, "-m", "tests.browser.scripted", str(log), *options]
    log.touch()
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("http://"):
                break
        else:
            pytest.fail("the server did not start:\n" + "".join(lines))
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        try:
            yield Served(line.strip(), log, process)
        finally:
            process.terminate()
            process.wait(90)
            drain.join()


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
