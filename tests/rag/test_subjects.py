"""The words that tell what a question is about."""

from rag.subjects import holders, telling_words

TEXT = [
    "한빛제약은 벡스코에서 신약을 공개했다.",
    "이 신약은 나래대의 엔진으로 설계했다.",
    "그는 내년을 기대했다.",
    "날씨가 맑았다.",
]


def test_a_word_that_few_sentences_have() -> None:
    assert telling_words("엔진은 어느 대학 거야?", "ko", TEXT) == {"엔진"}
    assert telling_words("어느 회사 기술이야?", "ko", TEXT) == frozenset()  # no sentence has it: it tells nothing
    assert telling_words("Whose engine is it?", "en", ["The engine is from Narae.", "It rained."]) == {"engin"}


def test_a_short_form_is_the_word() -> None:
    text = ["과학부는 계획을 냈다.", "산업통상자원부 박 국장이 말했다."]
    assert telling_words("그럼 산업부에서는?", "ko", text) == {"산업부"}
    assert holders(frozenset({"산업부"}), text) == {1}


def test_the_sentence_and_the_one_that_goes_on() -> None:
    assert holders(frozenset({"엔진"}), TEXT) == {1, 2}
