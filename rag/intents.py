"""What a person wants who writes something: an answer, a summary, two answers at once, or just to say thank you."""

import re
from typing import Literal

from index.tokens import tokens

Intent = Literal["question", "greeting", "thanks", "help", "summary"]

SMALL_TALK: tuple[Intent, ...] = ("greeting", "thanks", "help")
"""What is answered without looking into any document."""

MOST_PARTS = 3
"""Questions that are taken from one message at most; what is more stays with the last one."""

_END = r"[\s!.,~?ㅎㅋ^ㅠㅜ🙂🙏👍]*$"
_WHOLE: dict[Intent, str] = {
    "greeting": r"(?:안녕(?:하세요|하십니까|하신가요)?|반가워요?|반갑습니다|좋은 (?:아침|저녁|하루)\S{0,4}"
    r"|hi|hello|hey|good (?:morning|afternoon|evening|day))(?:\s+(?:there|everyone|mureum|물음))?",
    "thanks": r"(?:네,?\s*|오,?\s*|아,?\s*|ok(?:ay)?,?\s*|great,?\s*)?(?:정말\s*|너무\s*|대단히\s*)?"
    r"(?:고마워요?|고맙습니다|감사(?:합니다|해요|드립니다|드려요)|수고(?:하셨습니다|했어요?)"
    r"|thanks?(?: you)?(?: (?:so|very) much| a lot)?|thx|cheers)",
    "help": r"(?:너는?|넌|당신은)\s*(?:누구(?:야|니|세요)?|뭐야|무엇(?:을|인가요)?)"
    r"|뭘?\s*(?:할|물어볼|물을)\s*수\s*있(?:어|니|나요|어요)"
    r"|(?:사용법|도움말)(?:\s*(?:알려\s*줘|이?\s*뭐야))?"
    r"|(?:who|what) are you|what can (?:you do|i ask)(?: here)?|help(?: me)?|how (?:do i|to) use (?:this|you|it)",
}
_WHOLES = {intent: re.compile(pattern + _END, re.IGNORECASE) for intent, pattern in _WHOLE.items()}
_TEXT_KO = r"(?:문서|기사|글|본문|자료|파일|보고서|내용|계약서|이거|이것|전체)"
_TEXT_EN = r"(?:document|article|text|story|file|report|paper|contract|page|documents|files|it|this)"
_SUMMARY = re.compile(
    r"(?:요약|간추려|줄거리)(?!본)"
    rf"|{_TEXT_KO}\S{{0,2}}\s*(?:핵심|요점|요지|골자)\S{{0,3}}\s*(?:은|는|이|가|만)?\s*(?:뭐|무엇|뭔|알려|말해|정리|짚어|\?|$)"
    rf"|{_TEXT_KO}\S{{0,2}}\s*정리해"
    rf"|^(?:이|그|저)?\s*{_TEXT_KO}\S{{0,2}}\s*(?:대체|도대체)?\s*(?:무슨|어떤)\s*(?:내용|얘기|이야기|문서|기사|글|주제)"
    rf"|^(?:이|그|저)?\s*{_TEXT_KO}\S{{0,2}}\s*(?:뭐|무엇)에\s*(?:대한|관한|대해)"
    r"|^(?:무슨|어떤)\s*(?:내용|얘기|이야기)(?:이야|야|이에요|인가요|이니|니)?\s*\?*$"
    r"|\bsummar(?:y|i[sz]e|i[sz]ing)\b|\btl;?dr\b"
    rf"|\b(?:main|key) (?:points?|ideas?|takeaways?)\b.{{0,20}}\b(?:the|this|these) {_TEXT_EN}\b"
    rf"|\bwhat(?:'s| is| are| does| do)? (?:the |this |these )?{_TEXT_EN} (?:is |are )?(?:all )?(?:about|say)\W*$"
    r"|\bgist\b",
    re.IGNORECASE,
)
_SUMMARISING = frozenset(
    "요약 간추리 줄거리 정리 핵심 요점 요지 골자 내용 얘기 이야기 주제 문서 기사 글 본문 자료 파일 보고서"
    " 계약서 이거 이것 전체 이 그 저 무엇 무슨 어떤 뭐 알리 말하 말 짚 주 하 보 좀 짧 간단히 줄 개 대하 관하"
    " summari summar summaris tl dr main key point idea takeaway document articl text stori file report paper"
    " contract page what is are do doe about say gist pleas can could you give me a an the of for this these"
    " it in short brief briefli all s whole".split()
)
_JOINED = re.compile(
    r"(?<=[?？])\s+|,?\s+and\s+(?=(?:who|whom|whose|what|when|where|which|why|how)\b[^,]{6,}\?*$)", re.IGNORECASE
)
_ASKS = re.compile(
    r"\?$|^(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|will)\b", re.IGNORECASE
)


def intent(text: str) -> Intent:
    """What a message is for; 'question' unless it is plainly something else."""
    for one, pattern in _WHOLES.items():
        if pattern.match(text):
            return one
    return "summary" if _SUMMARY.search(text) else "question"


def subject(text: str) -> set[str]:
    """The words, as `tokens` gives them, that a request for a summary has beyond asking for one: which document."""
    return {word for word in set(tokens(text)) - _SUMMARISING if len(word) > 1}


def split_questions(text: str) -> list[str]:
    """The questions of a message one by one, when it is made of questions alone; else the message."""
    parts = [part.strip() for part in _JOINED.split(text) if part.strip()]
    if not 2 <= len(parts) <= MOST_PARTS or not all(len(part.split()) > 1 and _ASKS.search(part) for part in parts):
        return [text]
    return parts
