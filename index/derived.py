"""What is made from the catalogue for searching, and can be made again: vectors and postings of one state.

They lie in a folder `derived-<state>` of the index. Its manifest, with the SHA-256 of every file, is written last and
the folder gets its name after that, so that what has the name is complete.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Catalogue
from index.errors import IndexDamaged
from index.files import mapped
from index.lexical import Postings
from index.records import Recipe
from index.vectors import VectorStore

LAYOUT = 1
"""The version of these files."""

LANGUAGES = ("en", "ko")
"""A language's number in the files."""

_PREFIX, _MANIFEST = "derived-", "manifest.json"
_ROWS: dict[str, type[np.generic]] = {"ids": np.int64, "seals": np.int64, "languages": np.uint8}


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """Of each passage (n,), by ascending id: its id, its seal, its language's number; the vectors and the postings.

    An id and its seal together name one passage for good, so that what is derived of one state serves later ones for
    all passages that have not changed.
    """

    ids: NDArray[np.int64]
    seals: NDArray[np.int64]
    languages: NDArray[np.uint8]
    vectors: VectorStore
    postings: Postings

    @classmethod
    def make(cls, catalogue: Catalogue) -> "Derived":
        """From the present state of the catalogue. Raises IndexDamaged."""
        ids, seals = catalogue.seals()
        languages = np.zeros(len(ids), np.uint8)

        def tokens() -> Iterator[list[str]]:
            for number, row in enumerate(catalogue.rows()):
                languages[number] = LANGUAGES.index(row.language)
                yield row.tokens

        postings = Postings.of(tokens())
        return cls(ids, seals, languages, VectorStore.build(ids, catalogue.vectors()), postings)

    @classmethod
    def load(cls, folder: Path, recipe: Recipe) -> "Derived":
        """Map the files of a whole folder. Raises IndexDamaged, OSError, ValueError."""
        ids, seals, languages = (mapped(folder / name, kind) for name, kind in _ROWS.items())
        vectors = VectorStore.load(folder, ids, recipe.size)
        postings = Postings.load(folder)
        if not len(ids) == len(seals) == len(languages) == len(postings.lengths):
            raise IndexDamaged(f"The files in '{folder}' are not of one state.", path=folder)
        return cls(ids, seals, languages, vectors, postings)

    def save(self, folder: Path) -> None:
        """Write the files. OSErrors pass."""
        for name, kind in _ROWS.items():
            np.ascontiguousarray(getattr(self, name), kind).tofile(folder / name)
        self.vectors.save(folder)
        self.postings.save(folder)


def same_rows(
    ids: NDArray[np.int64], seals: NDArray[np.int64], now_ids: NDArray[np.int64], now_seals: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of some passages (n,) are still those of a state, whose ids are ascending."""
    if not len(now_ids):
        return np.zeros(len(ids), bool)
    places = np.minimum(np.searchsorted(now_ids, ids), len(now_ids) - 1)
    same: NDArray[np.bool_] = (now_ids[places] == ids) & (now_seals[places] == seals)
    return same


def newest(index: Path) -> Path | None:
    """The folder of the highest state."""
    found = [path for path in index.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdecimal()]
    return max(found, key=lambda path: int(path.name.removeprefix(_PREFIX)), default=None)


@dataclass(frozen=True, slots=True)
class Mark:
    """A folder as it was at a moment: another one of the same name, or one that has lost a file, has another mark."""

    folder: Path | None
    inode: int = 0
    changed: int = 0


def mark(folder: Path | None) -> Mark:
    """The mark of a folder now; that of no folder where it is gone meanwhile."""
    with suppress(OSError):
        if folder is not None:
            stat = folder.stat()
            return Mark(folder, stat.st_ino, stat.st_mtime_ns)
    return Mark(None)


def fault(folder: Path | None, recipe: Recipe) -> str:
    """What is wrong with a folder, or ''; 'missing' where there is none of this recipe."""
    try:
        if folder is None:
            return "missing"
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        if manifest["layout"] != LAYOUT or manifest["recipe"] != asdict(recipe):
            return "missing"
        whole = all(_digest(folder / name) == digest for name, digest in manifest["files"].items())
        named = {path.name for path in folder.iterdir()} == {_MANIFEST, *manifest["files"]}
        return "" if whole and named else "damaged"
    except FileNotFoundError:
        return "damaged"
    except OSError:
        return "unreadable"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "damaged"


def whole(folder: Path | None, recipe: Recipe) -> Derived | None:
    """What is in a folder, where nothing is wrong with it.

    What this process has looked at already is not read again while its files keep their sizes and times.
    """
    if folder is None:
        return None
    with suppress(OSError):
        files = [(path, path.stat()) for path in sorted(folder.iterdir())]
        return _whole(folder, recipe, tuple((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in files))
    return None


@lru_cache(maxsize=2)
def _whole(folder: Path, recipe: Recipe, _: tuple[tuple[str, int, int], ...]) -> Derived | None:
    if not fault(folder, recipe):
        with suppress(IndexDamaged, OSError, ValueError):
            return Derived.load(folder, recipe)
    return None


def publish(derived: Derived, index: Path, state: int, recipe: Recipe) -> Path:
    """Keep it as the one of a state, and remove those of other states. OSErrors pass, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(dir=index, prefix=f".{_PREFIX}{state}.{os.getpid()}."))
    try:
        derived.save(folder)
        digests = {path.name: _digest(path) for path in sorted(folder.iterdir())}
        manifest = {"layout": LAYOUT, "recipe": asdict(recipe), "files": digests}
        (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        folder.chmod(index.stat().st_mode & 0o777)
        target = index / f"{_PREFIX}{state}"
        _remove(target)  # a damaged one, or another process has been faster
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for old in index.glob(f"{_PREFIX}*"):  # of other states
        if old != target:
            _remove(old)
    for old in index.glob(f".{_PREFIX}*"):  # of killed processes
        if not _is_at_work(old):
            shutil.rmtree(old, ignore_errors=True)
    for old in (*index.glob("vectors-*"), *index.glob(".vectors-*")):  # of format 2
        with suppress(OSError):
            old.unlink()
    return target


def _is_at_work(folder: Path) -> bool:
    """Whether the process that makes a folder, whose number stands in its name, is alive."""
    number = "".join(folder.name.split(".")[2:3])
    if not number.isdecimal():
        return False
    if os.name == "nt":  # where a signal of 0 would end the process
        return True
    with suppress(PermissionError):  # somebody else's, but alive
        try:
            os.kill(int(number), 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True


def _remove(folder: Path) -> None:
    """Take a folder away in one step, so that nobody who looks at it meanwhile finds half of it."""
    with suppress(OSError):
        away = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{_PREFIX}old."))
        folder.rename(away / folder.name)
        shutil.rmtree(away, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
