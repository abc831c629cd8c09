"""Models behind an OpenAI-compatible server (llama.cpp, vLLM, Ollama …): the only file that imports openai."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.errors import Cancelled, ModelFailed, ModelTimeout, ModelUnreachable
from rag.llamacpp import yes_minus_no
from rag.model import Cut, Prompt, Start

LIKELIEST: dict[str, Any] = {"logprobs": True, "top_logprobs": 20}
"""Asks for a reply's tokens with what else might have stood in their place; 20 is what the interface allows."""


class OpenAIModel:
    """A chat model at a URL. The server's own queue decides whose turn it is among those at work."""

    at_once = 8

    def __init__(self, url: str, model: str = "", key: str = "", seconds: float = 120.0) -> None:
        """model: its name at the server; the first that the server lists when ''. Connects at the first request."""
        import openai

        self._openai = openai
        self.url = url
        self.seconds = seconds
        self.name = model
        # No proxy or key of the environment is taken up: a document goes to the server that was named and no other.
        self._client = openai.OpenAI(
            base_url=url,
            api_key=key or "none",
            timeout=seconds,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=False, timeout=seconds),
        )

    def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
        """See AnsweringModel. Closing the connection is what stops the server."""
        deadline = time.monotonic() + self.seconds
        begun = False
        with self._faults(), self._create(prompt, max_tokens=max_tokens, stream=True, **LIKELIEST) as chunks:
            for chunk in chunks:
                if cancel is not None and cancel.is_set():
                    raise Cancelled("The answer was stopped.")
                if time.monotonic() > deadline:
                    raise self._timeout()
                for choice in chunk.choices:
                    if choice.delta.content:
                        yield choice.delta.content if begun else _start(choice)
                        begun = True
                    if choice.finish_reason == "length":
                        yield Cut()

    def yes_or_no(self, prompt: Prompt, cancel: threading.Event | None = None) -> float | None:
        """See AnsweringModel. None where the server gives no log-probabilities."""
        if cancel is not None and cancel.is_set():
            raise Cancelled("The answer was stopped.")
        with self._faults():
            reply = self._create(prompt, max_tokens=1, **LIKELIEST)
        likeliest = _likeliest(reply.choices[0]) if reply.choices else []
        return yes_minus_no(likeliest) if likeliest else None

    def warm_up(self, prompt: Prompt, keep: Path | None = None, cancel: threading.Event | None = None) -> None:
        """Nothing: the server keeps its own cache."""

    def has_kept(self, prompt: Prompt, keep: Path) -> bool:
        """No: the server keeps its own cache."""
        return False

    def close(self) -> None:
        """See AnsweringModel."""
        self._client.close()

    def _create(self, prompt: Prompt, **options: Any) -> Any:
        if not self.name:
            self.name = next(iter(self._client.models.list())).id
        return self._client.chat.completions.create(
            model=self.name,
            messages=[{"role": message.role, "content": message.content} for message in prompt],  # type: ignore[misc]
            temperature=0,
            **options,
        )

    def _timeout(self) -> ModelTimeout:
        return ModelTimeout(
            f"The model at {self.url} did not finish within {self.seconds:.0f} seconds. Ask a shorter question, or "
            "raise the limit with --seconds.",
            seconds=f"{self.seconds:.0f}",
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """The client's errors as the project's own."""
        try:
            yield
        except self._openai.APITimeoutError as error:
            raise self._timeout() from error
        except self._openai.APIConnectionError as error:
            raise ModelUnreachable(
                f"No model server answers at {self.url}. Start it, or name another with --llm.", url=self.url
            ) from error
        except (self._openai.APIError, StopIteration) as error:
            reason = str(error) or "it lists no model"
            raise ModelFailed(
                f"The model server at {self.url} failed: {reason}.", name=self.url, reason=reason
            ) from error


def _start(choice: Any) -> Start:
    """The first piece of a reply, with what else it might have begun with where the server tells."""
    start = Start(choice.delta.content)
    start.likeliest = _likeliest(choice)
    return start


def _likeliest(choice: Any) -> list[tuple[str, float]]:
    """The likeliest tokens, with log-probabilities, for the place of the first one of a choice."""
    content = choice.logprobs.content if choice.logprobs else None
    return [(top.token, top.logprob) for top in content[0].top_logprobs] if content else []
