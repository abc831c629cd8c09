"""How long a question takes in a large index, and what opening it costs.

python -m tests.bench.query FILES MODEL [--passages 100000] [--keep FOLDER]

FILES are indexed with the embedding model in the folder MODEL, and every document is then copied under other names,
with its passages and vectors, until there are as many passages. Copies are as large as other documents and are found
as often, but they have no words of their own. Asked are the general questions that the encoder knows its centre by.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from index import build
from index.catalogue import Catalogue
from index.encoder import SAMPLES, SentenceTransformerEncoder
from index.snapshot import Index, recipe_for
from rag.retrieval import POOL, search
from rag.worded import AskedWords

QUESTIONS = [question for spoken in ("ko", "en") for question in SAMPLES[spoken]]


def grow(folder: Path, encoder: SentenceTransformerEncoder, wanted: int) -> int:
    """Copy documents until the index has that many passages; how many it has."""
    with closing(Catalogue.open(folder, recipe_for(encoder))) as catalogue:
        documents = catalogue.documents()
        count, round_of = sum(one.passages for one in documents), 0
        catalogue.run("PRAGMA synchronous = OFF")
        while count < wanted:
            round_of += 1
            for one in documents:
                if count >= wanted:
                    break
                twin = catalogue.document(one.name)
                catalogue.copy(one.name, replace(twin, name=f"{round_of}/{one.name}"))
                count += one.passages
    return count


def milliseconds(work: Callable[[str], object]) -> str:
    """The median and the 95th percentile over the questions, each asked three times, and the processor's time."""
    times, worked = [], time.process_time()
    for question in QUESTIONS * 3:
        begin = time.perf_counter()
        work(question)
        times.append(1000 * (time.perf_counter() - begin))
    half, most = np.percentile(times, [50, 95])
    return f"{half:.1f} | {most:.1f} | {1000 * (time.process_time() - worked) / len(times):.1f}"


def memory() -> float:
    """MB of this process: its own, and what of files is mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssFile"))) / 1e3


def main() -> None:
    """See above."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", type=Path)
    options.add_argument("model", type=Path)
    options.add_argument("--passages", type=int, default=100_000)
    options.add_argument("--keep", type=Path)
    chosen = options.parse_args()
    encoder = SentenceTransformerEncoder(chosen.model)
    with ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "index"
        build.add(folder, [chosen.files], encoder)
        count = grow(folder, encoder, chosen.passages)
        for what in ("derived files made, s", "opening, s"):
            begin = time.perf_counter()
            index = stack.enter_context(closing(Index(folder, encoder)))
            print(f"| {what} | {time.perf_counter() - begin:.1f} | | |", flush=True)
        now = index.snapshot()
        vector = encoder.encode_question(QUESTIONS[0])
        search(index, QUESTIONS[0])
        print(f"| {count} passages, ms | p50 | p95 | processor |")
        for name, work in (
            ("embedding the question", encoder.encode_asked),
            ("vectors", lambda _: now.vectors.search(vector, POOL)),
            ("words", lambda question: AskedWords(question, now.lexical).scores()),
            ("whole search", lambda question: search(index, question)),
        ):
            print(f"| {name} | {milliseconds(work)} |", flush=True)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"| memory, MB | {memory():.0f} | | |\n| on disk, MB | {size / 1e6:.0f} | | |")


if __name__ == "__main__":
    main()
