"""Summaries that cannot be wrong: the sentences that say most of a document, word for word.

A sentence's weight is the cosine of its vector with the mean of all (the centroid; Radev et al. 2004, 'Centroid-based
summarization of multiple documents'), and each further sentence loses what it shares with those already chosen
(maximal marginal relevance; Carbonell & Goldstein 1998).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.records import Passage
from index.snapshot import Snapshot
from rag.records import Citation

SENTENCES = 3
"""Of a summary of one document."""

DOCUMENTS = 6
"""Of which an overview of a whole index shows a sentence each, at most."""

LEAD = 0.02
"""What the first sentences of a text gain: news says first what matters (cosine scale)."""

REDUNDANCY = 0.3
"""Share of what a sentence has in common with those chosen before it that it loses."""

SHORTEST = 20
"""Characters of a sentence that can stand in a summary: headings, bylines and list marks are shorter."""


def central(snapshot: Snapshot, document: str, count: int = SENTENCES) -> list[Citation]:
    """The sentences that say most of a document, in reading order; their score is the cosine with its mean."""
    own = list(zip(snapshot.passages_of(document), snapshot.catalogue.ids_of(document), strict=True))
    plain = [(passage, number) for passage, number in own if not passage.repeated] or own
    vectors = snapshot.sentence_vectors([number for _, number in plain])
    sentences: dict[tuple[int, int], NDArray[np.float32]] = {}
    for passage, number in plain:
        sentences.update(zip(passage.sentences, vectors[number], strict=True))
    long = {span: vector for span, vector in sentences.items() if _can_stand(snapshot, plain[0][0], span)}
    chosen = _choose(long or sentences, count)
    return [Citation(0, document, start, end, score) for (start, end), score in sorted(chosen.items())]


def overview(snapshot: Snapshot, documents: Sequence[str]) -> list[Citation]:
    """The most telling sentence of each of the first DOCUMENTS documents."""
    return [sentence for document in documents[:DOCUMENTS] for sentence in central(snapshot, document, 1)]


def _can_stand(snapshot: Snapshot, passage: Passage, span: tuple[int, int]) -> bool:
    text = snapshot.quote(passage.document, *span)
    return len(text) >= SHORTEST and text.rstrip("\"'”’)]").endswith((".", "다", "요", "!", "?", "…", "。"))


def _choose(sentences: dict[tuple[int, int], NDArray[np.float32]], count: int) -> dict[tuple[int, int], float]:
    """The best `count` with their cosines to the mean."""
    spans = list(sentences)
    vectors = np.array([sentences[span] for span in spans], np.float32)  # (n, size)
    mean = vectors.mean(axis=0)
    centrality = vectors @ (mean / max(float(np.linalg.norm(mean)), 1e-9))
    weight = centrality.copy()
    weight[:2] += LEAD
    chosen: list[int] = []
    while len(chosen) < min(count, len(spans)):
        shared = (vectors @ vectors[chosen].T).max(axis=1) if chosen else np.zeros(len(spans), np.float32)
        gain = (1 - REDUNDANCY) * weight - REDUNDANCY * shared
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return {spans[row]: float(centrality[row]) for row in chosen}


def documents_meant(documents: Sequence[str], words: set[str], ranked: Sequence[str]) -> list[str]:
    """The document that a request for a summary is about: the only one, or the best one found where it is named by
    words that the text has; [] for all of them."""
    if len(documents) == 1:
        return list(documents)
    return list(ranked[:1]) if words else []
