"""Korean names: found beside titles, spelt as newspapers do."""

import pytest

from rag.names import people, romanise_name


@pytest.mark.parametrize(
    ("name", "latin"),
    [("송상훈", "Song Sang-hun"), ("고진", "Ko Jin"), ("김민수", "Kim Min-su"), ("이도윤", "Lee Do-yun")],
)
def test_names_in_latin_letters(name: str, latin: str) -> None:
    assert romanise_name(name) == latin


def test_people_stand_before_titles() -> None:
    assert people("백승욱 루닛 의장이 발표했다.") == ("백승욱",)
    assert people("박동일 산업통상자원부 제조산업정책관은 설명했다.") == ("박동일",)
    assert people("김민수기자 mskim@example.com") == ("김민수",)


def test_common_words_are_no_people() -> None:
    assert people("이날 정부 주요 부처 장관이 모였다.") == ()
    assert people("한국 기업 대표가 왔다.") == ()
    assert people("지난 회의에서 의장을 뽑았다.") == ()
