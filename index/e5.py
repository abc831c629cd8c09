"""From a packed 4-bit E5 file ('E5S1') to a sentence-transformers folder.

The container holds a BERT encoder with its matrices in Q4_0 (llama.cpp's block format: 32 weights in 18
bytes). Written out as float32 it is an ordinary folder that `SentenceTransformer(folder)` loads, so that the
default embedding model goes the same way as any model a user names.

Layout of the container, little-endian:
    magic 'E5S1', u32 version
    i32 hidden, layers, heads, feed_forward, vocabulary, positions, token_types; f32 epsilon; i32 block
    tokenizer: i32 pieces, bos, eos, pad, unk; u64 blob bytes; u32 offsets[pieces + 1]; f32 scores[pieces];
        the blob; i32 normaliser entries; u32 bytes; that many bytes      (skipped: `tokenizer.json` is used)
    i32 tensors, then for each: u16 name bytes, name, u8 kind, u32 elements, u64 offset in the file, u64 bytes
"""

import errno
import json
import math
import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file

from index.errors import ModelDamaged

MAGIC = b"E5S1"
Q4_BLOCK = 32  # weights in a Q4_0 block
Q4_BYTES = 18  # a float16 scale and 16 bytes of nibbles
F32, Q4_0 = 0, 1  # tensor kinds
SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the encoder, in numbers of elements; `epsilon` is the layer norms'."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies in the container: `kind` is F32 or Q4_0, `offset` and `size` are in bytes."""

    kind: int
    elements: int
    offset: int
    size: int


class Container:
    """A parsed E5S1 file over its bytes. Raises ModelDamaged where the bytes are not such a file."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self.shape = self._read_shape()
        self._skip_tokenizer()
        self.entries = self._read_directory()

    def tensor(self, name: str, *shape: int) -> Floats:
        """The tensor `name` as float32 of `shape`, dequantised if need be."""
        entry = self.entries.get(name)
        if entry is None:
            raise _damaged(f"tensor {name} is missing")
        if entry.elements != math.prod(shape):
            raise _damaged(f"tensor {name} has {entry.elements} elements, not {' x '.join(map(str, shape))}")
        raw = self._data[entry.offset : entry.offset + entry.size]
        if entry.kind == Q4_0:
            return dequantise_q4_0(raw).reshape(shape)
        values = np.frombuffer(raw, dtype="<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise _damaged(f"tensor {name} holds values that are no numbers")
        return values.reshape(shape)

    def _read_shape(self) -> Shape:
        magic, version = self._read("4sI", "the header")
        if magic != MAGIC or version != 1:
            raise _damaged(f"it starts with {bytes(magic)!r} version {version}, not with {MAGIC!r} version 1")
        *sizes, epsilon, block = self._read("7ifi", "the header")
        hidden, layers, heads, feed_forward, vocabulary, positions, token_types = sizes
        if min(sizes) < 1 or hidden % heads or block != Q4_BLOCK or not 0 < epsilon < 1:
            raise _damaged(f"its sizes make no sense: {sizes}, epsilon {epsilon}, block {block}")
        return Shape(hidden, layers, heads, feed_forward, vocabulary, positions, token_types, epsilon)

    def _skip_tokenizer(self) -> None:
        pieces, _bos, _eos, _pad, _unk, blob = self._read("5iQ", "the tokenizer")
        if pieces < 0:
            raise _damaged(f"its tokenizer has {pieces} pieces")
        self._take(4 * (pieces + 1) + 4 * pieces + blob, "the tokenizer")
        _entries, size = self._read("iI", "the normaliser")
        self._take(size, "the normaliser")

    def _read_directory(self) -> dict[str, Entry]:
        (count,) = self._read("i", "the directory")
        entries: dict[str, Entry] = {}
        for _ in range(count):
            (length,) = self._read("H", "the directory")
            name = bytes(self._take(length, "the directory")).decode("utf-8", "replace")
            entry = Entry(*self._read("BIQQ", "the directory"))
            self._check(name, entry)
            entries[name] = entry
        return entries

    def _check(self, name: str, entry: Entry) -> None:
        if entry.kind == Q4_0:
            size, left_over = entry.elements // Q4_BLOCK * Q4_BYTES, entry.elements % Q4_BLOCK
        else:
            size, left_over = entry.elements * 4, 0
        if entry.kind not in (F32, Q4_0) or left_over or size != entry.size:
            raise _damaged(f"tensor {name} of kind {entry.kind}: {entry.elements} elements, {entry.size} bytes")
        if entry.offset + entry.size > len(self._data):
            raise _damaged(f"tensor {name} ends at byte {entry.offset + entry.size} of {len(self._data)}")

    def _read(self, form: str, where: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, self._take(struct.calcsize("<" + form), where))

    def _take(self, size: int, where: str) -> memoryview:
        if self._at + size > len(self._data):
            raise _damaged(f"it ends in the middle of {where}")
        self._at += size
        return self._data[self._at - size : self._at]


def dequantise_q4_0(raw: bytes | memoryview) -> Floats:
    """Q4_0 blocks to float32 weights, flat.

    A block is a float16 scale d and 16 bytes; the low nibbles are weights 0-15, the high nibbles 16-31, and a
    weight is (nibble - 8) * d. Source: `dequantize_row_q4_0` in ggml. Raises ModelDamaged if a scale is
    infinite or no number.
    """
    blocks = np.frombuffer(raw, dtype=np.dtype([("d", "<f2"), ("q", "u1", 16)]))
    scales = blocks["d"].astype(np.float32)  # (N,)
    if not np.isfinite(scales).all():
        raise _damaged("the scale of a block is no number")
    weights = np.empty((len(blocks), Q4_BLOCK), dtype=np.float32)  # (N, 32)
    weights[:, :16] = blocks["q"] & 0x0F
    weights[:, 16:] = blocks["q"] >> 4
    weights -= 8
    weights *= scales[:, None]
    return weights.reshape(-1)


def bert_tensors(container: Container) -> Iterator[tuple[str, Floats]]:
    """Each tensor of the container under its name in transformers' `BertModel` (without a pooler)."""
    s = container.shape
    yield "embeddings.word_embeddings.weight", container.tensor("emb.word", s.vocabulary, s.hidden)
    yield "embeddings.position_embeddings.weight", container.tensor("emb.pos", s.positions, s.hidden)
    yield "embeddings.token_type_embeddings.weight", container.tensor("emb.type", s.token_types, s.hidden)
    yield "embeddings.LayerNorm.weight", container.tensor("emb.ln.w", s.hidden)
    yield "embeddings.LayerNorm.bias", container.tensor("emb.ln.b", s.hidden)
    matrices = (
        ("q", "attention.self.query", s.hidden, s.hidden),
        ("k", "attention.self.key", s.hidden, s.hidden),
        ("v", "attention.self.value", s.hidden, s.hidden),
        ("ao", "attention.output.dense", s.hidden, s.hidden),
        ("aln", "attention.output.LayerNorm", s.hidden, 0),
        ("fi", "intermediate.dense", s.feed_forward, s.hidden),
        ("fo", "output.dense", s.hidden, s.feed_forward),
        ("oln", "output.LayerNorm", s.hidden, 0),
    )
    for layer in range(s.layers):
        for short, long, rows, columns in matrices:
            shape = (rows, columns) if columns else (rows,)
            prefix = f"encoder.layer.{layer}.{long}"
            yield f"{prefix}.weight", container.tensor(f"l{layer}.{short}.w", *shape)
            yield f"{prefix}.bias", container.tensor(f"l{layer}.{short}.b", rows)


def write_folder(data: bytes, tokenizer: bytes, folder: Path) -> None:
    """Write the container `data` and its `tokenizer.json` as a sentence-transformers folder.

    `folder` is made if it is not there. Raises ModelDamaged if `data` is not an E5S1 file, OSError if the
    disk will not take the files (float32: about 6.6 times the container).
    """
    container = Container(data)
    for name, content in _settings(container.shape).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_bytes(tokenizer)
    _write_weights(dict(bert_tensors(container)), folder / "model.safetensors")


def _write_weights(tensors: dict[str, Floats], path: Path) -> None:
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        # The system's error number is in the sentence alone: 28 is a full disk, 112 the same on Windows.
        code = re.search(r"os error (\d+)", str(error))
        full = code is not None and int(code[1]) in (28, 112)
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(path)) from error
    shutil.copymode(path.with_name("config.json"), path)  # the library writes it for its owner alone


def _settings(shape: Shape) -> dict[str, object]:
    """File name to JSON content: everything in the folder but weights and tokenizer."""
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.token_types,
            "layer_norm_eps": shape.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": 1,
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            **SPECIAL_TOKENS,
            # Not XLMRobertaTokenizer: transformers 5 would build a normaliser of its own for that class.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "model_input_names": ["input_ids", "attention_mask"],
            "padding_side": "right",
            "truncation_side": "right",
            "clean_up_tokenization_spaces": False,
        },
        "special_tokens_map.json": SPECIAL_TOKENS,
        "sentence_bert_config.json": {
            "max_seq_length": shape.positions,
            "do_lower_case": False,
            "model_kwargs": {"add_pooling_layer": False},  # BERT's own pooler: no weights for it, nothing reads it
        },
        "config_sentence_transformers.json": {
            # 'document' is what encode_document() takes; left out it would be filled in as no prompt at all.
            "prompts": {"query": "query: ", "passage": "passage: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "1_Pooling/config.json": {
            "embedding_dimension": shape.hidden,
            "pooling_mode": "mean",
            "include_prompt": True,
        },
        "2_Normalize/config.json": {},
    }


def _damaged(reason: str) -> ModelDamaged:
    return ModelDamaged(f"The packed embedding model cannot be read: {reason}. Fetch it again.", reason=reason)
