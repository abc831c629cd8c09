"""The comparison token by token."""

import numpy as np

from index.encoder import Asked, Centre
from index.fake import SIZE, FakeEncoder
from rag.late import Tokens, centred, within

NOWHERE = Centre(np.zeros(SIZE, np.float32), np.zeros(SIZE, np.float32))


def test_the_text_with_more_of_the_questions_words_is_nearer() -> None:
    encoder = FakeEncoder()
    texts = ["다리는 1973년에 열렸다", "시장이 축사를 했다", "다리가 낡았다"]
    _, _, words = encoder.encode_in_full(texts, [[]] * 3)
    found = Tokens(encoder.encode_asked("다리는 언제 열렸다"), NOWHERE).similarity(words)
    assert found.shape == (3,) and found.max() <= 1.0001
    assert list(np.argsort(-found)) == [0, 2, 1]


def test_a_token_that_all_texts_have_alike_does_not_count() -> None:
    vectors = np.eye(2, SIZE, dtype=np.float32)
    asked = Asked(vectors.mean(axis=0), vectors, np.ones(2, np.float32))
    found = Tokens(asked, NOWHERE).similarity([vectors[:1], vectors])
    assert found[0] < 0.01 and found[1] > 0.99


def test_texts_without_tokens_and_no_texts() -> None:
    encoder = FakeEncoder()
    asked = Tokens(encoder.encode_asked("누구"), NOWHERE)
    assert asked.similarity([]).shape == (0,)
    nothing = np.zeros((0, SIZE), np.float32)
    assert asked.similarity([nothing, encoder.encode_asked("누구").tokens])[0] == -1
    assert [len(one) for one in centred([nothing], np.zeros(SIZE, np.float32))] == [0]


def test_the_centre_is_taken_away_the_more_the_more_texts_there_are() -> None:
    common = np.ones(SIZE, np.float32)
    rows = np.eye(40, SIZE, dtype=np.float32) + common
    few, many = (centred([row[None] for row in rows[:count]], np.zeros(SIZE, np.float32)) for count in (2, 40))
    assert few[0][0] @ few[1][0] > 0.9
    assert many[0][0] @ many[1][0] < few[0][0] @ few[1][0]


def test_tokens_within_a_range_of_characters() -> None:
    assert within([(0, 2), (2, 5), (6, 8)], (2, 8)) == [1, 2]
