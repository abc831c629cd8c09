"""Sentences of two documents that contradict each other, and those that only look alike."""

import pytest

from rag.disagreement import disagree


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        (
            "한빛제약의 지난해 매출은 300억원이다.",
            "한빛제약의 지난해 매출은 500억원으로 집계됐다.",
            "한빛제약 지난해 매출은?",
        ),
        ("정기 점검은 3월 4일에 시작한다.", "정기 점검은 3월 9일에 시작한다.", "정기 점검은 언제 시작해?"),
        ("새 연구소의 소장은 이도윤 박사다.", "새 연구소의 소장은 박서연 박사다.", "새 연구소의 소장은 누구야?"),
        ("설명회는 내년에 부산에서 열린다.", "설명회는 올해 부산에서 열린다.", "설명회는 언제 열려?"),
        ("The contract ends on 4 March.", "The contract ends on 9 March.", "When does the contract end?"),
        ("The new head is John Miller.", "The new head is Ann Carter.", "Who is the new head?"),
    ],
)
def test_other_figures_times_and_names(one: str, other: str, question: str) -> None:
    assert disagree(one, other, question) and disagree(other, one, question)


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        # the same said twice, or with more
        ("매출은 300억원이다.", "지난해 매출은 300억원으로 집계됐다.", "매출은 얼마야?"),
        ("정기 점검은 3월 4일에 시작한다.", "정기 점검은 3월 4일 9시에 시작한다.", "정기 점검은 언제야?"),
        # another matter
        ("연구소 직원은 30명이다.", "신약 개발에는 5년이 걸렸다.", "직원은 몇 명이야?"),
        # the question tells them apart
        ("2022년 매출은 300억원이다.", "2023년 매출은 500억원이다.", "2023년 매출은 얼마야?"),
        ("부산 공장의 직원은 30명이다.", "광주 공장의 직원은 50명이다.", "부산 공장의 직원은 몇 명이야?"),
    ],
)
def test_no_contradiction(one: str, other: str, question: str) -> None:
    assert not disagree(one, other, question)
