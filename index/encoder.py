"""Text to vectors, with sentence-transformers: the only file that imports it."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelFailed
from index.records import Span

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedModel

Vectors = NDArray[np.float32]
"""float32, shape (n, size); rows of length 1, so that a dot product is a cosine in [-1, 1]."""

TOGETHER = 1024
"""Tokens of a batch, padding included: more of them leave the processor's caches."""

COMMON = 4.0
"""Natural logarithm of the place in the vocabulary (by frequency) up to which a token tells next to nothing."""

SAMPLES = {
    "ko": (
        "이 회사는 언제 세워졌나요?",
        "누가 이 책을 썼습니까?",
        "그 도시의 인구는 얼마나 됩니까?",
        "왜 그 계획이 취소되었나요?",
        "이 약은 어떻게 복용해야 합니까?",
        "가장 높은 산은 어디에 있나요?",
        "회의에서 무엇을 결정했어?",
        "입장료는 얼마야?",
        "두 제품의 차이점은 무엇인가요?",
        "새 법은 누구에게 적용되나요?",
        "기차는 몇 시에 출발해?",
        "그 병의 증상은 무엇입니까?",
    ),
    "en": (
        "When was this company founded?",
        "Who wrote this book?",
        "How many people live in the city?",
        "Why was the plan cancelled?",
        "How should this medicine be taken?",
        "Where is the highest mountain?",
        "What did the meeting decide?",
        "How much is the entrance fee?",
        "What is the difference between the two products?",
        "Who does the new law apply to?",
        "What time does the train leave?",
        "What are the symptoms of the disease?",
    ),
}
"""Questions of all kinds, from whose vectors the centre of a language's questions is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as the model sees it.

    vector: (size,), length 1. tokens: of each of its tokens the vector (T, size), length 1. weights: how much each
    tells (T,), more than 0.
    """

    vector: Vectors
    tokens: Vectors
    weights: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Centre:
    """The mean of the vectors (size,) and of the token vectors (size,) of a language's questions, or its passages."""

    vector: Vectors
    token: Vectors


class Encoder(Protocol):
    """Turns passages and questions into vectors of one space."""

    @property
    def name(self) -> str:
        """What an index records: the model and its weights."""
        ...

    @property
    def size(self) -> int:
        """The length of a vector."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens of the model each text has, without the special ones."""
        ...

    def encode_passages(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        """A vector for each text (n, size), and for each text one for each of its sentences (k, size).

        `sentences` are character ranges within their text.
        """
        ...

    def encode_in_full(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors], list[Vectors]]:
        """As `encode_passages`, and for each text the vectors of its tokens (T, size), length 1."""
        ...

    def token_spans(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """For each text the character ranges of the tokens that `encode_in_full` has vectors of."""
        ...

    def encode_question(self, question: str) -> Vectors:
        """One vector, shape (size,)."""
        ...

    def encode_asked(self, question: str) -> Asked:
        """The question's vector with those of its tokens."""
        ...

    def centre(self, language: str) -> Centre:
        """Where the questions of a language ('ko', 'en') lie on average."""
        ...


ASKED = 4
"""Wordings of questions whose vectors are kept."""


@dataclass(frozen=True, slots=True)
class _Tokenised:
    """The numbers of a text's tokens, and the character range of each."""

    ids: list[int]
    offsets: list[Span]


class SentenceTransformerEncoder:
    """Any sentence-transformers model with mean pooling, by default multilingual-e5-small.

    A passage's vector is the mean over its tokens; a sentence's vector is the mean over the sentence's tokens *of the
    same pass*, so that it knows its surroundings and costs no second one ('late chunking', Günther et al. 2024,
    arXiv:2409.04701).
    """

    def __init__(self, model: str | Path) -> None:
        """model: a folder, or a hub id. What only asks for the name and the size of a folder's model is answered
        without loading it; the rest raises ModelFailed when it cannot be loaded."""
        self._path = model
        self.name = _identity(Path(model))
        self._lock = threading.Lock()
        self._asked = lru_cache(maxsize=ASKED)(self._read_question)
        self._centring = threading.Lock()
        self._centres = lru_cache(maxsize=None)(
            lambda language: centre_of([self.encode_asked(q) for q in SAMPLES[language]])
        )
        self._loaded: SentenceTransformer | None = None
        self._threads = 1

    @property
    def size(self) -> int:
        """The length of a vector."""
        try:
            return int(json.loads((Path(self._path) / "config.json").read_text("utf-8"))["hidden_size"])
        except (OSError, ValueError, KeyError):
            return self._model.get_embedding_dimension() or 0

    @property
    def window(self) -> int:
        """Tokens that the model reads at once."""
        return int(self._model.max_seq_length or 512)

    @property
    def _model(self) -> "SentenceTransformer":
        with self._lock:
            if self._loaded is None:
                self._loaded, self._threads = _load(self._path)
            return self._loaded

    @property
    def transformer(self) -> "PreTrainedModel":
        """The model itself, without what makes one vector of a text."""
        model: PreTrainedModel = self._model[0].auto_model
        return model

    @property
    def tokenizer(self) -> Any:
        """The model's own."""
        return self._model.tokenizer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See Encoder."""
        if not texts:
            return []
        encoded = self._model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def encode_passages(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        """See Encoder."""
        vectors, parts, _ = self.encode_in_full(texts, sentences)
        return vectors, parts

    def encode_in_full(
        self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors], list[Vectors]]:
        """See Encoder. Texts of like length share a batch; every core works on a batch of its own."""
        prompt = self._prompt
        vectors = np.zeros((len(texts), self.size), np.float32)
        parts: list[Vectors] = [np.zeros((0, self.size), np.float32)] * len(texts)
        words = list(parts)

        def encode(rows: Sequence[int]) -> None:
            batch = [encoded[row] for row in rows]
            for row, one, tokens in zip(rows, batch, self._forward(batch), strict=True):
                starts, ends = (np.array(one.offsets, np.int64).reshape(-1, 2) - len(prompt)).T
                vectors[row] = _mean(tokens, np.ones(len(tokens), bool))
                inside = [(starts >= a) & (ends <= b) & (ends > starts) for a, b in sentences[row]]
                parts[row] = np.array([_mean(tokens, part) for part in inside], np.float32).reshape(-1, self.size)
                words[row] = _unit(tokens[(ends > starts) & (ends > 0)])

        encoded = self._tokenised([prompt + text for text in texts])
        self._on_all_cores(encode, batches([len(one.ids) for one in encoded], TOGETHER))
        return vectors, parts, words

    def token_spans(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """See Encoder."""
        prompt = self._prompt
        found = self._tokenised([prompt + text for text in texts])
        moved = [[(start - len(prompt), end - len(prompt)) for start, end in one.offsets] for one in found]
        return [[(start, end) for start, end in offsets if end > start and end > 0] for offsets in moved]

    def encode_question(self, question: str) -> Vectors:
        """See Encoder. A question past the model's window is cut at its end."""
        return self.encode_asked(question).vector

    def encode_asked(self, question: str) -> Asked:
        """See Encoder. The last few are kept: one answer asks for the same wording several times."""
        return self._asked(question)

    def _read_question(self, question: str) -> Asked:
        """Without the prompt and the tokens that open and close a text."""
        prompt = self._model.prompts.get("query") or ""
        [one] = self._tokenised([prompt + question])
        [tokens] = self._forward([one])
        starts, ends = np.array(one.offsets, np.int64).T
        chosen = (ends > starts) & (ends > len(prompt))
        ids = np.array(one.ids, np.int64)
        return Asked(_mean(tokens, np.ones(len(tokens), bool)), _unit(tokens[chosen]), self._weights(ids[chosen]))

    def centre(self, language: str) -> Centre:
        """See Encoder. Worked out once from SAMPLES."""
        with self._centring:
            return self._centres(language)

    @cached_property
    def _prompt(self) -> str:
        """What is put before a passage."""
        return self._model.prompts.get("passage") or self._model.prompts.get("document") or ""

    @cached_property
    def _by_frequency(self) -> bool:
        """Whether a token's number is its place by frequency: in SentencePiece's unigram vocabularies it is."""
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        return type(getattr(backend, "model", None)).__name__ == "Unigram"

    def _weights(self, ids: NDArray[np.int64]) -> Vectors:
        """How much tokens tell, (T,): about minus the logarithm of their frequency, which falls as 1 / place (Zipf)."""
        if not self._by_frequency:
            return np.ones(len(ids), np.float32)
        return np.asarray(np.maximum(np.log(ids + 10.0) - COMMON, 0.1), np.float32)

    def _tokenised(self, texts: list[str]) -> list[_Tokenised]:
        """Of each text its tokens, cut at the model's window, and their character ranges."""
        if not texts:
            return []
        found = self._model.tokenizer(
            texts, truncation=True, max_length=self.window, return_offsets_mapping=True, return_attention_mask=False
        )
        return [_Tokenised(*pair) for pair in zip(found["input_ids"], found["offset_mapping"], strict=True)]

    def _forward(self, batch: Sequence[_Tokenised]) -> list[Vectors]:
        """Of each text the vectors of its tokens (T, size)."""
        import torch

        padded = self._model.tokenizer.pad({"input_ids": [one.ids for one in batch]}, return_tensors="pt")
        with self.one_thread(), torch.inference_mode():
            output = self._model[0](dict(padded))["token_embeddings"].float().numpy()
        return [rows[mask] for rows, mask in zip(output, padded["attention_mask"].numpy().astype(bool), strict=True)]

    def _on_all_cores(self, work: Callable[[Sequence[int]], None], lots: Sequence[Sequence[int]]) -> None:
        """Do the work for each lot, as many at a time as torch has threads."""
        with ThreadPoolExecutor(self._threads, "encoding") as pool:
            for _ in pool.map(work, lots):
                pass

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Torch stays within this thread: those that it lays out for one batch, or for the few tokens of a question,
        wait for one another at every layer and burn more time than they save."""
        import torch

        torch.set_num_threads(1)  # of this thread, and of those that begin meanwhile
        try:
            yield
        finally:
            torch.set_num_threads(self._threads)


def _load(model: str | Path) -> "tuple[SentenceTransformer, int]":
    """The model, and how many threads torch would use."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        loaded = SentenceTransformer(str(model), device="cpu", local_files_only=Path(model).is_dir())
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelFailed(
            f"The embedding model '{model}' could not be loaded: {reason}. Check it with 'mureum models verify'.",
            name=model,
            reason=reason,
        ) from error
    return loaded.to(torch.bfloat16) if _has_bfloat16() else loaded, torch.get_num_threads()


def batches(lengths: Sequence[int], together: int) -> list[list[int]]:
    """Rows in batches of like lengths, the longest first, that come to at most `together` when all are as long as the
    longest of them; a row that is longer stands alone."""
    found: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if found and (len(found[-1]) + 1) * lengths[found[-1][0]] <= together:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def centre_of(asked: Sequence[Asked]) -> Centre:
    """The centre of some questions."""
    vector = np.mean([one.vector for one in asked], axis=0, dtype=np.float32)
    token = np.concatenate([one.tokens for one in asked]).mean(axis=0, dtype=np.float32)
    return Centre(np.asarray(vector, np.float32), np.asarray(token, np.float32))


def _unit(rows: Vectors) -> Vectors:
    """Rows (n, size) at length 1; zero stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


def _mean(tokens: Vectors, mask: NDArray[np.bool_]) -> Vectors:
    """The mean of the chosen rows of (T, size), at length 1; zero when none is chosen."""
    if not mask.any():
        return np.zeros(tokens.shape[1], np.float32)
    mean: Vectors = tokens[mask].mean(axis=0, dtype=np.float32)
    length = float(np.linalg.norm(mean))
    return mean / np.float32(length) if length else mean


def _has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; elsewhere it is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _identity(model: Path) -> str:
    """The name an index records: the model's own, and a digest of its weights' size and first and last MiB."""
    if not model.is_dir():
        return str(model)
    digest = hashlib.sha256()
    for file in sorted(model.rglob("*.safetensors")):
        with file.open("rb") as handle:
            digest.update(str(file.stat().st_size).encode() + handle.read(1 << 20))
            handle.seek(max(0, file.stat().st_size - (1 << 20)), os.SEEK_SET)
            digest.update(handle.read())
    return f"{model.name} {digest.hexdigest()[:12]}"
