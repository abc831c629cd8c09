"""The fake encoder keeps what the Protocol promises."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder
from index.fake import SIZE, FakeEncoder


def test_it_is_an_encoder_with_vectors_of_length_one() -> None:
    encoder: Encoder = FakeEncoder()
    vectors, parts = encoder.encode_passages(["첫 문장. 둘째 문장.", "?"], [[(0, 5), (6, 12)], [(0, 1)]])
    assert vectors.shape == (2, SIZE) == (2, encoder.size)
    assert vectors.dtype == parts[0].dtype == np.float32
    assert [part.shape for part in parts] == [(2, SIZE), (1, SIZE)]
    assert np.linalg.norm(vectors[0]) == pytest.approx(1)
    assert not vectors[1].any()
    assert np.array_equal(parts[0][0], encoder.encode_question("첫 문장"))
    empty, none = encoder.encode_passages([], [])
    assert (empty.shape, none) == ((0, SIZE), [])


def test_each_token_vector_has_its_place() -> None:
    encoder = FakeEncoder()
    texts = ["첫 문장. 둘째 문장.", "?"]
    _, _, words = encoder.encode_in_full(texts, [[], []])
    assert encoder.token_spans(texts, [[], []]) == [[(0, 1), (2, 4), (6, 8), (9, 11)], []]
    assert [len(one) for one in words] == [4, 0]


def test_texts_that_share_the_beginnings_of_words_are_nearer() -> None:
    encoder = FakeEncoder()
    near, far = (encoder.encode_question(text) for text in ("루닛 의장이 말했다", "날씨가 맑다"))
    question = encoder.encode_question("루닛 의장은 누구")
    assert question @ near > 0.4 > 0.2 > question @ far


def test_it_needs_no_model_library_and_is_the_same_in_every_process() -> None:
    code = "import sys; from index.fake import FakeEncoder; v = FakeEncoder().encode_question('물음 cat')"
    code += "; print(v.tobytes().hex(), 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [FakeEncoder().encode_question("물음 cat").tobytes().hex(), "False"]
