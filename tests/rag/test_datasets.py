"""Question sets of every kind, known by what is in them; and samples of them."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from index.errors import UsageError
from rag.datasets import (
    LANGUAGES,
    Case,
    QuestionSet,
    joined,
    read_corpus,
    read_questions,
    require_relevant,
    sample,
    with_relevant_alone,
)

OWN = {
    "id": "cost",
    "question_ko": "개발비는 얼마였어?",
    "question_en": "How much did it cost?",
    "history": [],
    "answerable": True,
    "accepted_ko": ["1200억"],
    "accepted_en": ["120 billion"],
    "rejected": [],
    "evidence": ["개발에는 1200억원이 들었다."],
}
NOMIRACL = {
    "query_id": "7#0",
    "question": "다리는 몇 년에 열렸어?",
    "answerable": True,
    "passages": [
        {"docid": "7#0", "text": "다리: 다리는 1973년에 열렸다.", "relevant": True},
        {"docid": "9#2", "text": "나루: 나루는 강가에 있다."},
    ],
}
SQUAD = {
    "id": "q1",
    "question": "When did the bridge open?",
    "answerable": True,
    "answers": ["1973", "in 1973"],
    "relevant": ["p1"],
}
BELEBELE = {
    "id": "https://example.org/bridge#1",
    "question_ko": "다리는 언제 열렸습니까?",
    "question_en": "When did the bridge open?",
    "relevant": ["https://example.org/bridge"],
}
CORPUS = [{"id": "p1", "title": "Bridge", "text": "It opened in 1973."}, {"id": "p2", "text": "A ferry."}]


def written(path: Path, *lines: object) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize(
    ("record", "kind", "ids"),
    [
        (OWN, "mureum", ["cost.ko", "cost.en"]),
        (NOMIRACL, "nomiracl", ["7#0"]),
        (SQUAD, "squad", ["q1"]),
        (BELEBELE, "belebele", ["https://example.org/bridge#1.ko", "https://example.org/bridge#1.en"]),
    ],
)
@pytest.mark.parametrize("name", ["questions.jsonl", "questions.jsonl.gz", "plain"])
def test_a_set_is_known_by_its_content(
    tmp_path: Path, name: str, record: dict[str, object], kind: str, ids: list[str]
) -> None:
    questions = read_questions(written(tmp_path / name, "", record, ""))
    assert (questions.kind, [case.id for case in questions.cases]) == (kind, ids)
    assert questions.digest == read_questions(written(tmp_path / "again.gz", "", record, "")).digest


def test_what_a_case_holds(tmp_path: Path) -> None:
    (korean,) = read_questions(written(tmp_path / "a", NOMIRACL)).cases
    assert (korean.language, korean.relevant) == ("ko", ("7#0",))
    assert [one.name for one in korean.passages] == ["7#0", "9#2"]
    (english,) = read_questions(written(tmp_path / "b", SQUAD)).cases
    assert english == Case("q1", "en", SQUAD["question"], True, answers=("1973", "in 1973"), relevant=("p1",))  # type: ignore[arg-type]
    own = read_questions(written(tmp_path / "c", OWN)).cases[1]
    assert (own.language, own.accepted, own.evidence) == ("en", ("120 billion",), tuple(OWN["evidence"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (OWN, {"id": "x"}),
        (OWN, {**OWN, "id": "x", "accepted_ko": ["("]}),
        (NOMIRACL, {**NOMIRACL, "query_id": "8", "passages": [{"docid": "1", "text": ""}]}),
        (NOMIRACL, {**NOMIRACL, "query_id": "8", "passages": None}),
        (SQUAD, {**SQUAD, "id": "q2", "answerable": "yes"}),
        (SQUAD, {**SQUAD, "id": "q2", "answers": "1973"}),
        (SQUAD, SQUAD),
        (SQUAD, "[1]"),
        (SQUAD, '{"id": '),
        (BELEBELE, {**BELEBELE, "id": "x", "relevant": []}),
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, good: object, bad: object) -> None:
    with pytest.raises(UsageError, match=r"^Line 3 .*questions"):
        read_questions(written(tmp_path / "questions.jsonl", good, "", bad))


def test_a_file_that_is_no_question_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Line 1 .* no known kind.*nomiracl \(passages, query_id, question\)"):
        read_questions(written(tmp_path / "a", {"premise": "x"}))
    with pytest.raises(UsageError, match="no question in it"):
        read_questions(written(tmp_path / "b", ""))
    with pytest.raises(UsageError, match="cannot be opened: No such file"):
        read_questions(tmp_path / "none")
    half = written(tmp_path / "c.gz", SQUAD).read_bytes()[:-9]
    (tmp_path / "c.gz").write_bytes(half)
    with pytest.raises(UsageError, match="cannot be opened: "):
        read_questions(tmp_path / "c.gz")


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    (case,) = read_questions(written(tmp_path / "a", {**SQUAD, "question": "When\u2028did it open?"})).cases
    assert "\u2028" in case.question


def test_a_corpus_and_the_documents_of_several(tmp_path: Path) -> None:
    one = read_corpus(written(tmp_path / "one.jsonl.gz", *CORPUS))
    two = read_corpus(written(tmp_path / "two.jsonl", CORPUS[0]))
    assert [(part.name, part.title) for part in one.documents] == [("p1", "Bridge"), ("p2", "")]
    assert [part.name for part in joined([one, two])] == ["1/p1", "1/p2", "2/p1"]
    with pytest.raises(UsageError, match=r"Line 2 .* not a document"):
        read_corpus(written(tmp_path / "bad.jsonl", CORPUS[0], {"id": "p2"}))
    with pytest.raises(UsageError, match=r"Line 2 .* stood before"):
        read_corpus(written(tmp_path / "twice.jsonl", CORPUS[0], CORPUS[0]))


def test_a_question_about_a_document_that_is_missing_is_named(tmp_path: Path) -> None:
    corpus = read_corpus(written(tmp_path / "corpus", *CORPUS))
    questions = read_questions(written(tmp_path / "questions", SQUAD, {**SQUAD, "id": "q2", "relevant": ["p3"]}))
    with pytest.raises(UsageError, match="'q2' is about 'p3'"):
        require_relevant(questions, corpus)
    require_relevant(QuestionSet("squad", questions.cases[:1], ""), corpus)
    (case,) = with_relevant_alone(questions.cases[:1], corpus)
    assert [one.name for one in case.passages] == ["p1"]


def numbered(count: int, answerable: int) -> list[Case]:
    return [
        Case(f"{number}.{spoken}", spoken, "?", number < answerable) for number in range(count) for spoken in LANGUAGES
    ]


def test_a_sample_keeps_the_shares() -> None:
    cases = numbered(100, 70)
    some = sample(cases, 40)
    assert Counter((case.language, case.answerable) for case in some) == {
        ("ko", True): 14,
        ("en", True): 14,
        ("ko", False): 6,
        ("en", False): 6,
    }
    assert some == sorted(some, key=cases.index)
    assert {case.id[:-3] for case in some if case.language == "ko"} == {
        case.id[:-3] for case in some if case.language == "en"
    }


@pytest.mark.parametrize("count", [1, 3, 7, 39, 40, 1000])
def test_a_sample_is_always_the_same_and_as_large_as_it_is_wanted(count: int) -> None:
    cases = numbered(20, 13)
    assert sample(cases, count) == sample(cases, count)
    assert len(sample(cases, count)) == min(count, len(cases))


def test_the_seed_questions_fit_the_article() -> None:
    seeds = Path(__file__).parent.parent.parent / "seeds"
    article = (seeds / "it-megavision-2024.txt").read_text("utf-8")
    cases = read_questions(seeds / "questions.jsonl").cases
    assert all(sentence in article for case in cases for sentence in case.evidence)
    korean = [case for case in cases if case.language == "ko"]
    assert len(korean) >= 40 and len(korean) * 2 == len(cases)
    assert sum(not case.answerable for case in korean) >= 12
    assert sum(bool(case.earlier) for case in korean) >= 8
    assert all(bool(case.accepted) == case.answerable for case in cases)
    assert all(bool(case.evidence) for case in cases if case.answerable)
