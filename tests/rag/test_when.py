"""Times told from the day of writing, alike in both languages."""

from rag.when import strange_times, times


def test_the_same_time_in_both_languages() -> None:
    assert times("지난해 매출은") == times("Last year's sales") == {"last year"}
    assert times("내년 봄") == {"next year"} == times("in the spring of next year")
    assert not times("김내일 씨는 말했다.")


def test_times_that_no_source_speaks_of() -> None:
    assert strange_times("by the end of this year", ["조만간 마련한다."]) == ["end of the year", "this year"]
    assert strange_times("in the next few months", ["조만간 마련한다."]) == ["a few months"]
    assert strange_times("last year", ["지난해 늘었다."]) == []
