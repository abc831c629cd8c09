"""The seed documents indexed with the real embedding model, FAISS and Kiwi, on disk."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index import build
from index.encoder import SentenceTransformerEncoder, Vectors
from index.passages import LONGEST, TARGET, passages
from index.reading import document
from index.snapshot import Index, recipe_for
from index.vectors import VectorStore

SEEDS = Path(__file__).parents[2] / "seeds"
ARTICLE = "it-megavision-2024.txt"
SPECIAL = 8  # tokens at most of 'passage: ' and of the beginning and the end

QUESTIONS = [
    ("AI를 산업 전반에 적용하면 비용을 얼마나 절감하나?", "300조원"),
    ("How much cost could be saved by applying AI across Korean industry?", "300조원"),
    ("백승욱 의장이 꼽은 AI 생태계의 핵심 요소는?", "△모델 아키텍처"),
    ("What does the Seoul Digital Foundation do for small businesses?", "중소기업 판로"),
]


@pytest.fixture(scope="module")
def folder(encoder: SentenceTransformerEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("색인") / "seeds"
    report = build.add(path, [SEEDS / ARTICLE], encoder)
    assert (report.added, report.refused) == ([ARTICLE], [])
    return path


@pytest.fixture
def index(encoder: SentenceTransformerEncoder, folder: Path) -> Iterator[Index]:
    with closing(Index(folder, encoder)) as opened:
        yield opened


def best_sentence(index: Index, question: str) -> str:
    """Of the three nearest passages the sentence whose own vector is nearest."""
    now = index.snapshot()
    vector = index.encoder.encode_question(question)
    numbers, _ = now.vectors.search(vector, 3)
    found = []
    for number in numbers.tolist():
        passage = now.passages[now.rows[number]]
        cosines = now.sentence_vectors([number])[number] @ vector
        start, end = passage.sentences[int(cosines.argmax())]
        found.append((float(cosines.max()), now.quote(passage.document, start, end)))
    return max(found)[1]


@pytest.mark.parametrize(("question", "words"), QUESTIONS)
def test_a_question_in_either_language_finds_its_passage(question: str, words: str, index: Index) -> None:
    now = index.snapshot()
    numbers, scores = now.vectors.search(index.encoder.encode_question(question), 3)
    near = [now.passages[now.rows[number]] for number in numbers.tolist()]
    assert any(words in now.quote(one.document, one.start, one.end) for one in near)
    assert 0.5 < scores.min() <= scores.max() <= 1


def test_the_nearest_sentence_answers(index: Index) -> None:
    for question, words in QUESTIONS[:2]:
        assert words in best_sentence(index, question)


def test_the_vectors_file_is_real_and_of_length_one(index: Index, folder: Path) -> None:
    [path] = folder.glob("derived-*")
    now = index.snapshot()
    store = VectorStore.load(path, np.array(now.ids), index.encoder.size)
    vectors = store.vectors(np.array(now.ids))
    assert vectors.shape == (len(now.ids), 384)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert np.array_equal(vectors, index.catalogue.vectors())
    question = index.encoder.encode_question(QUESTIONS[0][0])
    cosines = vectors @ question
    numbers, scores = store.search(question, len(now.ids))
    assert sorted(numbers.tolist()) == list(now.ids)
    assert np.allclose(scores, np.sort(cosines)[::-1], atol=1e-6)  # captions that say the same are equally near
    assert np.allclose(scores, cosines[[now.rows[number] for number in numbers.tolist()]], atol=1e-6)


def test_every_sentence_has_a_vector_of_its_own(index: Index) -> None:
    now = index.snapshot()
    for number, passage in zip(now.ids, now.passages, strict=True):
        vectors = now.sentence_vectors([number])[number]
        assert vectors.shape == (len(passage.sentences), 384)
        assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-2  # kept as float16


def test_it_is_opened_again_and_repaired_without_encoding(
    folder: Path, encoder: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> Vectors:
        raise AssertionError("encoded again")

    monkeypatch.setattr(encoder, "encode_in_full", refused)
    [path] = folder.glob("derived-*/vectors.faiss")
    for content in (path.read_bytes(), b"", path.read_bytes()[:-1] + b"?"):
        path.write_bytes(content)
        with closing(Index(folder, encoder)) as index:
            assert "300조원" in best_sentence(index, QUESTIONS[0][0])
        assert build.verify(folder, recipe_for(encoder)) == []
    assert build.add(folder, [SEEDS / ARTICLE], encoder).unchanged == [ARTICLE]


LONG = {
    "Korean words": "인공지능 전환이 우리나라 기업에 새로운 기회를 제공할 것으로 " * 120,
    "no spaces": "인공지능전환이우리나라기업에새로운기회를" * 200,
    "digits": "0123456789" * 400,
    "sparse, then dense": "international " * 400 + "韓㎏½ﷺ" * 300,
    "one sign of many tokens": "ﷺ" * 900,
    "emoji": "🙂👩‍👩‍👧‍👦" * 500,
    "one letter": "a" * 6000,
    "unknown signs": "\U00012000\u200b" * 1500,
    "many short lines": "가\n" * 3000,
}


@pytest.mark.parametrize("kind", LONG)
def test_no_passage_is_longer_than_the_models_window(kind: str, encoder: SentenceTransformerEncoder) -> None:
    """Counted in the passage as it is encoded, whole, not as the sum of its sentences."""
    text = document("a", f"앞 문장이다. {LONG[kind]} 뒤 문장이다.").text
    found = passages(document("a", text), encoder.count_tokens)
    assert "".join("".join(text[a:b].split()) for one in found for a, b in one.sentences) == "".join(text.split())
    pieces = [text[a:b] for one in found for a, b in one.sentences]
    assert max(encoder.count_tokens(pieces)) <= LONGEST
    wholes = encoder.count_tokens([text[one.start : one.end] for one in found])
    assert max(wholes) <= encoder.window - SPECIAL
    assert max(wholes) > TARGET / 4  # and they are not cut to crumbs


def test_a_question_is_encoded_once(encoder: SentenceTransformerEncoder) -> None:
    asked = encoder.encode_asked("다리는 언제 놓였어?")
    assert encoder.encode_asked("다리는 언제 놓였어?") is asked
    assert encoder.encode_asked("다리는 어디 놓였어?") is not asked


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosine of each row with its counterpart (n,); 1 where both are zero."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.where(lengths > 0, (one * other).sum(axis=1) / np.maximum(lengths, 1e-9), 1.0).astype(np.float32)


def test_a_passages_vectors_do_not_depend_on_what_is_encoded_with_it(encoder: SentenceTransformerEncoder) -> None:
    texts = [
        "짧다.",
        "The bridge was opened in 1973. " * 20,
        "의장이 발표했다. 정부가 기업을 지원한다.",
        "",
        "a b c " * 300,
    ]
    ranges = [[(0, len(text) // 2), (0, len(text))] for text in texts]
    together = encoder.encode_in_full(texts, ranges)
    for row, text in enumerate(texts):
        alone = encoder.encode_in_full([text], [ranges[row]])
        for part in range(3):
            both = np.atleast_2d(together[part][row]), np.atleast_2d(alone[part][0])
            assert both[0].shape == both[1].shape
            assert both[1].size == 0 or alike(*both).min() > 0.9995  # bfloat16 rounds by the shape of the batch
    spans = encoder.token_spans(texts, ranges)
    assert [len(one) for one in spans] == [len(words) for words in together[2]]
    assert "".join(texts[2][start:end] for start, end in spans[2][1:]).endswith("정부가 기업을 지원한다.")
    assert [len(found) for found in encoder.encode_in_full([], [])] == [0, 0, 0]
