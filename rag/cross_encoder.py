"""Whether sentences answer a question, by a model that reads both together (a cross-encoder).

The embedding model once more, with low-rank changes to its upper layers (LoRA, Hu et al. 2021,
arXiv:2106.09685). They were trained on texts and questions in both languages that were invented for it, and on halves
of two published sets (docs/decisions.md): of each question which sentence answers it, or that none does, though the
text is about its very matter. The answering model judges the whole of what it reads; this one judges each sentence, and
errs elsewhere.
"""

import copy
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from safetensors import safe_open

from index.encoder import Encoder, SentenceTransformerEncoder, Vectors

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

WEIGHTS = files("rag") / "assets" / "cross_encoder.safetensors"

QUESTION = 128
"""Tokens of a question that are read."""

SENTENCE = 200
"""Tokens of a sentence that are read."""

TOGETHER = 330
"""Tokens of sentences that are read in one pass, unless one has more."""

SHARPNESS = 60.0
"""What a cosine of question and sentence is multiplied by before training changes it."""


class CrossEncoder:
    """Safe to share between threads; loads with the first question."""

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        """encoder: the embedding model that the changes were trained for (see `of`)."""
        self._encoder = encoder
        self._lock = threading.Lock()

    @staticmethod
    def of(encoder: Encoder) -> "CrossEncoder | None":
        """The one of an embedding model, the same for all indexes; None where the changes are for another model."""
        return _of(encoder) if isinstance(encoder, SentenceTransformerEncoder) else None

    def odds(self, question: str, sentences: Sequence[str]) -> Vectors:
        """Log-odds (n,) of each sentence that it, rather than none of those around it, answers the question.

        sentences: in reading order.
        """
        if not sentences:
            return np.zeros(0, np.float32)
        with self._lock:
            asked = self._tokens("query: " + question)[:QUESTION]
            texts = [self._tokens(sentence)[:SENTENCE] for sentence in sentences]
            return np.concatenate([self._read(asked, texts[a:b]) for a, b in _packs([len(text) for text in texts])])

    @cached_property
    def _changes(self) -> "dict[str, torch.Tensor]":
        with safe_open(str(WEIGHTS), "pt") as file:
            return {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (it is no mapping)

    @cached_property
    def _model(self) -> "PreTrainedModel":
        """The embedding model's layers with the changes; its vocabulary is shared, not copied."""
        model = self._encoder.transformer
        vocabulary = model.get_submodule("embeddings")
        own: PreTrainedModel = copy.deepcopy(model, {id(vocabulary): vocabulary})
        return _changed(own, self._changes)

    def _tokens(self, text: str) -> list[int]:
        return list(self._encoder.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _read(self, question: list[int], texts: Sequence[list[int]]) -> Vectors:
        """Log-odds (n,) of texts that are read in one pass."""
        import torch

        tokenizer = self._encoder.tokenizer
        ids = [tokenizer.cls_token_id, *question, tokenizer.sep_token_id, *self._tokens("passage:")]
        ends = len(ids) + np.cumsum([len(text) for text in texts])
        ids += [token for text in texts for token in text] + [tokenizer.sep_token_id]
        with self._encoder.one_thread(), torch.inference_mode():
            rows = self._model(input_ids=torch.tensor([ids])).last_hidden_state[0].float()
            asked = _unit(rows[1 : len(question) + 1].mean(0))
            parts = [rows[end - len(text) : end] for text, end in zip(texts, ends, strict=True)]
            read = torch.stack([_unit(part.sum(0)) for part in parts])
            changes = self._changes
            size = rows.shape[1] ** 0.5
            told = SHARPNESS * (read * asked * changes["pair"]).sum(1) + size * read @ changes["head.weight"][0]
            none = size * torch.cat([_unit(rows[0]), asked]) @ changes["null.weight"][0]
            return np.asarray((told + changes["head.bias"] - none - changes["null.bias"]).numpy(), np.float32)


@lru_cache(maxsize=1)
def _of(encoder: SentenceTransformerEncoder) -> CrossEncoder | None:
    with safe_open(str(WEIGHTS), "numpy") as file:
        return CrossEncoder(encoder) if file.metadata().get("encoder") == encoder.name else None


def _unit(row: "torch.Tensor") -> "torch.Tensor":
    return row / row.norm().clamp(min=1e-9)


def _packs(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges [first, last) of texts that are read together."""
    packs: list[tuple[int, int]] = []
    first = total = 0
    for row, length in enumerate(lengths):
        if row > first and total + length > TOGETHER:
            packs.append((first, row))
            first, total = row, 0
        total += length
    return [*packs, (first, len(lengths))]


def _changed(model: "PreTrainedModel", changes: "Mapping[str, torch.Tensor]") -> "PreTrainedModel":
    """The model with b·a added to the weights that there is an 'a' and a 'b' for (scaled before they were stored)."""
    import torch

    with torch.no_grad():
        for name in {one.removesuffix(".a") for one in changes if one.endswith(".a")}:
            weight = model.get_parameter(f"{name}.weight")
            weight.copy_((weight.float() + changes[f"{name}.b"] @ changes[f"{name}.a"]).to(weight.dtype))
    return model
