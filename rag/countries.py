"""Countries that Korean and English texts name, and whether a sentence is about the one that a question names."""

import re
from functools import cache
from importlib.resources import files

_HOME = re.compile(r"한국|우리나라|대한민국|\b(?<!North )Korean?\b")
_BODY = (
    r"(?:업체|기업|회사|그룹|대학|연구소|언론|매체|은행|재단|기관|로펌|출신|국적"
    r"|firm|compan(?:y|ies)|corporation|university|bank|foundation|agency|newspaper|institute|consultanc(?:y|ies))"
)
_OF_A_BODY = rf"(?!\s(?:[\w&'-]+\s){{0,2}}[\w'-]*{_BODY})(?!-based)"
"""Not where the country only tells where a company or body comes from: '미국 컨설팅 업체'."""


def has_country(text: str) -> bool:
    """Whether a text, in either language, names a country other than Korea."""
    return any(pattern.search(text) for pattern, _ in _patterns().values())


def is_about_other_country(question: str, sentence: str) -> bool:
    """Whether a question names a country, and the sentence is about another one: a third, or Korea where the country of
    the question only tells where a company comes from ('미국 업체와 한 조사에서 한국 경제는 …'). A sentence about Korea
    that does not name it at all may well speak of what happens there."""
    asked = {country for country, (_, alone) in _patterns().items() if alone.search(question)}
    if not asked or _HOME.search(question):
        return False
    own = {country for country, (_, alone) in _patterns().items() if alone.search(sentence)}
    only_of_bodies = any(_patterns()[country][0].search(sentence) for country in asked - own)
    return not asked & own and bool(own or (only_of_bodies and _HOME.search(sentence)))


@cache
def _patterns() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """By Korean name how a country is named in either language, and the same where it stands for itself."""
    made = {}
    lines = files("rag").joinpath("assets/countries.tsv").read_text("utf-8").splitlines()
    for korean, names in (line.split("\t") for line in lines if not line.startswith("#")):
        english = "|".join(map(re.escape, sorted(names.split("|"), key=len, reverse=True)))
        word = "인도(?!적|하|되|를|네시아)" if korean == "인도" else korean  # 'humane', 'hand over'
        name = rf"(?:(?<![가-힣\'’”\"]){word}|\b(?:{english})(?![A-Za-z]))"
        made[korean] = re.compile(name), re.compile(name + _OF_A_BODY)
    return made
