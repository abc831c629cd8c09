"""`mureum index …` and `mureum models …`."""

from pathlib import Path

import pytest

from index.build import Progress
from index.errors import ModelDamaged
from index.models import EMBEDDING_MODEL, MODELS
from index.settings import index_folder
from tests.ui.scripted import Output
from ui import report, upkeep
from ui.command import main

# --- the index


@pytest.mark.usefixtures("opened")
def test_an_index_is_made_looked_at_and_emptied(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("MUREUM_INDEX", str(tmp_path / "new"))

    def run(*arguments: str) -> str:
        assert main(["index", *arguments]) == 0
        return capsys.readouterr().out

    assert run("add", str(documents)).startswith("1 added, 0 changed, 0 unchanged, 0 removed, 0 refused")
    assert run("add", str(documents)).startswith("0 added, 0 changed, 1 unchanged, 0 removed, 0 refused")
    heading, row = run("list").splitlines()
    assert heading.split()[0] == "DOCUMENT"
    assert row.split()[0] == "bridge.txt"
    assert "fake" in run("info")
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
    assert output.out.startswith("1 added, 0 changed, 1 unchanged, 0 removed, 2 refused")
    assert "empty.txt" in output.err
    assert "CP949" in output.err


def test_what_is_gone_is_named(index: Path, documents: Path, capsys: Output) -> None:
    for number in range(22):
        (documents / f"n{number:02}.txt").write_text(f"Text {number}.")
    assert main(["index", "add", str(documents)]) == 0
    output = capsys.readouterr()
    assert "22 added" in output.out
    assert "23 of 23 files read, 23 documents done" in output.err
    assert "passages a second" in output.err
    for number in range(22):
        (documents / f"n{number:02}.txt").unlink()
    assert main(["index", "add", str(documents)]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("0 added, 0 changed, 1 unchanged, 22 removed, 0 refused")
    assert lines[0] == "removed: n00.txt (its file or line is gone)"
    assert (len(lines), lines[-1]) == (21, "removed: 2 more")


def test_the_time_left_is_told(capsys: Output) -> None:
    with report.ProgressLine() as line:
        upkeep._index_progress(line)(Progress(1, 4, 10, 30, 100, 1000, 100, 60.0))
    said = "indexing: 1 of 4 files read, 10 documents done, 0.5 passages a second, at most 9 min left\n"
    assert capsys.readouterr().err == said
    assert [report.duration(seconds) for seconds in (0.2, 89, 90, 7000, 7200)] == [
        "1 s",
        "89 s",
        "2 min",
        "117 min",
        "2.0 h",
    ]


@pytest.mark.usefixtures("opened")
def test_an_index_may_have_a_name(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("index.settings.user_data_path", lambda _: tmp_path / "data")
    assert main(["index", "names"]) == 0
    assert "no index has a name yet" in capsys.readouterr().out
    for name in ("reports", "보고서"):
        assert main(["index", "add", str(documents), "--index", name]) == 0
    (tmp_path / "data" / "indexes" / "broken").mkdir()
    assert (tmp_path / "data" / "indexes" / "보고서" / "catalogue.sqlite").is_file()
    capsys.readouterr()
    assert main(["index", "names"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["INDEX", "broken", "reports", "보고서"]
    assert (rows[1][-1], rows[2][1], rows[2][-1]) == ("index-missing", "1", "fake")
    (tmp_path / "reports").mkdir()  # what is here comes first
    assert main(["index", "list", "--index", "reports"]) == 1
    assert "in 'reports'" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["./new", "a/b", "..", "/new"])
def test_a_path_is_no_name(path: str) -> None:
    assert index_folder(path) == Path(path)


@pytest.mark.parametrize(
    "arguments", [["add", "not-there"], ["remove", "not-there"], ["list", "--index", "./not-there"], ["verify"]]
)
def test_what_is_not_there_is_named(
    arguments: list[str], tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments == ["verify"]:
        monkeypatch.setenv("MUREUM_INDEX", "./not-there")
    assert main(["index", *arguments]) == 1
    assert "'not-there'" in capsys.readouterr().err


def test_a_damaged_index_is_told(index: Path, capsys: Output) -> None:
    (vectors,) = index.glob("derived-*/vectors.faiss")
    vectors.write_bytes(b"nonsense")
    assert main(["index", "verify"]) == 1
    assert vectors.parent.name in capsys.readouterr().out


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

    monkeypatch.setattr("index.fetching.fetch", fetch)
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
