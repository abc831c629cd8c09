"""What the program asks of an answering model, and a predictable one for tests."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompt = tuple[Message, ...]


class Start(str):
    """The first piece of a reply, from a model that tells what else it might have begun with.

    likeliest: first tokens and their log-probabilities, the highest first.
    """

    likeliest: Sequence[tuple[str, float]] = ()


class Cut(str):
    """The last piece of a reply that the length limit has ended; empty."""

    __slots__ = ()


class AnsweringModel(Protocol):
    """A chat model. Every call is safe from several threads; a model that can do one thing at a time queues them.

    `cancel`, once set, ends the work within a moment: the model really stops, and Cancelled is raised. Other errors:
    ModelTimeout (the time limit the model was made with), ModelUnreachable, ModelFailed.
    """

    name: str
    at_once: int
    """Questions that it can work on at the same time; others had better wait outside."""

    def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
        """The reply at temperature 0, piece by piece; a `Start` first where the model tells, and a `Cut` last where it
        is not at its end after `max_tokens`."""
        ...

    def yes_or_no(self, prompt: Prompt, cancel: threading.Event | None = None) -> float | None:
        """Log-probability of 'yes' minus that of 'no' as the reply's first token; above 0 means yes.

        None when the model does not tell.
        """
        ...

    def warm_up(self, prompt: Prompt, keep: Path | None = None, cancel: threading.Event | None = None) -> None:
        """Read the beginning that prompts share, so that questions need not wait for it; there is no time limit.

        keep: a folder where what was read may be kept, in the model's own form, so that another process need not
        read it again.
        """
        ...

    def has_kept(self, prompt: Prompt, keep: Path) -> bool:
        """Whether `warm_up` would take a moment alone, since another process has read and kept this beginning."""
        ...

    def close(self) -> None:
        """Stop it and free its memory."""
        ...


class FakeModel:
    """For tests: says what `reply` makes of the prompt, word by word, and gates by `gate`."""

    name = "fake"
    at_once = 1

    def __init__(
        self,
        reply: Callable[[Prompt], str] = lambda prompt: prompt[-1].content,
        gate: Callable[[Prompt], float | None] = lambda _: None,
    ) -> None:
        self._reply = reply
        self._gate = gate
        self.prompts: list[Prompt] = []
        self.warmed: list[Prompt] = []
        self.kept = False

    def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
        """The reply's words, at most `max_tokens` of them."""
        self.prompts.append(prompt)
        words = self._reply(prompt).split(" ")
        for number, word in enumerate(words[:max_tokens]):
            yield word if number == 0 else f" {word}"
        if len(words) > max_tokens:
            yield Cut()

    def yes_or_no(self, prompt: Prompt, cancel: threading.Event | None = None) -> float | None:
        """What `gate` says."""
        self.prompts.append(prompt)
        return self._gate(prompt)

    def warm_up(self, prompt: Prompt, keep: Path | None = None, cancel: threading.Event | None = None) -> None:
        """Nothing to warm."""
        self.warmed.append(prompt)

    def has_kept(self, prompt: Prompt, keep: Path) -> bool:
        """What `kept` says."""
        return self.kept

    def close(self) -> None:
        """Nothing to stop."""
