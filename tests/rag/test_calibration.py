"""Weights are learnt from signals, kept by pair of models, and never turned round."""

import json
import random
from pathlib import Path

import pytest

from rag import calibration
from rag.calibration import PLAIN, Signals, Weights


def cases(count: int, *, whole: bool = False, cosine: bool = True) -> list[tuple[Signals, bool]]:
    """Answerable questions have higher odds and cosines, and lack less."""
    chance = random.Random(3)
    made = []
    for number in range(count):
        there = number % 2 == 0
        near = chance.gauss(0.9 if there else 0.86, 0.02) if cosine else None
        lacking = 0 if there else chance.choice((0, 0, 1))
        made.append((Signals(chance.gauss(2.0 if there else 0.5, 1.0), near, lacking, whole), there))
    return made


def right(fitted: calibration.Calibration, known: list[tuple[Signals, bool]]) -> float:
    return sum((fitted.score(signals) >= 0) == there for signals, there in known) / len(known)


def test_a_fit_tells_the_two_kinds_apart() -> None:
    known = cases(200)
    fitted = calibration.fit(known, "made up", PLAIN)
    assert fitted.whole == PLAIN.whole  # nothing was learnt of that situation
    assert right(fitted, known) > 0.85 > right(PLAIN, known)
    assert min(fitted.window.odds, fitted.window.cosine, fitted.window.lacking) > 0


def test_the_bar_does_not_depend_on_how_many_there_are_of_each_kind() -> None:
    known = cases(400)
    few = [one for number, one in enumerate(known) if one[1] or number % 8 == 1]
    fitted = calibration.fit(few, "made up", PLAIN)
    refused = [fitted.score(signals) < 0 for signals, there in known if there]
    assert sum(refused) / len(refused) < 0.2


def test_too_few_questions_change_nothing() -> None:
    assert calibration.fit(cases(20), "made up", PLAIN).window == PLAIN.window
    assert calibration.fit([one for one in cases(200) if one[1]], "made up", PLAIN).window == PLAIN.window


def test_a_signal_that_misleads_gets_no_weight() -> None:
    known = [(Signals(-(signals.odds or 0), signals.cosine, 0, False), there) for signals, there in cases(200)]
    assert calibration.fit(known, "made up", PLAIN).window.odds == 0.0


def test_the_whole_of_an_index_is_judged_without_the_cosine() -> None:
    fitted = calibration.fit(cases(200, whole=True), "made up", PLAIN)
    assert fitted.whole.cosine == 0.0 and fitted.whole.odds > 0 and fitted.window == PLAIN.window


def test_across_languages_the_cosine_tells_nothing() -> None:
    weights = Weights(1.0, 50.0, 1.0, 0.0, middle=0.88)
    assert weights.score(Signals(0.5, None, 0, False)) == weights.score(Signals(0.5, 0.88, 0, False)) == 0.5


def test_a_model_that_does_not_tell_its_odds_answers_unless_something_is_lacking() -> None:
    assert PLAIN.score(Signals(None, 0.8, 0, False)) > 0 > PLAIN.score(Signals(None, 0.8, 1, False))


def test_kept_by_pair_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path / "models"))
    fitted = calibration.fit(cases(200), "made up", PLAIN)
    path = calibration.save("llm", "encoder", fitted)
    calibration.save("other", "encoder", PLAIN)
    assert calibration.load("llm", "encoder") == fitted
    assert calibration.load("llm", "another") == PLAIN
    assert len(json.loads(path.read_text("utf-8"))) == 2
    path.write_text("{", "utf-8")
    assert calibration.load("llm", "encoder") == PLAIN


def test_what_comes_along_is_read() -> None:
    shipped = json.loads((Path(calibration.__file__).parent / "assets" / "calibration.json").read_text("utf-8"))
    for pair in shipped:
        llm, _, encoder = pair.partition(" ")
        assert calibration.load(llm, encoder).made
