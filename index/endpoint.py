"""An embedding model behind an OpenAI-compatible server (llama.cpp, vLLM, TEI, Ollama …): POST <url>/embeddings.

Such a server gives one vector a text and nothing finer. A sentence is therefore a text of its own, which is twice the
work, and stands where other encoders have a passage's tokens: the comparison by tokens becomes one by sentences.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from index.encoder import SAMPLES, Asked, Centre, Vectors, centre_of
from index.errors import ModelFailed, ModelUnreachable
from index.records import Span

TOGETHER = 64
"""Texts of a request."""

AT_ONCE = 4
"""Requests that are under way at the same time."""

TOKEN_BYTES = 3
"""UTF-8 bytes that are taken for a token: rather too few, since the server's own tokens are not known here."""


class EndpointEncoder:
    """The model that a server calls by a name.

    What is asked of the server raises ModelUnreachable or ModelFailed. Models of the E5 family get their
    'query: ' and 'passage: ' before each text, as they were trained; others get the text alone.
    """

    def __init__(self, url: str, model: str, key: str = "", seconds: float = 120.0) -> None:
        """url: up to and with '/v1'. seconds: the time limit of one request. Nothing is asked yet."""
        self.name = f"{url} {model}"
        self._url, self._model, self._key, self._seconds = url.rstrip("/"), model, key, seconds
        # No proxy of the environment is taken up: a document goes to the server that was named and no other.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._prompts = ("query: ", "passage: ") if "e5" in model.lower() else ("", "")
        self._centring = threading.Lock()
        self._centres = lru_cache(maxsize=None)(
            lambda language: centre_of([self.encode_asked(q) for q in SAMPLES[language]])
        )

    @cached_property
    def size(self) -> int:
        """The length of a vector; the server is asked once."""
        return len(self._request(["?"])[0])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See Encoder. An estimate."""
        return [-(-len(text.encode()) // TOKEN_BYTES) for text in texts]

    def encode_passages(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        """See Encoder. A text that is asked for twice is sent once."""
        prompt = self._prompts[1]
        parts = [[text[start:end] for start, end in spans] for text, spans in zip(texts, sentences, strict=True)]
        wanted = dict.fromkeys([*texts, *(part for its in parts for part in its)])
        vectors = dict(zip(wanted, self._embedded([prompt + text for text in wanted]), strict=True))
        whole = [vectors[text] for text in texts]
        return self._rows(whole), [self._rows([vectors[part] for part in its]) for its in parts]

    def encode_in_full(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors], list[Vectors]]:
        """See Encoder. The vectors of the sentences stand for those of the tokens."""
        vectors, parts = self.encode_passages(texts, sentences)
        return vectors, parts, parts

    def token_spans(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """See Encoder. Those of the sentences."""
        return [list(spans) for spans in sentences]

    def encode_question(self, question: str) -> Vectors:
        """See Encoder."""
        return self._embedded([self._prompts[0] + question])[0]

    def encode_asked(self, question: str) -> Asked:
        """See Encoder. The whole question is its one token."""
        vector = self.encode_question(question)
        return Asked(vector, vector[None], np.ones(1, np.float32))

    def centre(self, language: str) -> Centre:
        """See Encoder. Asked for once."""
        with self._centring:
            return self._centres(language)

    def _rows(self, vectors: Sequence[Vectors]) -> Vectors:
        return np.array(vectors, np.float32).reshape(len(vectors), self.size)

    def _embedded(self, texts: Sequence[str]) -> list[Vectors]:
        """A vector of length 1 for each text; an empty one, which servers refuse, has zero."""
        filled = [text for text in texts if text.strip()]
        lots = [filled[begin : begin + TOGETHER] for begin in range(0, len(filled), TOGETHER)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = iter([vector for lot in pool.map(self._request, lots) for vector in lot])
        return [next(found) if text.strip() else np.zeros(self.size, np.float32) for text in texts]

    def _request(self, texts: Sequence[str]) -> list[Vectors]:
        body = json.dumps({"model": self._model, "input": list(texts), "encoding_format": "float"}).encode()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(f"{self._url}/embeddings", body, headers)
        try:
            with self._opener.open(request, timeout=self._seconds) as reply:
                return _vectors(json.load(reply), len(texts))
        except urllib.error.HTTPError as error:
            with error:
                reason = f"{error.code} {error.read(300).decode('utf-8', 'replace').strip()}"
            raise self._failed(reason) from error
        except TimeoutError as error:
            raise self._failed(f"no answer within {self._seconds:.0f} seconds") from error
        except OSError as error:
            raise ModelUnreachable(
                f"No embedding server answers at {self._url}. Start it, or name another with --encoder.", url=self._url
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise self._failed(str(error) or type(error).__name__) from error

    def _failed(self, reason: str) -> ModelFailed:
        return ModelFailed(
            f"The embedding server at {self._url} failed: {reason}.", name=f"{self._url}#{self._model}", reason=reason
        )


def _vectors(reply: Any, count: int) -> list[Vectors]:
    """The vectors of a reply in the order of the texts, at length 1. Raises ValueError, KeyError, TypeError."""
    rows = {int(one["index"]): np.array(one["embedding"], np.float32) for one in reply["data"]}
    if sorted(rows) != list(range(count)) or len({row.shape for row in rows.values()}) != 1 or rows[0].ndim != 1:
        raise ValueError(f"{len(rows)} vectors came back for {count} texts, or they differ in length")
    if len(rows[0]) % 2 or not all(np.isfinite(row).all() for row in rows.values()):
        raise ValueError("a vector has an odd length, or values that are no numbers")
    return [rows[place] / np.float32(max(float(np.linalg.norm(rows[place])), 1e-9)) for place in range(count)]
