"""Which documents a question is limited to: those it names, and those in the folders it names."""

import unicodedata
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from index.errors import NoSuchDocument
from index.snapshot import Snapshot

Rows = NDArray[np.int64]
"""Rows of a snapshot's passages, (n,), in order."""


def rows_of(snapshot: Snapshot, names: Sequence[str]) -> Rows | None:
    """The passages of the named documents and folders; None for all there are. Raises NoSuchDocument."""
    if not names:
        return None
    chosen = documents_of(snapshot.documents, names)
    if len(chosen) == len(snapshot.documents):
        return None
    ids = [number for name in chosen for number in snapshot.catalogue.ids_of(name)]
    return np.array(sorted(snapshot.rows[number] for number in ids), np.int64)


def documents_of(known: Collection[str], names: Sequence[str]) -> set[str]:
    """Those of the known documents that are named or lie in a folder that is. Raises NoSuchDocument."""
    chosen: set[str] = set()
    for name in names:
        wanted = unicodedata.normalize("NFC", name)
        folder = wanted.rstrip("/") + "/"
        found = {one for one in known if one == wanted or one.startswith(folder)}
        if not found:
            raise NoSuchDocument(
                f"The index has no document and no folder '{name}'. 'mureum index list' names those it has.",
                document=name,
            )
        chosen |= found
    return chosen
