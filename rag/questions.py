"""The question as it is worked with: cleaned, its language, and what it needs of the turns before."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from index.errors import QuestionEmpty, QuestionTooLong
from index.sentences import language
from index.tokens import kiwi
from rag.answerability import ASKING
from rag.intents import SMALL_TALK, intent
from rag.records import Language, Turn, Wording

LONGEST = 2000
"""Characters of a question."""

ALONE_SHARE = 0.7
"""Share of a follow-up by itself in the scores of a search; the rest is that of the question with the turn before."""

MARK = re.compile(r"\s*\[\d{1,3}\]")

_KOREAN_REFERENCE = re.compile(
    r"(?:^|\s)그\s+[가-힣]|(?:^|\s)(?:그|이|저)(?:건|게|것|거|사람|분|곳|때|중|쪽|회사|기관|부처|행사|발표|강연|계획|말|럼|럴|녀|들)"
    r"|(?:^|\s)(?:거기|여기|그는|그가|그의|그를|그럼|그러면|그래서|그리고|그렇게|이렇게|또|방금|아까|위에서|앞에서)(?:\s|[가-힣]{0,2}\s|$)"
    r"|(?:은|는|도)요?\s*\?$"
)
_ENGLISH_REFERENCE = re.compile(
    r"^(?:and|but|so|then|also|or)\b|\b(?:what|how) about\b"
    r"|\b(?:he|she|they|it|that|this|those|these|him|her|them|his|hers|their|its|there|then|one|same|else)\b",
    re.IGNORECASE,
)
_KOREAN_SHIFT = re.compile(r"^(?:그럼|그러면|그리고)?\s*(?!그|이|저)\S+(?:\s\S+)?(?:은|는|에서는|에서도|도)요?\s*\?*$")
_ENGLISH_SHIFT = re.compile(r"^(?:and|what about|how about|and what about)\s+(?!wh|how|did|does|is|was)", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:he|she|they|it|that|this|those|these|him|her|them|his|hers|their|its|there)\b", re.IGNORECASE
)
_SHORT = {"ko": 4, "en": 7}
"""Words up to which a question that follows another, and names no matter of its own, is taken to be incomplete."""

_MATTERS = frozenset("행사 기사 문서 본문 사진".split())
"""Nouns that stand in many questions, and yet are what one is about: '행사는 어디서 열렸어?'."""

_POINTING = frozenset("그렇 이렇 저렇 어떻 그러하 이러하 어떠하 같 있 없 많 크".split())
"""Adjectives that a question may have without naming any quality."""

_COMMON = frozenset(
    "who whom whose what when where which why how much many long old is are was were do does did has have had can will"
    " would should the a an of in on at to for by with and or not exactly name title job position date time place day"
    " month year person people company reason price number kind sort"
    " and but so then also what's who's how's said say says tell told called named".split()
)
"""English words that a question may have without naming any matter of its own."""


@dataclass(frozen=True, slots=True)
class Question:
    """text: as asked, cleaned. earlier: the turn before, when the question leans on it. search: both together."""

    text: str
    language: Language
    earlier: Turn | None
    search: str

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """What retrieval gets: a follow-up with what it leans on, and by itself where it has words of its own ('Why is
        that?' has none), since these are drowned by it."""
        if self.earlier is None or not _has_own_words(self.text, self.language):
            return ((1.0, self.search),)
        return (1 - ALONE_SHARE, self.search), (ALONE_SHARE, self.text)


def read_question(asked: str, history: Sequence[Turn] = ()) -> Question:
    """Raises QuestionEmpty, QuestionTooLong."""
    text = " ".join(unicodedata.normalize("NFC", asked).split())
    if not any(letter.isalnum() for letter in text):
        raise QuestionEmpty("The question is empty. Type what you want to know.")
    if len(text) > LONGEST:
        raise QuestionTooLong(
            f"The question has {len(text):,} characters; at most {LONGEST:,} are taken. Shorten it.",
            length=len(text),
            longest=LONGEST,
        )
    spoken: Language = "ko" if language(text) == "ko" else "en"
    turns = [turn for turn in history if intent(turn.question) not in SMALL_TALK]
    earlier = turns[-1] if turns and leans_on_earlier(text, spoken) else None
    if earlier is None:
        return Question(text, spoken, None, text)
    answer = MARK.sub("", earlier.answer)[:200]
    search = f"{earlier.question} {text}" if shifts(text, spoken) else f"{earlier.question} {answer} {text}"
    return Question(text, spoken, Turn(earlier.question, answer), search)


def shifts(text: str, spoken: Language) -> bool:
    """Whether a follow-up asks the same of something else ('And the other ministry?', '산업부는요?'): the answer before
    would then lead the search astray."""
    if spoken == "ko":
        return bool(_KOREAN_SHIFT.search(text))
    return bool(_ENGLISH_SHIFT.search(text)) and not _PRONOUN.search(text)


def leans_on_earlier(text: str, spoken: Language) -> bool:
    """Whether a question has a pronoun, begins like a continuation, or is too short to stand alone."""
    pattern = _KOREAN_REFERENCE if spoken == "ko" else _ENGLISH_REFERENCE
    return bool(pattern.search(text)) or (len(text.split()) <= _SHORT[spoken] and not _names_a_matter(text, spoken))


def _names_a_matter(text: str, spoken: Language) -> bool:
    """Whether a question has a word for what it is about: '개발비는 얼마였어?', not '얼마였어?'."""
    if spoken == "en":
        return _has_own_words(text, spoken)
    nouns = {token.form for token in kiwi().tokenize(text) if token.tag in ("NNG", "NNP", "SL")}
    return bool(nouns - ASKING or nouns & _MATTERS)


def _has_own_words(text: str, spoken: Language) -> bool:
    """Whether it has any words that say what is asked about: names of matters or qualities."""
    if spoken == "en":
        own = _PRONOUN.sub("", text).lower()
        return any(word not in _COMMON for word in re.findall(r"[a-z']+", own))
    kinds = ("NNG", "NNP", "SL", "XR", "VA", "VA-I", "VA-R")
    return bool({token.form for token in kiwi().tokenize(text) if token.tag in kinds} - ASKING - _POINTING)
