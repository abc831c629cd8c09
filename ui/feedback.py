"""`mureum feedback …`: what visitors said of answers, to read and to measure with."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from index.errors import UsageError
from ui import report
from ui.conversations import FILE, Conversations, Feedback
from ui.export import turn_record
from ui.options import data_folder

MARK = re.compile(r"\s*\[\d{1,3}\]")


def feedback_list(arguments: argparse.Namespace) -> int:
    """What was said, the oldest first: a block each, or with --json an object a line."""
    said = _read(arguments)
    for one in said:
        if arguments.json:
            report.write_record(feedback_record(one), sys.stdout)
        else:
            print("\n".join(feedback_lines(one)))
    if not said:
        print("mureum: no feedback has been given yet", file=sys.stderr)
    return 0


def feedback_export(arguments: argparse.Namespace) -> int:
    """Write what was said as a question set."""
    said = _read(arguments)
    path = Path(arguments.file)
    try:
        with path.open("x", encoding="utf-8") as out:
            for record in question_set(said):
                report.write_record(record, out)
    except FileExistsError as error:
        raise UsageError(f"'{path}' is there already. Choose another name, or remove it.") from error
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error
    print(f"{len(said)} questions written to {path}")
    return 0


def feedback_record(one: Feedback) -> report.Record:
    """What was said with what was answered from what."""
    return {
        "given": one.given,
        "verdict": one.verdict,
        "comment": one.comment,
        "earlier": list(one.earlier),
        **turn_record(one.turn),
    }


def feedback_lines(one: Feedback) -> list[str]:
    """The same for people."""
    turn = one.turn
    lines = [f"{one.given[:19]}  {one.verdict}  {' '.join(turn.question.split())}"]
    lines += [f"    {' '.join((turn.text or turn.status).split())}"]
    lines += [f"    [{cited.citation.marker}] {cited.citation.document}: {cited.quote}" for cited in turn.citations]
    return [*lines, f"    “{one.comment}”"] if one.comment else lines


def question_set(said: Sequence[Feedback]) -> list[report.Record]:
    """Questions in the format of seeds/questions.jsonl, as far as they are known.

    What was right gives an accepted answer and its evidence, what was wrong a rejected one. A question is measured in
    the language in which it was asked, and in the other one too once somebody fills that in.
    """
    return [_question(number, one) for number, one in enumerate(said, start=1)]


def _question(number: int, one: Feedback) -> report.Record:
    turn = one.turn
    answered = turn.status != "not_found"
    pattern = [_pattern(turn.text)] if answered and turn.text else []
    accepted = pattern if one.verdict == "right" else []
    return {
        "id": f"feedback-{number}",
        "kind": "feedback",
        f"question_{turn.language}": turn.question,
        "history": [{f"question_{turn.language}": earlier} for earlier in one.earlier],
        "answerable": answered or one.verdict != "right",
        f"accepted_{turn.language}": accepted,
        "rejected": pattern if one.verdict == "wrong" else [],
        "evidence": [cited.quote for cited in turn.citations] if one.verdict == "right" else [],
        "note": " ".join(_notes(one)),
    }


def _notes(one: Feedback) -> Iterator[str]:
    """What whoever completes the set has to know."""
    asked, other = ("Korean", "en") if one.turn.language == "ko" else ("English", "ko")
    yield f"From feedback of {one.given[:10]} ({one.verdict}); asked in {asked}."
    if one.verdict != "right":
        yield f"The right answer is not known: fill in accepted_{one.turn.language}."
    yield f"To ask it in the other language too, add question_{other} and accepted_{other}."
    if one.turn.collection == "own":
        yield "Asked of the visitor's own documents."
    if one.turn.documents:
        yield f"Limited to: {', '.join(one.turn.documents)}."
    if one.comment:
        yield one.comment


def _pattern(text: str) -> str:
    """The answer without its marks, as a regular expression that does not mind white space."""
    return r"\s+".join(re.escape(word) for word in MARK.sub("", text).split())


def _read(arguments: argparse.Namespace) -> list[Feedback]:
    folder = data_folder(arguments)
    if not (folder / FILE).is_file():
        raise UsageError(f"'{folder}' holds no conversations. Name the folder that the chat uses with --data.")
    return Conversations(folder).feedback()
