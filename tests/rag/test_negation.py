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
        ("한국 지분은 크지 않다", "수많은 기업 중 한국 지분은 크지 않아 아쉽다."),
        ("한국 지분", "수많은 기업 중 한국 지분은 크지 않아 아쉽다."),
        ("계획을 발표했다", "정부는 계획을 발표했지만 예산은 밝히지 않았다."),
        ("The plan was published", "The plan was published, but not the budget."),
        ("five years", "It will not take more than five years."),
    ],
)
def test_no_contrary(claim: str, sentence: str) -> None:
    assert not contradicts(claim, sentence)
