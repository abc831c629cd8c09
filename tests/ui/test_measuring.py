"""`mureum eval` from the file of questions to the figures, with fakes for both models."""

import json
from pathlib import Path
from typing import Any

import pytest

from index import build
from index.fake import FakeEncoder
from rag.model import FakeModel
from tests.rag.test_datasets import BELEBELE, CORPUS, NOMIRACL, OWN, SQUAD, written
from tests.ui.scripted import Output, records
from ui.command import main

Record = dict[str, Any]


@pytest.fixture
def model() -> FakeModel:
    """It knows one year."""
    return FakeModel(lambda prompt: "1973", lambda _: 9.0)


@pytest.fixture
def opened(opened_models: list[str]) -> list[str]:
    """What has been opened, in order; the answerer is the real one."""
    return opened_models


def squad(tmp_path: Path, count: int = 4) -> list[str]:
    """The arguments of a run over that many questions, every other one without an answer."""
    questions = [
        {**SQUAD, "id": f"q{number}", "answerable": number % 2 == 0, "answers": [] if number % 2 else ["1973"]}
        for number in range(count)
    ]
    file = written(tmp_path / "questions.jsonl.gz", *questions)
    return ["eval", str(file), "--corpus", str(written(tmp_path / "corpus.jsonl", *CORPUS))]


def summaries(lines: list[Record]) -> list[Record]:
    return [line["summary"] for line in lines if "summary" in line]


def test_passages_with_each_question(tmp_path: Path, opened: list[str], capsys: Output) -> None:
    unanswerable = {**NOMIRACL, "query_id": "8", "answerable": False}
    file = str(written(tmp_path / "questions", NOMIRACL, unanswerable))
    assert main(["eval", file, "--json"]) == 0
    first, second, last = records(capsys)
    assert [first["id"], second["id"]] == ["7#0", "8"]
    figures = last["summary"]
    assert (figures["language"], figures["answerable"], figures["unanswerable"]) == ("ko", 1, 1)
    assert (figures["right"], figures["intervals"]["right"]) == (None, None)
    assert len(figures["intervals"]["refused_though_answerable"]) == 2
    assert opened == ["encoder", "model"]


@pytest.mark.parametrize("gold", [[], ["--gold"]])
@pytest.mark.usefixtures("opened")
def test_a_corpus_for_all_questions_or_the_right_passage_alone(tmp_path: Path, gold: list[str], capsys: Output) -> None:
    assert main([*squad(tmp_path), "--json", *gold]) == 0
    *results, last = records(capsys)
    assert [result["id"] for result in results] == ["q0", "q1", "q2", "q3"]
    assert results[0]["right"] and results[0]["cited_evidence"]
    assert last["summary"]["right"] == 1.0
    assert last["summary"]["intervals"]["right"] == [0.342, 1.0]
    run = last["run"]
    assert (run["kind"], run["gold"], run["seed"], run["sample"], run["of"]) == ("squad", bool(gold), 2024, 4, 4)
    assert run["commit"] and run["cpu"] and run["cores"] and run["llm"] and run["encoder"]


def test_retrieval_alone_opens_no_answering_model(tmp_path: Path, opened: list[str], capsys: Output) -> None:
    name = BELEBELE["relevant"][0]
    english = written(tmp_path / "corpus.en.jsonl", {"id": name, "text": "The bridge opened in 1973."}, CORPUS[1])
    korean = written(tmp_path / "corpus.ko.jsonl", {"id": name, "text": "다리는 1973년에 열렸다."}, CORPUS[1])
    questions = str(written(tmp_path / "questions", BELEBELE))
    assert main(["eval", questions, "--corpus", str(english), "--corpus", str(korean), "--json"]) == 0
    lines = records(capsys)
    assert [(one["corpus"], one["language"]) for one in summaries(lines)] == [
        (corpus, spoken) for corpus in ("corpus.en", "corpus.ko", "corpus.en+corpus.ko") for spoken in ("ko", "en")
    ]
    assert all(one["questions"] == 1 for one in summaries(lines))
    assert [one["hit@1"] for one in summaries(lines)][-2:] == [1.0, 1.0]
    assert opened == ["encoder"]
    assert lines[-1]["run"]["llm"] is None


def test_retrieval_with_translated_questions(
    tmp_path: Path, opened: list[str], model: FakeModel, capsys: Output
) -> None:
    corpus = written(tmp_path / "corpus.en.jsonl", {"id": BELEBELE["relevant"][0], "text": "It opened."}, CORPUS[1])
    questions = str(written(tmp_path / "questions", BELEBELE))
    file = str(tmp_path / "results")
    arguments = ["eval", questions, "--corpus", str(corpus), "--resume", file]
    assert main([*arguments, "--translate"]) == 0
    assert opened == ["encoder", "model"] and len(model.prompts) == 1  # the Korean question alone
    assert "searched in both languages" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "--translate" in capsys.readouterr().err


@pytest.mark.usefixtures("opened")
def test_the_own_set_is_asked_of_the_index(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "cost.txt").write_text("개발에는 1200억원이 들었다. 그것은 1973년이었다.\n", "utf-8")
    build.add(tmp_path / "index", [tmp_path / "cost.txt"], FakeEncoder())
    file = str(written(tmp_path / "questions", OWN))
    assert main(["eval", file, "--index", str(tmp_path / "index"), "--language", "ko"]) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[0].split() == ["language", "ko"]
    (right,) = [line for line in output if line.startswith("right ")]
    assert right.endswith("]")
    assert "1 of 1 questions of" in output[-3] and "seed 2024" in output[-3]
    assert "answering model" in output[-2]
    assert "cores" in output[-1]


# --- going on


@pytest.mark.usefixtures("opened")
def test_a_run_goes_on_where_it_stopped(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [*squad(tmp_path), "--json", "--resume", str(tmp_path / "results.jsonl")]
    assert main(arguments) == 0
    whole = records(capsys)
    file = tmp_path / "results.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 5 and list(json.loads(lines[0])) == ["run"]
    file.write_bytes(b"".join(lines[:3]) + lines[3][:20])  # two results, and the third half written
    asked: list[str] = []
    stream = FakeModel.stream

    def counted(self: FakeModel, *arguments: Any) -> Any:
        asked.append("")
        return stream(self, *arguments)

    monkeypatch.setattr(FakeModel, "stream", counted)
    assert main(arguments) == 0
    again = records(capsys)
    assert [one["id"] for one in again[:-1]] == [one["id"] for one in whole[:-1]]
    assert again[-1]["summary"]["right"] == whole[-1]["summary"]["right"]
    assert again[-1]["summary"]["answerable"] == 2
    assert len(asked) == 2
    assert [json.loads(line).get("id") for line in file.read_bytes().splitlines()] == [None, "q0", "q1", "q2", "q3"]


def test_a_run_that_is_done_opens_no_model(tmp_path: Path, opened: list[str], capsys: Output) -> None:
    arguments = [*squad(tmp_path), "--resume", str(tmp_path / "results.jsonl")]
    assert main([*arguments, "--sample", "2"]) == 0
    assert main(arguments) == 0
    opened.clear()
    capsys.readouterr()
    assert main(arguments) == 0
    assert not opened
    assert "4 of 4 questions" in capsys.readouterr().out


@pytest.mark.usefixtures("opened")
def test_another_version_that_goes_on_is_named(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [*squad(tmp_path), "--json", "--resume", str(tmp_path / "results.jsonl")]
    for commit in ("aaa", "bbb"):
        monkeypatch.setattr("ui.measuring._commit", lambda commit=commit: commit)
        assert main([*arguments, "--sample", "2"] if commit == "aaa" else arguments) == 0
    assert records(capsys)[-1]["run"]["commit"] == "aaa+bbb"


@pytest.mark.parametrize(
    ("more", "named"),
    [(["--gold"], "--gold"), (["--llm", "other.gguf"], "answering model"), (["--encoder", "o/n"], "embedding model")],
)
@pytest.mark.usefixtures("opened")
def test_results_of_another_run_are_refused(tmp_path: Path, more: list[str], named: str, capsys: Output) -> None:
    arguments = [*squad(tmp_path), "--resume", str(tmp_path / "results.jsonl")]
    assert main(arguments) == 0
    before = (tmp_path / "results.jsonl").read_bytes()
    assert main([*arguments, *more]) == 2
    assert named in capsys.readouterr().err
    squad(tmp_path, 6)
    assert main(arguments) == 2
    assert "another question set" in capsys.readouterr().err
    assert (tmp_path / "results.jsonl").read_bytes() == before


@pytest.mark.parametrize("content", ["my notes", "my notes\n", '{"run": {}}\n', '{"run": 1}\n{"id": "x"}\n'])
def test_a_file_that_is_none_of_results_is_left_alone(
    tmp_path: Path, content: str, opened: list[str], capsys: Output
) -> None:
    file = tmp_path / "notes"
    file.write_text(content)
    assert main([*squad(tmp_path), "--resume", str(file)]) == 2
    assert str(file) in capsys.readouterr().err
    assert file.read_text() == content
    assert not opened


# --- used wrongly


@pytest.mark.parametrize(
    ("record", "more", "named"),
    [
        (NOMIRACL, ["--gold"], "nomiracl"),
        (OWN, ["--corpus", "corpus"], "mureum"),
        (SQUAD, [], "one --corpus"),
        (SQUAD, ["--corpus", "corpus", "--corpus", "other"], "one --corpus"),
        (SQUAD, ["--corpus", "none"], "none"),
        (SQUAD, ["--corpus", "other"], "'q1' is about 'p1'"),
        (SQUAD, ["--corpus", "corpus", "--language", "ko"], "no question in the language"),
        (BELEBELE, [], "need --corpus"),
        (BELEBELE, ["--corpus", "corpus", "--gold"], "no --gold"),
        (OWN, ["--translate"], "belebele"),
    ],
)
def test_options_that_do_not_fit_are_a_wrong_use(
    tmp_path: Path,
    record: object,
    more: list[str],
    named: str,
    opened: list[str],
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("corpus"), *CORPUS)
    written(Path("other"), CORPUS[1])
    written(Path("questions"), record)
    assert main(["eval", "questions", *more]) == 2
    assert named in capsys.readouterr().err
    assert not opened
