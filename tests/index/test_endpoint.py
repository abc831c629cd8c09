"""The encoder at an OpenAI-compatible server: a real HTTP server on this machine, whose vectors are the fake's."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import build
from index.endpoint import TOGETHER, EndpointEncoder
from index.errors import IndexMismatch, ModelFailed, ModelUnreachable, UsageError
from index.fake import FakeEncoder
from index.settings import Settings
from index.snapshot import Index, recipe_for
from rag.opening import open_encoder
from rag.retrieval import search


class Server(ThreadingHTTPServer):
    """asked: the bodies that came in. fault: what it does instead of answering well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.fault = ""
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.add(self.headers["Authorization"])
        if self.server.fault == "slow":
            self.server.over.wait(20)
        texts = body["input"]
        rows = [[3 * float(x) for x in FakeEncoder().encode_question(text)] for text in texts]
        data = [{"index": place, "embedding": row} for place, row in enumerate(rows)]
        if self.server.fault == "fewer":
            data = data[1:]
        if self.server.fault == "no number":
            data[0]["embedding"] = [float("nan")] * len(rows[0])
        answer = b"<html>" if self.server.fault == "no json" else json.dumps({"data": data[::-1]}).encode()
        self.send_response(413 if self.server.fault == "too long" or not all(texts) else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(8):
        text = " ".join(f"Sentence {part} of document {number}." for part in range(60))
        (folder / f"d{number}.txt").write_text(text, "utf-8")
    (folder / "bridge.txt").write_text("The bridge opened in 1973. The mayor was there.", "utf-8")
    return folder


def test_an_index_is_made_and_asked_through_it(server: Server, files: Path, tmp_path: Path) -> None:
    encoder = EndpointEncoder(server.url, "some-model")
    assert len(build.add(tmp_path / "index", [files], encoder).added) == 9
    assert max(len(body["input"]) for body in server.asked) == TOGETHER
    assert {body["model"] for body in server.asked} == {"some-model"}
    with closing(Index(tmp_path / "index", encoder)) as index:
        hit = search(index, "When was the bridge opened?")[0]
        assert hit.passage.document == "bridge.txt"
        now = index.snapshot()
        number = now.ids[now.passages.index(hit.passage)]
        sentences = now.sentence_vectors([number])[number]
        assert np.allclose(sentences[0], FakeEncoder().encode_question("The bridge opened in 1973."), atol=1e-3)
        assert now.token_vectors([number])[number].shape == sentences.shape
    sent = [text for body in server.asked for text in body["input"]]
    assert build.add(tmp_path / "index", [files], encoder).unchanged == sorted(path.name for path in files.iterdir())
    assert [text for body in server.asked for text in body["input"]] == sent
    assert build.verify(tmp_path / "index", recipe_for(encoder)) == []
    with pytest.raises(IndexMismatch, match="another-model"):
        Index(tmp_path / "index", EndpointEncoder(server.url, "another-model"))


def test_prompts_keys_and_empty_texts(server: Server) -> None:
    chosen = Settings(Path("index"), encoder=f"{server.url}#multilingual-e5-small", encoder_key="secret")
    encoder = open_encoder(chosen)
    vectors, parts, words = encoder.encode_in_full(["둘. 하나.", " ", "둘. 하나."], [[(0, 2), (3, 6)], [], [(0, 2)]])
    sent = [text for body in server.asked for text in body["input"] if text != "?"]
    assert sorted(sent) == ["passage:  ", "passage: 둘.", "passage: 둘. 하나.", "passage: 하나."]
    assert vectors.shape == (3, encoder.size) and [len(one) for one in parts] == [2, 0, 1] == [len(w) for w in words]
    assert encoder.token_spans(["둘. 하나."], [[(0, 2), (3, 6)]]) == [[(0, 2), (3, 6)]]
    asked = encoder.encode_asked("누구?")
    assert server.asked[-1]["input"] == ["query: 누구?"] and asked.tokens.shape == (1, encoder.size)
    assert np.linalg.norm(asked.vector) == pytest.approx(1)
    assert server.keys == {"Bearer secret"}


def test_an_empty_text_is_not_sent(server: Server) -> None:
    encoder = EndpointEncoder(server.url, "plain")
    vectors, _ = encoder.encode_passages(["", "word"], [[], []])
    assert not vectors[0].any() and vectors[1].any()
    assert encoder.encode_passages([], [])[0].shape == (0, encoder.size)


@pytest.mark.parametrize("fault", ["fewer", "no number", "no json", "too long"])
def test_what_a_server_does_wrong_is_told(server: Server, fault: str) -> None:
    server.fault = fault
    with pytest.raises(ModelFailed, match="embedding server at http://127"):
        EndpointEncoder(server.url, "plain").encode_question("a question")


def test_a_server_that_is_slow_or_not_there_is_told(server: Server) -> None:
    server.fault = "slow"
    with pytest.raises(ModelFailed, match="no answer within"):
        EndpointEncoder(server.url, "plain", seconds=0.2).encode_question("a question")
    with pytest.raises(ModelUnreachable, match="--encoder"):
        EndpointEncoder("http://127.0.0.1:9/v1", "plain").encode_question("a question")


def test_a_server_needs_the_name_of_its_model() -> None:
    with pytest.raises(UsageError, match="#"):
        open_encoder(Settings(Path("index"), encoder="http://127.0.0.1:9/v1"))
