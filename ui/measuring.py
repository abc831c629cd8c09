"""`mureum eval`: measuring answers, or retrieval alone, on a set of questions."""

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import UsageError
from ui import report
from ui.options import settings

if TYPE_CHECKING:
    from index.build import Progress
    from index.settings import Settings
    from rag.datasets import Case, Corpus, QuestionSet
    from rag.evaluation import Figures, Ranked, Result

SAME = {
    "questions": "another question set",
    "corpora": "other corpora",
    "gold": "a run that differs in --gold",
    "translate": "a run that differs in --translate",
    "encoder": "another embedding model",
    "llm": "another answering model",
}
"""What of a run must be the same in a file of results that it goes on with, and what to call it where it is not."""


def evaluate(arguments: argparse.Namespace) -> int:
    """A table of figures, or with --json every result and then the figures, an object a line."""
    chosen = settings(arguments)
    from rag import datasets

    questions = datasets.read_questions(Path(arguments.questions))
    corpora = [datasets.read_corpus(Path(path)) for path in arguments.corpus]
    _require_fit(questions, corpora, arguments.gold)
    if arguments.translate and questions.kind != "belebele":
        raise UsageError("--translate is for belebele questions: where answers are measured, the program decides.")
    spoken = [case for case in questions.cases if arguments.language in (case.language, "both")]
    if not spoken:
        raise UsageError(f"'{arguments.questions}' has no question in the language asked for.")
    cases = datasets.sample(spoken, arguments.sample or len(spoken))
    if arguments.gold:
        cases = datasets.with_relevant_alone(cases, corpora[0])
    run = {
        "file": arguments.questions,
        "kind": questions.kind,
        "questions": questions.digest,
        "corpora": [corpus.digest for corpus in corpora],
        "gold": arguments.gold,
        "translate": arguments.translate or None,
        "encoder": chosen.encoder,
        "llm": None if questions.kind == "belebele" and not arguments.translate else chosen.llm,
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "seed": datasets.SEED,
        "sample": len(cases),
        "of": len(spoken),
    }
    with ExitStack() as opened:
        file = opened.enter_context(closing(ResultFile(Path(arguments.resume), run))) if arguments.resume else None
        line = opened.enter_context(report.ProgressLine())
        record = _Recorder(file, line, len(cases) * max(1, len(_labels(corpora))), arguments.json)
        if questions.kind == "belebele":
            figures = _measure_ranking(chosen, cases, corpora, record, translate=arguments.translate)
        else:
            figures = _measure_answers(chosen, cases, None if questions.kind == "mureum" else corpora, record)
    run["commit"] = "+".join(file.commits) if file else run["commit"]
    if arguments.json:
        for one in figures:
            report.write_record({"summary": report.figures_record(one), "run": run}, sys.stdout)
    else:
        print("\n".join([*report.figures_lines(figures), "", *_footer(run)]))
    return 0


def _require_fit(questions: "QuestionSet", corpora: Sequence["Corpus"], gold: bool) -> None:
    """Raises UsageError for options that the kind of questions has no use for, and for those that it lacks."""
    from rag.datasets import require_relevant

    kind = questions.kind
    if kind in ("mureum", "nomiracl") and (corpora or gold):
        raise UsageError(f"--corpus and --gold are not for {kind} questions: it is settled what they are asked of.")
    if kind == "squad" and len(corpora) != 1:
        raise UsageError("squad questions need one --corpus FILE.")
    if kind == "belebele" and (gold or not corpora):
        raise UsageError("belebele questions need --corpus FILE, once or more, and no --gold.")
    if len({corpus.path.resolve() for corpus in corpora}) < len(corpora):
        raise UsageError("A file is given twice with --corpus.")
    for corpus in corpora:
        require_relevant(questions, corpus)


# --- the work


class _Recorder:
    """Where results go as they are finished: into the list, the file, the output and the progress line."""

    def __init__(self, file: "ResultFile | None", line: report.ProgressLine, total: int, json_wanted: bool) -> None:
        self.results: list[Result | Ranked] = []
        self._file, self._line, self._total, self._json_wanted = file, line, total, json_wanted

    def left(self, cases: Sequence["Case"], suffix: str = "") -> list["Case"]:
        """The cases that have no result yet; the results of the others are taken from the file."""
        known = self._file.results if self._file else {}
        for case in cases:
            if result := known.get(case.id + suffix):
                self._take(result)
        return [case for case in cases if case.id + suffix not in known]

    def add(self, result: "Result | Ranked") -> None:
        """A result that is new."""
        if self._file:
            self._file.append(result)
        self._take(result)

    def indexing(self, progress: "Progress") -> None:
        """Tell how far an index is."""
        self._line.show("indexing", f"{progress.passages} passages")

    def translating(self, done: int, count: int) -> None:
        """Tell how far the translating ahead is."""
        self._line.show("translating", f"{done} of {count} sentences", last=done == count)

    def _take(self, result: "Result | Ranked") -> None:
        self.results.append(result)
        done = len(self.results)
        self._line.show("asking", f"{done} of {self._total} questions", last=done == self._total)
        if self._json_wanted:
            report.write_record(report.result_record(result), sys.stdout)


def _measure_answers(
    chosen: "Settings", cases: Sequence["Case"], corpora: Sequence["Corpus"] | None, record: _Recorder
) -> list["Figures"]:
    """corpora: None for the index of the settings. Cases with passages of their own are asked of those alone."""
    from rag import evaluation, opening
    from rag.answering import Answerer
    from rag.datasets import LANGUAGES

    if left := record.left(cases):
        with ExitStack() as opened:
            encoder = opening.open_encoder(chosen)
            index = None
            if corpora is None:
                index = opened.enter_context(closing(opening.open_index(chosen, encoder)))
            elif not left[0].passages:
                documents = corpora[0].documents
                index = opened.enter_context(evaluation.temporary_index(documents, encoder, record.indexing))
            model = opened.enter_context(closing(opening.open_model(chosen)))
            encoder.encode_question("물음")  # loads the model now, so that no question's time holds it
            if index is None:
                results = evaluation.evaluate_apart(model, encoder, left)
            else:
                answerer = Answerer(index, model)
                for done, count in answerer.prepare(threading.Event()) if corpora is None else ():
                    record.translating(done, count)
                results = evaluation.evaluate(answerer, left)
            for result in results:
                record.add(result)
    results_all = [one for one in record.results if isinstance(one, evaluation.Result)]
    spoken = [one for one in LANGUAGES if any(case.language == one for case in cases)]
    return [evaluation.summary(results_all, one) for one in spoken]


def _measure_ranking(
    chosen: "Settings",
    cases: Sequence["Case"],
    corpora: Sequence["Corpus"],
    record: _Recorder,
    *,
    translate: bool,
) -> list["Figures"]:
    """Each corpus alone, and then all of them in one index. translate: questions are searched in both languages."""
    from rag import evaluation, opening
    from rag.across import QuestionTranslator
    from rag.datasets import LANGUAGES, joined

    encoder = opening.open_encoder(chosen)
    labels = _labels(corpora)
    with ExitStack() as opened:
        translator = None
        if translate:
            translator = QuestionTranslator(opened.enter_context(closing(opening.open_model(chosen))))
        for label, some in zip(labels, [*([corpus] for corpus in corpora), corpora], strict=False):
            if left := record.left(cases, f"@{label}"):
                with evaluation.temporary_index(joined(some), encoder, record.indexing) as index:
                    for result in evaluation.rank(index, left, label, translator):
                        record.add(result)
    results = [one for one in record.results if isinstance(one, evaluation.Ranked)]
    spoken = [one for one in LANGUAGES if any(case.language == one for case in cases)]
    return [evaluation.ranking_summary(results, one, label) for label in labels for one in spoken]


def _labels(corpora: Sequence["Corpus"]) -> list[str]:
    """A name for each corpus, and for all together where there are several."""
    names = [corpus.path.name.removesuffix(".gz").removesuffix(".jsonl") for corpus in corpora]
    if len(set(names)) < len(names):
        names = [str(corpus.path) for corpus in corpora]
    return [*names, "+".join(names)] if len(names) > 1 else names


# --- the file of results


class ResultFile:
    """Results on disk, a JSON object a line, each there as soon as it is finished.

    The first line, {"run": …}, tells what made them; another one follows where another version goes on. What a killed
    process left half written at the end is dropped.

    results: those that are there, by id. commits: the versions that made them, this one the last.
    """

    def __init__(self, path: Path, run: report.Record) -> None:
        """Raises UsageError for a file that cannot be opened, is none of these, or is of a run that differs."""
        self.results: dict[str, Result | Ranked] = {}
        self.commits: list[str] = []
        self._path = path
        try:
            data = path.read_bytes() if path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            if not data.startswith(b'{"run": '[: len(data)]):
                raise UsageError(f"'{path}' is no file of results: another file is not written over.", path=path)
            for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
                self._read(number, line, run)
            self._file = path.open("ab")
            self._file.truncate(len(whole))
        except OSError as error:
            raise UsageError(f"'{path}' cannot be opened: {error.strerror}.", path=path) from error
        if self.commits[-1:] != [run["commit"]]:
            self.commits.append(str(run["commit"]))
            self._write({"run": run})

    def append(self, result: "Result | Ranked") -> None:
        """Write a result; it is on the disk when this returns."""
        self._write(report.result_record(result))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _read(self, number: int, line: bytes, run: report.Record) -> None:
        try:
            record = json.loads(line)
            if "run" in record:
                earlier = record["run"]
                for name, other in SAME.items():
                    if earlier.get(name) != run[name]:
                        raise UsageError(f"'{self._path}' has the results of {other}. Name another file.")
                self.commits.append(str(earlier["commit"]))
            else:
                self.results[record["id"]] = report.read_result(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"Line {number} of '{self._path}' is not a result: {error!r}.", path=self._path) from error

    def _write(self, record: report.Record) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


# --- what a run was


def _footer(run: report.Record) -> list[str]:
    return [
        f"{run['sample']} of {run['of']} questions of {run['file']} "
        f"({run['kind']}, SHA-256 {str(run['questions'])[:12]}…), seed {run['seed']}"
        + (", each with its own passage alone" if run["gold"] else "")
        + (", searched in both languages" if run["translate"] else ""),
        f"embedding model {run['encoder']}, " + (f"answering model {run['llm']}" if run["llm"] else "retrieval alone"),
        f"mureum {run['commit']} on {run['cpu']}, {run['cores']} cores",
    ]


def _commit() -> str:
    """The commit of this checkout, with '-dirty' where files of it have changed since; elsewhere the version."""
    root = Path(__file__).resolve().parent.parent
    if (root / ".git").exists():
        describe = ["git", "--no-optional-locks", "-C", str(root), "describe", "--always", "--dirty", "--exclude", "*"]
        with suppress(OSError, subprocess.SubprocessError):
            return subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    with suppress(PackageNotFoundError):
        return version("mureum")
    return "unknown"


def _cpu() -> str:
    """The model of the processor, as far as the system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
