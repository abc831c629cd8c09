"""Whose words and deeds a question is about."""

import pytest

from rag.actors import asked_about, asks_who, bodies, leaves_open_who, strays

TEXT = [
    "백승욱 루닛 의장이 기조강연에서 'AI 대전환'을 발표했다.",
    "고진 디플정 위원장은 “전쟁 중”이라고 말했다.",
    "과학기술정보통신부는 조사에서 300조원을 아낄 수 있다고 했다.",
    "산업통상자원부는 진흥에 힘쓴다.",
    "그는 내년을 기대했다.",
]


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("고진 위원장 기조강연 제목이 뭐였어?", 0),
        ("산업통상자원부 조사에서는 얼마가 나왔어?", 2),
        ("산업부는 뭐라고 했어?", 2),
        ("What did Ko Jin's lecture say?", 0),
    ],
)
def test_another_ones_words(question: str, cited: int) -> None:
    assert strays(question, TEXT[cited], TEXT)


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("백승욱 의장은 뭘 발표했어?", 0),
        ("백승욱 의장은 내년을 어떻게 봤어?", 4),  # it names nobody: it may go on about him
        ("과기정통부 조사에서는 얼마가 나왔어?", 2),
        ("누가 기조강연을 했어?", 0),
        ("What did Baek Seung-uk present?", 0),
    ],
)
def test_nobody_else(question: str, cited: int) -> None:
    assert not strays(question, TEXT[cited], TEXT)


def test_bodies() -> None:
    assert bodies("정부와 산업통상자원부는 일부 계획을 디지털플랫폼정부위원회에 냈다.") == {
        "산업통상자원부",
        "디지털플랫폼정부위원회",
    }


def test_whom_a_question_names() -> None:
    assert asked_about("그럼 산업부는?", TEXT) == {"산업통상자원부"}
    assert asked_about("And Baek Seung-uk?", TEXT) == {"백승욱"}
    assert asked_about("And the others?", TEXT) == set()


@pytest.mark.parametrize(
    ("sentence", "is_open"),
    [
        ("특히 장점으로 셋을 꼽았다.", True),
        ("다만 “배는 늦었다”고 덧붙였다.", True),
        ("그는 “배는 늦었다”고 했다.", True),
        ("시장은 “배가 늦었다”고 했다.", False),
        ("다리가 놓였다.", False),
        ("She named three.", False),
    ],
)
def test_sentences_without_a_subject(sentence: str, is_open: bool) -> None:
    assert leaves_open_who(sentence) is is_open


def test_asking_who() -> None:
    assert asks_who("그거 누가 꼽은 거야?") and asks_who("Who named those?")
    assert not asks_who("Whose idea was it?") and not asks_who("언제 열렸어?")
