"""From a question to its hits: dense and lexical retrieval, mixed by how much the lexical side has to say.

Vectors near the question and passages with its words make a pool; the best of that are compared with the question
token by token (late interaction: Khattab & Zaharia 2020, arXiv:2004.12832, here with the one embedding model and
without training). Vectors are compared as differences from their language's mean: all vectors of a language have a
good part in common, which says nothing and hides what two languages share.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from index.encoder import Asked, Centre, Vectors
from index.lexical import best_rows
from index.sentences import language
from index.snapshot import Index, Snapshot
from index.tokens import tokens
from rag.framing import matter
from rag.records import Hit, Sentence
from rag.selection import Rows

POOL = 200
"""Passages that each side proposes, before they are scored by both."""

DENSE_WEIGHT = 0.7
"""Share of the dense side where the lexical side knows all of the question's words."""

SENTENCE_SHARE = 0.5
"""Share of a passage's best sentence in its dense score; the rest is the passage's own vector."""

RERANKED = 60
"""Passages of the pool that are compared with the question token by token, at least."""

VECTOR_SHARE = 0.1
"""Weight of the passage's and its best sentence's cosine in the dense score of those; that of the tokens' is 1."""

LEAST = 1e-3
"""What a token's lead counts for at least, so that some count where all passages are alike."""

PRIOR = 30
"""As many passages the question's own centre counts for in the centre of passages: a few have none of their own."""

REPEATED_PENALTY = 0.15
"""Taken from the score of captions and credit lines, so that they come after text that says as much."""

COVERAGE_SHARE = 0.25
"""What a sentence that has all words of the question gains over one that has none (cosine scale)."""


def search(
    index: Index, question: str, k: int = 10, snapshot: Snapshot | None = None, among: Rows | None = None
) -> list[Hit]:
    """The k best passages of the index for the question, best first; of passages with the same text, the first.

    snapshot: the state of the index to search, by default its newest.
    among: the rows of the snapshot that the question is limited to (`rag.selection`), by default all.
    """
    snapshot = snapshot or index.snapshot()
    if not snapshot.ids or (among is not None and not len(among)):
        return []
    question = matter(question)
    asked = index.encoder.encode_asked(question)
    words = tokens(question)
    lexical = _only(snapshot.lexical.scores(words), among)
    view = _View(snapshot, asked, {spoken: index.encoder.centre(spoken) for spoken in ("ko", "en")}, language(question))
    rows = _pool(snapshot, asked.vector, lexical, among)
    rows, near = view.nearest(rows, lexical, max(RERANKED, 2 * k))
    dense = view.by_tokens(rows) + VECTOR_SHARE * near
    passages = [snapshot.passages[row] for row in rows]
    texts = [snapshot.quote(passage.document, passage.start, passage.end) for passage in passages]
    scores = _mix(dense, lexical[rows], _knowledge(snapshot, words, rows, lexical, texts))
    scores -= np.array([REPEATED_PENALTY if passage.repeated else 0.0 for passage in passages])
    whole = snapshot.vectors.vectors(np.array([snapshot.ids[row] for row in rows], np.int64)) @ asked.vector
    hits: list[Hit] = []
    seen: set[str] = set()
    for place in np.argsort(-scores, kind="stable"):
        text = "".join(texts[place].split())
        if text in seen:
            continue
        seen.add(text)
        hits.append(
            Hit(
                passage=passages[place],
                score=float(np.clip(scores[place], 0.0, 1.0)),
                dense=float(whole[place]),
                lexical=float(lexical[rows[place]]),
                sentences=_rank_sentences(snapshot, rows[place], words, asked.vector, float(whole[place])),
            )
        )
        if len(hits) == k:
            break
    return hits


class _View:
    """Passages as one question sees them: cosines of differences from the centres of their languages."""

    def __init__(self, snapshot: Snapshot, asked: Asked, centres: dict[str, Centre], spoken: str) -> None:
        self._snapshot = snapshot
        self._weights = asked.weights
        self._vector = _unit(asked.vector - centres[spoken].vector)
        self._tokens = _unit(asked.tokens - centres[spoken].token)
        counts = snapshot.counts
        self._centres: dict[str, Vectors] = {}
        self._token_centres: dict[str, Vectors] = {}
        for other, own in snapshot.centres.items():
            prior = centres[other]
            share = np.float32(counts[other] / (counts[other] + PRIOR))
            self._centres[other] = share * own.vector + (1 - share) * prior.vector
            self._token_centres[other] = share * own.token + (1 - share) * prior.token

    def nearest(self, rows: Sequence[int], lexical: NDArray[np.float32], count: int) -> tuple[list[int], Vectors]:
        """The rows that vectors or words put first, `count` at most in all, with their dense scores (n,)."""
        ids = [self._snapshot.ids[row] for row in rows]
        own = [self._snapshot.languages[row] for row in rows]
        centres = np.array([self._centres[spoken] for spoken in own], np.float32)
        whole = _unit(self._snapshot.vectors.vectors(np.array(ids, np.int64)) - centres) @ self._vector
        parts = self._snapshot.sentence_vectors(ids)
        lengths = [len(parts[number]) for number in ids]
        sentences = np.concatenate([parts[number] for number in ids]) - np.repeat(centres, lengths, axis=0)
        cosines = _unit(sentences) @ self._vector
        best = np.maximum(_best_of(cosines[:, None], lengths)[:, 0], -1.0)
        dense = ((1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * best).astype(np.float32)
        shared = lexical[rows]
        worded = [place for place in np.argsort(-shared, kind="stable")[: count // 4] if shared[place] > 0]
        order = dict.fromkeys([*np.argsort(-dense, kind="stable")[: count - len(worded)], *worded])
        chosen = sorted(int(place) for place in order)
        return [rows[place] for place in chosen], dense[chosen]

    def by_tokens(self, rows: Sequence[int]) -> Vectors:
        """MaxSim (n,), [-1, 1]: the mean over the question's tokens of the best cosine among the passage's tokens.

        A token weighs by how much it tells in general and here: by how far the best passage stands out for it.
        """
        ids = [self._snapshot.ids[row] for row in rows]
        found = self._snapshot.token_vectors(ids)
        parts = [
            found[number] - self._token_centres[self._snapshot.languages[row]]
            for row, number in zip(rows, ids, strict=True)
        ]
        cosines = _unit(np.concatenate(parts)) @ self._tokens.T  # (all tokens of the passages, T)
        best = _best_of(cosines, [len(part) for part in parts])  # (n, T)
        weights = self._weights * (best.max(axis=0) - best.mean(axis=0) + LEAST)
        return np.asarray(best @ (weights / max(float(weights.sum()), 1e-9)), np.float32)


def _best_of(cosines: Vectors, lengths: Sequence[int]) -> Vectors:
    """The highest of each run of rows, (number of runs, columns); -1 for an empty run."""
    best = np.full((len(lengths), cosines.shape[1]), -1.0, np.float32)
    filled = [run for run, length in enumerate(lengths) if length]
    if filled:
        starts = np.cumsum([0, *lengths])[filled]
        best[filled] = np.maximum.reduceat(cosines, starts, axis=0)
    return best


def _unit(rows: Vectors) -> Vectors:
    """The last axis at length 1; zero stays zero."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), np.float32)


def _only(scores: NDArray[np.float32], among: Rows | None) -> NDArray[np.float32]:
    """The scores of the rows `among`; zero for the others."""
    if among is None:
        return scores
    kept = np.zeros_like(scores)
    kept[among] = scores[among]
    return kept


def _pool(
    snapshot: Snapshot, vector: NDArray[np.float32], lexical: NDArray[np.float32], among: Rows | None
) -> list[int]:
    """The rows that either side puts first; `lexical` is zero outside `among`."""
    ids = None if among is None else np.array([snapshot.ids[row] for row in among], np.int64)
    nearest, _ = snapshot.vectors.search(vector, POOL, ids)
    rows = {snapshot.rows[int(number)] for number in nearest}
    rows |= {int(row) for row in best_rows(lexical, POOL)}
    return sorted(rows)


def _knowledge(
    snapshot: Snapshot,
    words: Sequence[str],
    rows: Sequence[int],
    lexical: NDArray[np.float32],
    texts: Sequence[str],
) -> float:
    """How much of the question the lexical side knows, [0, 1]: the coverage by the passage it likes best.

    A question in another language than the documents shares a few names with them at most, and its BM25 scores,
    however they are scaled, are then mostly noise.
    """
    best = max(range(len(rows)), key=lambda place: lexical[rows[place]])
    if not lexical[rows[best]]:
        return 0.0
    return snapshot.lexical.coverage(words, _token_set(texts[best]))


def _mix(dense: NDArray[np.float32], lexical: NDArray[np.float32], knowledge: float) -> NDArray[np.float32]:
    """Convex mix of both rows, each scaled to [0, 1]; the lexical share shrinks with what that side knows."""
    share = (1 - DENSE_WEIGHT) * knowledge
    total = DENSE_WEIGHT + share
    mixed = (DENSE_WEIGHT * _minmax(dense) + share * _minmax(lexical)) / total
    return mixed.astype(np.float32)


def _minmax(row: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(row.min()), float(row.max())
    return (row - low) / (high - low) if high > low else np.zeros_like(row)


def _rank_sentences(
    snapshot: Snapshot,
    row: int,
    words: Sequence[str],
    vector: Vectors,
    whole: float,
) -> tuple[Sentence, ...]:
    """The sentences of a passage, best first: by their own vector, a little by the passage's, and by shared words."""
    passage, number = snapshot.passages[row], snapshot.ids[row]
    cosines = snapshot.sentence_vectors([number])[number] @ vector
    ranked = []
    for (start, end), cosine in zip(passage.sentences, cosines, strict=True):
        shared = snapshot.lexical.coverage(words, _token_set(snapshot.quote(passage.document, start, end)))
        score = (1 - COVERAGE_SHARE) * (0.7 * float(cosine) + 0.3 * whole) + COVERAGE_SHARE * shared
        ranked.append(Sentence(start, end, score))
    return tuple(sorted(ranked, key=lambda sentence: -sentence.score))


@lru_cache(maxsize=4096)
def _token_set(text: str) -> frozenset[str]:
    return frozenset(tokens(text))
