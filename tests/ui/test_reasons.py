"""Why a draft is not shown, in both languages."""

import re

import pytest

from rag.records import Answer, Status
from rag.verification import Verdict
from ui import page
from ui.reasons import why
from ui.report import answer_text


@pytest.mark.parametrize(
    ("status", "reason", "ko", "en"),
    [
        ("quoted", "number", "숫자가 원문에", "a number that its source does not have; these are the exact words"),
        ("quoted", "negation", "반대로", "the contrary of its source"),
        ("not_found", "kind", "묻는 종류", "nothing of the kind"),
        ("answered", "partly:number,echo", "숫자가 원문에 없었습니다, 초안이", "left out is what had a number"),
    ],
)
def test_the_page_and_the_command_say_why(status: Status, reason: str, ko: str, en: str) -> None:
    answer = Answer("얼마야?", "ko", status, "3만원이다. [1]" if status == "answered" else "", reason=reason)
    line = re.sub(r"<[^>]+>", "", page.answer_status(answer))
    assert ko in line and en in line
    assert ko in answer_text(answer) and en not in answer_text(answer)


@pytest.mark.parametrize(("status", "reason"), [("answered", ""), ("answered", "partly"), ("quoted", "summary")])
def test_nothing_is_explained_where_nothing_was_turned_away(status: Status, reason: str) -> None:
    assert why(status, reason) is None


@pytest.mark.parametrize("reason", sorted(set(re.findall(r"'(\w+)'", Verdict.__doc__ or ""))))
def test_every_reason_to_leave_a_sentence_out_has_its_words(reason: str) -> None:
    assert why("answered", f"partly:{reason}")
