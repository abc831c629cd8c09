"""`mureum calibrate`: signals from question sets, resumed where a run stopped, and weights that are kept."""

import json
from pathlib import Path

import pytest

from index.fake import FakeEncoder
from index.settings import Settings
from rag import calibration
from rag.model import FakeModel, Prompt
from tests.rag.test_datasets import BELEBELE, CORPUS, NOMIRACL, SQUAD, written
from tests.ui.scripted import Output
from ui.command import main


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """It is sure of every even question."""
    model = FakeModel(gate=lambda prompt: 3.0 if "even" in prompt[-1].content else -1.0)
    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path / "models"))

    def open_encoder(_: Settings) -> FakeEncoder:
        return FakeEncoder()

    def open_model(_: Settings) -> FakeModel:
        return model

    monkeypatch.setattr("rag.opening.open_encoder", open_encoder)
    monkeypatch.setattr("rag.opening.open_model", open_model)
    return model


@pytest.fixture
def asked(model: FakeModel) -> list[Prompt]:
    """What the model was asked."""
    return model.prompts


def questions(tmp_path: Path, count: int) -> str:
    """Passages with each question; the even ones have an answer."""
    lines = [
        {
            **NOMIRACL,
            "query_id": str(number),
            "question": f"When did the {'odd' if number % 2 else 'even'} bridge open?",
            "answerable": number % 2 == 0,
            "passages": [{"docid": "1", "text": "It opened in 1973."}, {"docid": "2", "text": "A ferry on a river."}],
        }
        for number in range(count)
    ]
    return str(written(tmp_path / "questions", *lines))


def test_learns_and_keeps_the_weights(tmp_path: Path, asked: list[Prompt], capsys: Output) -> None:
    assert main(["calibrate", questions(tmp_path, 48)]) == 0
    kept = calibration.load("fake", FakeEncoder().name)
    assert kept.made == "48 of questions" and kept.weights["window en"].terms["odds"].weight > 0
    shown = capsys.readouterr().out
    assert "answered though unanswerable" in shown and "+0.0            0.000" in shown
    assert str(tmp_path / "models" / "calibration.json") in shown
    assert len(asked) == 48 * 2  # gate, and how a draft begins


def test_goes_on_where_it_stopped(tmp_path: Path, asked: list[Prompt]) -> None:
    file, signals = questions(tmp_path, 48), tmp_path / "signals.jsonl"
    assert main(["calibrate", file, "--signals", str(signals), "--sample", "10"]) == 0
    assert len(asked) == 20 and len(signals.read_text("utf-8").splitlines()) == 10
    assert main(["calibrate", file, "--signals", str(signals)]) == 0
    assert len(asked) == 48 * 2  # gate, and how a draft begins
    assert json.loads(signals.read_text("utf-8").splitlines()[0])["signals"]["whole"] is False


def test_one_document_is_read_before_its_questions(tmp_path: Path, model: FakeModel) -> None:
    passages = [{"docid": "1", "text": f"The even bridge opened in {year}."} for year in (1973, 1980)]
    lines = [
        {**NOMIRACL, "query_id": f"{number}", "question": f"When did the even bridge {number} open?", "passages": [one]}
        for number, one in enumerate([passages[0], passages[0], passages[1]])
    ]
    signals = tmp_path / "signals.jsonl"
    assert main(["calibrate", str(written(tmp_path / "questions", *lines)), "--signals", str(signals)]) == 0
    assert [text in model.warmed[at][0].content for at, text in enumerate(("1973", "1980"))] == [True, True]
    assert len(model.warmed) == 2
    assert all(json.loads(line)["signals"]["whole"] for line in signals.read_text("utf-8").splitlines())


@pytest.mark.usefixtures("asked")
def test_wrong_use_is_said(tmp_path: Path, capsys: Output) -> None:
    squad = str(written(tmp_path / "squad", SQUAD))
    assert main(["calibrate", squad]) == 2
    assert "--corpus" in capsys.readouterr().err
    assert main(["calibrate", str(written(tmp_path / "belebele", BELEBELE))]) == 2
    broken = tmp_path / "signals"
    broken.write_text("no signals", "utf-8")
    corpus = str(written(tmp_path / "corpus.jsonl", *CORPUS))
    assert main(["calibrate", squad, "--corpus", corpus, "--signals", str(broken)]) == 2
    assert broken.read_text("utf-8") == "no signals"
