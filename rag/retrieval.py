"""From a question to its hits: dense and lexical retrieval, mixed by how much the lexical side has to say."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from index.records import Passage
from index.snapshot import Index, Snapshot
from index.tokens import tokens
from rag.records import Hit, Sentence

POOL = 200
"""Passages that each side proposes, before they are scored by both."""

DENSE_WEIGHT = 0.7
"""Share of the dense side where the lexical side knows all of the question's words."""

SENTENCE_SHARE = 0.5
"""Share of a passage's best sentence in its dense score; the rest is the passage's own vector."""

REPEATED_PENALTY = 0.15
"""Taken from the score of captions and credit lines, so that they come after text that says as much."""

COVERAGE_SHARE = 0.25
"""What a sentence that has all words of the question gains over one that has none (cosine scale)."""


def search(index: Index, question: str, k: int = 10, snapshot: Snapshot | None = None) -> list[Hit]:
    """The k best passages of the index for the question, best first; of passages with the same text, the first.

    snapshot: the state of the index to search, by default its newest.
    """
    snapshot = snapshot or index.snapshot()
    if not snapshot.ids:
        return []
    vector = index.encoder.encode_question(question)
    words = tokens(question)
    lexical = snapshot.lexical.scores(words)
    rows = _pool(snapshot, vector, lexical)
    ids = [snapshot.ids[row] for row in rows]
    whole = snapshot.vectors.vectors(np.array(ids, np.int64)) @ vector
    sentence_vectors = snapshot.sentence_vectors(ids)
    sentences = [sentence_vectors[number] @ vector for number in ids]
    best = np.array(
        [part.max() if len(part) else score for part, score in zip(sentences, whole, strict=True)], np.float32
    )
    dense = ((1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * np.array(best)).astype(np.float32)
    passages = [snapshot.passages[row] for row in rows]
    texts = [snapshot.quote(passage.document, passage.start, passage.end) for passage in passages]
    scores = _mix(dense, lexical[rows], _knowledge(snapshot, words, rows, lexical, texts))
    scores -= np.array([REPEATED_PENALTY if passage.repeated else 0.0 for passage in passages])
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
                sentences=_rank_sentences(snapshot, passages[place], words, sentences[place], float(whole[place])),
            )
        )
        if len(hits) == k:
            break
    return hits


def _pool(snapshot: Snapshot, vector: NDArray[np.float32], lexical: NDArray[np.float32]) -> list[int]:
    """The rows that either side puts first."""
    nearest, _ = snapshot.vectors.search(vector, POOL)
    rows = {snapshot.rows[int(number)] for number in nearest}
    matching = np.argsort(-lexical, kind="stable")[:POOL]
    rows |= {int(row) for row in matching if lexical[row] > 0}
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
    passage: Passage,
    words: Sequence[str],
    cosines: NDArray[np.float32],
    whole: float,
) -> tuple[Sentence, ...]:
    """The sentences of a passage, best first: by their own vector, a little by the passage's, and by shared words."""
    ranked = []
    for (start, end), cosine in zip(passage.sentences, cosines, strict=True):
        shared = snapshot.lexical.coverage(words, _token_set(snapshot.quote(passage.document, start, end)))
        score = (1 - COVERAGE_SHARE) * (0.7 * float(cosine) + 0.3 * whole) + COVERAGE_SHARE * shared
        ranked.append(Sentence(start, end, score))
    return tuple(sorted(ranked, key=lambda sentence: -sentence.score))


@lru_cache(maxsize=4096)
def _token_set(text: str) -> frozenset[str]:
    return frozenset(tokens(text))
