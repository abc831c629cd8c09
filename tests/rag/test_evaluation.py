"""The measures: judged on answers whose worth is known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from index.build import add
from index.errors import ModelTimeout, UsageError
from index.fake import FakeEncoder
from index.reading import document
from index.snapshot import Index
from rag import evaluation
from rag.answering import Answerer
from rag.datasets import Case
from rag.evaluation import evaluate, evaluate_apart, judge, normalised, rank, ranking_summary, summary, temporary_index
from rag.model import FakeModel, Prompt
from rag.records import Answer, Citation, Status
from rag.statistics import Rate

SENTENCE = "개발에는 5년간 1200억원이 들었다."
OTHER = "신약이 나왔다."
KOREAN = Case(
    "cost.ko", "ko", "개발비는 얼마였어?", True, accepted=("1200억",), rejected=("900억",), evidence=(SENTENCE,)
)
ENGLISH = replace(KOREAN, id="cost.en", language="en", question="How much did it cost?", accepted=("120 billion",))
PRICE = Case("price.ko", "ko", "가격은?", False)
SQUAD = Case("q1", "en", "Who led it?", True, answers=("The U.S. Navy", "해군"), relevant=("drug.txt",))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "drug.txt").write_text(f"{OTHER} {SENTENCE}\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "drug.txt"], FakeEncoder())
    index = Index(tmp_path / "index", FakeEncoder())
    yield index
    index.close()


def model() -> FakeModel:
    return FakeModel(lambda _: "5년간 1200억원", lambda _: 9.0)


def answer(case: Case, text: str, status: Status = "answered", *cited: str) -> Answer:
    """An answer that cites these sentences, by default the one with the cost."""
    starts = {OTHER: 0, SENTENCE: len(OTHER) + 1}
    quoted = () if status == "not_found" else cited or (SENTENCE,)
    citations = tuple(
        Citation(marker, "drug.txt", starts[one], starts[one] + len(one), 0.5)
        for marker, one in enumerate(quoted, start=1)
    )
    return Answer(case.question, case.language, status, text, citations)


# --- one answer


def test_right_wrong_and_rejected(index: Index) -> None:
    assert judge(KOREAN, answer(KOREAN, "1200억원 [1]"), index).right is True
    assert judge(KOREAN, answer(KOREAN, "1300억원 [1]"), index).right is False
    assert judge(KOREAN, answer(KOREAN, "1200억원, 또는 900억원 [1]"), index).right is False
    assert judge(ENGLISH, answer(ENGLISH, "120 billion won [1]"), index).right is True
    assert judge(PRICE, answer(PRICE, "1200억원 [1]"), index).right is None


def test_a_mark_is_no_part_of_the_answer(index: Index) -> None:
    assert judge(replace(KOREAN, accepted=("1",), answers=("1",)), answer(KOREAN, "모름 [1]"), index).right is False


def test_right_in_words_or_by_the_quote_alone(index: Index) -> None:
    under = f"많이 들었다 [1]\n“{SENTENCE}” [1]"
    assert judge(KOREAN, answer(KOREAN, "1200억원 [1]"), index).right_in_words is True
    by_quote = judge(KOREAN, answer(KOREAN, under), index)
    assert (by_quote.right, by_quote.right_in_words) == (True, False)
    quoted = judge(KOREAN, answer(KOREAN, f"“{SENTENCE}” [1]", "quoted"), index)
    assert (quoted.right, quoted.right_in_words) == (True, False)
    assert judge(KOREAN, answer(KOREAN, "많이 [1]"), index).right_in_words is None


@pytest.mark.parametrize(
    ("shown", "right"),
    [
        ("It was led by the US navy [1].", True),
        ("The “U.S. Navy” led it [1]", True),
        ("US navyman [1]", False),
        ("us [1] navy", True),
        ("미해군이 이끌었다 [1]", True),
        ("공군 [1]", False),
    ],
)
def test_answers_are_compared_by_their_words(index: Index, shown: str, right: bool) -> None:
    assert judge(SQUAD, answer(SQUAD, shown), index).right is right


@pytest.mark.parametrize(
    ("accepted", "shown", "right"),
    [
        ("1973", "1973년에", True),
        ("12", "112", False),
        ("3.5", "35", False),
        ("1,200", "1200 won", True),
        ("the", "the end", False),
        ("Anglo-Norman", "anglo–norman kings", True),
        ("가격", "가격", True),  # composed and decomposed
    ],
)
def test_numbers_articles_and_letters_of_answers(index: Index, accepted: str, shown: str, right: bool) -> None:
    case = replace(SQUAD, answers=(accepted,))
    assert judge(case, answer(case, shown), index).right is right


def test_normalised() -> None:
    assert normalised(" The  U.S.' “Navy”—an ÉTUDE, $3.50! ") == "us navy étude 3.50"


def test_evidence(index: Index) -> None:
    assert judge(KOREAN, answer(KOREAN, "1200억원 [1]"), index).on_evidence == 1
    both = judge(KOREAN, answer(KOREAN, "1200억원 [1][2]", "answered", OTHER, SENTENCE), index)
    assert (both.on_evidence, both.quotes) == (1, (OTHER, SENTENCE))
    assert judge(KOREAN, answer(KOREAN, "1200억원 [1]", "answered", OTHER), index).on_evidence == 0
    assert judge(SQUAD, answer(SQUAD, "해군 [1]"), index).on_evidence == 1
    assert judge(replace(SQUAD, relevant=("other",)), answer(SQUAD, "해군 [1]"), index).on_evidence == 0
    assert judge(replace(SQUAD, relevant=()), answer(SQUAD, "해군 [1]"), index).on_evidence is None


def test_quotes_numbers_and_language(index: Index) -> None:
    good = judge(KOREAN, answer(KOREAN, f"1200억원 [1]\n“{SENTENCE}” [1]"), index)
    assert good.verbatim and good.numbers_supported and good.in_language
    assert not judge(KOREAN, answer(KOREAN, "900억원 [1]"), index).numbers_supported
    assert not judge(KOREAN, answer(KOREAN, "1200억원 [1]\n“개발에는 1200억원이 들었다.” [1]"), index).verbatim
    assert not judge(KOREAN, answer(KOREAN, f"1200억원 [1]\n“{SENTENCE}” [2]"), index).verbatim
    assert not judge(KOREAN, answer(KOREAN, "a lot [1]"), index).in_language
    assert judge(ENGLISH, answer(ENGLISH, f"“{SENTENCE}” [1]", "quoted"), index).in_language
    assert judge(KOREAN, answer(KOREAN, "1200 [1]"), index).in_language  # a bare number is in any language
    assert judge(KOREAN, answer(KOREAN, "630 km/s [1]"), index).in_language
    assert not judge(KOREAN, answer(KOREAN, "630 kilometres [1]"), index).in_language
    assert not judge(KOREAN, answer(KOREAN, "5 men [1]"), index).in_language
    joined = answer(ENGLISH, f"“{SENTENCE}” [1]\nIt cost 120 billion won. [1]")  # two questions in one message
    assert judge(ENGLISH, joined, index).in_language


# --- many


def test_the_figures_add_up(index: Index) -> None:
    results = [
        judge(KOREAN, answer(KOREAN, "1200억원 [1][2]", "answered", OTHER, SENTENCE), index),
        judge(KOREAN, answer(KOREAN, f"“{SENTENCE}” [1]", "quoted"), index),
        judge(KOREAN, answer(KOREAN, f"“{OTHER}” [1]", "quoted", OTHER), index),
        judge(KOREAN, answer(KOREAN, "", "not_found"), index),
        judge(PRICE, answer(PRICE, "", "not_found"), index),
        judge(PRICE, answer(PRICE, "1200억원 [1]"), index),
        judge(PRICE, answer(PRICE, "900억원 [1]"), index),
        judge(ENGLISH, answer(ENGLISH, "120 million [1]"), index),
    ]
    assert {name: value for name, value in summary(results, "ko").items() if not name.endswith("_p50")} == {
        "language": "ko",
        "answerable": 4,
        "unanswerable": 3,
        "failed": 0,
        "right": Rate(2, 4),
        "right_in_words": Rate(1, 2),
        "quoted": Rate(2, 4),
        "refused_though_answerable": Rate(1, 4),
        "refused_rightly": Rate(1, 3),
        "answered_though_unanswerable": Rate(2, 3),
        "citation_precision": Rate(2, 4),
        "citation_recall": Rate(2, 3),
        "quotes_not_verbatim": 0,
        "numbers_unsupported": 1,
        "wrong_language": 0,
    }
    assert summary(results, "en")["right"] == Rate(0, 1)


def test_what_is_not_known_is_no_figure(index: Index) -> None:
    unknown = Case("7#0", "ko", "가격은 얼마야?", True)
    figures = summary([judge(unknown, answer(unknown, "1200억원 [1]"), index)], "ko")
    assert figures["right"] == figures["citation_precision"] == figures["citation_recall"] == Rate(0, 0)
    assert figures["refused_though_answerable"] == Rate(0, 1)


def test_evaluating_asks_what_came_before(index: Index) -> None:
    answerer = Answerer(index, model())
    (result,) = evaluate(answerer, [replace(KOREAN, earlier=("개발비가 나와?",))])
    assert result.right
    assert isinstance(answerer.model, FakeModel)
    assert any("개발비가 나와?" in prompt[-1].content for prompt in answerer.model.prompts)


def test_a_question_without_an_answer_in_time_is_counted_and_the_others_go_on(index: Index) -> None:
    def late(prompt: Prompt) -> float:
        if "가격" in prompt[-1].content:
            raise ModelTimeout("It took too long.")
        return 9.0

    answerer = Answerer(index, FakeModel(lambda _: "5년간 1200억원", late))
    wanted = replace(KOREAN, id="late", question="신약의 가격은 얼마였어?")
    late_result, result, empty = evaluate(answerer, [wanted, KOREAN, replace(KOREAN, question="??")])
    assert (late_result.status, late_result.reason, late_result.right) == ("failed", "model-timeout", False)
    assert result.right
    assert (empty.status, empty.reason) == ("failed", "question-empty")
    figures = summary([late_result, result, empty], "ko")
    assert (figures["failed"], figures["right"]) == (2, Rate(1, 3))


# --- cases with passages of their own


def test_each_case_is_asked_of_its_own_passages_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    class Watching(Index):
        def __init__(self, folder: Path, encoder: FakeEncoder) -> None:
            super().__init__(folder, encoder)
            assert not any(earlier.exists() for earlier in folders)
            folders.append(folder)

    monkeypatch.setattr(evaluation, "Index", Watching)
    first = replace(KOREAN, id="1", evidence=(), relevant=("7#0",), passages=(document("7#0", SENTENCE),))
    second = replace(PRICE, id="2", question="누가 이끌었어?", passages=(document("7#0", "해군이 이끌었다."),))
    results = list(evaluate_apart(model(), FakeEncoder(), [first, second]))
    assert [result.id for result in results] == ["1", "2"]
    assert (results[0].right, results[0].on_evidence) == (True, 1)
    assert all("1200" not in quote for quote in results[1].quotes)
    assert len(folders) == 2 and not any(folder.parent.exists() for folder in folders)


def test_documents_that_cannot_be_indexed_are_not_left_out_silently() -> None:
    twice = [document("7#0", SENTENCE), document("7#0", OTHER)]
    with pytest.raises(UsageError, match="7#0"), temporary_index(twice, FakeEncoder()):
        pass


# --- retrieval alone


def ranked(documents: Sequence[tuple[str, str]], *cases: Case) -> list[evaluation.Ranked]:
    texts = [document(name, text) for name, text in documents]
    with temporary_index(texts, FakeEncoder()) as index:
        return list(rank(index, cases, "here"))


def test_a_ranking_is_of_documents() -> None:
    filler = [(f"1/f{number}", f"Ferry number {number} crosses the river.") for number in range(20)]
    long = " ".join(f"The bridge opened in year {number}." for number in range(60))
    documents = [*filler, ("1/bridge", long), ("1/a/b", "A bridge opened.")]
    asked = replace(SQUAD, question="When did the bridge open?")
    (one,) = ranked(documents, replace(asked, relevant=("bridge", "a/b")))
    assert (one.id, one.corpus, one.relevant) == ("q1@here", "here", 2)
    assert one.ranks == (1, 2)  # the bridge has several passages, and counts once
    assert ranked(documents, replace(asked, relevant=("none",)))[0].ranks == ()


def test_either_version_of_a_document_counts_and_the_other_takes_no_place() -> None:
    documents = [
        ("1/bridge", "The bridge opened in 1973."),
        ("2/bridge", "The bridge opened in 1973, they say."),
        ("1/ferry", "The bridge has no ferry."),
    ]
    asked = replace(SQUAD, question="The bridge opened in 1973?")
    bridge, ferry = ranked(documents, replace(asked, relevant=("bridge",)), replace(asked, relevant=("ferry",)))
    assert (bridge.ranks, ferry.ranks) == ((1,), (2,))


def test_the_figures_of_a_ranking() -> None:
    places: list[tuple[int, ...]] = [(1,), (2,), (), (3,)]
    results = [evaluation.Ranked(str(n), "ko", "here", "?", ranks, 1, 10.0 * n) for n, ranks in enumerate(places)]
    elsewhere = replace(results[0], corpus="there")
    assert ranking_summary([*results, elsewhere], "ko", "here") == {
        "corpus": "here",
        "language": "ko",
        "questions": 4,
        "ndcg@10": 0.533,
        "hit@1": Rate(1, 4),
        "hit@3": Rate(3, 4),
        "mrr@10": 0.458,
        "retrieve_ms_p50": 15.0,
    }
