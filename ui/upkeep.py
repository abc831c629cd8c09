"""`mureum index …` and `mureum models …`: looking after what the answers are made from."""

import argparse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import DocumentNotFound, IndexFault, ModelError
from ui import report
from ui.options import settings

if TYPE_CHECKING:
    from index.build import Progress as IndexProgress
    from index.models import Progress as ModelProgress


SHOWN = 20
"""Removed documents that are named."""


# --- the index


def index_add(arguments: argparse.Namespace) -> int:
    """Add files and folders; 1 when one of them was refused."""
    chosen = settings(arguments)
    paths = [Path(path) for path in arguments.paths]
    for path in paths:
        if not path.exists():  # said before the model is loaded
            raise DocumentNotFound(f"There is no file or folder '{path}'. Check the path.", document=path)
    from index import build
    from rag.opening import open_encoder

    with report.ProgressLine() as line:
        line.show("indexing", "loading the embedding model")
        done = build.add(chosen.index, paths, open_encoder(chosen), _index_progress(line))
    for refusal in done.refused:
        report.say(refusal)
    print(
        f"{len(done.added)} added, {len(done.changed)} changed, {len(done.unchanged)} unchanged, "
        f"{len(done.removed)} removed, {len(done.refused)} refused in {chosen.index}"
    )
    print("".join(f"removed: {name} (its file or line is gone)\n" for name in done.removed[:SHOWN]), end="")
    if len(done.removed) > SHOWN:
        print(f"removed: {len(done.removed) - SHOWN} more")
    return 1 if done.refused else 0


def index_remove(arguments: argparse.Namespace) -> int:
    """Forget documents."""
    chosen = settings(arguments)
    from index import build
    from rag.opening import open_encoder

    build.remove(chosen.index, arguments.names, open_encoder(chosen))
    print(f"{len(arguments.names)} removed from {chosen.index}")
    return 0


def index_list(arguments: argparse.Namespace) -> int:
    """A line a document."""
    from index.catalogue import Catalogue

    with closing(Catalogue.open_any(settings(arguments).index)) as catalogue:
        documents = catalogue.documents()
    rows = [("DOCUMENT", "PASSAGES", "SIZE", "LANGUAGE", "ADDED", "TITLE")]
    rows += [(d.name, str(d.passages), report.size(d.bytes), d.language, d.added, d.title) for d in documents]
    print("\n".join(report.table(rows)))
    return 0


def index_names(_: argparse.Namespace) -> int:
    """A line for each index that has a name; one that cannot be read says so."""
    from index.settings import indexes_folder

    folder = indexes_folder()
    rows = [("INDEX", "DOCUMENTS", "PASSAGES", "TEXT", "BUILT WITH")]
    for index in sorted(path for path in folder.glob("*") if path.is_dir()):
        rows.append((index.name, *_overview(index)))
    print("\n".join(report.table(rows)) if rows[1:] else f"no index has a name yet (they lie in {folder})")
    return 0


def _overview(folder: Path) -> tuple[str, str, str, str]:
    from index.catalogue import Catalogue

    try:
        with closing(Catalogue.open_any(folder)) as catalogue:
            documents, encoder = catalogue.documents(), catalogue.recipe.encoder
    except IndexFault as error:
        return "–", "–", "–", error.code
    passages, size = sum(one.passages for one in documents), sum(one.bytes for one in documents)
    return str(len(documents)), str(passages), report.size(size), encoder


def index_info(arguments: argparse.Namespace) -> int:
    """What the index holds and what built it."""
    folder = settings(arguments).index
    from index.catalogue import Catalogue

    with closing(Catalogue.open_any(folder)) as catalogue:
        documents, recipe = catalogue.documents(), catalogue.recipe
    rows = [
        ("folder", str(folder.absolute())),
        ("documents", str(len(documents))),
        ("passages", str(sum(document.passages for document in documents))),
        ("text", report.size(sum(document.bytes for document in documents))),
        ("encoder", recipe.encoder),
        ("vector", f"{recipe.size} numbers"),
        ("tokens", recipe.tokens),
        ("versions", f"catalogue {recipe.format}, passages {recipe.passages}"),
    ]
    print("\n".join(report.table(rows)))
    return 0


def index_verify(arguments: argparse.Namespace) -> int:
    """Each fault on a line; 1 when there is one."""
    chosen = settings(arguments)
    from index import build
    from index.snapshot import recipe_for
    from rag.opening import open_encoder

    faults = build.verify(chosen.index, recipe_for(open_encoder(chosen)))
    print("\n".join(faults) or f"the index in {chosen.index} is whole")
    return 1 if faults else 0


def index_rebuild(arguments: argparse.Namespace) -> int:
    """Make the index anew from its stored texts."""
    chosen = settings(arguments)
    from index import build
    from rag.opening import open_encoder

    with report.ProgressLine() as line:
        line.show("rebuilding", "loading the embedding model")
        count = build.rebuild(chosen.index, open_encoder(chosen), _index_progress(line))
    print(f"{count} documents rebuilt in {chosen.index}")
    return 0


def _index_progress(line: report.ProgressLine) -> "Callable[[IndexProgress], None]":
    def show(news: "IndexProgress") -> None:
        parts = [f"{news.files} of {news.all_files} files read", f"{news.documents} documents done"]
        if news.passages:
            parts.append(f"{news.rate:.1f} passages a second")
        if news.seconds_left:
            parts.append(f"at most {report.duration(news.seconds_left)} left")
        line.show("indexing", ", ".join(parts), last=news.files == news.all_files)

    return show


# --- the models


def models_list(_: argparse.Namespace) -> int:
    """A line a default model."""
    from index.models import states

    rows = [("MODEL", "PURPOSE", "STATE", "SIZE", "LICENCE", "FOLDER")]
    for state in states():
        info = state.info
        rows.append((info.name, info.purpose, state.status, report.size(info.bytes), info.licence, str(state.path)))
    print("\n".join(report.table(rows)))
    return 0


def models_fetch(arguments: argparse.Namespace) -> int:
    """Fetch what is missing; at once when nothing is."""
    from index.fetching import fetch
    from index.models import MODELS

    with report.ProgressLine() as line:
        for name in arguments.names or MODELS:
            print(f"{name} is ready: {fetch(name, _model_progress(line))}")
    return 0


def models_verify(arguments: argparse.Namespace) -> int:
    """Check the files' digests; 1 when one is wrong."""
    from index.models import MODELS, verify

    failed = False
    with report.ProgressLine() as line:
        for name in arguments.names or MODELS:
            try:
                verify(name, _model_progress(line))
                print(f"{name} is whole")
            except ModelError as error:
                failed = True
                report.say(error)
    return 1 if failed else 0


def _model_progress(line: report.ProgressLine) -> "Callable[[ModelProgress], None]":
    def show(news: "ModelProgress") -> None:
        step = f"{news.name}: {news.stage}"
        detail = f"{report.size(news.done_bytes)} of {report.size(news.total_bytes)}" if news.total_bytes else "…"
        line.show(step, detail, last=news.done_bytes == news.total_bytes)

    return show
