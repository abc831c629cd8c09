"""What is wrong with a catalogue, when everything in it is looked at."""

from collections.abc import Iterator

from index.catalogue import Catalogue
from index.errors import IndexDamaged
from index.seals import opened


def check(catalogue: Catalogue) -> list[str]:
    """A line for each fault; none when it is whole. Raises IndexDamaged where SQLite cannot even look."""
    found = [f"SQLite: {row[0]}" for row in catalogue.run("PRAGMA integrity_check") if row[0] != "ok"]
    for steps in (_documents, _passages, _vectors):
        try:
            found += steps(catalogue)
        except IndexDamaged as error:  # where not even the rows can be gone through
            found.append(error.values["reason"])
    return found


def _documents(catalogue: Catalogue) -> Iterator[str]:
    for name in catalogue.digests():
        try:
            catalogue.document(name)
        except IndexDamaged as error:
            yield error.values["reason"]


def _passages(catalogue: Catalogue) -> Iterator[str]:
    lengths = dict(catalogue.run("SELECT name, length(text) FROM documents"))
    for row in catalogue.rows():
        one = row.passage
        if one.start < 0 or one.end > lengths.get(one.document, 0):
            yield f"passage {one.number} of '{one.document}' does not fit its document"


def _vectors(catalogue: Catalogue) -> Iterator[str]:
    [(wanted,)], seen = catalogue.run("SELECT count(*) FROM passages"), 0
    for (number,) in catalogue.run("SELECT v.passage FROM vectors v JOIN passages p ON p.id = v.passage"):
        seen += 1
        try:
            vector = catalogue.run("SELECT vector FROM vectors WHERE passage = ?", (number,))[0][0]
            if len(opened(vector)) != 4 * catalogue.recipe.size:
                raise ValueError(f"{len(vector)} bytes are no vector")
            catalogue.sentence_vectors([number])
            catalogue.token_vectors([number])
        except (ValueError, IndexDamaged):
            yield f"the vectors of passage {number} are damaged"
    if seen != wanted:
        yield f"{wanted - seen} passages have no vectors"
