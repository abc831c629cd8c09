"""The whole program without a network: `python -m tests.browser.offline SEEDS FOLDER REPORT`.

Made to run in a network namespace of its own, which has nothing but the loopback. Indexes SEEDS, opens the chat with
the real models, asks in a real Chromium in both languages, follows a mark to its sentence, and writes what happened and
every attempt to reach another host to REPORT, as JSON.
"""

import contextlib
import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, system_chromium

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
QUESTIONS = ("기조강연은 누가 했어?", "Where was the conference held?")
attempts: list[str] = []


def loopback_up() -> None:
    """Switch the new namespace's loopback on, as `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh", b"lo", 0)
        (flags,) = struct.unpack("16xh", fcntl.ioctl(control, SIOCGIFFLAGS, request)[:18])
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: remembers every address outside this machine that is looked up or connected to."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    elif event == "socket.getaddrinfo":
        host = str(arguments[0])
    else:
        return
    if host not in ("127.0.0.1", "localhost", "::1", "None", "", "0.0.0.0"):
        attempts.append(f"{event} {host}")


def serve(seeds: str, folder: str, ready: threading.Event, stop: threading.Event, url: list[str]) -> None:
    """What `mureum index add` and `mureum chat` do."""
    from index.build import add
    from index.settings import Settings
    from rag.opening import open_answerer, open_encoder
    from ui.chat import serve as serve_chat

    settings = Settings(index=Path(folder) / "index")
    report = add(settings.index, [Path(seeds)], open_encoder(settings))
    assert report.added == ["it-megavision-2024.txt"], report
    answerer = open_answerer(settings)
    answerer.warm_up()

    def opened(address: str) -> None:
        url.append(address)
        ready.set()

    with contextlib.closing(answerer.index), contextlib.closing(answerer.model):
        serve_chat(answerer, "127.0.0.1", 0, data=Path(folder) / "data", ready=opened, stop=stop)


def ask(page: Page, question: str) -> dict[str, Any]:
    """Type a question, wait for the answer, follow its first mark; what was seen."""
    begin = time.monotonic()
    before = page.locator(".turn").count()
    page.locator("textarea").fill(question)
    page.keyboard.press("Enter")
    turn = page.locator(".turn").nth(before)  # not the last one: it may still be the turn before
    turn.wait_for()
    page.wait_for_function(
        "([at, ends]) => ends.includes(document.querySelectorAll('.turns .turn')[at]?.dataset.phase)",
        arg=[before, ["answered", "quoted", "not_found", "failed"]],
        timeout=240_000,
    )
    seen = {
        "question": question,
        "phase": turn.get_attribute("data-phase"),
        "text": turn.inner_text(),
        "seconds": round(time.monotonic() - begin, 1),
        "highlighted": "",
    }
    marks = turn.locator("button.mark")
    if marks.count():
        marks.first.click()
        page.locator("mark.chosen").first.wait_for(timeout=10_000)
        seen["highlighted"] = page.locator("mark.chosen").first.inner_text()
    return seen


def main() -> None:
    """See the module."""
    seeds, folder, report = sys.argv[1:]
    loopback_up()
    sys.addaudithook(watch)
    ready, stop, url = threading.Event(), threading.Event(), list[str]()
    server = threading.Thread(target=serve, args=(seeds, folder, ready, stop, url), daemon=True)
    server.start()
    while not ready.wait(1):
        assert server.is_alive(), "the chat did not start"
    foreign: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_chromium(), args=ARGUMENTS)
        page = browser.new_page(locale="ko-KR")
        page.on("request", lambda request: foreign.append(request.url))
        page.goto(url[0])
        page.locator("textarea").wait_for()
        turns = [ask(page, question) for question in QUESTIONS]
        if shots := os.environ.get("MUREUM_SHOTS"):
            page.screenshot(path=f"{shots}/offline.png")
        browser.close()
    stop.set()
    server.join(30)
    own = (url[0], "data:", "blob:")
    requests = [address for address in foreign if not address.startswith(own)]
    outcome = {"turns": turns, "attempts": attempts, "requests": requests}
    Path(report).write_text(json.dumps(outcome, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
