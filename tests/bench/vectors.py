"""Vectors at size: how long building takes, what it costs in memory, how fast and how well it finds.

python -m tests.bench.vectors 10000 100000 1000000 [--real FILE.npy] [--exact N]

Prints a row of a Markdown table for each count; 'building' and 'processor' are time of the processor, all cores
together. --real: vectors of passages (n, size) float32; more than they are is generated: each as far from one of them
as the nearest others are. Without it all are generated in clumps. Questions are made in the same way and are not in the
store. Recall is against all cosines in NumPy.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from index.encoder import Vectors
from index.vectors import EXACT, VectorStore

SIZE, QUESTIONS = 384, 200


def clumps(count: int, chance: np.random.Generator) -> Vectors:
    """What vectors are generated around where there are no real ones."""
    centres = chance.standard_normal((max(count // 50, 1), SIZE), np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return np.asarray(centres, np.float32)


def generated(count: int, real: Vectors, chance: np.random.Generator) -> Vectors:
    """count vectors of length 1 in the manner of the real ones: some of them, moved by the mean noise between them."""
    vectors = np.empty((count, real.shape[1]), np.float32)
    spread = real.std(axis=0)
    for begin in range(0, count, 50_000):
        some = real[chance.integers(0, len(real), min(50_000, count - begin))]
        noise = chance.standard_normal(some.shape, np.float32) * spread
        part = some + 0.7 * noise
        vectors[begin : begin + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def measure(count: int, real: Vectors | None, exact: int) -> str:
    """One row of the table."""
    chance = np.random.default_rng(count)
    around = clumps(count, chance) if real is None else real
    vectors = generated(count, around, chance)
    if real is not None:
        vectors[: len(real)] = real[:count]
    questions = generated(QUESTIONS, around, chance)
    begin = time.process_time()
    store = VectorStore.build(np.arange(count), vectors, exact)
    built = time.process_time() - begin
    with tempfile.TemporaryDirectory() as name:
        store.save(Path(name))
        bytes_of = {path.name: path.stat().st_size for path in Path(name).iterdir()}
        del store
        before = _private()
        begin = time.perf_counter()
        store = VectorStore.load(Path(name), np.arange(count), vectors.shape[1])
        opened = time.perf_counter() - begin
        times, right, worked = [], 0.0, 0.0
        for question in questions:
            begin, before_it = time.perf_counter(), time.process_time()
            ids, _ = store.search(question, 200)
            times.append(1000 * (time.perf_counter() - begin))
            worked += 1000 * (time.process_time() - before_it) / QUESTIONS
            cosines = vectors @ question
            right += np.isin(ids[:10], np.argpartition(-cosines, 10)[:10]).mean() / QUESTIONS
        half, most = np.percentile(times, [50, 95])
        memory = (_private() - before) / 1e6
        kind = "all" if store.is_exact else "lists"
        return (
            f"| {count:,} | {kind} | {built:.1f} s | {sum(bytes_of.values()) / 1e6:,.0f} MB | "
            f"{memory:,.0f} MB | {1000 * opened:.0f} ms | {half:.1f} ms | {most:.1f} ms | "
            f"{worked:.1f} ms | {right:.3f} |"
        )


def _private() -> int:
    """Bytes of memory that are this process's own: what is mapped from files is not among them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """See above."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("counts", type=int, nargs="+")
    options.add_argument("--real", type=Path)
    options.add_argument("--exact", type=int, default=EXACT)
    chosen = options.parse_args()
    real = np.load(chosen.real) if chosen.real else None
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    print("| vectors | compared | building | on disk | memory | opening | query p50 | p95 | processor | recall@10 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for count in chosen.counts:
        print(measure(count, real, chosen.exact), flush=True)


if __name__ == "__main__":
    main()
