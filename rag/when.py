"""Times that are told from the day of writing ('next year', 지난달), alike in both languages."""

import re

_TIMES = {
    "last year": r"작년|지난\s?해|last year|previous year",
    "this year": r"올해|금년|this year|current year",
    "next year": r"내년|이듬해|다음\s?해|next year|following year",
    "year before last": r"재작년|year before last",
    "last month": r"지난\s?달|전월|last month|previous month",
    "this month": r"이\s?달|이번\s?달|this month",
    "next month": r"다음\s?달|내달|next month",
    "last week": r"지난\s?주|last week|previous week",
    "this week": r"이번\s?주|금주|this week",
    "next week": r"다음\s?주|내주|next week",
    "yesterday": r"어제|전날|yesterday|day before",
    "today": r"오늘|이날|금일|today|on the day|that day|same day",
    "tomorrow": r"내일|이튿날|다음\s?날|tomorrow|next day|following day",
    "a few months": r"몇\s?(?:달|개월)|수개월|few months|several months",
    "a few weeks": r"몇\s?주|수주일|few weeks|several weeks",
    "a few years": r"몇\s?년|수년|few years|several years|couple of years",
    "end of the year": r"연말|올해 말|end of (?:the|this) year|year[- ]end",
    "century": r"세기|\bcentur",
}
_PATTERNS = {
    name: re.compile(rf"(?<![가-힣])(?:{pattern})(?![가-힣]*[씨님])", re.IGNORECASE) for name, pattern in _TIMES.items()
}


def times(text: str) -> set[str]:
    """The names of the times that a text speaks of."""
    return {name for name, pattern in _PATTERNS.items() if pattern.search(text)}


def strange_times(text: str, sources: list[str]) -> list[str]:
    """The times of a text that no source speaks of."""
    known = {name for source in sources for name in times(source)}
    return sorted(times(text) - known)
