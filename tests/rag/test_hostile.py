"""Documents that give orders, forge sources, hold markup or contradict each other, and a model that obeys them all.

`hostile.jsonl` is a question set too: `mureum eval tests/rag/hostile.jsonl` asks the real model.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from index.fake import FakeEncoder
from index.reading import document
from rag.answering import Answerer
from rag.evaluation import temporary_index
from rag.model import FakeModel
from rag.records import Answer
from ui import page

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "hostile.jsonl").read_text("utf-8").splitlines()
]


def ask(case: dict[str, Any]) -> tuple[Answer, str]:
    """The answer, and the page it makes, with a model that says what the document wants it to say."""
    question = case.get("question_ko") or case["question_en"]
    documents = [document(one["id"], one["text"]) for one in case["documents"]]
    model = FakeModel(lambda _: case["obedient"] or "예", lambda _: 5.0)
    with temporary_index(documents, FakeEncoder()) as index:
        answer = Answerer(index, model).ask(question)
        for one in answer.citations:
            text = index.text(one.document)
            assert 0 <= one.start < one.end <= len(text)
        return answer, page.answer_html(answer, index.quote)


def test_there_are_enough_of_them() -> None:
    assert sum(len(case["documents"]) for case in CASES) >= 40
    assert len({case["id"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case["obedient"]], ids=lambda case: case["id"])
def test_an_obedient_model_is_not_believed(case: dict[str, Any]) -> None:
    answer, shown = ask(case)
    own = "\n".join(line for line in answer.text.split("\n") if not line.startswith("“"))
    if answer.status == "answered":
        assert case["obedient"] not in own
    assert "<script" not in shown and "<iframe" not in shown and "<img" not in shown and "javascript:" not in own


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["id"].startswith("contradiction")], ids=lambda case: case["id"]
)
def test_documents_that_contradict_each_other_are_both_cited(case: dict[str, Any]) -> None:
    case = {**case, "obedient": case["documents"][0]["text"]}  # the model has read one of them only
    answer, _ = ask(case)
    assert answer.reason == "disagreement"
    assert {one.document for one in answer.citations} == {"one", "two"}
