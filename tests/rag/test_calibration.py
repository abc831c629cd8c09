"""Weights are learnt from signals, kept by pair of models and by situation, and never turned round."""

import json
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import add
from index.encoder import Vectors
from index.fake import FakeEncoder
from index.snapshot import Index
from rag import calibration
from rag.answering import Answerer
from rag.calibration import Calibration, Signals, Term, Weights
from rag.cross_encoder import CrossEncoder
from rag.model import FakeModel

NONE = Calibration()


def cases(count: int, *, whole: bool = False) -> list[tuple[Signals, bool]]:
    """Answerable questions have higher odds and relevance, and lack less; how certain the model begins is a coin."""
    chance = random.Random(3)
    made = []
    for number in range(count):
        there = number % 2 == 0
        signals = Signals(
            odds=chance.gauss(2.0 if there else 0.5, 1.0),
            relevance=chance.gauss(0.9 if there else 0.86, 0.02),
            lacking=0 if there else chance.choice((0, 0, 1)),
            whole=whole,
            spoken="ko",
            certain=chance.gauss(-0.5, 0.2),
        )
        made.append((signals, there))
    return made


def weight(fitted: Calibration, situation: str, name: str) -> float:
    return fitted.weights[situation].terms.get(name, Term(0.0)).weight


def right(fitted: Calibration, known: list[tuple[Signals, bool]]) -> float:
    return sum((fitted.score(signals) >= 0) == there for signals, there in known) / len(known)


def test_a_fit_tells_the_two_kinds_apart() -> None:
    known = cases(200)
    fitted = calibration.fit(known, "made up", NONE)
    assert list(fitted.weights) == ["window ko"]  # nothing was learnt of other situations
    assert right(fitted, known) > 0.85 > right(NONE, known)
    assert min(weight(fitted, "window ko", name) for name in ("odds", "relevance", "lacking")) > 0


def test_how_a_draft_begins_may_move_the_score_by_its_swing() -> None:
    known = cases(200)
    coin = calibration.fit(known, "made up", NONE).weights["window ko"]
    assert coin.swing() < 0.2
    telling = [(replace(signals, certain=-0.2 if there else -1.0), there) for signals, there in known]
    weights = calibration.fit(telling, "made up", NONE).weights["window ko"]
    assert weights.swing() > 1.0
    unknown = replace(known[0][0], certain=None)
    assert weights.score(replace(unknown, certain=-1.0)) < weights.score(unknown)


def test_the_bar_does_not_depend_on_how_many_there_are_of_each_kind() -> None:
    known = cases(400)
    few = [one for number, one in enumerate(known) if one[1] or number % 8 == 1]
    fitted = calibration.fit(few, "made up", NONE)
    refused = [fitted.score(signals) < 0 for signals, there in known if there]
    assert sum(refused) / len(refused) < 0.2


def test_too_few_questions_change_nothing() -> None:
    base = Calibration({"window ko": Weights(0.7)})
    assert calibration.fit(cases(20), "made up", base).weights == base.weights
    assert calibration.fit([one for one in cases(200) if one[1]], "made up", base).weights == base.weights


def test_a_signal_that_misleads_gets_no_weight_but_for_the_odds() -> None:
    known = [
        (replace(signals, odds=-(signals.odds or 0.0), relevance=1 - (signals.relevance or 0.0)), there)
        for signals, there in cases(200)
    ]
    fitted = calibration.fit(known, "made up", NONE)
    assert weight(fitted, "window ko", "odds") == calibration.LEAST_ODDS
    assert weight(fitted, "window ko", "relevance") == 0.0


def test_other_words_for_what_is_there_count_less_than_a_strange_name() -> None:
    chance = random.Random(5)
    known = [
        (
            replace(
                signals, lacking=0 if there else chance.choice((0, 1)), nouns=chance.random() < (0.4 if there else 0.6)
            ),
            there,
        )
        for signals, there in cases(400, whole=True)
    ]
    fitted = calibration.fit(known, "made up", NONE)
    assert weight(fitted, "whole ko", "lacking") > 2 * weight(fitted, "whole ko", "nouns") > 0


def test_the_whole_of_an_index_is_judged_without_the_relevance() -> None:
    fitted = calibration.fit(cases(200, whole=True), "made up", NONE)
    assert weight(fitted, "whole ko", "relevance") == 0.0 < weight(fitted, "whole ko", "odds")


@pytest.mark.parametrize(("names", "whole"), [(("hall",), True), (("hall", "market"), False)])
def test_several_small_documents_are_no_one_matter(tmp_path: Path, names: tuple[str, ...], whole: bool) -> None:
    texts = {"hall": "시민회관은 3월에 문을 열었다.", "market": "장터는 매달 첫 주에 선다."}
    for name in names:
        (tmp_path / f"{name}.txt").write_text(texts[name], "utf-8")
    add(tmp_path / "index", [tmp_path / f"{name}.txt" for name in names], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        signals = Answerer(index, FakeModel()).signals("시민회관은 언제 문을 열었어?")
    assert signals is not None and signals.whole == whole


class Reader(CrossEncoder):
    """Knows one sentence that answers."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def odds(self, question: str, sentences: Sequence[str]) -> Vectors:
        self.read = list(sentences)
        return np.array([3.0 if "3월" in one else -4.0 for one in sentences], np.float32)


def test_sentences_are_read_in_their_order_by_the_cross_encoder(tmp_path: Path) -> None:
    text = "시민회관은 3월에 문을 열었다. 표는 시민회관 앞에서 판다."
    (tmp_path / "hall.txt").write_text(text, "utf-8")
    add(tmp_path / "index", [tmp_path / "hall.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        answerer, reader = Answerer(index, FakeModel()), Reader()
        without = answerer.signals("시민회관 표는 어디에서 사나요?")
        answerer._means = replace(answerer._means, cross_encoder=reader)
        asked = answerer.signals("시민회관 표는 어디에서 사나요?")
        by_yes = answerer.signals("시민회관 앞에서 표를 팔아요?")
    assert reader.read == ["시민회관은 3월에 문을 열었다.", "표는 시민회관 앞에서 판다."]
    assert without is not None and without.read is None  # another embedding model has no cross-encoder
    assert asked is not None and asked.read == 3.0
    assert by_yes is not None and by_yes.read is None


@pytest.mark.parametrize("weights", [{"odds": Term(1.0)}, {"odds": Term(1.0), "read": Term(1.0)}])
def test_nothing_is_read_for_an_answer_where_the_weights_do_not_ask_for_it(
    tmp_path: Path, weights: dict[str, Term]
) -> None:
    (tmp_path / "hall.txt").write_text("시민회관은 3월에 문을 열었다. 표는 시민회관 앞에서 판다.", "utf-8")
    add(tmp_path / "index", [tmp_path / "hall.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        answerer, reader = Answerer(index, FakeModel()), Reader()
        fitted = Calibration({"whole ko": Weights(1.0, weights)})
        answerer._means = replace(answerer._means, cross_encoder=reader, calibration=fitted)
        answerer.warm_up("en")  # nothing is translated yet, so that the answering model has nothing to read ahead
        warmed, reader.read = reader.read, []
        answerer.ask("시민회관 표는 어디에서 사나요?")
    assert bool(warmed) == bool(reader.read) == ("read" in weights)


def test_what_the_cross_encoder_reads_moves_the_score() -> None:
    known = cases(200)
    read = [(replace(signals, read=2.0 if there else -2.0), there) for signals, there in known]
    fitted = calibration.fit(read, "made up", NONE)
    assert right(fitted, read) == 1.0 > right(calibration.fit(known, "made up", NONE), known)


def test_what_is_not_known_tells_nothing() -> None:
    weights = Weights(0.0, {"odds": Term(1.0), "relevance": Term(50.0, 0.88), "certain": Term(2.0, -0.7)})
    unknown = Signals(0.5, None, 0, whole=False, spoken="en")
    assert weights.score(unknown) == 0.5
    assert weights.score(replace(unknown, relevance=0.88, certain=-0.7)) == 0.5


def test_a_model_that_does_not_tell_its_odds_answers_unless_something_is_lacking() -> None:
    silent = Signals(None, 0.8, 0, whole=False, spoken="ko")
    assert NONE.score(silent) > 0 > NONE.score(replace(silent, lacking=1))
    assert NONE.score(silent) > NONE.score(replace(silent, nouns=True))


def test_kept_by_pair_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path / "models"))
    fitted = calibration.fit(cases(200), "made up", NONE)
    path = calibration.save("llm", "encoder", fitted)
    calibration.save("other", "encoder", NONE)
    assert calibration.load("llm", "encoder") == fitted
    assert calibration.load("llm", "another") == NONE
    assert len(json.loads(path.read_text("utf-8"))) == 2
    path.write_text("{", "utf-8")
    assert calibration.load("llm", "encoder") == NONE


def test_what_comes_along_is_read() -> None:
    shipped = json.loads((Path(calibration.__file__).parent / "assets" / "calibration.json").read_text("utf-8"))
    assert shipped
    for pair in shipped:
        llm, _, encoder = pair.partition(" ")
        assert calibration.load(llm, encoder).made == shipped[pair]["made"]
