"""Some files, and a place for their index."""

import json
from pathlib import Path

import pytest

from tests.index.stored import write


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    write(folder / "가.txt", "첫 문서이다. 두 문장이 있다.")
    write(folder / "sub" / "b.md", "# Second\nA document in English. It has two sentences.")
    lines = [{"id": name, "text": f"The text of {name} is here."} for name in ("j1", "j2")]
    write(folder / "many.jsonl", "\n".join(map(json.dumps, lines)))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"
