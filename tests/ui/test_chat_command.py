"""`mureum chat`: what it hands to the page, and what it refuses before anything is loaded."""

import io
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from index.settings import Settings
from rag.model import FakeModel
from tests.ui.scripted import Output, lines
from ui.chat_server import PortInUse, bind
from ui.command import main

folders: list[Path] = []
"""Where the served pages were to keep things."""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> list[tuple[Any, ...]]:
    """How the page was served; no page is."""
    calls: list[tuple[Any, ...]] = []
    page = types.ModuleType("ui.chat")
    answerer = types.SimpleNamespace(index=io.BytesIO(), model=FakeModel(), prepare=lambda stop: iter(()))

    def open_answerer(settings: Settings) -> object:
        opened.append("answerer")
        return answerer

    def serve(answerer: object, host: str, port: int, auth: object, *, data: Path, examples: object) -> None:
        calls.append((host, port, auth, examples))
        folders.append(data)

    page.__dict__["serve"] = serve
    monkeypatch.setitem(sys.modules, "ui.chat", page)
    monkeypatch.setattr("rag.opening.open_answerer", open_answerer)
    return calls


def test_chat_serves_on_this_machine_alone(served: list[tuple[Any, ...]], capsys: Output) -> None:
    assert main(["chat", "--port", "0"]) == 0
    assert served == [("127.0.0.1", 0, None, [])]
    assert "password" not in capsys.readouterr().err


def test_chat_takes_accounts_and_examples(served: list[tuple[Any, ...]], tmp_path: Path) -> None:
    accounts = lines(tmp_path / "accounts", "kim:a:b", "", "lee:c")
    question = {"question_ko": "몇 미터?", "question_en": "How long?"}
    examples = lines(
        tmp_path / "examples.jsonl",
        {**question, "history": ["Which bridge?"]},
        {**question, "answerable": False},
        *[question] * 9,
    )
    assert main(["chat", "--port", "0", "--host", "0.0.0.0", "--auth", accounts, "--examples", examples]) == 0
    assert served == [("0.0.0.0", 0, [("kim", "a:b"), ("lee", "c")], [("몇 미터?", "How long?")] * 4)]


def test_chat_keeps_things_where_it_is_told(
    served: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["chat", "--port", "0", "--data", str(tmp_path / "given")]) == 0
    monkeypatch.setenv("MUREUM_DATA", str(tmp_path / "variable"))
    assert main(["chat", "--port", "0"]) == 0
    assert folders[-2:] == [tmp_path / "given", tmp_path / "variable"]


def test_chat_warns_when_others_can_reach_it(served: list[tuple[Any, ...]], capsys: Output) -> None:
    assert main(["chat", "--port", "0", "--host", "0.0.0.0"]) == 0
    assert "--auth" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "secret\n", ":secret\n", "kim:\n"])
def test_chat_refuses_a_bad_accounts_file_and_keeps_its_secret(
    content: str, served: list[tuple[Any, ...]], tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / "accounts").write_text(content)
    assert main(["chat", "--auth", str(tmp_path / "accounts")]) == 2
    error = capsys.readouterr().err
    assert "name:password" in error
    assert "secret" not in error
    assert not served


def test_a_port_in_use_is_told_before_a_model_is_loaded(
    served: list[tuple[Any, ...]], opened: list[str], capsys: Output
) -> None:
    with bind("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        assert main(["chat", "--port", str(port)]) == PortInUse.exit_code
    assert f"Port {port} is already in use" in capsys.readouterr().err
    assert not opened
