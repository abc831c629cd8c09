"""Passages: whole sentences, each once, of bounded length, captions and credits apart."""

import random
from pathlib import Path

import pytest

from index.fake import FakeEncoder
from index.passages import LONGEST, TARGET, passages
from index.reading import document
from index.records import Passage
from index.sentences import sentences

ARTICLE = (Path(__file__).parents[2] / "seeds" / "it-megavision-2024.txt").read_text("utf-8")
COUNT = FakeEncoder().count_tokens


def cut(text: str) -> list[Passage]:
    return passages(document("a", text), COUNT)


def test_the_passages_of_the_article_hold_every_sentence_once() -> None:
    text = document("a", ARTICLE).text
    found = cut(ARTICLE)
    assert [span for passage in found for span in passage.sentences] == sentences(text)
    assert [passage.number for passage in found] == list(range(len(found)))
    for passage in found:
        assert (passage.start, passage.end) == (passage.sentences[0][0], passage.sentences[-1][1])
        assert COUNT([text[passage.start : passage.end]])[0] <= TARGET


def test_captions_and_credits_are_passages_of_their_own() -> None:
    text = document("a", ARTICLE).text
    for passage in cut(ARTICLE):
        for start, end in passage.sentences:
            sentence = text[start:end]
            assert passage.repeated == (text.count(sentence) > 1 or sentence == "윤희석 기자 pioneer@etnews.com")


@pytest.mark.parametrize(
    ("line", "credit"),
    [
        ("김민수기자 mskim@etnews.com", True),
        ("홍길동 선임기자 hong@example.kr", True),
        ("[사진=연합뉴스]", True),
        ("Photo: Jane Doe", True),
        ("ⓒ 2024 전자신문", True),
        ("무단 전재 및 재배포 금지", True),
        ("사진을 찍는 사람이 많았다.", False),
        ("김민수 기자는 그 자리에 없었다고 말했다.", False),
        ("문의는 a@b.kr 또는 전화로 하면 된다.", False),
    ],
)
def test_a_credit_line_is_known_by_its_form(line: str, credit: bool) -> None:
    found = cut(f"본문의 첫 문장이다.\n{line}\n본문의 둘째 문장이다.")
    assert [passage.repeated for passage in found] == ([False, True, False] if credit else [False])


def test_short_lines_may_repeat() -> None:
    assert [passage.repeated for passage in cut("그렇다.\n아니다.\n그렇다.")] == [False]


def test_a_heading_opens_a_passage() -> None:
    text = "# 하나\n첫째 문장이다.\n## 둘\n둘째 문장이다. 번호는 #3이다."
    assert [text[one.start : one.end].split("\n")[0] for one in cut(text)] == ["# 하나", "## 둘"]


def test_a_passage_ends_at_the_target_length() -> None:
    text = " ".join(f"문장 {number}번에는 낱말이 여섯 개쯤 들어 있다." for number in range(100))
    found = cut(text)
    sizes = [sum(COUNT([text[start:end] for start, end in one.sentences])) for one in found]
    assert max(sizes) <= TARGET
    assert min(sizes[:-1]) > TARGET * 0.8


DENSE = "a b c d e f g h "  # a token every other character, against one every two or more in words
LONG = {
    "words": "낱말 " * 2000,
    "no space": "가" * 5000,
    "sparse, then dense": "가나다라마바사아 " * 150 + DENSE * 300,
    "dense, then sparse": DENSE * 100 + "x" * 9000,
    "wide gaps": ("가나" + " " * 40) * 1500,
}


@pytest.mark.parametrize("kind", LONG)
def test_a_sentence_too_long_for_the_model_is_cut(kind: str) -> None:
    text = "앞 문장이다.\n" + LONG[kind] + "\n뒤 문장이다."
    spans = [span for passage in cut(text) for span in passage.sentences]
    assert max(COUNT([text[start:end] for start, end in spans])) <= LONGEST
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    if kind == "words":
        assert {word for start, end in spans for word in text[start:end].split()} <= {*text.split()}


def test_one_character_of_many_tokens_is_left_whole() -> None:
    found = passages(document("a", "ab"), lambda texts: [1000 * len(text) for text in texts])
    assert [span for passage in found for span in passage.sentences] == [(0, 1), (1, 2)]


def test_odd_texts_lose_nothing() -> None:
    chance = random.Random(4)
    for _ in range(60):
        text = "".join(
            chance.choices(["가나다. ", "a", "\n", "# ", "사진=", " ", "기자 a@b.c\n", "“”", "x" * 900], k=25)
        )
        if text.strip():
            parts = [text[start:end] for passage in cut(text) for start, end in passage.sentences]
            assert "".join("".join(parts).split()) == "".join(text.split())
