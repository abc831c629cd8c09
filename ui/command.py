"""The `mureum` command: results on standard output, everything else on standard error.

Exit codes: 0, 1 (failed), 2 (used wrongly), 130 (stopped by the person). What takes long to load is imported in the
functions that need it, so that `mureum --help` and a mistyped option answer at once.
"""

import argparse
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import MureumError, UsageError
from ui import calibrating, measuring, report, upkeep
from ui.batch import Asked, BadLine, clean, read_batch
from ui.options import data_folder, parser, settings

if TYPE_CHECKING:
    from index.encoder import Encoder
    from index.settings import Settings
    from index.snapshot import Index
    from rag.answering import Answerer

Work = Callable[["Index", Asked], tuple[report.Record, list[str]]]
"""From a question to what is printed of it: the record for scripts and the lines for people."""

EXAMPLES = 4
"""Questions that the chat offers in each language."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    root = parser()
    try:
        arguments = root.parse_args(argv)
        if arguments.version:
            return _version()
        if "command" not in arguments:
            root.error("a command is needed: " + ", ".join(sorted({name.split()[0] for name in COMMANDS})))
    except SystemExit as stop:  # argparse has said what there is to say
        return int(stop.code or 0)
    _prepare_output(arguments)
    try:
        code = COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\nmureum: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has left; Python would complain once more at its end
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if arguments.debug or os.environ.get("MUREUM_DEBUG"):
            traceback.print_exc()
        report.say(error)
        return error.exit_code if isinstance(error, MureumError) else 1


def _version() -> int:
    from importlib.metadata import version

    print(f"mureum {version('mureum')}")
    return 0


def _prepare_output(arguments: argparse.Namespace) -> None:
    """JSON is UTF-8 whatever the terminal; text leaves out what the terminal cannot show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if getattr(arguments, "json", False) or getattr(arguments, "batch", None):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        else:
            sys.stdout.reconfigure(errors="replace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


# --- questions


def _ask(arguments: argparse.Namespace) -> int:
    asked = _asked(arguments)
    chosen = settings(arguments)
    from rag import answering, opening

    encoder = opening.open_encoder(chosen)
    with closing(opening.open_model(chosen)) as model:
        answerers: dict[Path, Answerer] = {}

        def work(index: "Index", one: Asked) -> tuple[report.Record, list[str]]:
            if index.folder not in answerers:
                answerers[index.folder] = answering.Answerer(index, model)
            answer = answerers[index.folder].ask(one.question, one.history, _documents(arguments, one))
            return report.answer_record(one.id, answer, index), report.answer_lines(answer, index)

        return _each(arguments, asked, chosen, encoder, work)


def _search(arguments: argparse.Namespace) -> int:
    asked = _asked(arguments)
    chosen = settings(arguments)
    from rag import opening, retrieval
    from rag.across import QuestionTranslator
    from rag.questions import read_question
    from rag.selection import rows_of

    with ExitStack() as opened:
        translator = None
        if arguments.translate:
            translator = QuestionTranslator(opened.enter_context(closing(opening.open_model(chosen))))

        def work(index: "Index", one: Asked) -> tuple[report.Record, list[str]]:
            snapshot, wanted = index.snapshot(), read_question(one.question, one.history)
            rows = rows_of(snapshot, _documents(arguments, one))
            translated = translator.of(wanted.search, snapshot) if translator else ""
            hits = retrieval.search(index, wanted.wordings, arguments.k, snapshot, rows, translated)
            return report.hits_record(one.id, hits, index), report.hits_lines(hits, index)

        return _each(arguments, asked, chosen, opening.open_encoder(chosen), work)


def _asked(arguments: argparse.Namespace) -> Iterable[Asked | BadLine]:
    if arguments.batch:
        return read_batch(arguments.batch)
    text: str = arguments.question
    if text == "-":
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"Standard input is not UTF-8 text (byte {error.start}).") from error
    from rag.questions import read_question

    text = clean(text)
    read_question(text)  # refuses what is no question before the models are loaded for it
    return [Asked(None, text)]


def _documents(arguments: argparse.Namespace, one: Asked) -> Sequence[str]:
    """What a question is limited to: a line's own choice goes before that of the command."""
    return arguments.documents if one.documents is None else one.documents


def _each(
    arguments: argparse.Namespace,
    questions: Iterable[Asked | BadLine],
    chosen: "Settings",
    encoder: "Encoder",
    work: Work,
) -> int:
    """Work on the questions in order and print what comes of each. Every index is opened once.

    In a batch an error takes the place of its own question's record, and the others go on; one alone is raised.
    """
    from index.snapshot import Index

    failed = False
    indexes: dict[Path, Index] = {}
    with ExitStack() as opened:
        for asked in questions:
            try:
                if isinstance(asked, BadLine):
                    raise asked.error
                folder = asked.index or chosen.index
                if folder not in indexes:
                    indexes[folder] = opened.enter_context(closing(Index(folder, encoder)))
                    encoder.encode_question("물음")  # loads the model now, so that no question's time holds it
                record, lines = work(indexes[folder], asked)
            except MureumError as error:
                if not arguments.batch:
                    raise
                failed = True
                record, lines = report.error_record(asked.id, error), []
            if arguments.json or arguments.batch:
                report.write_record(record, sys.stdout)
            else:
                print("\n".join(lines))
    return 1 if failed else 0


# --- the chat


def _chat(arguments: argparse.Namespace) -> int:
    chosen = settings(arguments)
    accounts = _accounts(arguments.auth)
    examples = _examples(arguments.examples)
    folder = data_folder(arguments)
    if chosen.host not in ("127.0.0.1", "localhost", "::1") and not accounts:
        print(
            f"mureum: whoever can reach {chosen.host} can use this chat; --auth FILE asks for a password",
            file=sys.stderr,
        )
    from ui.chat_server import bind

    bind(chosen.host, chosen.port).close()  # a port in use is told before the models are loaded
    from rag.opening import open_answerer
    from ui.chat import serve

    print("mureum: loading the models ...", file=sys.stderr)
    answerer = open_answerer(chosen)
    with closing(answerer.index), closing(answerer.model):
        serve(answerer, chosen.host, chosen.port, accounts or None, data=folder, examples=examples)
    return 0


def _accounts(file: str | None) -> list[tuple[str, str]]:
    """Names and passwords of a file's 'name:password' lines. Raises UsageError, which never shows a password."""
    accounts: list[tuple[str, str]] = []
    for number, line in enumerate(_file_lines(file), start=1):
        name, colon, password = line.strip().partition(":")
        if not (name and colon and password):
            raise UsageError(f"'{file}', line {number}: a line is 'name:password'.")
        accounts.append((name, password))
    if file and not accounts:
        raise UsageError(f"'{file}' has no 'name:password' line in it.")
    return accounts


def _examples(file: str | None) -> list[tuple[str, str]]:
    """The first questions of a file in Korean and English, those that can be asked without a question before."""
    examples: list[tuple[str, str]] = []
    for number, line in enumerate(_file_lines(file), start=1):
        try:
            record = json.loads(line)
            if record.get("history") or not record.get("answerable", True):
                continue
            examples.append((str(record["question_ko"]), str(record["question_en"])))
        except (ValueError, KeyError, AttributeError) as error:
            raise UsageError(
                f'\'{file}\', line {number}: a line is {{"question_ko": "…", "question_en": "…"}}.'
            ) from error
        if len(examples) == EXAMPLES:
            break
    return examples


def _file_lines(file: str | None) -> list[str]:
    if file is None:
        return []
    try:
        return [line for line in Path(file).read_text("utf-8").split("\n") if line.strip()]
    except OSError as error:
        raise UsageError(f"'{file}' cannot be opened: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"'{file}' is not UTF-8 text.") from error


# --- what was said of answers


def _feedback_list(arguments: argparse.Namespace) -> int:
    from ui.feedback import feedback_list

    return feedback_list(arguments)


def _feedback_export(arguments: argparse.Namespace) -> int:
    from ui.feedback import feedback_export

    return feedback_export(arguments)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "chat": _chat,
    "ask": _ask,
    "search": _search,
    "eval": measuring.evaluate,
    "calibrate": calibrating.calibrate,
    "index add": upkeep.index_add,
    "index remove": upkeep.index_remove,
    "index list": upkeep.index_list,
    "index names": upkeep.index_names,
    "index info": upkeep.index_info,
    "index verify": upkeep.index_verify,
    "index rebuild": upkeep.index_rebuild,
    "models list": upkeep.models_list,
    "models fetch": upkeep.models_fetch,
    "models verify": upkeep.models_verify,
    "feedback list": _feedback_list,
    "feedback export": _feedback_export,
}
"""What each command does; its exit code."""

if __name__ == "__main__":
    sys.exit(main())
