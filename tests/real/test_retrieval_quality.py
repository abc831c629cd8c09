"""The mix of both sides is never worse than the better of them, in any direction, on a small invented set."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import build
from index.encoder import SentenceTransformerEncoder
from index.snapshot import Index
from rag import retrieval
from rag.worded import AskedWords

SET = [
    (
        "한솔시 도서관은 5월부터 월요일마다 문을 닫는다. 책은 무인 반납함에 돌려줄 수 있다.",
        "The Hansol city library will close on Mondays from May. Books can be returned through a drop box.",
        "도서관은 무슨 요일에 쉬나요?",
        "On which day is the library closed?",
    ),
    (
        "하늘정은 하루 두 번 식사 뒤에 먹는 약이다. 임신부는 먹지 말아야 한다.",
        "Haneuljeong is a medicine taken twice a day after meals. Pregnant women must not take it.",
        "하늘정을 먹으면 안 되는 사람은 누구인가요?",
        "Who must not take Haneuljeong?",
    ),
    (
        "새벽에 비가 와서 마라톤 대회가 한 시간 늦게 시작했다. 만이천 명이 달렸다.",
        "The marathon started an hour late because it rained at dawn. Twelve thousand people ran.",
        "마라톤이 늦게 시작한 까닭은 무엇인가요?",
        "Why did the marathon start late?",
    ),
    (
        "화산이 분화하여 공항이 사흘 동안 비행기를 띄우지 못했다.",
        "A volcano erupted, and no plane could leave the airport for three days.",
        "공항에서 비행기가 뜨지 못한 이유는?",
        "What kept planes at the airport on the ground?",
    ),
    (
        "엔비디아는 새 반도체 공장을 짓지 않고 설계에 집중한다고 밝혔다.",
        "Nvidia said that it would not build a chip factory and would concentrate on design.",
        "엔비디아는 무엇에 집중하나요?",
        "What does Nvidia concentrate on?",
    ),
    (
        "벌은 춤을 추어 꽃이 있는 곳의 방향과 거리를 알린다.",
        "Bees dance to tell the others in which direction and how far away the flowers are.",
        "벌은 꽃의 위치를 어떻게 알리나요?",
        "How do bees tell where flowers are?",
    ),
    (
        "은행은 기준금리가 오르자 예금 이자를 높였다.",
        "The bank raised the interest on savings after the base rate had gone up.",
        "예금 이자는 왜 올랐나요?",
        "Why did interest on savings rise?",
    ),
    (
        "지하철 3호선은 공사 때문에 주말에 운행하지 않는다.",
        "Subway line 3 does not run at weekends because of construction work.",
        "주말에 다니지 않는 지하철은 몇 호선인가요?",
        "Which subway line does not run at weekends?",
    ),
]
LANGUAGES = ("ko", "en")


@pytest.fixture(scope="module")
def indexes(
    encoder: SentenceTransformerEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Index]]:
    folder = tmp_path_factory.mktemp("quality")
    opened = {}
    for column, spoken in enumerate(LANGUAGES):
        (folder / spoken).mkdir()
        for number, row in enumerate(SET):
            (folder / spoken / f"{number}.txt").write_text(row[column], "utf-8")
        build.add(folder / f"index-{spoken}", [folder / spoken], encoder)
        opened[spoken] = Index(folder / f"index-{spoken}", encoder)
    yield opened
    for index in opened.values():
        index.close()


def ndcg(ranks: list[int]) -> float:
    """With one right passage a question: the mean of 1 / log2(rank + 2), rank from 0."""
    return float(np.mean([1 / np.log2(rank + 2) for rank in ranks]))


def searched(index: Index, spoken: str) -> float:
    ranks = []
    for number, row in enumerate(SET):
        hits = retrieval.search(index, row[2 + LANGUAGES.index(spoken)])
        ranks.append([hit.passage.document for hit in hits].index(f"{number}.txt"))
    return ndcg(ranks)


def worded(index: Index, spoken: str) -> float:
    """BM25 alone, words of the other language too; of equal scores the right one last."""
    now, ranks = index.snapshot(), []
    for number, row in enumerate(SET):
        scores = AskedWords(row[2 + LANGUAGES.index(spoken)], now.lexical).scores()
        right = [one.document for one in now.passages].index(f"{number}.txt")
        ranks.append(int((scores >= scores[right]).sum()) - 1)
    return ndcg(ranks)


@pytest.mark.parametrize("asked", LANGUAGES)
@pytest.mark.parametrize("written", LANGUAGES)
def test_the_mix_is_no_worse_than_its_better_half(
    asked: str, written: str, indexes: dict[str, Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed, lexical = searched(indexes[written], asked), worded(indexes[written], asked)
    monkeypatch.setattr(retrieval, "DENSE_WEIGHT", 1.0)
    monkeypatch.setattr(retrieval, "DENSE_WEIGHT_ACROSS", 1.0)
    dense = searched(indexes[written], asked)
    assert mixed >= max(dense, lexical) - 0.005
    assert mixed > (0.95 if asked == written else 0.8)


def test_both_languages_in_one_index(encoder: SentenceTransformerEncoder, tmp_path: Path) -> None:
    for number, row in enumerate(SET):
        for spoken, text in zip(LANGUAGES, row, strict=False):
            (tmp_path / f"{number}.{spoken}.txt").write_text(text, "utf-8")
    build.add(tmp_path / "index", [tmp_path], encoder)
    with closing(Index(tmp_path / "index", encoder)) as index:
        for asked in (2, 3):
            first = [retrieval.search(index, row[asked], 1)[0].passage.document[0] for row in SET]
            assert sum(found == str(number) for number, found in enumerate(first)) >= len(SET) - 1
