"""What of published sets the cross-encoder is trained with, and what is left to measure with."""

import random
from pathlib import Path

from index.fake import FakeEncoder
from rag.writing import READ
from tests.bench import reading_sets
from tests.rag.test_datasets import NOMIRACL, SQUAD, written

TEXT = "The bridge was opened in 1973. It is painted green. The mayor of Lomar cut the ribbon. A ferry ran before."


def test_of_passages_every_other_question_is_trained_on(tmp_path: Path) -> None:
    passages = [{"docid": str(number), "text": TEXT.replace("green", f"green {number}")} for number in range(3)]
    lines = [
        {
            **NOMIRACL,
            "query_id": f"{at}",
            "question": f"Who cut ribbon {at}?",
            "answerable": at < 2,
            "passages": passages,
        }
        for at in range(4)
    ]
    file = written(tmp_path / "questions", *lines)
    trained, rest = (
        list(reading_sets.items(str(file), FakeEncoder(), random.Random(0), trained=one)) for one in (True, False)
    )
    assert [question for question, _, _ in trained] == ["Who cut ribbon 0?", "Who cut ribbon 2?"]
    assert [question for question, _, _ in rest] == ["Who cut ribbon 1?", "Who cut ribbon 3?"]
    assert [len(right) for _, _, right in trained] == [READ, 0]
    assert list(reading_sets.lines_to_measure(file, None)) == file.read_text("utf-8").splitlines()[1::2]


def test_of_a_corpus_every_other_title_is_trained_on_and_its_answers_are_right(tmp_path: Path) -> None:
    corpus = [{"id": f"{title}{number}", "title": title, "text": TEXT} for title in "AB" for number in range(4)]
    asked = {"answers": ["mayor of Lomar"], "answerable": True}
    lines = [
        {**SQUAD, "id": "1", "question": "Who cut the ribbon?", "relevant": ["A2"], **asked},
        {**SQUAD, "id": "2", "question": "Who cut the ribbon?", "relevant": ["B2"], **asked},
        {**SQUAD, "id": "3", "question": "Who opposed it?", "relevant": ["A1"], "answers": [], "answerable": False},
    ]
    file, documents = written(tmp_path / "questions", *lines), written(tmp_path / "corpus", *corpus)
    name = f"{file},{documents}"
    for draw in range(10):  # at times from the passage, at times from all of the title
        trained = list(reading_sets.items(name, FakeEncoder(), random.Random(draw), trained=True))
        assert [question for question, _, _ in trained] == ["Who cut the ribbon?", "Who opposed it?"]
        (_, sentences, right), (_, _, none) = trained
        assert [sentences[row] for row in right] == ["The mayor of Lomar cut the ribbon."] and none == []
        assert len(sentences) in (4, READ)
    assert list(reading_sets.lines_to_measure(file, documents)) == file.read_text("utf-8").splitlines()[1:2]
