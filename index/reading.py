"""Files to Documents: plain text, Markdown and JSON Lines, always as NFC text with '\\n' line ends."""

import codecs
import hashlib
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pathspec

from index.errors import (
    DocumentEmpty,
    DocumentError,
    DocumentNotFound,
    DocumentNotText,
    DocumentUnsupported,
)
from index.records import Document

SUFFIXES = (".txt", ".md", ".markdown", ".jsonl")
IGNORE_FILE = ".mureumignore"
MAX_BYTES = 64 * 1024 * 1024


def document(name: str, text: str, title: str = "", source: str = "") -> Document:
    """A Document from any text: NFC, '\\n' line ends, digest of title and text.

    Raises DocumentEmpty, and DocumentNotText for a text with NUL characters.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    title = unicodedata.normalize("NFC", title)
    if not text.strip():
        raise DocumentEmpty(f"'{name}' has no text in it; nothing was indexed from it.", document=name)
    if "\x00" in text:
        raise DocumentNotText(
            f"'{name}' is not text: it has NUL characters in it.", document=name, reason="NUL characters"
        )
    digest = hashlib.sha256(f"{title}\x00{text}".encode()).hexdigest()
    return Document(name, title, text, source, digest)


def files_of(path: Path) -> Iterator[tuple[Path, str]]:
    """The files to read below `path`, with the name each is known by.

    Raises DocumentNotFound, and DocumentNotText for a `.mureumignore` that cannot be read.

    In a folder: every file with a known ending, in the order of names, without hidden ones, links that lead out of
    the folder, and what the folder's `.mureumignore` (patterns as in .gitignore) leaves out. A file named by itself
    is always taken.
    """
    if not path.exists():
        raise DocumentNotFound(f"There is no file or folder '{path}'. Check the path.", document=path)
    if path.is_file():
        yield path, _name(path.name)
        return
    ignored = _ignored(path / IGNORE_FILE)
    root = path.resolve()
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        if any(part.startswith(".") for part in relative.parts) or not file.is_file():
            continue
        if file.suffix.lower() not in SUFFIXES or ignored.match_file(relative.as_posix()):
            continue
        if file.resolve().is_relative_to(root):
            yield file, _name(relative.as_posix())


def _ignored(file: Path) -> pathspec.GitIgnoreSpec:
    try:
        lines = _decode(file, file.name).splitlines() if file.is_file() else []
        return pathspec.GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise DocumentNotText(f"'{file}' cannot be read: {error}", document=file, reason=error) from error


def _name(name: str) -> str:
    """A file's name as NFC; bytes of it that are not UTF-8 are shown as '\\udcff', since they cannot be stored."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "backslashreplace").decode("utf-8"))


def read(path: Path, name: str) -> list[Document | DocumentError]:
    """The documents of one file: one, or a JSONL file's one a line. What cannot be read stands as its error."""
    try:
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise DocumentUnsupported(
                f"'{name}' cannot be read: files ending in {', '.join(SUFFIXES)} can.",
                document=name,
                suffixes=", ".join(SUFFIXES),
            )
        text = _decode(path, name)
        if suffix == ".jsonl":
            return list(_json_lines(text, name, path))
        return [document(name, text, _title(text, suffix), _source(path))]
    except DocumentError as error:
        return [error]


def _source(path: Path) -> str:
    return str(path.resolve()).encode("utf-8", "backslashreplace").decode("utf-8")


def _decode(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentNotText(
            f"'{name}' could not be opened: {error.strerror}.", document=name, reason=error.strerror or ""
        ) from error
    if len(data) > MAX_BYTES:
        raise DocumentNotText(
            f"'{name}' is too large: at most {MAX_BYTES >> 20} MiB are read. Split it.",
            document=name,
            reason=f"more than {MAX_BYTES >> 20} MiB",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8{_likely_encoding(data)}"
        raise DocumentNotText(
            f"'{name}' is not UTF-8 text ({reason}). Save it as UTF-8 and add it again.", document=name, reason=reason
        ) from error


def _likely_encoding(data: bytes) -> str:
    """A hint for the message: text saved by older programs is mostly CP949 in Korea, or UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "; it looks like UTF-16"
    try:
        korean = sum("가" <= letter <= "힣" for letter in data.decode("cp949"))
    except UnicodeDecodeError:
        return ""
    return "; it looks like CP949 / EUC-KR" if korean * 4 > len(data) // 2 else ""


def _title(text: str, suffix: str) -> str:
    """The first line when it looks like a heading: short, and followed by an empty line or marked with '#'."""
    lines = text.strip().split("\n")
    first = lines[0].strip()
    if suffix != ".txt" and first.startswith("#"):
        return first.lstrip("#").strip()
    alone = len(lines) > 1 and not lines[1].strip()
    return first if alone and len(first) <= 120 else ""


def _json_lines(text: str, name: str, path: Path) -> Iterator[Document | DocumentError]:
    """One Document a line {"id", "title"?, "text"}; its name is the id as it stands."""
    empty = True
    source = _source(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        empty = False
        where = f"{name}:{number}"
        try:
            record = json.loads(line)
            if not record["id"].encode():  # which also refuses half a surrogate pair, as a ValueError
                raise KeyError("id")
            yield document(record["id"], record["text"], record.get("title") or "", source)
        except DocumentError as error:
            yield error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            reason = 'the line is not an object {"id": "…", "title": "…", "text": "…"}'
            yield DocumentNotText(
                f"'{where}' cannot be read: {reason}. The other lines are not affected.", document=where, reason=reason
            )
    if empty:
        yield DocumentEmpty(f"'{name}' has no text in it; nothing was indexed from it.", document=name)
