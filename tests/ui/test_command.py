"""The command line's contract: what it prints, where, and with which exit code."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from index import build
from index.errors import ModelNotFetched
from index.fake import FakeEncoder
from index.settings import Settings
from rag.model import FakeModel
from tests.ui.scripted import QUOTE, START, TEXT, Output, ScriptedAnswerer, lines, records, type_in
from ui.command import main

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


@pytest.mark.usefixtures("index")
def test_search_in_both_languages(opened: list[str], model: FakeModel, capsys: Output) -> None:
    for question in ("다리는 얼마나 길어?", "How long is the bridge?"):
        assert main(["search", question, "--translate", "--json", "-k", "1"]) == 0
        assert records(capsys)[0]["hits"]
    assert opened == ["model", "encoder"] * 2
    (prompt,) = model.prompts  # the documents are in one language
    assert "다리는 얼마나 길어?" in prompt[-1].content or "How long is the bridge?" in prompt[-1].content


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


def test_search_is_limited_to_documents_and_folders(
    index: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "more" / "notes" / "other.txt"
    other.parent.mkdir(parents=True)
    other.write_text("Another bridge opened in 1980.", "utf-8")
    build.add(index, [tmp_path / "more"], FakeEncoder())
    for name in ("notes/other.txt", "notes"):
        assert main(["search", "When did the bridge open?", "--document", name, "--json"]) == 0
        assert {hit["document"] for hit in records(capsys)[0]["hits"]} == {"notes/other.txt"}
    for language, said in (("ko_KR.UTF-8", "'note'(이)라는 문서나 폴더가 없습니다"), ("C", "no folder 'note'")):
        monkeypatch.setenv("LC_ALL", language)
        assert main(["search", "When?", "--document", "notes", "--document", "note"]) == 2
        assert said in capsys.readouterr().err


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
