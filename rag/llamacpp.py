"""GGUF models in this process, with llama.cpp through xllamacpp: the only file that imports it."""

import hashlib
import json
import math
import os
import queue
import secrets
import shutil
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import Cancelled, ModelFailed, ModelTimeout, MureumError
from rag.model import Cut, Message, Prompt, Start

BATCH = 64
"""Prompt tokens read between two looks at `cancel`."""

PROMPT_CACHE_MIB = 256
"""Memory for the beginnings of prompts that are not in use at the moment."""

KEPT_STATES = 2
"""Beginnings of prompts that are kept on the disk: the documents as read in one language and in the other."""

LIKELIEST = {"logprobs": True, "top_logprobs": 40}
"""Asks for a reply's tokens with what else might have stood in their place."""


class LlamaCppModel:
    """One GGUF model. One request at a time uses the processor; others wait in the order in which they came.

    llama.cpp keeps what it has read of the last prompt, so prompts should begin alike and differ late.
    """

    at_once = 1

    def __init__(self, model: Path, threads: int = 0, context: int = 6144, seconds: float = 120.0) -> None:
        """seconds: the time limit of one reply, waiting in the queue not counted. Raises ModelFailed."""
        import xllamacpp

        self.name = model.stem
        self.seconds = seconds
        self._scratch = tempfile.TemporaryDirectory(prefix="mureum-")
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = context
        params.n_parallel = 1
        params.n_batch = BATCH
        params.cache_ram_mib = PROMPT_CACHE_MIB
        params.cpuparams.n_threads = threads or os.cpu_count() or 1
        params.cpuparams_batch.n_threads = threads or os.cpu_count() or 1
        # Read into memory instead of mapped: what is repacked for the processor would stand there twice.
        params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
        params.warmup = False
        params.offline = True
        params.ui = False
        params.verbosity = -1
        # The library listens on a loopback port as well; nobody but this process is to use it.
        self._key = secrets.token_urlsafe(32)
        params.api_keys = [self._key]
        params.cors_origins = ""
        params.slot_save_path = f"{self._scratch.name}{os.sep}"
        try:
            self._server: Any = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as error:
            self._scratch.cleanup()
            raise ModelFailed(
                f"The answering model '{model}' could not be loaded: {error}. Check it with 'mureum models verify'.",
                name=str(model),
                reason=str(error),
            ) from error
        self._turn = threading.Lock()
        self._closing = threading.Event()

    @property
    def url(self) -> str:
        """The OpenAI-compatible address of this model on loopback; `key` opens it."""
        return f"{self._server.listening_address}/v1"

    @property
    def key(self) -> str:
        """The key of `url`, random in each process."""
        return self._key

    def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
        """See AnsweringModel."""
        request = {**_request(prompt), "max_tokens": max_tokens, "stream": True, "return_progress": True, **LIKELIEST}
        start: Start | None = None
        likeliest: list[tuple[str, float]] = []
        for chunk in self._run(request, cancel):
            for choice in chunk.get("choices", []):
                likeliest = likeliest or _likeliest(choice)
                if text := (choice.get("delta") or {}).get("content"):
                    if start is None:
                        text = start = Start(text)
                        start.likeliest = likeliest
                    yield text
                if choice.get("finish_reason") == "length":
                    yield Cut()

    def yes_or_no(self, prompt: Prompt, cancel: threading.Event | None = None) -> float | None:
        """See AnsweringModel."""
        request = {**_request(prompt), "max_tokens": 1, "stream": True, "return_progress": True, **LIKELIEST}
        for chunk in self._run(request, cancel):
            for choice in chunk.get("choices", []):
                if likeliest := _likeliest(choice):
                    return yes_minus_no(likeliest)
        return None

    def warm_up(self, prompt: Prompt, keep: Path | None = None, cancel: threading.Event | None = None) -> None:
        """See AnsweringModel."""
        kept = None if keep is None else keep / self._state_of(prompt)
        restored = kept is not None and kept.is_file() and self._restore(kept)
        for _ in self._run(
            {**_request(prompt), "max_tokens": 1, "stream": True, "return_progress": True}, cancel, math.inf
        ):
            pass
        if kept is not None and not restored:
            self._save(kept)

    def has_kept(self, prompt: Prompt, keep: Path) -> bool:
        """See AnsweringModel."""
        return (keep / self._state_of(prompt)).is_file()

    def close(self) -> None:
        """See AnsweringModel. What is under way is stopped first: the library would crash without its model."""
        self._closing.set()
        with self._turn:
            self._server = None
        self._scratch.cleanup()

    def _state_of(self, prompt: Prompt) -> str:
        text = json.dumps([(message.role, message.content) for message in prompt])
        return f"{hashlib.sha256(f'{self.name} {text}'.encode()).hexdigest()[:24]}.state"

    def _restore(self, kept: Path) -> bool:
        # The library keeps what it has read when another prompt comes, but not when a state is put in its place.
        for _ in self._run({**_request((Message("user", "."),)), "max_tokens": 1, "stream": True}, None):
            pass
        copy = Path(self._scratch.name) / kept.name
        shutil.copyfile(kept, copy)
        with self._turn:
            done = self._slot("restore", copy.name)
        copy.unlink(missing_ok=True)
        return done

    def _save(self, kept: Path) -> None:
        """Keep what the model has read, and the newest before it; a full disk only costs the keeping."""
        with self._turn:
            done = self._slot("save", kept.name)
        if not done:
            return
        try:
            kept.parent.mkdir(exist_ok=True)
            new = kept.with_suffix(".new")
            shutil.move(Path(self._scratch.name) / kept.name, new)
            new.replace(kept)
        except OSError:
            kept.with_suffix(".new").unlink(missing_ok=True)
        states = sorted(kept.parent.glob("*.state"), key=lambda path: path.stat().st_mtime)
        for old in states[:-KEPT_STATES]:
            old.unlink(missing_ok=True)

    def _slot(self, action: str, file: str) -> bool:
        """Save or restore what the model has read, by the library's own way in; whether it worked."""
        if self._server is None:
            return False
        request = urllib.request.Request(
            f"{self._server.listening_address}/slots/0?action={action}",
            data=json.dumps({"filename": file}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def _run(
        self, request: dict[str, Any], cancel: threading.Event | None, seconds: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """The chunks of one request. The work stops when the caller stops reading, on `cancel`, and at the limit."""
        stop = threading.Event()
        chunks: queue.Queue[dict[str, Any] | MureumError | None] = queue.Queue()
        worker = threading.Thread(
            target=self._work, args=(request, chunks, stop, cancel, seconds or self.seconds), daemon=True
        )
        worker.start()
        try:
            while True:
                chunk = chunks.get()
                if chunk is None:
                    return
                if isinstance(chunk, MureumError):
                    raise chunk
                yield chunk
        finally:
            stop.set()

    def _work(
        self,
        request: dict[str, Any],
        chunks: "queue.Queue[dict[str, Any] | MureumError | None]",
        stop: threading.Event,
        cancel: threading.Event | None,
        seconds: float,
    ) -> None:
        """Runs in a thread of its own: waits for its turn, then feeds `chunks`, a None or an error last."""
        try:
            with self._turn:
                deadline = time.monotonic() + seconds
                outcome: list[MureumError] = []

                def on_chunk(chunk: dict[str, Any]) -> bool:
                    if error := _fault(chunk):
                        outcome.append(error)
                    elif self._closing.is_set() or (cancel is not None and cancel.is_set()):
                        outcome.append(Cancelled("The answer was stopped."))
                    elif time.monotonic() > deadline:
                        outcome.append(
                            ModelTimeout(
                                f"The model did not finish within {seconds:.0f} seconds. Ask a shorter question, "
                                "or raise the limit with --seconds.",
                                seconds=f"{seconds:.0f}",
                            )
                        )
                    else:
                        chunks.put(chunk)
                    return bool(outcome) or stop.is_set()

                if cancel is not None and cancel.is_set():
                    raise Cancelled("The answer was stopped.")
                if self._server is None:
                    raise ModelFailed("The answering model has been closed.", name=self.name, reason="closed")
                self._server.handle_chat_completions(request, on_chunk)
            chunks.put(outcome[0] if outcome else None)
        except MureumError as error:
            chunks.put(error)
        except Exception as error:  # the library raises plain ones; the reader must hear of every end
            chunks.put(ModelFailed(f"The answering model failed: {error}.", name=self.name, reason=str(error)))


def yes_minus_no(tokens: list[tuple[str, float]]) -> float | None:
    """Log-probability of 'yes' minus 'no' from the likeliest first tokens (token, log-probability).

    All spellings of a word count together; a word that is not among them has at most what the last one has.
    """
    floor = min((value for _, value in tokens), default=0.0)
    sums = {"yes": 0.0, "no": 0.0}
    for token, value in tokens:
        word = token.strip().lower()
        if word in sums:
            sums[word] += math.exp(value)
    if not any(sums.values()):
        return None
    yes, no = (math.log(total) if total else floor for total in (sums["yes"], sums["no"]))
    return yes - no


def _likeliest(choice: dict[str, Any]) -> list[tuple[str, float]]:
    """The likeliest tokens, with log-probabilities, for the place of the first one in a chunk; [] without one."""
    tokens = (choice.get("logprobs") or {}).get("content") or []
    return [(top["token"], top["logprob"]) for top in tokens[0]["top_logprobs"]] if tokens else []


def _request(prompt: Prompt) -> dict[str, Any]:
    return {
        "messages": [{"role": message.role, "content": message.content} for message in prompt],
        "temperature": 0,
        "cache_prompt": True,
    }


def _fault(chunk: dict[str, Any]) -> ModelFailed | None:
    """The error that a chunk reports, if it does."""
    if "error" not in chunk:
        return None
    reason = str(chunk["error"].get("message", chunk["error"]))
    return ModelFailed(f"The answering model failed: {reason}.", name="llama.cpp", reason=reason)
