"""A question limited to documents: nothing of another one is found, read, quoted or decides."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import add
from index.errors import NoSuchDocument
from index.fake import FakeEncoder
from index.snapshot import Index
from rag import context
from rag.answering import Answerer
from rag.model import FakeModel
from rag.records import Answer
from rag.retrieval import search
from rag.selection import documents_of, rows_of

TEXTS = {
    "drugs/haneul.txt": "한빛제약은 3일 부산 벡스코에서 신약 하늘정을 공개했다. 개발에는 5년간 1200억원이 들었다.\n",
    "drugs/old/bada.txt": "바다제약은 대전에서 신약 바다정을 공개했다. 개발에는 3년간 900억원이 들었다.\n",
    "drugs-2023.txt": "지난해 신약은 모두 서울에서 공개됐다.\n",
    "library.txt": "The city library will close on Mondays from May.\n",
}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    for name, text in TEXTS.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    add(tmp_path / "index", [tmp_path / "files"], FakeEncoder())
    opened = Index(tmp_path / "index", FakeEncoder())
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["library.txt"], {"library.txt"}),
        (["drugs"], {"drugs/haneul.txt", "drugs/old/bada.txt"}),
        (["drugs/"], {"drugs/haneul.txt", "drugs/old/bada.txt"}),
        (["drugs/old", "library.txt"], {"drugs/old/bada.txt", "library.txt"}),
    ],
)
def test_names_and_folders(names: list[str], chosen: set[str]) -> None:
    assert documents_of(TEXTS, names) == chosen


@pytest.mark.parametrize("name", ["drug", "bada.txt", "", "/", "..", "library.txt/x"])
def test_a_name_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(NoSuchDocument) as caught:
        documents_of(TEXTS, ["library.txt", name])
    assert caught.value.exit_code == 2 and caught.value.values == {"document": name}


def test_all_documents_are_no_limit(index: Index) -> None:
    assert rows_of(index.snapshot(), []) is None
    assert rows_of(index.snapshot(), list(TEXTS)) is None


@pytest.mark.parametrize("question", ["신약은 어디에서 공개됐어?", "When does the library close?", "qqq"])
def test_only_the_chosen_are_found(index: Index, question: str) -> None:
    snapshot = index.snapshot()
    rows = rows_of(snapshot, ["drugs/old"])
    assert {hit.passage.document for hit in search(index, question, 10, snapshot, rows)} == {"drugs/old/bada.txt"}


def ask(answerer: Answerer, question: str, *documents: str) -> Answer:
    return answerer.ask(question, documents=documents)


@pytest.mark.parametrize("whole", [0, 2600])
@pytest.mark.parametrize("question", ["신약은 어디에서 공개됐어?", "Where was the new drug unveiled?"])
def test_only_the_chosen_are_read_and_quoted(
    index: Index, question: str, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "WHOLE", whole)
    model = FakeModel(lambda prompt: "벡스코", lambda _: 5.0)
    answerer = Answerer(index, model)
    answerer.warm_up()
    model.prompts.clear()
    answer = ask(answerer, question, "drugs/old/")
    shown = [*answer.found, *answer.citations]
    assert shown and {one.document for one in shown} == {"drugs/old/bada.txt"}
    assert answer.status == "quoted" and "벡스코" not in answer.text  # which stands in another document
    said = " ".join(message.content for prompt in model.prompts for message in prompt)
    assert "대전" in said or "Daejeon" in said
    assert "벡스코" not in said and "library" not in said and "서울" not in said


def test_prepared_translations_of_others_are_no_evidence(index: Index) -> None:
    answerer = Answerer(index, FakeModel(lambda prompt: "It was unveiled at BEXCO in Busan then.", lambda _: 5.0))
    list(answerer.prepare(threading.Event()))
    answer = ask(answerer, "Where was the new drug unveiled?", "drugs-2023.txt")
    assert {one.document for one in (*answer.found, *answer.citations)} == {"drugs-2023.txt"}


def test_each_choice_keeps_its_sentences_until_the_index_changes(index: Index, tmp_path: Path) -> None:
    answerer = Answerer(index, FakeModel())
    limited = answerer.context(["drugs"])
    assert answerer.context(["drugs", "drugs"]) is limited and answerer.context() is not limited
    (tmp_path / "more.txt").write_text("하나 더 있다.", "utf-8")
    add(tmp_path / "index", [tmp_path / "more.txt"], FakeEncoder())
    assert answerer.context(["drugs"]) is not limited
    with pytest.raises(NoSuchDocument):
        answerer.context(["gone.txt"])
    for number in range(20):
        answerer.context(["library.txt", *["drugs"] * (number % 2), *[list(TEXTS)[number % 4]]])
    assert len(answerer._contexts._made) <= context.CONTEXTS
