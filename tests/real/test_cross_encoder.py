"""The cross-encoder on invented sentences, with the real embedding model."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from index.encoder import SentenceTransformerEncoder
from index.fake import FakeEncoder
from index.models import EMBEDDING_MODEL, resolve
from rag.cross_encoder import WEIGHTS, CrossEncoder
from tests.bench import reading

KOREAN = [
    "가온시는 3월부터 시내버스 요금을 100원 올린다.",
    "박서준 교통국장은 노선 다섯 개가 새로 생긴다고 밝혔다.",
    "새 차고지는 동쪽 산업 단지 옆에 지어진다.",
]
ENGLISH = [
    "Gaon will raise bus fares by 100 won in March.",
    "Park Seo-jun, head of transport, said that five lines would be added.",
    "A new depot is being built next to the industrial park in the east.",
]
ASKED = [
    ("언제부터 버스비가 비싸져?", "When does taking the bus become more expensive?", 0),
    ("노선이 는다고 한 사람은 누구야?", "Who said there would be more lines?", 1),
    ("버스를 세워 둘 곳은 어디에 생기나요?", "Where will the buses be parked?", 2),
]


@pytest.fixture(scope="module")
def reader(encoder: SentenceTransformerEncoder) -> CrossEncoder:
    found = CrossEncoder.of(encoder)
    assert found is not None and CrossEncoder.of(encoder) is found  # one copy of the layers for all indexes
    return found


@pytest.mark.parametrize(("korean", "english", "right"), ASKED)
def test_the_sentence_that_answers_comes_first_in_both_languages(
    reader: CrossEncoder, korean: str, english: str, right: int
) -> None:
    for question in (korean, english):
        for sentences in (KOREAN, ENGLISH):
            assert int(reader.odds(question, sentences).argmax()) == right


def test_what_is_not_there_has_lower_odds(reader: CrossEncoder) -> None:
    there = [float(reader.odds(asked, KOREAN).max()) for asked, _, _ in ASKED]
    missing = ["지하철 요금은 얼마나 올라?", "차고지를 짓는 데 얼마가 드나요?", "박서준 국장은 몇 살이야?"]
    assert min(there) > max(float(reader.odds(asked, KOREAN).max()) for asked in missing)


def test_long_texts_are_read_in_parts_and_nothing_is_an_empty_ranking(reader: CrossEncoder) -> None:
    many = KOREAN + [f"{number}번째 안건은 다음 회의에서 다루기로 하였다." for number in range(40)]
    odds = reader.odds(ASKED[0][0], many)
    assert odds.shape == (len(many),) and np.isfinite(odds).all() and int(odds.argmax()) == 0
    assert reader.odds("누구야?", []).shape == (0,)
    assert np.isfinite(reader.odds("요금 " * 2000, ["", "가" * 5000])).all()


def test_what_is_trained_computes_the_same(reader: CrossEncoder) -> None:
    """In batches with padding, up to half precision."""
    encoder = SentenceTransformerEncoder(resolve(EMBEDDING_MODEL))  # its layers are changed in place
    trained = reading.Reader(encoder)
    trained.begin_from(str(WEIGHTS))
    asked = [(question, KOREAN, [right]) for question, _, right in ASKED] + [(ASKED[0][1], ENGLISH[:2], [0])]
    lots = list(reading.batches(asked, encoder.tokenizer, random.Random(0)))
    assert [len(right) for _, right in lots] == [4]
    (batch, rights), found = lots[0], [reader.odds(question, sentences) for question, sentences, _ in asked]
    for row, right in zip(trained(*batch).detach().numpy(), rights, strict=True):
        odds = [one for one in found if abs(row[1 : len(one) + 1] - row[0] - one).max() < 0.5]
        assert odds and int(row[1:].argmax()) in right


def test_the_mean_of_two_trainings_lies_between(tmp_path: Path) -> None:
    changes = load_file(str(WEIGHTS))
    save_file({name: value * 3 for name, value in changes.items()}, tmp_path / "other", {"encoder": "some"})
    reading.mean(str(tmp_path / "mean"), str(tmp_path / "other"), str(WEIGHTS))
    assert all(np.allclose(value, changes[name] * 2, rtol=1e-2) for name, value in load_file(tmp_path / "mean").items())
    with safe_open(tmp_path / "mean", "numpy") as opened:
        assert opened.metadata() == {"encoder": "some"}


def test_the_embedding_model_stays_as_it_was(encoder: SentenceTransformerEncoder, reader: CrossEncoder) -> None:
    before = encoder.encode_passages(["물은 낮은 데로 흐른다."], [[(0, 12)]])[0]
    reader.odds("물은 어디로 흐르지?", ["물은 낮은 데로 흐른다."])
    assert np.array_equal(encoder.encode_passages(["물은 낮은 데로 흐른다."], [[(0, 12)]])[0], before)


def test_another_embedding_model_has_none(tmp_path: Path) -> None:
    assert CrossEncoder.of(FakeEncoder()) is None
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 384}), "utf-8")
    assert CrossEncoder.of(SentenceTransformerEncoder(tmp_path)) is None
