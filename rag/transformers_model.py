"""Models in the Hugging Face format, with transformers: the only file that imports it here."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import Cancelled, ModelFailed, ModelTimeout, MureumError
from rag.model import Cut, Prompt


class TransformersModel:
    """A causal language model from a folder or a hub id, on the GPU where there is one. One request at a time."""

    at_once = 1

    def __init__(self, model: str | Path, threads: int = 0, seconds: float = 120.0) -> None:
        """Raises ModelFailed when it cannot be loaded."""
        import torch
        import transformers

        self._torch = torch
        self._transformers = transformers
        self.name = str(model)
        self.seconds = seconds
        if threads:
            torch.set_num_threads(threads)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        local = Path(model).is_dir()
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(model), local_files_only=local)
            loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
                str(model), local_files_only=local, dtype="auto", trust_remote_code=False
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelFailed(
                f"The answering model '{model}' could not be loaded: {reason}.", name=str(model), reason=reason
            ) from error
        self._model = loaded.to(device).eval()
        self._turn = threading.Lock()

    def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
        """See AnsweringModel."""
        streamer = self._transformers.TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        stop = threading.Event()
        faults: list[MureumError] = []
        worker = threading.Thread(
            target=self._generate, args=(prompt, max_tokens, streamer, (stop, cancel), faults), daemon=True
        )
        worker.start()
        written = ""
        try:
            for piece in streamer:
                written += piece
                if piece:
                    yield piece
        finally:
            stop.set()
            worker.join()
        if faults:
            raise faults[0]
        if len(self._tokenizer(written, add_special_tokens=False)["input_ids"]) >= max_tokens:
            yield Cut()

    def yes_or_no(self, prompt: Prompt, cancel: threading.Event | None = None) -> float | None:
        """See AnsweringModel: all spellings of the words that are one token."""
        if cancel is not None and cancel.is_set():
            raise Cancelled("The answer was stopped.")
        with self._turn, self._torch.inference_mode():
            logits = self._model(**self._inputs(prompt)).logits[0, -1].float()
        chances = self._torch.log_softmax(logits, dim=-1)
        sums = []
        for word in ("yes", "no"):
            ids = {self._first_id(form) for form in (word, word.capitalize(), word.upper(), f" {word}")}
            sums.append(self._torch.logsumexp(chances[sorted(ids)], dim=0))
        return float(sums[0] - sums[1])

    def warm_up(self, prompt: Prompt, keep: Path | None = None, cancel: threading.Event | None = None) -> None:
        """Nothing: no beginning is kept between prompts."""

    def has_kept(self, prompt: Prompt, keep: Path) -> bool:
        """No: no beginning is kept."""
        return False

    def close(self) -> None:
        """See AnsweringModel."""
        self._model = None

    def _generate(
        self,
        prompt: Prompt,
        max_tokens: int,
        streamer: Any,
        stops: tuple[threading.Event, threading.Event | None],
        faults: list[MureumError],
    ) -> None:
        """Runs in a thread of its own; the streamer hears of every end."""
        deadline = time.monotonic() + self.seconds
        stop, cancel = stops

        def ended(input_ids: Any, scores: Any, **_: Any) -> Any:
            if cancel is not None and cancel.is_set():
                faults.append(Cancelled("The answer was stopped."))
            elif time.monotonic() > deadline:
                limit = f"{self.seconds:.0f}"
                faults.append(ModelTimeout(f"The model did not finish within {limit} seconds.", seconds=limit))
            done = bool(faults) or stop.is_set()
            return self._torch.full((input_ids.shape[0],), done, device=input_ids.device)

        try:
            with self._turn, self._torch.inference_mode():
                self._model.generate(
                    **self._inputs(prompt),
                    max_new_tokens=max_tokens,
                    do_sample=False,
                    streamer=streamer,
                    stopping_criteria=[ended],
                )
        except Exception as error:  # whatever torch raises must end the reader's waiting
            faults.append(ModelFailed(f"The answering model failed: {error}.", name=self.name, reason=str(error)))
            streamer.end()

    def _inputs(self, prompt: Prompt) -> Any:
        messages = [{"role": message.role, "content": message.content} for message in prompt]
        if self._tokenizer.chat_template:
            encoded = self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
        else:
            text = "\n\n".join(message.content for message in prompt) + "\n"
            encoded = self._tokenizer(text, return_tensors="pt")
        return encoded.to(self._model.device)

    def _first_id(self, form: str) -> int:
        return int(self._tokenizer(form, add_special_tokens=False)["input_ids"][0])
