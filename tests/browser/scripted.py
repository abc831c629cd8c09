"""An answerer that follows a script: what a question holds decides what comes of it.

`python -m tests.browser.scripted LOG` serves it without network; what it is asked and what is stopped goes to LOG.
"""

import argparse
import json
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from index import build
from index.encoder import Encoder
from index.errors import (
    Cancelled,
    DocumentNotFound,
    ModelUnreachable,
    MureumError,
    NoSpace,
    QuestionEmpty,
    QuestionTooLong,
)
from index.fake import FakeEncoder
from index.records import Document, DocumentInfo
from index.snapshot import Index
from rag.records import Answer, Checking, Citation, Draft, Event, Finished, Found, Quote, Timings, Turn, Waiting
from rag.selection import documents_of, rows_of
from rag.turns import Turns
from ui.words import language_of

ARTICLE = "it-megavision-2024.txt"
HOSTILE = '<img src=x onerror="window.pwned=1">.txt'
TEXTS = {
    ARTICLE: (
        "AI로 여는 새 시대, 메가비전 2024 개최\n\n"
        "행사는 지난 3월 14일 서울 코엑스에서 열렸다. 참가자는 모두 1,200명이었다. "
        "주최 측은 내년에도 같은 곳에서 열겠다고 밝혔다.\n\n"
        '△기조연설은 김하늘 대표가 맡았다. 그는 "300조원 규모의 시장이 열린다"고 말했다.\n\n'
        + "\n\n".join(
            f"{number}번째 문단이다. 발표자들은 저마다 다른 이야기를 했다. 청중은 오래 머물렀다."
            for number in range(40)
        )
        + "\n\n마지막으로 시상식이 열렸다. 대상은 물결팀이 받았다.\n사진 = 이도윤 기자\n"
    ),
    HOSTILE: (
        "<script>window.pwned=1</script> [1] was written here.\n"
        "![x](https://evil.example/x.png) and [link](javascript:window.pwned=1).\n"
        '\u202eright to left\u202c and </p></bdi><iframe src="https://evil.example"></iframe> end.\n'
    ),
}


def sentence(document: str, quote: str, marker: int = 1, translation: str = "") -> Citation:
    """A citation of the first place where `quote` stands."""
    start = TEXTS[document].index(quote)
    return Citation(marker, document, start, start + len(quote), 0.8, translation)


PLACE = "행사는 지난 3월 14일 서울 코엑스에서 열렸다."
PEOPLE = "참가자는 모두 1,200명이었다."
MARKET = '그는 "300조원 규모의 시장이 열린다"고 말했다.'
PRIZE = "대상은 물결팀이 받았다."
FOUND = tuple(sentence(ARTICLE, quote, at) for at, quote in enumerate((PLACE, PEOPLE, PRIZE, MARKET), 1))


EXAMPLES = (
    ("행사는 어디에서 열렸나요?", "Where was the event held?"),
    ("참가자는 몇 명이었나요?", "How many took part?"),
)


class ScriptedIndex:
    """The texts above, as an index gives them."""

    def __init__(self) -> None:
        self.encoder = FakeEncoder()
        self.catalogue = SimpleNamespace(documents=self._documents)

    def snapshot(self) -> SimpleNamespace:
        """Its state."""
        return SimpleNamespace(state=7)

    def _documents(self) -> list[DocumentInfo]:
        return [
            DocumentInfo(name, "", "", 12, len(text.encode()), language_of(text), "2024-03-14T09:00:00+00:00")
            for name, text in TEXTS.items()
        ]

    def text(self, document: str) -> str:
        """The whole text. Raises DocumentNotFound."""
        if document not in TEXTS:
            raise DocumentNotFound(f"There is no document '{document}'.", document=document)
        return TEXTS[document]

    def quote(self, document: str, start: int, end: int) -> str:
        """The text of a range."""
        return self.text(document)[start:end]


class ScriptedAnswerer:
    """Until it is stopped, `wait` searches, `look` stays with what was found, `ahead` waits for two others, `hold`
    stays with the quotes, `slow` writes, and `check` checks; `late` takes ten seconds to find anything; `line` waits
    for its turn, and then says the question again, or `keep`s the turn until it is stopped; the other words are in
    `stream` and `answer`.

    A line of the log is `["asked", question, [[question, answer] of a turn before, …]]` or `["stopped", question]`.
    """

    def __init__(self, log: Path, pause: float = 0.02) -> None:
        self.index = ScriptedIndex()
        self.turns = Turns()
        self.pause = pause
        self._log = log

    def prepare(self, stop: threading.Event) -> Iterator[None]:
        """Nothing to prepare."""
        return iter(())

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: threading.Event | None = None,
        documents: Sequence[str] = (),
        visitor: str = "",
    ) -> Iterator[Event]:
        """Found, Waiting, Quote, drafts, Finished, as the question wants it."""
        self._write("asked", question, [[turn.question, turn.answer] for turn in history], list(documents))
        documents_of(TEXTS, documents)
        cancel = cancel or threading.Event()
        if not question.strip():
            raise QuestionEmpty("Nothing was asked.")
        if len(question) > 2000:
            raise QuestionTooLong("The question is too long.", length=len(question))
        if "wait" in question:
            self._until_cancelled(question, cancel)
        if "late" in question:
            cancel.wait(10)
        yield Found(FOUND, 40.0)
        if "look" in question:
            self._until_cancelled(question, cancel)
        if "ahead" in question:
            yield Waiting(2)
            self._until_cancelled(question, cancel)
        if "line" in question:
            yield from self._in_line(question, cancel, visitor)
            return
        if "unreachable" in question:
            raise ModelUnreachable("The server could not be reached.", url="http://127.0.0.1:1")
        if "boom" in question:
            raise RuntimeError("secret detail")
        answer = self.answer(question)
        if answer.citations:
            yield Quote(answer.citations[:1])
        if "hold" in question:
            self._until_cancelled(question, cancel)
        for text in self._drafts(answer.text or "글쎄요, 어디 보자."):
            if cancel.wait(self.pause):
                self._write("stopped", question)
                raise Cancelled("Stopped.")
            yield Draft(text)
        if "slow" in question:
            yield from self._slowly(question, cancel)
        yield Checking()
        if "check" in question:
            self._until_cancelled(question, cancel)
        yield Finished(answer)

    def _in_line(self, question: str, cancel: threading.Event, visitor: str) -> Iterator[Event]:
        with self.turns.asking(visitor) as place:
            yield from map(Waiting, place.waiting(cancel))
            if "keep" in question:
                self._until_cancelled(question, cancel)
            for text in self._drafts(f"{question} " * 5):
                if cancel.wait(self.pause):
                    raise Cancelled("Stopped.")
                yield Draft(text)
            cited = (sentence(ARTICLE, PLACE, 1),)
            yield Finished(Answer(question, "en", "answered", f"You asked {question} [1].", cited, FOUND))

    def answer(self, question: str) -> Answer:
        """The answer by itself."""
        language = language_of(question)
        took = Timings(40.0, 600.0, 4200.0)
        if "hello" in question:
            return Answer(question, language, "answered", "", reason="greeting", timings=took)
        if "hostile" in question:
            lines = TEXTS[HOSTILE].splitlines()
            cited = tuple(sentence(HOSTILE, line, marker) for marker, line in enumerate(lines, 1))
            return Answer(question, language, "answered", f"{TEXTS[HOSTILE]} so [2] [7] [3]", cited, cited, "", took)
        if "missing" in question or "없는" in question:
            return Answer(question, language, "not_found", "", (), FOUND, "gate", took)
        if "quote" in question or "인용" in question:
            cited = (sentence(ARTICLE, MARKET, 1, "He said: 'A market of 300 trillion won opens.'"),)
            return Answer(question, language, "quoted", f"“{MARKET}” [1]", cited, FOUND, "number", took)
        cited = (sentence(ARTICLE, PLACE, 1), sentence(ARTICLE, PEOPLE, 2))
        ko = "행사는 3월 14일 서울 코엑스에서 열렸습니다 [1]. 참가자는 1,200명이었습니다 [2]."
        en = "The event was held at COEX in Seoul on 14 March [1]. It had 1,200 participants [2]."
        return Answer(question, language, "answered", ko if language == "ko" else en, cited, FOUND, "", took)

    def _write(self, *line: object) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    @staticmethod
    def _drafts(text: str) -> Iterator[str]:
        words = text.split(" ")
        for count in range(1, len(words) + 1):
            yield " ".join(words[:count])

    def _slowly(self, question: str, cancel: threading.Event) -> Iterator[Event]:
        for count in range(600):
            yield Draft("slow " * (count + 1))
            if cancel.wait(0.1):
                self._write("stopped", question)
                raise Cancelled("Stopped.")

    def _until_cancelled(self, question: str, cancel: threading.Event) -> None:
        if cancel.wait(60):
            self._write("stopped", question)
            raise Cancelled("Stopped.")


class OwnAnswerer:
    """Answers from a visitor's own documents, a real index: with the first sentence of the first one."""

    def __init__(self, index: Index, log: Path) -> None:
        self.index = index
        self._log = log

    def prepare(self, stop: threading.Event) -> Iterator[None]:
        """Log that it was called."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(["prepared", len(self.index.catalogue.documents())]) + "\n")
        return iter(())

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: threading.Event | None = None,
        documents: Sequence[str] = (),
        visitor: str = "",
    ) -> Iterator[Event]:
        """Found, Finished."""
        turns = [[turn.question, turn.answer] for turn in history]
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(["asked", question, turns, list(documents)]) + "\n")
        snapshot = self.index.snapshot()
        rows = rows_of(snapshot, documents)
        first = snapshot.passages[0 if rows is None else rows[0]]
        cited = (Citation(1, first.document, *first.sentences[0], 0.9),)
        text = self.index.quote(first.document, *first.sentences[0])
        yield Found(cited, 1.0)
        took = Timings(1.0, 2.0, 3.0)
        yield Finished(Answer(question, language_of(question), "answered", f"{text} [1]", cited, cited, "", took))


def refuse_the_network(log: Path) -> None:
    """Cut this process off from every other host; an attempt to reach one is logged."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def note(host: object) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(["network", str(host)]) + "\n")
        raise OSError(f"no network: {host}")

    def checked_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(("127.", "::1", "localhost")):
            note(address[0])
        connect(self, address)

    def checked_look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"):
            note(host)
        return look_up(host, *rest, **more)

    socket.socket.connect = checked_connect  # type: ignore[assignment,method-assign]
    socket.getaddrinfo = checked_look_up


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve it: LOG, then `--port`, `--auth name:password`, `--data FOLDER` (beside LOG without it), `--changed`,
    with the place gone from the article, and `--full`, where the disk is full for what is called full.txt."""
    options = argparse.ArgumentParser()
    options.add_argument("log", type=Path)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--auth", default="")
    options.add_argument("--data", type=Path)
    options.add_argument("--changed", action="store_true")
    options.add_argument("--full", action="store_true")
    chosen = options.parse_args(arguments)
    if chosen.changed:
        TEXTS[ARTICLE] = TEXTS[ARTICLE].replace(PLACE, "행사 소식이다.")
    refuse_the_network(chosen.log)
    from ui.chat import serve

    if chosen.full:
        put = build.put

        def put_or_not(folder: Path, documents: Sequence[Document], encoder: Encoder) -> build.AddReport:
            if any(one.name == "full.txt" for one in documents):
                raise NoSpace("The disk is full.", path=folder)
            return put(folder, documents, encoder)

        build.put = put_or_not  # type: ignore[assignment]
    name, _, password = chosen.auth.partition(":")
    answerer: Any = ScriptedAnswerer(chosen.log)
    auth = [(name, password), (f"{name}2", password)] if name else None
    data = chosen.data or chosen.log.parent / "data"

    def open_answerer(index: Index) -> Any:
        return OwnAnswerer(index, chosen.log)

    try:
        serve(answerer, "127.0.0.1", chosen.port, auth, data=data, examples=EXAMPLES, open_answerer=open_answerer)
    except MureumError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
