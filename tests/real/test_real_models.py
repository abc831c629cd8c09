"""The two default models as they are fetched: from the user's cache, or over the network the first time.

About 1.2 GB are downloaded then; $MUREUM_MODELS names another folder.
"""

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from index import fetching, models

PAIRS = [
    ("오늘 서울의 날씨는 맑고 따뜻합니다.", "The weather in Seoul is clear and warm today."),
    ("중앙은행이 기준금리를 동결했다.", "The central bank left its key interest rate unchanged."),
    ("이 약은 식사 후에 드셔야 합니다.", "This medicine must be taken after meals."),
    ("파일을 저장하려면 저장 단추를 누르십시오.", "Press the save button to save the file."),
    ("축구 대표팀이 결승에 진출했다.", "The national football team reached the final."),
    ("새 망원경이 먼 은하를 찍었다.", "A new telescope photographed a distant galaxy."),
]

# The first numbers of the query '안녕' by another engine, with the same weights and 8-bit activations.
ENGINE = [0.0494, -0.0258, -0.07733, -0.04108, 0.09373, -0.01694, -0.0105, 0.02391]


@pytest.fixture(scope="module")
def folder() -> Path:
    return fetching.fetch(models.EMBEDDING_MODEL)


@pytest.fixture(scope="module")
def model(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def test_both_models_are_the_published_bytes() -> None:
    fetching.fetch_all()
    for state in models.states():
        assert state.status == "ready"
        assert state.bytes_on_disk == pytest.approx(state.info.bytes, rel=1e-3)
        models.verify(state.info.name)


def test_the_answering_model_is_a_gguf_file() -> None:
    path = fetching.fetch(models.ANSWERING_MODEL)
    with path.open("rb") as file:
        assert file.read(4) == b"GGUF"


def test_the_embedding_model_finds_translations(model: SentenceTransformer) -> None:
    korean = model.encode_query([pair[0] for pair in PAIRS])  # (6, 384)
    english = model.encode_document([pair[1] for pair in PAIRS])
    assert korean.shape == (len(PAIRS), 384)
    assert (korean @ english.T).argmax(axis=1).tolist() == list(range(len(PAIRS)))


def test_the_embedding_is_the_one_that_another_engine_computes(model: SentenceTransformer) -> None:
    assert np.abs(model.encode_query("안녕")[: len(ENGINE)] - np.array(ENGINE)).max() < 0.003


def test_the_tokenizer_is_the_models_own(model: SentenceTransformer, folder: Path) -> None:
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in [
        "query: 안녕하세요",
        "  앞뒤  공백\n줄 바꿈\t탭 ",
        "ﾊﾝｶｸ ½ ㎏",
        "\u1112\u1161\u11ab글",
        "e\u0301",
        "",
    ]:
        assert model.tokenizer(text)["input_ids"] == plain.encode(text).ids
    # XLM-R's ids of these words, as its publisher's tokenizer gives them
    assert model.tokenizer("Hello world!")["input_ids"] == [0, 35378, 8999, 38, 2]
    assert model.preprocess(["가나다 " * 2000])["input_ids"].shape == (1, 512)
