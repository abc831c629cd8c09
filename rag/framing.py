"""What a question says of the text and of its own form, and not of the matter.

'According to the document, which of the following …' and '본문에 따르면, 다음 중 …' stand in any question about any
text. For retrieval they are noise: a passage about documents is not meant.
"""

import re

LEAST = 3
"""Letters and digits that have to be left."""

_TEXT_EN = r"(?:passage|text|article|document|paragraph|report|story|page|file|excerpt)s?"
_ENGLISH = re.compile(
    rf"\b(?:according to|based on|as (?:stated|mentioned|described) in|from)\s(?:the information\s)?"
    rf"(?:(?:given|provided|presented|contained)\s)?(?:in\s)?(?:(?:the|this|these|your|my)\s)?{_TEXT_EN}\b,?"
    rf"|\bin (?:the|this) {_TEXT_EN}\b,?"
    r"|\b(?:which|what)(?: one)? of (?:the following|these)(?: (?:statements?|options?|sentences?))?\b"
    r"|\b(?:is|are)(?: not)? (?:true|false|correct|incorrect)\b"
    r"|\bwhich (?:statements?|sentences?)\b",
    re.IGNORECASE,
)
_TEXT_KO = r"(?:지문|본문|글|기사|문서|문단|단락|보고서|자료|텍스트|파일|내용)"
_KOREAN = re.compile(
    rf"(?:(?:위|이|다음|해당)\s?)?{_TEXT_KO}(?:에|의 내용에|에서)\s?(?:따르면|의하면|근거하면|기반하면|비추어 보면),?"
    rf"|(?:(?:위|이|다음|해당)\s?)?{_TEXT_KO}에서 (?:언급|설명|제시|서술)(?:된|한|하는|되지 않은|하지 않은)"
    r"|다음(?:의)? (?:중(?:에서)?|설명|내용|진술|보기)(?:\s중)?"
    r"|(?:에 (?:대한|관한|대해) )?(?:설명|내용|진술|사실)?(?:으로|로)?\s?"
    r"(?:맞는|옳은|올바른|옳지 않은|맞지 않는|틀린|사실인|사실이 아닌|거리가 먼) (?:것|설명|내용|진술)(?:은|이)?"
    r"|(?<=\s)무엇(?:입니까|인가요?|일까요?|이에요|이야)(?=\s*\?*$)"
)


def matter(question: str) -> str:
    """The question without what it says of the text and of options; the whole of it where little else is left."""
    left = " ".join(_KOREAN.sub(" ", _ENGLISH.sub(" ", question)).split())
    return left if sum(letter.isalnum() for letter in left) >= LEAST else question
