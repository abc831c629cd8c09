"""`mureum calibrate`: how sure the answering model must be before anything is written, learnt from question sets."""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import UsageError
from ui import report
from ui.options import settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from index.encoder import Encoder
    from index.records import Document
    from index.settings import Settings
    from index.snapshot import Index
    from rag.calibration import Calibration, Signals
    from rag.datasets import Case, Corpus, QuestionSet
    from rag.model import AnsweringModel

BARS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Log-odds for which both rates are shown, so that what another bar would trade can be seen."""

Known = dict[str, tuple["Signals", bool]]
"""By a case's id what tells whether it has an answer, and whether it has one."""


def calibrate(arguments: argparse.Namespace) -> int:
    """Ask for the signals of every case, fit, keep, and print what both kinds of mistakes come to."""
    from rag import calibration, datasets, opening

    chosen = settings(arguments)
    sets = [datasets.read_questions(Path(path)) for path in arguments.questions]
    corpora = [datasets.read_corpus(Path(path)) for path in arguments.corpus]
    if any(one.kind == "belebele" for one in sets):
        raise UsageError("belebele questions all have an answer: nothing can be learnt from them here.")
    if sum(one.kind == "squad" for one in sets) != len(corpora):
        raise UsageError("Every file of squad questions needs its --corpus FILE, in the same order.")
    with ExitStack() as opened:
        line = opened.enter_context(report.ProgressLine())
        encoder = opening.open_encoder(chosen)
        model = opened.enter_context(closing(opening.open_model(chosen)))
        known = _read(arguments.signals)
        total = sum(min(arguments.sample or len(one.cases), len(one.cases)) for one in sets)
        names = []
        for questions, path in zip(sets, arguments.questions, strict=True):
            corpus = corpora.pop(0) if questions.kind == "squad" else None
            cases = datasets.sample(questions.cases, arguments.sample or len(questions.cases))
            names.append(f"{len(cases)} of {Path(path).name}")
            left = [case for case in cases if case.id not in known]
            for case, signals in _signals(chosen, questions, left, corpus, encoder, model):
                known[case.id] = signals, case.answerable
                _append(arguments.signals, case, signals)
                line.show("asking", f"{len(known)} of {total} questions", last=len(known) == total)
        base = calibration.load(model.name, encoder.name)
        fitted = calibration.fit(list(known.values()), ", ".join(names), base)
        path = calibration.save(model.name, encoder.name, fitted)
    print("\n".join([*_table(list(known.values()), fitted), "", f"kept in {path}"]))
    return 0


def _signals(
    chosen: "Settings",
    questions: "QuestionSet",
    cases: Sequence["Case"],
    corpus: "Corpus | None",
    encoder: "Encoder",
    model: "AnsweringModel",
) -> Iterator[tuple["Case", "Signals"]]:
    """Of the cases that stand alone: a follow-up needs the answers before it. What the search finds nothing for has no
    signals. Questions one after another about the same documents share an index of them."""
    from rag.answering import Answerer

    alone = (case for case in cases if not case.earlier)
    for passages, group in groupby(alone, key=lambda case: case.passages):
        with _index(chosen, passages or (corpus.documents if corpus else ()), encoder) as index:
            answerer = Answerer(index, model)
            for case in group:
                if len(passages) < 2:  # several are not read whole before a question, as in `mureum eval`
                    answerer.warm_up(case.language)
                if (signals := answerer.signals(case.question)) is not None:
                    yield case, signals


def _index(chosen: "Settings", documents: "Sequence[Document]", encoder: "Encoder") -> "AbstractContextManager[Index]":
    """One of the documents alone; without any the index of the settings."""
    from rag import opening
    from rag.evaluation import temporary_index

    return temporary_index(documents, encoder) if documents else closing(opening.open_index(chosen, encoder))


def _read(file: str | None) -> Known:
    """What an earlier run has learnt already. Raises UsageError for a file that holds something else."""
    from rag.calibration import Signals

    if not file or not Path(file).exists():
        return {}
    known: Known = {}
    try:
        for line in Path(file).read_text("utf-8").splitlines():
            record = json.loads(line)
            known[record["id"]] = Signals(**record["signals"]), bool(record["answerable"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"'{file}' has no signals of an earlier run: {error!r}. Name another file.") from error
    return known


def _append(file: str | None, case: "Case", signals: "Signals") -> None:
    if file:
        record = {"id": case.id, "answerable": case.answerable, "signals": asdict(signals)}
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


def _table(known: Sequence[tuple["Signals", bool]], fitted: "Calibration") -> list[str]:
    """Both rates of mistakes at several bars; the bar is 0."""
    from rag.statistics import Rate

    rows = [("bar (log-odds)", "answered though unanswerable", "refused though answerable")]
    scores = [(fitted.score(signals), there) for signals, there in known]
    for bar in BARS:
        wrongly = Rate.of([score >= bar for score, there in scores if not there])
        refused = Rate.of([score < bar for score, there in scores if there])
        rows.append((f"{bar:+.1f}", str(wrongly), str(refused)))
    return report.table(rows)
