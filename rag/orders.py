"""Sentences of a document that speak to the program instead of to a reader ('ignore the instructions above').

They are left out of what the model reads and of what an answer may rest on: a small model obeys what it reads. They
stay in the index, in the search and in the source view like any other text.
"""

import re

_ORDER = re.compile(
    r"(?:이전|위|앞|기존|모든)\S{0,2}\s*(?:모든\s*)?(?:지시|명령|프롬프트|규칙)\S{0,3}\s*(?:모두\s*|전부\s*)?(?:무시|잊)"
    r"|(?:답|답변|대답|응답|출력|말)\s?(?:하라|하시오|하십시오|해라|하여라)(?![가-힣])"
    r"|(?:로|라고)만\s*(?:답|답변|대답|응답|출력|말)\S{0,2}(?:\s|$)|(?:라고|로만|으로|에|를|을)\s*(?:반드시\s*)?(?:답|답변|대답|응답|출력)\S{0,2}\s*(?:한다|해야\s?(?:한다|합니다)|넣으시오)"
    r"|답에\s*\S{0,6}\s*(?:넣으시오|넣어라|넣으세요|포함하라|포함하시오)"
    r"|(?:모르|불확실)[^.]{0,40}지어내"
    r"|^\W*(?:시스템|system|assistant|user)\s*[:：]"
    r"|(?:AI|인공지능)\s*(?:비서|모델|어시스턴트)(?:에게|는|야|,)\s*[:：,]?"
    r"|<\|[a-z_]+\|>|^\W*#{2,}\s*(?:response|instruction|assistant|system)\b|</?(?:document|system|instructions?)>"
    r"|\b(?:ignore|disregard|forget)\b[^.]{0,30}\b(?:previous|prior|above|earlier|all)\b[^.]{0,20}\b"
    r"(?:instructions?|rules?|prompts?)\b"
    r"|\b(?:reply|respond|answer)\s+(?:only|always|every question)\b|\b(?:only|always)\s+(?:reply|respond|answer)\b"
    r"|\b(?:assistant|chatbot|language model|AI model)\b[^.]{0,10}[,:]\s*(?:you|always|please|never|do)\b"
    r"|\bwhen (?:you are )?asked\b[^.]{0,40}\b(?:say|reply|answer|respond)\b"
    r"|\b(?:whatever|no matter what)\b[^.]{0,20}\basked\b[^.]{0,10}\b(?:say|reply|answer|respond)\b"
    r"|\bin your (?:answer|reply|response)\b"
    r"|\bif (?:unsure|you do not know|in doubt)\b[^.]{0,10}\b(?:invent|make up|say)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"답변|대답|응답|지시|명령|프롬프트|규칙|\b(?:answer|repl(?:y|ies)|respon[ds]|instruct|prompt|order|rule)",
    re.IGNORECASE,
)


def gives_orders(sentence: str) -> bool:
    """Whether a sentence tells who reads it what to answer."""
    return bool(_ORDER.search(sentence))


def is_about_orders(question: str) -> bool:
    """Whether a question may be about such sentences ('what should the staff reply?'): they are then text as any."""
    return bool(_ABOUT.search(question))
