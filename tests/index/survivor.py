"""A program for test_survival.py: does to an index what each line says, in a process of its own that may be killed.

A line is a JSON list: what to do, the index folder, what with, after how many seconds to end it (null: never), the
size in bytes that no file may grow over (null: any), and the signal that ends it. It answers with a line for everything
that is done for good, and then 'end' with the exit code.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from index import build
from index.catalogue import Catalogue
from index.errors import MureumError
from index.fake import FakeEncoder
from index.records import Document
from index.rows import PassageRow


def say(*words: object) -> None:
    """A line in one piece: a signal between a print's text and its end would leave half of one."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


put = Catalogue.put


def put_and_tell(self: Catalogue, document: Document, rows: Sequence[PassageRow]) -> None:
    put(self, document, rows)
    say("stored", document.name)


def act(what: str, folder: Path, argument: str) -> None:
    if what == "add":
        build.add(folder, [Path(argument)], FakeEncoder())
    elif what == "remove":
        build.remove(folder, argument.split(), FakeEncoder())
    else:
        build.rebuild(folder, FakeEncoder(argument))
    say("done")


def main() -> None:
    vars(build)["tokens"] = str.split  # the real analyser takes a second to load
    build.BATCH_PASSAGES = 1  # a transaction at a time
    Catalogue.put = put_and_tell  # type: ignore[method-assign]
    say("ready")
    for line in sys.stdin:
        what, folder, argument, seconds, limit, end = json.loads(line)
        child = os.fork()
        if not child:
            code = 1
            try:
                if limit is not None:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                act(what, Path(folder), argument)
                code = 0
            except KeyboardInterrupt:
                say("interrupted")
            except MureumError as error:
                say("error", error.code, error)
            finally:
                os._exit(code)
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, end)  # it is not waited for yet: the number is still its own
        _, status = os.waitpid(child, 0)
        say("end", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
