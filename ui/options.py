"""What the `mureum` command understands, and the settings that come of it."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.settings import Settings

PORTS = 65535


def parser() -> argparse.ArgumentParser:
    """The parser; a namespace's `command` names what to do, such as 'index add'.

    Options that stand for a setting have its name and are None when not given, so that MUREUM_ variables and defaults
    show through.
    """
    root = argparse.ArgumentParser(
        prog="mureum",
        description="Ask your documents in Korean or English; every answer comes with the sentences it rests on.",
        epilog="Every setting also has a variable: MUREUM_INDEX, MUREUM_LLM, … 'mureum COMMAND --help' tells more.",
    )
    root.add_argument("--version", action="store_true", help="print the version and stop")
    commands = root.add_subparsers(metavar="COMMAND", required=False)
    common, index, encoder, model = _common(), _index(), _encoder(), _model()
    reading = [common, index, encoder]

    data = _data()
    chat = _command(commands, "chat", "open the chat in a browser", [*reading, model, data])
    chat.add_argument("--host", metavar="NAME", help="address to listen at (default: 127.0.0.1, this machine alone)")
    chat.add_argument("--port", type=_whole(0, PORTS), metavar="N", help="port to listen at (default: 7860; 0: any)")
    chat.add_argument("--auth", metavar="FILE", help="ask for a name and password: one of the 'name:password' lines")
    chat.add_argument("--examples", metavar="FILE", help='offer questions from {"question_ko", "question_en"} lines')

    ask = _command(commands, "ask", "answer a question", [*reading, model])
    _questions(ask)

    search = _command(
        commands, "search", "find the passages for a question, without writing an answer", [*reading, model]
    )
    _questions(search)
    _translate(search)
    search.add_argument("-k", type=_whole(1, 1000), default=10, metavar="N", help="how many (default: 10)")

    _measuring_commands(commands, [*reading, model])
    _index_commands(commands, common, index, encoder)
    _model_commands(commands, common)
    _feedback_commands(commands, [common, data])
    return root


def _measuring_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", parents: Sequence[argparse.ArgumentParser]
) -> None:
    evaluation = _command(commands, "eval", "measure answers, or retrieval alone, on a set of questions", parents)
    evaluation.add_argument(
        "questions", metavar="FILE", help="questions as in seeds/questions.jsonl, or of NoMIRACL, SQuAD 2.0 or Belebele"
    )
    evaluation.add_argument(
        "--corpus", action="append", default=[], metavar="FILE", help='the {"id", "title"?, "text"} they are about'
    )
    _translate(evaluation)
    evaluation.add_argument("--gold", action="store_true", help="give each question the passage it is about, alone")
    evaluation.add_argument(
        "--sample", type=_whole(1, 1 << 20), metavar="N", help="ask N of them, always the same ones"
    )
    evaluation.add_argument(
        "--language", choices=("ko", "en", "both"), default="both", help="ask those in one language (default: both)"
    )
    evaluation.add_argument("--resume", metavar="FILE", help="keep each result there; go on after those it has")
    evaluation.add_argument("--json", action="store_true", help="print a JSON object a question and a language")

    calibration = _command(commands, "calibrate", "learn how sure the answering model must be to answer", parents)
    calibration.add_argument("questions", nargs="+", metavar="FILE", help="question sets as for 'mureum eval'")
    calibration.add_argument(
        "--corpus", action="append", default=[], metavar="FILE", help="the documents of a squad set, one for each"
    )
    calibration.add_argument("--sample", type=_whole(1, 1 << 20), metavar="N", help="N questions of each set")
    calibration.add_argument("--signals", metavar="FILE", help="keep what is learnt there; go on after what it has")


def _translate(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--translate",
        action="store_true",
        help="search with the question's translation too, where documents are in the other language (seconds each)",
    )


def settings(arguments: argparse.Namespace) -> "Settings":
    """The environment's settings, under those given as options. Raises UsageError."""
    from index.settings import Settings, index_folder

    given = {field.name: getattr(arguments, field.name, None) for field in fields(Settings)}
    changes = {name: value for name, value in given.items() if value is not None}
    if "index" in changes:
        changes["index"] = index_folder(changes["index"])
    return replace(Settings.from_environment(), **changes)


def data_folder(arguments: argparse.Namespace) -> Path:
    """Where the chat keeps what visitors leave: --data, MUREUM_DATA, or a folder in the person's data folder."""
    from platformdirs import user_data_path

    given = arguments.data or os.environ.get("MUREUM_DATA")
    return Path(given) if given else user_data_path("mureum") / "chat"


def _index_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    common: argparse.ArgumentParser,
    index: argparse.ArgumentParser,
    encoder: argparse.ArgumentParser,
) -> None:
    group = commands.add_parser("index", help="look after an index", description="Look after an index.")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    writing = [common, index, encoder]
    add = _command(actions, "add", "add files and folders, or bring them up to date", writing, "index ")
    add.add_argument("paths", nargs="+", metavar="PATH", help="a .txt, .md or .jsonl file, or a folder of them")
    remove = _command(actions, "remove", "forget documents", writing, "index ")
    remove.add_argument("names", nargs="+", metavar="DOCUMENT", help="a name as 'mureum index list' shows it")
    _command(actions, "list", "list the documents", [common, index], "index ")
    _command(actions, "names", "list the indexes that have a name", [common], "index ")
    _command(actions, "info", "tell what the index holds and what it was built with", [common, index], "index ")
    _command(actions, "verify", "check that the index is whole", writing, "index ")
    _command(actions, "rebuild", "make it anew from its stored texts, with this model and version", writing, "index ")


def _model_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    group = commands.add_parser("models", help="look after the models", description="Look after the models.")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    _command(actions, "list", "list the default models and what is here of them", [common], "models ")
    fetch = _command(actions, "fetch", "fetch models where they are missing or damaged", [common], "models ")
    fetch.add_argument(
        "names", nargs="*", metavar="MODEL", help="default: both default models; hub:org/name for others"
    )
    verify = _command(actions, "verify", "check every file of the models against its SHA-256", [common], "models ")
    verify.add_argument("names", nargs="*", metavar="MODEL", help="default: both default models")


def _feedback_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", parents: Sequence[argparse.ArgumentParser]
) -> None:
    sentence = "read what was said of answers"
    group = commands.add_parser("feedback", help=sentence, description=f"{sentence.capitalize()}.")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    listed = _command(actions, "list", "list what was said, the oldest first", parents, "feedback ")
    listed.add_argument("--json", action="store_true", help="print a JSON object a line")
    export = _command(actions, "export", "write it as a question set for 'mureum eval'", parents, "feedback ")
    export.add_argument("file", metavar="FILE", help="a new file, in the format of seeds/questions.jsonl")


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    what: str,
    parents: Sequence[argparse.ArgumentParser],
    group: str = "",
) -> argparse.ArgumentParser:
    sentence = f"{what[0].upper()}{what[1:]}."
    command = commands.add_parser(name, help=what, description=sentence, parents=list(parents))
    command.set_defaults(command=f"{group}{name}")
    return command


def _common() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--debug", action="store_true", help="show where an error comes from (also: MUREUM_DEBUG=1)")
    return options


def _index() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--index", metavar="INDEX", help="folder of the index, or a name for one in your data folder (which is default)"
    )
    return options


def _data() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--data",
        metavar="FOLDER",
        help="where the chat keeps conversations, feedback and visitors' own documents (default: in your data folder)",
    )
    return options


def _encoder() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--encoder", metavar="MODEL", help="embedding model: a name, a folder, a hub id, or URL#NAME")
    return options


def _model() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--llm", metavar="MODEL", help="answering model: a name, a .gguf file, a folder, a hub id or a server's URL"
    )
    options.add_argument(
        "--context", type=_whole(512, 1 << 20), metavar="N", help="tokens of prompt and answer together"
    )
    options.add_argument("--threads", type=_whole(0, 1024), metavar="N", help="CPU threads (default: 0, all cores)")
    options.add_argument("--seconds", type=_seconds, metavar="N", help="time limit of one answer (default: 120)")
    return options


def _questions(command: argparse.ArgumentParser) -> None:
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("question", nargs="?", metavar="QUESTION", help="the question; '-' reads it from standard input")
    which.add_argument(
        "--batch", metavar="FILE", help='answer {"id", "question", "index"?, "documents"?, "history"?} lines'
    )
    command.add_argument(
        "--document",
        action="append",
        default=[],
        dest="documents",
        metavar="NAME",
        help="limit it to this document or folder, as 'mureum index list' names it; may be given several times",
    )
    command.add_argument("--json", action="store_true", help="print a JSON object instead of text for people")


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = lowest - 1
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {lowest} to {highest}")
        return number

    return whole


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return number
