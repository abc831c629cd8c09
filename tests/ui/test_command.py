"""The command line's contract: what it prints, where, and with which exit code."""

import io
import json
import os
import subprocess
import sys
import types
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from index import build
from index.encoder import Vectors
from index.errors import ModelDamaged, ModelFailed, ModelNotFetched
from index.models import EMBEDDING_MODEL, MODELS
from index.records import Span
from index.settings import Settings
from index.snapshot import Index
from rag.model import AnsweringModel, FakeModel
from rag.records import Answer, Citation, Timings, Turn
from ui.chat_server import PortInUse, bind
from ui.command import main

TEXT = "물음은 문서에 답한다. 인용은 원문에서 잘라 온다.\n\nThe bridge opened in 1973. It is 660 metres long.\n"
QUOTE = "It is 660 metres long."
START = TEXT.index(QUOTE)


class LetterEncoder:
    """Vectors that count letters: texts with the same letters are near."""

    name = "letters"
    size = 64

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode_passages(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        parts = [[text[a:b] for a, b in spans] for text, spans in zip(texts, sentences, strict=True)]
        rows = [np.array([self.encode_question(part) for part in row]).reshape(-1, self.size) for row in parts]
        return np.array([self.encode_question(text) for text in texts]), [row.astype(np.float32) for row in rows]

    def encode_question(self, question: str) -> Vectors:
        counts = np.bincount([ord(letter) % self.size for letter in question], minlength=self.size)
        return (counts / (np.linalg.norm(counts) or 1.0)).astype(np.float32)


class ScriptedAnswerer:
    """Cites the bridge's length, knows nothing of the moon, and fails on what explodes."""

    asked: ClassVar[list[tuple[str, str, tuple[Turn, ...]]]] = []

    def __init__(self, index: Index, model: AnsweringModel) -> None:
        self.index = index

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        self.asked.append((self.index.folder.name, question, tuple(history)))
        if "explodes" in question:
            raise ModelFailed("The model failed: it exploded.", name="fake", reason="it exploded")
        if "bug" in question:
            raise RuntimeError("a bug")
        if "moon" in question:
            return Answer(question, "en", "not_found", "")
        citation = Citation(1, "bridge.txt", START, START + len(QUOTE), 0.75)
        return Answer(question, "en", "answered", "660 metres [1].", (citation,), (), "", Timings(1.23, 4.5, 6.0))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been opened, in order; nothing real is."""
    calls: list[str] = []

    def open_encoder(settings: Settings) -> LetterEncoder:
        calls.append("encoder")
        return LetterEncoder()

    def open_model(settings: Settings) -> FakeModel:
        calls.append("model")
        return FakeModel()

    monkeypatch.setattr("rag.opening.open_encoder", open_encoder)
    monkeypatch.setattr("rag.opening.open_model", open_model)
    monkeypatch.setattr("rag.answering.Answerer", ScriptedAnswerer)
    monkeypatch.setattr(ScriptedAnswerer, "asked", [])
    return calls


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "bridge.txt").write_text(TEXT, "utf-8")
    return folder


@pytest.fixture
def index(tmp_path: Path, documents: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    build.add(folder, [documents], LetterEncoder())
    monkeypatch.setenv("MUREUM_INDEX", str(folder))
    return folder


Output = pytest.CaptureFixture[str]


def records(output: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.readouterr().out.splitlines()]


def lines(path: Path, *items: object) -> str:
    path.write_text("".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in items), "utf-8")
    return str(path)


def type_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))


# --- used rightly and wrongly


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ask", "--help"], ["index", "add", "--help"]])
def test_help_goes_to_standard_output(arguments: list[str], capsys: Output) -> None:
    assert main(arguments) == 0
    output = capsys.readouterr()
    assert "mureum" in output.out
    assert not output.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["ask"],
        ["ask", "why?", "--batch", "file.jsonl"],
        ["ask", "why?", "--seconds", "0"],
        ["ask", "why?", "--context", "many"],
        ["search", "why?", "-k", "0"],
        ["search", "why?", "--llm", "none"],
        ["index"],
        ["index", "add"],
        ["models", "burn"],
        ["chat", "--port", "70000"],
    ],
)
def test_a_wrong_use_is_exit_code_2(arguments: list[str], opened: list[str], capsys: Output) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.err.startswith("usage: mureum")
    assert not output.out
    assert not opened


def test_a_variable_that_is_no_number_is_a_wrong_use(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("MUREUM_PORT", "high")
    assert main(["index", "info"]) == 2
    assert "'high'" in capsys.readouterr().err


# --- ask


def test_ask_prints_the_answer_and_its_sources(index: Path, capsys: Output) -> None:
    assert main(["ask", "How long is the bridge?"]) == 0
    output = capsys.readouterr()
    assert output.out == f"660 metres [1].\n\n[1] bridge.txt ({START}–{START + len(QUOTE)})\n    “{QUOTE}”\n"
    assert not output.err


def test_ask_json_has_the_fields_of_the_contract(index: Path, capsys: Output) -> None:
    assert main(["ask", "How long is the bridge?", "--json"]) == 0
    assert records(capsys) == [
        {
            "id": None,
            "question": "How long is the bridge?",
            "language": "en",
            "status": "answered",
            "answer": "660 metres [1].",
            "citations": [
                {
                    "marker": 1,
                    "document": "bridge.txt",
                    "start": START,
                    "end": START + len(QUOTE),
                    "quote": QUOTE,
                    "score": 0.75,
                }
            ],
            "timings": {"retrieve_ms": 1.2, "first_token_ms": 4.5, "total_ms": 6.0},
        }
    ]


def test_ask_says_in_words_that_nothing_was_found(index: Path, capsys: Output) -> None:
    assert main(["ask", "How far is the moon?"]) == 0
    assert capsys.readouterr().out == "The documents do not hold the answer to this question.\n"


def test_ask_normalises_the_question(index: Path) -> None:
    assert main(["ask", unicodedata.normalize("NFD", "다리 길이는?")]) == 0
    assert ScriptedAnswerer.asked[0][1] == "다리 길이는?"


def test_ask_reads_the_question_from_standard_input(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "다리 길이는?\n".encode())
    assert main(["ask", "-"]) == 0
    assert ScriptedAnswerer.asked[0][1].strip() == "다리 길이는?"


def test_input_that_is_not_utf8_is_a_wrong_use(index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    type_in(monkeypatch, "다리".encode("cp949"))
    assert main(["ask", "-"]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_a_question_of_undecodable_bytes_is_a_wrong_use(index: Path, opened: list[str], capsys: Output) -> None:
    assert main(["ask", "다리".encode("cp949").decode("utf-8", "surrogateescape")]) == 2
    assert "UTF-8" in capsys.readouterr().err
    assert not opened


@pytest.mark.parametrize("question", ["", " \n", "?" * 5, "길" * 10_000])
def test_what_is_no_question_fails_before_a_model_is_loaded(
    question: str, index: Path, opened: list[str], capsys: Output
) -> None:
    assert main(["ask", question, "--json"]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("mureum: The question")
    assert not output.out
    assert not opened


@pytest.mark.usefixtures("opened")
def test_a_missing_index_is_named_with_the_mend(tmp_path: Path, capsys: Output) -> None:
    assert main(["ask", "Why?", "--index", str(tmp_path / "none")]) == 1
    error = capsys.readouterr().err
    assert str(tmp_path / "none") in error
    assert "mureum index add" in error
    assert "Traceback" not in error


def test_an_option_goes_before_a_variable(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []

    def open_model(settings: Settings) -> FakeModel:
        seen.append(settings)
        return FakeModel()

    monkeypatch.setattr("rag.opening.open_model", open_model)
    monkeypatch.setenv("MUREUM_SECONDS", "7")
    monkeypatch.setenv("MUREUM_CONTEXT", "2048")
    assert (
        main(["ask", "Why?", "--seconds", "9", "--threads", "3", "--llm", "other.gguf", "--encoder", "org/name"]) == 0
    )
    assert seen == [Settings(index, "org/name", "other.gguf", "", 3, 2048, 9.0)]


# --- batches


def test_a_batch_answers_each_line_in_order(
    index: Path, documents: Path, opened: list[str], tmp_path: Path, capsys: Output
) -> None:
    other = tmp_path / "other"
    build.add(other, [documents], LetterEncoder())
    batch = lines(
        tmp_path / "batch.jsonl",
        {"id": "a", "question": "How long is it?"},
        "",
        {"id": 2, "question": "How far is the moon?", "index": str(other)},
        {"id": "c", "question": "How long is it?", "index": str(other)},
    )
    assert main(["ask", "--batch", batch]) == 0
    found = records(capsys)
    assert [(record["id"], record["status"]) for record in found] == [
        ("a", "answered"),
        (2, "not_found"),
        ("c", "answered"),
    ]
    assert found[2]["citations"][0]["quote"] == QUOTE
    assert [folder for folder, _, _ in ScriptedAnswerer.asked] == ["index", "other", "other"]
    assert opened == ["encoder", "model"]


@pytest.mark.parametrize(
    ("history", "turns"),
    [
        (None, ()),
        ([], ()),
        (["One?", "Two?"], (Turn("One?"), Turn("Two?"))),
        ([{"question": "One?", "answer": "1"}, {"question": "Two?"}], (Turn("One?", "1"), Turn("Two?"))),
        ([{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}], (Turn("One?", "1"),)),
    ],
)
def test_a_batch_hands_over_the_turns_before(
    history: object, turns: tuple[Turn, ...], index: Path, tmp_path: Path
) -> None:
    batch = lines(tmp_path / "batch.jsonl", {"id": 1, "question": "And then?", "history": history})
    assert main(["ask", "--batch", batch]) == 0
    assert ScriptedAnswerer.asked == [("index", "And then?", turns)]


def test_a_bad_line_of_a_batch_hinders_no_other(index: Path, tmp_path: Path, capsys: Output) -> None:
    batch = lines(
        tmp_path / "batch.jsonl",
        "not json",
        ["a list"],
        {"id": "no question"},
        {"id": {}, "question": "Why?"},
        {"id": "history", "question": "Why?", "history": "none"},
        {"id": "turn", "question": "Why?", "history": [3]},
        {"id": "index", "question": "Why?", "index": 3},
        {"id": "gone", "question": "Why?", "index": str(tmp_path / "none")},
        {"id": "surrogate", "question": "\ud800"},
        {"id": "fails", "question": "What explodes?"},
        {"id": "good", "question": "How long is it?"},
    )
    assert main(["ask", "--batch", batch]) == 1
    found = records(capsys)
    assert [record["id"] for record in found] == [
        *(None, None, "no question", None, "history", "turn", "index", "gone", "surrogate", "fails", "good")
    ]
    assert [record["error"]["code"] for record in found[:-1]] == ["usage"] * 7 + [
        "index-missing",
        "usage",
        "model-failed",
    ]
    assert found[0]["error"]["message"].startswith(f"{batch}:1: ")
    assert found[-1]["status"] == "answered"


def test_a_batch_comes_from_standard_input(index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    type_in(monkeypatch, b'{"id": 1, "question": "How long is it?"}\n\xff\n')
    assert main(["ask", "--batch", "-", "--json"]) == 1
    good, bad = records(capsys)
    assert good["id"] == 1
    assert "UTF-8" in bad["error"]["message"]


@pytest.mark.parametrize("content", [None, "", "\n\n"])
def test_a_batch_without_questions_is_a_wrong_use(
    content: str | None, index: Path, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "batch.jsonl"
    if content is not None:
        file.write_text(content)
    assert main(["search", "--batch", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


# --- search


def test_search_json_has_the_fields_of_the_contract(index: Path, opened: list[str], capsys: Output) -> None:
    assert main(["search", "How long is the bridge?", "--json", "-k", "3"]) == 0
    (record,) = records(capsys)
    assert list(record) == ["id", "hits"]
    hits = record["hits"]
    assert 0 < len(hits) <= 3
    for hit in hits:
        assert list(hit) == ["document", "passage", "start", "end", "text", "score", "dense", "lexical"]
        assert hit["text"] == TEXT[hit["start"] : hit["end"]]
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert opened == ["encoder"]


def test_search_prints_hits_for_people(index: Path, capsys: Output) -> None:
    assert main(["search", "다리는 얼마나 길어?", "-k", "1"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("1. bridge.txt (")
    assert second.startswith("   ")


def test_search_of_a_batch_looks_for_the_whole_follow_up(index: Path, tmp_path: Path, capsys: Output) -> None:
    before = [{"question": "How long is the bridge?", "answer": "660 metres."}]
    batch = lines(
        tmp_path / "batch.jsonl",
        {"id": "alone", "question": "And when did it open?"},
        {"id": "after", "question": "And when did it open?", "history": before},
    )
    assert main(["search", "--batch", batch]) == 0
    alone, after = records(capsys)
    assert max(hit["lexical"] for hit in after["hits"]) > max(hit["lexical"] for hit in alone["hits"])


# --- the index


@pytest.mark.usefixtures("opened")
def test_an_index_is_made_looked_at_and_emptied(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("MUREUM_INDEX", str(tmp_path / "new"))

    def run(*arguments: str) -> str:
        assert main(["index", *arguments]) == 0
        return capsys.readouterr().out

    assert run("add", str(documents)).startswith("1 added, 0 changed, 0 unchanged, 0 refused")
    assert run("add", str(documents)).startswith("0 added, 0 changed, 1 unchanged, 0 refused")
    heading, row = run("list").splitlines()
    assert heading.split()[0] == "DOCUMENT"
    assert row.split()[0] == "bridge.txt"
    assert "letters" in run("info")
    assert "is whole" in run("verify")
    assert run("rebuild").startswith("1 documents rebuilt")
    assert run("remove", "bridge.txt").startswith("1 removed")
    assert run("list").split() == heading.split()


def test_a_refused_file_is_named_and_hinders_no_other(index: Path, documents: Path, capsys: Output) -> None:
    (documents / "empty.txt").write_text("")
    (documents / "old.txt").write_bytes("옛날 글".encode("cp949"))
    (documents / "new.txt").write_text("A new text.")
    assert main(["index", "add", str(documents)]) == 1
    output = capsys.readouterr()
    assert output.out.startswith("1 added, 0 changed, 1 unchanged, 2 refused")
    assert "empty.txt" in output.err
    assert "CP949" in output.err


@pytest.mark.parametrize(
    "arguments", [["add", "not-there"], ["remove", "not-there"], ["list", "--index", "not-there"], ["verify"]]
)
def test_what_is_not_there_is_named(
    arguments: list[str], tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments == ["verify"]:
        monkeypatch.setenv("MUREUM_INDEX", "not-there")
    assert main(["index", *arguments]) == 1
    assert "'not-there'" in capsys.readouterr().err


def test_a_damaged_index_is_told(index: Path, capsys: Output) -> None:
    (vectors,) = index.glob("vectors-*.faiss")
    vectors.write_bytes(b"nonsense")
    assert main(["index", "verify"]) == 1
    assert vectors.name in capsys.readouterr().out


# --- the models


def test_models_are_listed_without_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path))
    assert main(["models", "list"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["MODEL", *MODELS]
    assert all(row.split()[2] == "missing" for row in rows[1:])
    assert list(tmp_path.iterdir()) == []


def test_models_are_fetched_by_name_or_all(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    fetched: list[str] = []

    def fetch(name: str, progress: object) -> Path:
        fetched.append(name)
        return Path(name)

    monkeypatch.setattr("index.models.fetch", fetch)
    assert main(["models", "fetch"]) == 0
    assert main(["models", "fetch", EMBEDDING_MODEL]) == 0
    assert fetched == [*MODELS, EMBEDDING_MODEL]


def test_every_model_is_verified_though_one_is_damaged(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def verify(name: str, progress: object) -> None:
        if name == EMBEDDING_MODEL:
            raise ModelDamaged("The model is damaged: its SHA-256.", name=name, path="", reason="its SHA-256")

    monkeypatch.setattr("index.models.verify", verify)
    assert main(["models", "verify"]) == 1
    output = capsys.readouterr()
    assert "damaged" in output.err
    assert "is whole" in output.out


# --- failures


@pytest.mark.usefixtures("index")
def test_a_model_that_is_not_fetched_ends_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def open_model(settings: Settings) -> FakeModel:
        raise ModelNotFetched("It is not here. Get it with: mureum models fetch", name="qwen", path="")

    monkeypatch.setattr("rag.opening.open_model", open_model)
    assert main(["ask", "--batch", lines(tmp_path / "batch.jsonl", {"id": 1, "question": "Why?"})]) == 1
    output = capsys.readouterr()
    assert output.err == "mureum: It is not here. Get it with: mureum models fetch\n"
    assert not output.out


@pytest.mark.parametrize("question", ["What explodes?", "Is it a bug?"])
def test_a_traceback_is_shown_when_asked_for(
    question: str, index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert main(["ask", question]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main(["ask", question, "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("MUREUM_DEBUG", "1")
    assert main(["ask", question]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unforeseen_error_is_a_sentence(index: Path, capsys: Output) -> None:
    assert main(["ask", "Is it a bug?"]) == 1
    assert "RuntimeError: a bug" in capsys.readouterr().err


def test_errors_are_korean_in_a_korean_terminal(index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["ask", " "]) == 1
    assert "질문" in capsys.readouterr().err


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("index.models.states", interrupted)
    assert main(["models", "list"]) == 130
    assert capsys.readouterr().err == "\nmureum: stopped\n"


def test_a_reader_that_leaves_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "ui.command", "models", "list"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


# --- the chat


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> list[tuple[Any, ...]]:
    """How the page was served; no page is."""
    calls: list[tuple[Any, ...]] = []
    page = types.ModuleType("ui.chat")
    answerer = types.SimpleNamespace(index=io.BytesIO(), model=FakeModel(), warm_up=lambda: None)

    def open_answerer(settings: Settings) -> object:
        opened.append("answerer")
        return answerer

    def serve(answerer: object, host: str, port: int, auth: object, *, examples: object) -> None:
        calls.append((host, port, auth, examples))

    page.__dict__["serve"] = serve
    monkeypatch.setitem(sys.modules, "ui.chat", page)
    monkeypatch.setattr("rag.opening.open_answerer", open_answerer)
    return calls


def test_chat_serves_on_this_machine_alone(served: list[tuple[Any, ...]], capsys: Output) -> None:
    assert main(["chat", "--port", "0"]) == 0
    assert served == [("127.0.0.1", 0, None, [])]
    assert "password" not in capsys.readouterr().err


def test_chat_takes_accounts_and_examples(served: list[tuple[Any, ...]], tmp_path: Path) -> None:
    accounts = lines(tmp_path / "accounts", "kim:a:b", "", "lee:c")
    question = {"question_ko": "몇 미터?", "question_en": "How long?"}
    examples = lines(
        tmp_path / "examples.jsonl",
        {**question, "history": ["Which bridge?"]},
        {**question, "answerable": False},
        *[question] * 9,
    )
    assert main(["chat", "--port", "0", "--host", "0.0.0.0", "--auth", accounts, "--examples", examples]) == 0
    assert served == [("0.0.0.0", 0, [("kim", "a:b"), ("lee", "c")], [("몇 미터?", "How long?")] * 4)]


def test_chat_warns_when_others_can_reach_it(served: list[tuple[Any, ...]], capsys: Output) -> None:
    assert main(["chat", "--port", "0", "--host", "0.0.0.0"]) == 0
    assert "--auth" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "secret\n", ":secret\n", "kim:\n"])
def test_chat_refuses_a_bad_accounts_file_and_keeps_its_secret(
    content: str, served: list[tuple[Any, ...]], tmp_path: Path, capsys: Output
) -> None:
    (tmp_path / "accounts").write_text(content)
    assert main(["chat", "--auth", str(tmp_path / "accounts")]) == 2
    error = capsys.readouterr().err
    assert "name:password" in error
    assert "secret" not in error
    assert not served


def test_a_port_in_use_is_told_before_a_model_is_loaded(
    served: list[tuple[Any, ...]], opened: list[str], capsys: Output
) -> None:
    with bind("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        assert main(["chat", "--port", str(port)]) == PortInUse.exit_code
    assert f"Port {port} is already in use" in capsys.readouterr().err
    assert not opened
