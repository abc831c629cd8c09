"""Drafts against sentences: what passes, what does not, and why."""

import numpy as np
import pytest

from index.lexical import LexicalStore
from index.tokens import tokens
from rag.records import Language
from rag.verification import Evidence, Verdict, verify

SENTENCES = [
    "한빛제약은 3일 부산 벡스코에서 신약 '하늘정'을 공개했다.",
    "개발에는 5년간 1200억원이 들었다.",
    "이도윤 연구소장은 “내년 봄 미국 임상을 시작하겠다”고 밝혔다.",
    "The city library will close on Mondays from May.",
]


def check(draft: str, question: str, spoken: Language = "ko", best: int = 0) -> Verdict:
    relevance = np.full(len(SENTENCES), 0.2, np.float32)
    relevance[best] = 0.6
    store = LexicalStore([tokens(sentence) for sentence in SENTENCES])
    return verify(draft, question, spoken, Evidence(SENTENCES, SENTENCES, relevance, range(len(SENTENCES))), store)


def test_a_supported_draft_cites_its_sentence() -> None:
    verdict = check("부산 벡스코", "어디서 공개했어?")
    assert (verdict.reason, verdict.cited) == ("", (0,))


def test_support_decides_not_relevance_alone() -> None:
    assert check("5년간 1200억원", "개발비는?", best=0).cited == (1,)


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("", "empty"),
        ("...", "empty"),
        ("없음", "nothing"),
        ("None.", "nothing"),
        ("신약 가격은 문서에 언급되어 있지 않습니다.", "nothing"),
        ("The price is not explicitly mentioned in the document.", "nothing"),
        ("1300억원이 들었다", "number"),
        ("5년간 1200조원", "number"),
        ("서울 코엑스에서 열렸다", "name"),
        ("Amazon이 공개했다", "name"),
        ("부산 벡스코에서 공개하지 않았다", "negation"),
        ("개발이 곧 끝날 전망이다", "support"),
        ("It was unveiled at BEXCO in Busan this year.", "language"),
        ("신약은 어디서", "echo"),
    ],
)
def test_what_does_not_hold(draft: str, reason: str) -> None:
    assert check(draft, "신약은 어디서 공개했어?").reason == reason


def test_marks_of_the_model_are_taken_out() -> None:
    assert check("[1] 부산 벡스코 [9]", "어디서?").text == "부산 벡스코"


def test_a_number_of_the_question_may_be_repeated() -> None:
    assert check("2024년에는 부산 벡스코", "2024년 신약 공개 장소는?").reason == ""


def test_english_on_english() -> None:
    verdict = check("On Mondays", "When will the library be closed?", "en", best=3)
    assert (verdict.reason, verdict.cited) == ("", (3,))
    assert check("On holidays and at night", "When will the library be closed?", "en", best=3).reason == "support"
    assert check("Only on Sundays", "When will the library be closed?", "en", best=3).reason == "name"


def test_english_numbers_against_korean_text() -> None:
    assert check("120 billion won", "How much did it cost?", "en", best=1).reason != "number"
    assert check("120 million won", "How much did it cost?", "en", best=1).reason == "number"


def test_a_bare_yes_is_not_proved() -> None:
    assert check("네", "부산에서 공개했어?").reason != ""


def test_untranslated_sentences_support_no_claim_in_the_other_language() -> None:
    assert check("Yes, it was unveiled in Busan at BEXCO.", "Was the drug unveiled in Busan?", "en").reason != ""


def test_a_draft_without_any_likely_sentence_does_not_hold() -> None:
    evidence = Evidence(["A sum of 5."], ["A sum of 5."], np.zeros(1, np.float32), [])
    verdict = verify("It is 5.", "How much is it?", "en", evidence, LexicalStore([tokens("A sum of 5.")]))
    assert (verdict.cited, verdict.reason) == ((), "support")
