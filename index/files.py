"""Writing files so that a killed process or a full disk leaves the old one or the new one, never half of one."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import NoSpace


def write_atomically(path: Path, data: bytes) -> None:
    """Write to a temporary file beside `path`, sync it, rename it. Raises NoSpace; other OSErrors pass."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                f"The disk of '{path}' is full ({len(data)} bytes were to be written). Make room and try again.",
                path=path,
                needed=len(data),
            ) from error
        raise


def mapped(path: Path, kind: type[np.generic]) -> NDArray[Any]:
    """A file of numbers as an array (n,) that is read where it is used. Raises OSError, ValueError."""
    if not path.stat().st_size:  # nothing can be mapped
        return np.zeros(0, kind)
    return np.asarray(np.memmap(path, kind, "r"))
