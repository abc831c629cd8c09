"""A small index, and nothing real opened, for the tests of the command."""

from pathlib import Path

import pytest

from index import build
from index.fake import FakeEncoder
from index.settings import Settings
from rag.model import FakeModel
from tests.ui.scripted import TEXT, ScriptedAnswerer


@pytest.fixture
def model() -> FakeModel:
    """The answering model that is opened."""
    return FakeModel()


@pytest.fixture
def opened_models(monkeypatch: pytest.MonkeyPatch, model: FakeModel) -> list[str]:
    """What has been opened, in order; nothing real is."""
    calls: list[str] = []

    def open_encoder(settings: Settings) -> FakeEncoder:
        calls.append("encoder")
        return FakeEncoder()

    def open_model(settings: Settings) -> FakeModel:
        calls.append("model")
        return model

    monkeypatch.setattr("rag.opening.open_encoder", open_encoder)
    monkeypatch.setattr("rag.opening.open_model", open_model)
    return calls


@pytest.fixture
def opened(opened_models: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The same, with an answerer that follows a script."""
    monkeypatch.setattr("rag.answering.Answerer", ScriptedAnswerer)
    monkeypatch.setattr(ScriptedAnswerer, "asked", [])
    monkeypatch.setattr(ScriptedAnswerer, "limited", [])
    return opened_models


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "bridge.txt").write_text(TEXT, "utf-8")
    return folder


@pytest.fixture
def index(tmp_path: Path, documents: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    build.add(folder, [documents], FakeEncoder())
    monkeypatch.setenv("MUREUM_INDEX", str(folder))
    return folder
