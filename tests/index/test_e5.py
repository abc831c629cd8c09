"""The conversion of a packed E5 file, on a tiny one made here, against a BERT computed in NumPy."""

import errno
import json
import math
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from index import e5
from index.errors import ModelDamaged

HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS, TYPES = 32, 2, 4, 64, 24, 16, 2
EPSILON = 1e-12
WORDS = ["▁", "▁query:", "▁passage:", "▁안녕", "▁hello", "▁world", "▁a", "b"]
TEXTS = ["query: 안녕 hello", "passage: hello world a b", "query: " + "world " * 40]

Floats = npt.NDArray[np.float32]


def slow_dequantise(raw: bytes) -> list[float]:
    """Q4_0 weight by weight, as its description says."""
    weights = []
    for start in range(0, len(raw), 18):
        (scale,) = struct.unpack("<e", raw[start : start + 2])
        nibbles = [byte & 15 for byte in raw[start + 2 : start + 18]]
        nibbles += [byte >> 4 for byte in raw[start + 2 : start + 18]]
        weights += [(nibble - 8) * scale for nibble in nibbles]
    return weights


def make_tensors() -> dict[str, tuple[int, int, bytes]]:
    """Name to (kind, elements, bytes) of every tensor that the container needs, with random weights."""
    rng = np.random.default_rng(5)

    def floats(size: int, around: float = 0.0) -> tuple[int, int, bytes]:
        return 0, size, (around + 0.1 * rng.standard_normal(size)).astype("<f4").tobytes()

    def packed(size: int) -> tuple[int, int, bytes]:
        blocks = np.empty(size // 32, dtype=[("d", "<f2"), ("q", "u1", 16)])
        blocks["d"] = rng.uniform(0.01, 0.05, len(blocks))
        blocks["q"] = rng.integers(0, 256, (len(blocks), 16))
        return 1, size, blocks.tobytes()

    tensors = {
        "emb.word": packed(VOCABULARY * HIDDEN),
        "emb.pos": floats(POSITIONS * HIDDEN),
        "emb.type": floats(TYPES * HIDDEN),
        "emb.ln.w": floats(HIDDEN, 1.0),
        "emb.ln.b": floats(HIDDEN),
    }
    sizes = {"q": HIDDEN, "k": HIDDEN, "v": HIDDEN, "ao": HIDDEN, "fi": FEED_FORWARD, "fo": HIDDEN}
    for layer in range(LAYERS):
        for name, rows in sizes.items():
            tensors[f"l{layer}.{name}.w"] = packed(rows * (FEED_FORWARD if name == "fo" else HIDDEN))
            tensors[f"l{layer}.{name}.b"] = floats(rows)
        for name in ("aln", "oln"):
            tensors[f"l{layer}.{name}.w"] = floats(HIDDEN, 1.0)
            tensors[f"l{layer}.{name}.b"] = floats(HIDDEN)
    return tensors


def make_container(tensors: dict[str, tuple[int, int, bytes]]) -> bytes:
    sizes = (HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS, TYPES)
    blob, normaliser = b"pieces", b"rules"
    head = struct.pack("<4sI7ifi", b"E5S1", 1, *sizes, EPSILON, 32)
    head += struct.pack("<5iQ", 2, 0, 2, 1, 3, len(blob)) + struct.pack("<3I2f", 0, 3, 6, -1.0, -2.0) + blob
    head += struct.pack("<iI", 1, len(normaliser)) + normaliser + struct.pack("<i", len(tensors))
    offset = len(head) + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in tensors)
    directory, data = b"", b""
    for name, (kind, elements, raw) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, elements, offset + len(data), len(raw))
        data += raw
    return head + directory + data


def make_tokenizer() -> bytes:
    """A Unigram tokenizer with the special tokens of the real one; it knows fewer ids than the container."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = Tokenizer(models.Unigram([*pieces, *((word, -1.0) for word in WORDS)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=special
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    text: str = tokenizer.to_str()
    return text.encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("e5") / "model"
    e5.write_folder(make_container(make_tensors()), make_tokenizer(), folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def bert(ids: list[int], weights: dict[str, Floats]) -> Floats:
    """The normalised mean of the last layer, (HIDDEN,), straight from the packed tensors' names."""

    def norm(x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled: Floats = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
        return scaled * weights[f"{name}.w"] + weights[f"{name}.b"]

    def linear(x: Floats, name: str) -> Floats:
        result: Floats = x @ weights[f"{name}.w"].reshape(-1, x.shape[1]).T + weights[f"{name}.b"]
        return result

    def heads(x: Floats) -> Floats:
        return x.reshape(len(ids), HEADS, -1).transpose(1, 0, 2)  # (heads, T, H / heads)

    gelu = np.vectorize(lambda value: 0.5 * value * (1 + math.erf(value / math.sqrt(2))))
    x = weights["emb.word"].reshape(-1, HIDDEN)[ids] + weights["emb.pos"].reshape(-1, HIDDEN)[: len(ids)]
    x = norm(x + weights["emb.type"].reshape(-1, HIDDEN)[0], "emb.ln")  # (T, H)
    for layer in range(LAYERS):
        q, k, v = (heads(linear(x, f"l{layer}.{name}")) for name in "qkv")
        scores = np.exp(q @ k.transpose(0, 2, 1) / math.sqrt(HIDDEN // HEADS))
        mixed = (scores / scores.sum(axis=2, keepdims=True)) @ v
        mixed = mixed.transpose(1, 0, 2).reshape(len(ids), HIDDEN)
        x = norm(x + linear(mixed, f"l{layer}.ao"), f"l{layer}.aln")
        x = norm(x + linear(gelu(linear(x, f"l{layer}.fi")), f"l{layer}.fo"), f"l{layer}.oln")
    mean = x.mean(axis=0)
    pooled: Floats = mean / np.linalg.norm(mean)
    return pooled


def test_a_block_of_q4_0_is_sixteen_low_nibbles_then_sixteen_high_ones() -> None:
    raw = struct.pack("<e", 0.5) + bytes([0x0F, 0x80] + [0x88] * 14)
    weights = e5.dequantise_q4_0(raw)
    assert weights.dtype == np.float32
    assert weights.tolist() == [3.5, -4.0] + [0.0] * 14 + [-4.0] + [0.0] * 15
    blocks = np.random.default_rng(1).integers(0, 256, (50, 18), dtype=np.uint8)
    blocks[:, 1] &= 0x3F  # no NaN and no infinity among the scales
    assert e5.dequantise_q4_0(blocks.tobytes()).tolist() == slow_dequantise(blocks.tobytes())
    with pytest.raises(ModelDamaged):
        e5.dequantise_q4_0(struct.pack("<e", math.inf) + bytes(16))


def test_the_model_computes_what_numpy_does(model: SentenceTransformer) -> None:
    weights = {
        name: np.array(slow_dequantise(raw), dtype=np.float32) if kind else np.frombuffer(raw, dtype="<f4")
        for name, (kind, _, raw) in make_tensors().items()
    }
    tokenizer = Tokenizer.from_str(make_tokenizer().decode())
    tokenizer.enable_truncation(POSITIONS)
    expected = np.stack([bert(tokenizer.encode(text).ids, weights) for text in TEXTS])
    actual = model.encode(TEXTS)  # of different lengths, so that padding has to be masked
    assert actual.shape == (len(TEXTS), HIDDEN)
    assert np.abs(actual - expected).max() < 1e-5
    assert np.abs(expected[0] - expected[1]).max() > 0.1  # the texts are told apart at all


def test_tokens_are_framed_and_cut_at_the_last_position(model: SentenceTransformer, folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in TEXTS[:2]:
        ids = model.tokenizer(text)["input_ids"]
        assert ids == tokenizer.encode(text).ids
        assert (ids[0], ids[-1]) == (0, 2)
    ids = model.preprocess([TEXTS[2]])["input_ids"][0].tolist()
    assert len(ids) == POSITIONS == model.max_seq_length
    assert (ids[0], ids[-1]) == (0, 2)


def test_the_prompts_are_the_models_own(model: SentenceTransformer) -> None:
    text = "hello world"
    assert np.array_equal(model.encode_query(text), model.encode(f"query: {text}"))
    assert np.array_equal(model.encode_document(text), model.encode(f"passage: {text}"))
    assert np.array_equal(model.encode(text, prompt_name="passage"), model.encode(f"passage: {text}"))
    assert np.allclose(np.linalg.norm(model.encode(TEXTS), axis=1), 1, atol=1e-6)


def test_the_files_are_the_same_every_time_and_readable_by_who_reads_the_rest(folder: Path, tmp_path: Path) -> None:
    e5.write_folder(make_container(make_tensors()), make_tokenizer(), tmp_path)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert [(tmp_path / file).read_bytes() for file in files] == [(folder / file).read_bytes() for file in files]
    modes = {(folder / file).stat().st_mode for file in files}
    assert len(modes) == 1
    weights = load_file(folder / "model.safetensors")
    assert len(weights) == 5 + 16 * LAYERS
    assert {weight.dtype for weight in weights.values()} == {np.dtype("float32")}
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == VOCABULARY


Tensors = dict[str, tuple[int, int, bytes]]


def drop(tensors: Tensors) -> None:
    del tensors["l1.fo.b"]


def shorten(tensors: Tensors) -> None:
    kind, elements, raw = tensors["emb.ln.w"]
    tensors["emb.ln.w"] = (kind, elements - 1, raw[:-4])


def lie(tensors: Tensors) -> None:
    kind, elements, raw = tensors["l0.q.w"]
    tensors["l0.q.w"] = (kind, elements, raw[:-18])


def break_a_block(tensors: Tensors) -> None:
    kind, elements, raw = tensors["l0.q.w"]
    tensors["l0.q.w"] = (kind, elements - 1, raw)


def rename_the_kind(tensors: Tensors) -> None:
    _, elements, raw = tensors["l0.q.b"]
    tensors["l0.q.b"] = (7, elements, raw)


def put_a_nan(tensors: Tensors) -> None:
    kind, elements, raw = tensors["l0.q.b"]
    tensors["l0.q.b"] = (kind, elements, struct.pack("<f", math.nan) + raw[4:])


@pytest.mark.parametrize("damage", [drop, shorten, lie, break_a_block, rename_the_kind, put_a_nan])
def test_a_wrong_tensor_is_named(damage: Callable[[Tensors], None], tmp_path: Path) -> None:
    tensors = make_tensors()
    damage(tensors)
    with pytest.raises(ModelDamaged, match=r"tensor (l1\.fo\.b|emb\.ln\.w|l0\.q\.[wb]) "):
        e5.write_folder(make_container(tensors), make_tokenizer(), tmp_path)


@pytest.mark.parametrize("start", [b"GGUF\x01\x00\x00\x00", b"E5S1\x02\x00\x00\x00", b"", b"E5S1"])
def test_another_file_is_refused(start: bytes, tmp_path: Path) -> None:
    data = make_container(make_tensors())
    with pytest.raises(ModelDamaged):
        e5.write_folder(start + data[8:] if len(start) == 8 else start, b"{}", tmp_path)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    data = make_container(make_tensors())
    for size in [*range(0, 200), *range(200, len(data), 997), len(data) - 1]:
        with pytest.raises(ModelDamaged):
            e5.Container(data[:size])


def test_a_flipped_byte_in_the_headers_never_ends_in_another_error() -> None:
    data = make_container(make_tensors())
    headers = len(data) - sum(len(raw) for _, _, raw in make_tensors().values())
    rng = random.Random(3)
    refused = 0
    for _ in range(1500):
        position, value = rng.randrange(headers), rng.randrange(256)
        try:
            container = e5.Container(data[:position] + bytes([value]) + data[position + 1 :])
            for _name, tensor in e5.bert_tensors(container):
                assert tensor.dtype == np.float32
        except ModelDamaged:
            refused += 1
    assert refused > 500


@pytest.mark.parametrize(("words", "number"), [("(os error 28)", errno.ENOSPC), ("bad header", errno.EIO)])
def test_a_disk_that_fills_up_is_an_os_error(
    words: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError(f"Error while serializing: {words}")

    monkeypatch.setattr(e5, "save_file", full)
    with pytest.raises(OSError) as caught:
        e5.write_folder(make_container(make_tensors()), make_tokenizer(), tmp_path)
    assert caught.value.errno == number
