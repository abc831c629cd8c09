"""The server under the page: its port, its end, a crash in the middle, a password."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ROOT, PageAt, Served, scripted
from tests.browser.test_chat_page import KO, ask, phase


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "tests.browser.scripted", str(tmp_path / "log"), "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Port {port} is already in use. End the program that uses it, or choose another port with --port."
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_the_middle_of_an_answer(tmp_path: Path, page_at: PageAt, number: signal.Signals) -> None:
    with scripted(tmp_path / "log") as served:
        page = page_at(served.url)
        ask(page, "slow")
        expect(page.locator(".draft")).to_be_visible()
        started = time.monotonic()
        assert served.end(number) == 0
        assert time.monotonic() - started < 6
        assert served.stopped == ["slow"]
        assert not served.network


def test_a_server_that_is_killed_is_told_and_found_again(tmp_path: Path, page_at: PageAt) -> None:
    with scripted(tmp_path / "log") as served:
        page = page_at(served.url)
        ask(page, "slow")
        expect(page.locator(".draft")).to_be_visible()
        served.end(signal.SIGKILL)
        expect(page.locator(".turn").last).to_have_attribute("data-phase", "failed", timeout=30_000)
        expect(page.locator(".body")).to_contain_text("연결이 끊겼습니다")
        expect(page.locator("textarea")).to_have_value("slow")
    with scripted(tmp_path / "log", "--port", served.url.rsplit(":", 1)[1]):
        expect(page.locator(".turn")).to_have_count(0, timeout=30_000)  # Gradio loads the page of a new server anew
        expect(page.locator("textarea")).to_have_value("slow", timeout=15_000)
        page.wait_for_selector(".mureum[data-ready]")
        ask(page, KO)
        phase(page, "answered")


def test_an_answer_that_comes_after_the_connection_seemed_lost_is_shown(served: Served, page_at: PageAt) -> None:
    page = page_at(served.url)
    page.route("**/mureum/alive", lambda route: route.abort())
    ask(page, "late")
    expect(page.locator(".clock")).to_contain_text("3초")
    phase(page, "failed")
    expect(page.locator(".body")).to_contain_text("연결이 끊겼습니다")
    phase(page, "answered")
    expect(page.locator("textarea")).to_have_value("")
    expect(page.locator(".evidence.active .card.verified")).to_have_count(2)


def test_a_password_is_asked_for(tmp_path: Path, chromium: Browser) -> None:
    with scripted(tmp_path / "log", "--auth", "me:secret") as served:
        context = chromium.new_context()
        page = context.new_page()
        foreign: list[str] = []
        page.on(
            "request", lambda sent: None if sent.url.startswith((served.url, "data:")) else foreign.append(sent.url)
        )
        page.goto(served.url)
        page.locator("input").first.fill("me")
        page.locator("input[type=password]").fill("secret")
        page.locator("button:visible").first.click()
        page.wait_for_selector(".mureum[data-ready]")
        assert not foreign
        context.close()


def test_what_the_page_does_not_need_is_closed(served: Served) -> None:
    with urllib.request.urlopen(served.url, timeout=10) as reply:
        assert "default-src 'self'" in reply.headers["content-security-policy"]
    for path in ("/gradio_api/upload", "/gradio_api/file=/etc/hostname", "/gradio_api/proxy=x", "/monitoring"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(served.url + path, timeout=10)
        assert caught.value.code in (404, 405), path
        caught.value.close()
