"""Claims that turn a sentence round."""

import pytest

from rag.negation import contradicts


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("한국 지분은 크다", "수많은 기업 중 한국 지분은 크지 않아 아쉽다."),
        ("계획을 발표하지 않았다", "정부는 계획을 발표했다."),
        ("계획을 발표했다", "정부는 계획을 발표하지 못했다."),
        ("공장을 안 짓는다", "회사는 공장을 짓는다."),
        ("주차장이 있다", "건물에는 주차장이 없어 이웃 건물의 것을 쓴다."),
        ("계산대가 없다", "1층에 계산대가 있다."),
        ("쌀값이 내렸다", "지난달 쌀값은 5% 올랐다."),
        ("수출이 감소했다", "수출이 두 달 만에 늘었다."),
        ("Rice prices fell last month", "Last month, prices of rice rose by 5 percent."),
        ("The council rejected it", "The council approved the budget."),
        ("The plan was not published", "The plan was published in May."),
        ("The plan was published", "The plan hasn't been published."),
        ("Its share is large", "It is regrettable that its share is not large."),
    ],
)
def test_the_contrary(claim: str, sentence: str) -> None:
    assert contradicts(claim, sentence)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("주차장이 있다", "건물에는 주차장이 있지만 창고가 없다."),
        ("쌀값이 내렸다", "지난달 쌀값은 내리고 보리값은 올랐다."),
        ("쌀값이 내리지 않았다", "지난달 쌀값은 5% 올랐다."),
        ("Prices fell", "Prices of rice fell while those of barley rose."),
        ("한국 지분은 크지 않다", "수많은 기업 중 한국 지분은 크지 않아 아쉽다."),
        ("한국 지분", "수많은 기업 중 한국 지분은 크지 않아 아쉽다."),
        ("계획을 발표했다", "정부는 계획을 발표했지만 예산은 밝히지 않았다."),
        ("The plan was published", "The plan was published, but not the budget."),
        ("five years", "It will not take more than five years."),
    ],
)
def test_no_contrary(claim: str, sentence: str) -> None:
    assert not contradicts(claim, sentence)
