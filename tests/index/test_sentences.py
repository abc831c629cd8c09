"""Sentences as character ranges, on the seed article, on odd strings and on what splitters like to break."""

import random
from pathlib import Path

import pytest

from index.sentences import language, sentences

ARTICLE = (Path(__file__).parents[2] / "seeds" / "it-megavision-2024.txt").read_text("utf-8")


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_the_article_is_cut_where_a_reader_would_cut_it() -> None:
    found = split(ARTICLE)
    for whole in (
        "[IT메가비전 2024] “AX, 韓 기업에 새 기회”…정부, 합동 지원 나선다",
        "특히 AI 생태계를 구성하는 핵심 요소로 △모델 아키텍처 △애플리케이션 △컴퓨트(계산)을 꼽았다.",
        "기조강연에 나선 의료 AI 전문업체 '루닛' 백승욱 의장은 'AI 대전환, 2024년 AX 임팩트'를 발표했다.",
        "다만 “수많은 AI 기업 중 한국 지분은 크지 않아 아쉽다”고 덧붙였다.",
        "송상훈 과기정통부 정보통신정책관은 “한국을 AI 분야 G3(주요 3개국)에 올리기 위한 계획을 조만간 마련하겠다”고 "
        "전했다.",
        "윤희석 기자 pioneer@etnews.com",
    ):
        assert whole in found
    assert found.count("김민수기자 mskim@etnews.com") == 6
    assert len(found) == 41


@pytest.mark.parametrize(
    "parts",
    [
        ["Dr. Kim met Mr. Lee at 3.5 p.m. today.", "It cost $1.2 billion, i.e. a lot.", "He left."],
        ["Samsung Electronics Co. reported earnings.", "Lunit Inc. grew 3.14 %."],
        ["He said “Stop. Now.” and left.", "She's gone.", "It's 'fine'."],
        ["그는 3.14를 말했다.", "No. 5를 샀다.", "약 1.5조원이다."],
        ["U.S. 정부는 말했다.", "이는 e.g. 한국이다."],
        ["“그렇다. 아니다.”라고 했다.", "그는 ‘왜? 어째서!’라고 물었다."],
        ["1. 첫째 항목이다.", "가. 둘째 항목이다."],
        ["안녕하세요!", "반갑습니다?", "네…그렇죠."],
        ["Lunit의 매출은 2.5배 늘었다.", "It is a company.", "본사는 서울에 있다."],
        ["△모델 △자료 △컴퓨트를 꼽았다.", "이상이다."],
    ],
)
def test_sentences_are_whole(parts: list[str]) -> None:
    assert split(" ".join(parts)) == parts


def test_a_line_break_ends_a_sentence() -> None:
    assert split("제목\n\n  본문이다. 끝.  \n- 항목\r\n") == ["제목", "본문이다.", "끝.", "- 항목"]


def test_a_long_line_is_read_in_stretches_without_new_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [f"{number}번째 기업은 새로운 기회를 얻었다고 말했다." for number in range(40)]
    monkeypatch.setattr("index.sentences.STRETCH", 100)
    assert split(" ".join(parts)) == parts
    for endless in ("인공지능과 자료와 기업의 " * 30, "가" * 350):
        assert split(endless) == [endless.strip()]


ODD = [
    *"가나다.?!…\"'“”‘’()[]「」aB1 \t\n\u00a0\u2003\u200b\u2028\x0b\x1c△·,:;。？🙂韓e\u0301",
    ". ",
    "다. ",
    "Mr. ",
    "3.14",
    "“",
    "U.S. ",
    "@a.kr",
]


def test_every_character_that_is_no_space_is_in_exactly_one_sentence() -> None:
    chance = random.Random(20)
    for _ in range(300):
        text = "".join(chance.choices(ODD, k=chance.randrange(60)))
        end = 0
        for start, stop in sentences(text):
            assert start >= end, text
            assert not text[end:start].strip(), text
            assert text[start:stop] == text[start:stop].strip() != "", text
            end = stop
        assert not text[end:].strip(), text


def test_the_language_is_told_by_the_share_of_hangul() -> None:
    assert language("Lunit 의장 이름이 뭐야?") == "ko"
    assert language("Who is 백승욱, the chairman of Lunit?") == "en"
    assert language("2024 !?") == language("") == "en"
