"""What the tests of adding, rebuilding and other processes have in common: files, and what an index holds of them."""

from contextlib import closing
from pathlib import Path

from index import build
from index.catalogue import Catalogue
from index.fake import FakeEncoder
from index.passages import passages
from index.reading import read
from index.records import Document
from index.snapshot import recipe_for

RECIPE = recipe_for(FakeEncoder())


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def texts(folder: Path) -> dict[str, str]:
    with closing(Catalogue.open(folder, RECIPE)) as opened:
        return {one.name: opened.document(one.name).text for one in opened.documents()}


def content(folder: Path) -> list[tuple[object, ...]]:
    """All of an index that does not depend on when and in which order it was made."""
    with closing(Catalogue.open(folder, RECIPE)) as opened:
        ids, parts = opened.passages()
        sentence_vectors = opened.sentence_vectors(ids)
        words = [row.tokens for row in opened.rows()]
        rows = zip(parts, words, opened.vectors().tolist(), ids, strict=True)
        return sorted(
            (one.document, one.number, one, tokens, vector, sentence_vectors[number].tolist())
            for one, tokens, vector, number in rows
        )


def many(folder: Path, count: int, stem: str) -> Path:
    for number in range(count):
        sentence = f"This is sentence {{}} of {stem} {number}."
        write(folder / f"{stem}{number:02}.txt", " ".join(sentence.format(part) for part in range(40)))
    return folder


def assert_every_document_whole(folder: Path, files: Path) -> int:
    """No fault, and what is there of a document is all of it; how many there are."""
    assert build.verify(folder, RECIPE) == []
    with closing(Catalogue.open(folder, RECIPE)) as opened:
        _, stored = opened.passages()
        names = [one.name for one in opened.documents()]
        for name in names:
            [document] = read(files / name, name)
            assert isinstance(document, Document)
            assert opened.document(name).text == document.text
            whole = passages(document, FakeEncoder().count_tokens)
            assert [one for one in stored if one.document == name] == whole
            assert len(whole) > 1
        assert len(stored) == len(opened.vectors()) == len(list(opened.rows()))
    return len(names)
