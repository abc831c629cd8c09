"""What SQLite and the disk say when they cannot work, as the project's own errors."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import DocumentNotFound, IndexBusy, IndexDamaged, IndexNotWritable, MureumError, NoSpace

ALMOST_FULL = 1 << 20  # bytes; with fewer free, "disk I/O error" means a full disk

_WRITING = frozenset(
    (
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_DELETE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
    )
)
"""I/O errors of SQLite that only writing has: what is on the disk is not hurt."""


@contextmanager
def faults(folder: Path) -> Iterator[None]:
    """The errors of SQLite, of the disk, and of stored values that cannot be read, as the project's own."""
    try:
        yield
    except sqlite3.Error as error:
        raise fault(folder, error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_space(folder) from error
        raise not_writable(folder, error.strerror or str(error)) from error
    except (ValueError, TypeError) as error:
        raise damaged(folder, str(error)) from error


def fault(folder: Path, error: sqlite3.Error) -> MureumError:
    """What an error of SQLite means for whoever works with the index in `folder`."""
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & 0xFF  # the rest of it tells finer shades
    full = code == sqlite3.SQLITE_IOERR and shutil.disk_usage(folder).free < ALMOST_FULL
    if full or code == sqlite3.SQLITE_FULL:
        return no_space(folder)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexBusy(
            f"Another program is writing the index in '{folder}'. Wait until it is done and try again.", path=folder
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) or extended in _WRITING:
        return not_writable(folder, str(error))
    return damaged(folder, str(error))


def no_space(folder: Path) -> NoSpace:
    """The disk is full."""
    return NoSpace(
        f"The disk of '{folder}' is full; what was stored before is unharmed. Make room and try again.", path=folder
    )


def not_writable(folder: Path, reason: str) -> IndexNotWritable:
    """The folder or a file may not, or cannot, be written."""
    return IndexNotWritable(
        f"The index in '{folder}' cannot be written or opened: {reason}. Check the path and its permissions, which an "
        "index needs for reading too, or name another folder with --index.",
        path=folder,
        reason=reason,
    )


def damaged(folder: Path, reason: str) -> IndexDamaged:
    """What is stored is not what was written."""
    return IndexDamaged(
        f"The index in '{folder}' is damaged: {reason}. Make it anew from its texts: mureum index rebuild --index "
        f"'{folder}'. Where these are damaged too, add the documents to a new index folder.",
        path=folder,
        reason=reason,
    )


def not_found(name: str) -> DocumentNotFound:
    """The index has no such document."""
    return DocumentNotFound(
        f"The index has no document '{name}'. 'mureum index list' names those it has.", document=name
    )
