"""The measures: judged on answers whose worth is known."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import add
from index.errors import UsageError
from index.fake import FakeEncoder
from index.snapshot import Index
from rag.answering import Answerer
from rag.evaluation import Case, evaluate, judge, read_cases, sample, summary
from rag.model import FakeModel
from rag.records import Answer, Citation, Status

SENTENCE = "개발에는 5년간 1200억원이 들었다."
LINE = {
    "id": "cost",
    "question_ko": "개발비는 얼마였어?",
    "question_en": "How much did it cost?",
    "history": [],
    "answerable": True,
    "accepted_ko": ["1200억"],
    "accepted_en": ["120 billion"],
    "rejected": ["120 million"],
    "evidence": [SENTENCE],
}


@pytest.fixture
def answerer(tmp_path: Path) -> Iterator[Answerer]:
    (tmp_path / "drug.txt").write_text(f"신약이 나왔다. {SENTENCE}\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "drug.txt"], FakeEncoder())
    index = Index(tmp_path / "index", FakeEncoder())
    yield Answerer(index, FakeModel(lambda _: "5년간 1200억원", lambda _: 3.0))
    index.close()


def cases(tmp_path: Path, *lines: object) -> list[Case]:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    return read_cases(file)


def answer(case: Case, text: str, status: Status = "answered", start: int = 9) -> Answer:
    cited = () if status == "not_found" else (Citation(1, "drug.txt", start, start + len(SENTENCE), 0.5),)
    return Answer(case.question, case.language, status, text, cited)


def test_right_wrong_and_rejected(tmp_path: Path, answerer: Answerer) -> None:
    korean, english = cases(tmp_path, LINE)
    assert judge(korean, answer(korean, "1200억원 [1]"), answerer).right
    assert not judge(korean, answer(korean, "900억원 [1]"), answerer).right
    assert judge(english, answer(english, "120 billion won [1]"), answerer).right
    assert not judge(english, answer(english, "120 billion, or 120 million [1]"), answerer).right


def test_evidence_and_numbers(tmp_path: Path, answerer: Answerer) -> None:
    korean, _ = cases(tmp_path, LINE)
    good = judge(korean, answer(korean, "1200억원 [1]"), answerer)
    assert good.cited_evidence and good.verbatim and good.numbers_supported
    assert not judge(korean, answer(korean, "900억원 [1]"), answerer).numbers_supported
    elsewhere = judge(korean, answer(korean, "1200억원 [1]", start=0), answerer)
    assert elsewhere.case.evidence == (SENTENCE,)


def test_the_figures_add_up(tmp_path: Path, answerer: Answerer) -> None:
    nothing = {**LINE, "id": "price", "question_ko": "가격은?", "answerable": False, "evidence": []}
    korean = [case for case in cases(tmp_path, LINE, nothing) if case.language == "ko"]
    results = [
        judge(korean[0], answer(korean[0], "1200억원 [1]"), answerer),
        judge(korean[0], answer(korean[0], "", "not_found"), answerer),
        judge(korean[1], answer(korean[1], "", "not_found"), answerer),
    ]
    figures = summary(results, "ko")
    assert (figures["right"], figures["refused_though_answerable"], figures["refused_rightly"]) == (0.5, 0.5, 1.0)
    assert figures["quotes_not_verbatim"] == 0


def test_evaluating_asks_what_came_before(tmp_path: Path, answerer: Answerer) -> None:
    follow = {**LINE, "id": "follow", "history": [{"question_ko": "신약이 나왔어?", "question_en": "Is it out?"}]}
    korean, _ = cases(tmp_path, follow)
    (result,) = evaluate(answerer, [korean])
    assert result.right
    assert isinstance(answerer.model, FakeModel)
    assert any("신약이 나왔어?" in prompt[-1].content for prompt in answerer.model.prompts)


def test_a_sample_is_always_the_same(tmp_path: Path) -> None:
    many = cases(tmp_path, *({**LINE, "id": f"q{number}"} for number in range(20)))
    assert sample(many, 7) == sample(many, 7) and len(sample(many, 7)) == 7
    assert len(sample(many, 1000)) == len(many)


def test_a_line_that_is_no_question_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Line 2"):
        cases(tmp_path, LINE, {"id": "x"})


def test_the_seed_questions_fit_the_article() -> None:
    seeds = Path(__file__).parent.parent.parent / "seeds"
    article = (seeds / "it-megavision-2024.txt").read_text("utf-8")
    all_cases = read_cases(seeds / "questions.jsonl")
    assert all(sentence in article for case in all_cases for sentence in case.evidence)
    korean = [case for case in all_cases if case.language == "ko"]
    assert len(korean) >= 40 and len(korean) * 2 == len(all_cases)
    assert sum(not case.answerable for case in korean) >= 12
    assert sum(bool(case.earlier) for case in korean) >= 8
    assert all(bool(case.accepted) == case.answerable for case in all_cases)
