"""From a question to its hits: dense and lexical retrieval, mixed by how much the lexical side has to say.

Vectors near the question and passages with its words make a pool; the best of that are compared with the question
token by token (`rag.late`), and so are the sentences of those that are found. Vectors are compared as differences from
their language's mean.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from index.encoder import Asked, Centre, Encoder, Vectors
from index.lexical import best_rows
from index.sentences import language
from index.snapshot import Index, Snapshot
from rag.framing import matter
from rag.late import PRIOR, Tokens, best_of, unit, within
from rag.records import Hit, Sentence, Wording
from rag.selection import Rows
from rag.worded import AskedWords

POOL = 200
"""Passages that the vectors propose, before they are scored by both sides."""

WORDED_POOL = 50
"""The same of the words, which put the right one far ahead or do not know it; each costs a reading of its vectors."""

DENSE_WEIGHT = 0.7
"""Share of the dense side where the lexical side knows all of the question's words."""

DENSE_WEIGHT_ACROSS = 0.5
"""The same where the passage that the lexical side likes best is in another language than the question: vectors tell
less there, and words of the other language (`rag.lexicon`) more."""

SENTENCE_SHARE = 0.5
"""Share of a passage's best sentence in its dense score; the rest is the passage's own vector."""

RERANKED = 60
"""Passages of the pool that are compared with the question token by token, at least."""

REPEATED_PENALTY = 0.15
"""Taken from the score of captions and credit lines, so that they come after text that says as much."""

COVERAGE_SHARE = 0.25
"""What a sentence that has all words of the question gains over one that has none (cosine scale)."""

TRANSLATED_SHARE = 0.3
"""Weight of the question's translation where it is searched for beside the question; the rest is the question's."""

TOKEN_SHARE = 0.2
"""Weight of the comparison by tokens in the score of a sentence."""


def search(
    index: Index,
    question: str | Sequence[Wording],
    k: int = 10,
    snapshot: Snapshot | None = None,
    among: Rows | None = None,
    translated: str = "",
) -> list[Hit]:
    """The k best passages of the index for the question, best first; of passages with the same text, the first.

    question: one wording, or several, whose scores are added up by their shares.
    snapshot: the state of the index to search, by default its newest.
    among: the rows of the snapshot that the question is limited to (`rag.selection`), by default all.
    translated: the question in another language, which is searched for beside it.
    """
    snapshot = snapshot or index.snapshot()
    if not snapshot.ids or (among is not None and not len(among)):
        return []
    wordings = [(1.0, question)] if isinstance(question, str) else list(question)
    if translated.strip():
        wordings = [((1 - TRANSLATED_SHARE) * share, wording) for share, wording in wordings]
        wordings.append((TRANSLATED_SHARE, translated))
    sides = [(share, _Side(index, snapshot, matter(wording), among)) for share, wording in wordings]
    rows = sorted({row for _, side in sides for row in side.near(max(RERANKED, 2 * k))})
    passages = [snapshot.passages[row] for row in rows]
    texts = [snapshot.quote(passage.document, passage.start, passage.end) for passage in passages]
    scores = np.sum([share * side.scores(rows, texts) for share, side in sides], axis=0)
    scores -= np.array([REPEATED_PENALTY if passage.repeated else 0.0 for passage in passages])
    places = _first_of_each(scores, texts, k)
    found = [rows[place] for place in places]
    sentences = _mixed_sentences([(share, side.sentences(found)) for share, side in sides])
    first = sides[0][1]
    return [
        Hit(
            passage=passages[place],
            score=float(np.clip(scores[place], 0.0, 1.0)),
            dense=float(dense),
            lexical=float(first.lexical[rows[place]]),
            sentences=its_sentences,
        )
        for place, dense, its_sentences in zip(places, first.cosines(found), sentences, strict=True)
    ]


class _Side:
    """One wording of a question: what it finds, and how well passages and sentences answer to it."""

    def __init__(self, index: Index, snapshot: Snapshot, question: str, among: Rows | None) -> None:
        self._snapshot = snapshot
        self._encoder = index.encoder
        self._asked = index.encoder.encode_asked(question)
        self._words = AskedWords(question, snapshot.lexical)
        self._among = among
        self._spoken = language(question)
        self._view = _View(snapshot, index.encoder, self._asked, self._spoken)
        self.lexical = _only(self._words.scores(), among)

    def near(self, count: int) -> list[int]:
        """The rows that vectors or words put first, `count` at most."""
        rows = _pool(self._snapshot, self._asked.vector, self.lexical, self._among)
        nearness = self._view.nearest(rows)
        shared = self.lexical[rows]
        worded = [place for place in np.argsort(-shared, kind="stable")[: count // 4] if shared[place] > 0]
        order = dict.fromkeys([*np.argsort(-nearness, kind="stable")[: count - len(worded)], *worded])
        return [rows[place] for place in order]

    def scores(self, rows: Sequence[int], texts: Sequence[str]) -> Vectors:
        """Of each passage, (n,): both sides mixed, [0, 1].

        The lexical side has a say by how much of the question the passage has that it likes best: of a question in
        another language it may know a few names alone, and its scores, however they are scaled, are then mostly noise.
        """
        dense = self._view.by_tokens(rows)
        best = max(range(len(rows)), key=lambda place: self.lexical[rows[place]])
        spoken = self._snapshot.languages[rows[best]]
        known = self._words.coverage(texts[best], spoken) if self.lexical[rows[best]] else 0.0
        return _mix(dense, self.lexical[rows], known, DENSE_WEIGHT if spoken == self._spoken else DENSE_WEIGHT_ACROSS)

    def cosines(self, rows: Sequence[int]) -> Vectors:
        """Of the passages' vectors with the question's, (n,)."""
        ids = np.array([self._snapshot.ids[row] for row in rows], np.int64)
        return np.asarray(self._snapshot.vectors.vectors(ids) @ self._asked.vector, np.float32)

    def sentences(self, rows: Sequence[int]) -> list[tuple[Sentence, ...]]:
        """Of each passage, after `scores`, its sentences in their order: scored by their own vector, a little by the
        passage's, by shared words, and by tokens."""
        snapshot = self._snapshot
        vectors = snapshot.sentence_vectors([snapshot.ids[row] for row in rows])
        found = []
        for row, whole, by_tokens in zip(rows, self.cosines(rows), self._view.by_sentence(rows), strict=True):
            passage = snapshot.passages[row]
            cosines = vectors[snapshot.ids[row]] @ self._asked.vector
            shared = [
                self._words.coverage(snapshot.quote(passage.document, start, end), snapshot.languages[row])
                for start, end in passage.sentences
            ]
            scores = (1 - COVERAGE_SHARE) * (0.7 * cosines + 0.3 * whole) + COVERAGE_SHARE * np.array(
                shared, np.float32
            )
            scores += TOKEN_SHARE * by_tokens
            found.append(
                tuple(Sentence(*span, float(score)) for span, score in zip(passage.sentences, scores, strict=True))
            )
        return found


class _View:
    """Passages as one question sees them: cosines of differences from the centres of their languages."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder, asked: Asked, spoken: str) -> None:
        centres: dict[str, Centre] = {one: encoder.centre(one) for one in ("ko", "en")}
        self._snapshot = snapshot
        self._encoder = encoder
        self._vector = unit(asked.vector - centres[spoken].vector)
        self._tokens = Tokens(asked, centres[spoken])
        counts = snapshot.counts
        self._centres: dict[str, Vectors] = {}
        self._token_centres: dict[str, Vectors] = {}
        self._found: dict[int, Vectors] = {}
        for other, own in snapshot.centres.items():
            prior = centres[other]
            share = np.float32(counts[other] / (counts[other] + PRIOR))
            self._centres[other] = share * own.vector + (1 - share) * prior.vector
            self._token_centres[other] = share * own.token + (1 - share) * prior.token

    def nearest(self, rows: Sequence[int]) -> Vectors:
        """The cosine of each passage, (n,): half its own vector's, half that of its nearest sentence."""
        ids = [self._snapshot.ids[row] for row in rows]
        own = [self._snapshot.languages[row] for row in rows]
        centres = np.array([self._centres[spoken] for spoken in own], np.float32)
        whole = unit(self._snapshot.vectors.vectors(np.array(ids, np.int64)) - centres) @ self._vector
        parts = self._snapshot.sentence_vectors(ids)
        lengths = [len(parts[number]) for number in ids]
        sentences = np.concatenate([parts[number] for number in ids]) - np.repeat(centres, lengths, axis=0)
        cosines = unit(sentences) @ self._vector
        best = np.maximum(best_of(cosines[:, None], lengths)[:, 0], -1.0)
        return ((1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * best).astype(np.float32)

    def by_tokens(self, rows: Sequence[int]) -> Vectors:
        """The passages' similarity by tokens (n,), [-1, 1]."""
        ids = [self._snapshot.ids[row] for row in rows]
        found = self._snapshot.token_vectors(ids)
        self._found = {
            row: unit(found[number] - self._token_centres[self._snapshot.languages[row]])
            for row, number in zip(rows, ids, strict=True)
        }
        return self._tokens.similarity([self._found[row] for row in rows])

    def by_sentence(self, rows: Sequence[int]) -> list[Vectors]:
        """Of each passage, after `by_tokens`, the similarity of its sentences by tokens (k,), [-1, 1]."""
        passages = [self._snapshot.passages[row] for row in rows]
        texts = [self._snapshot.quote(one.document, one.start, one.end) for one in passages]
        spans = [[(start - one.start, end - one.start) for start, end in one.sentences] for one in passages]
        parts = [
            self._found[row][within(tokens_at, span)]
            for row, its_spans, tokens_at in zip(rows, spans, self._encoder.token_spans(texts, spans), strict=True)
            for span in its_spans
        ]
        found = self._tokens.similarity(parts)
        return np.split(found, np.cumsum([len(its_spans) for its_spans in spans])[:-1]) if spans else []


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
    rows |= {int(row) for row in best_rows(lexical, WORDED_POOL)}
    return sorted(rows)


def _mix(
    dense: NDArray[np.float32], lexical: NDArray[np.float32], knowledge: float, dense_weight: float
) -> NDArray[np.float32]:
    """Convex mix of both rows, each scaled to [0, 1]; the lexical share shrinks with what that side knows."""
    share = (1 - dense_weight) * knowledge
    mixed = (dense_weight * _minmax(dense) + share * _minmax(lexical)) / (dense_weight + share)
    return mixed.astype(np.float32)


def _minmax(row: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(row.min()), float(row.max())
    return (row - low) / (high - low) if high > low else np.zeros_like(row)


def _first_of_each(scores: Vectors, texts: Sequence[str], k: int) -> list[int]:
    """The places of the k best scores, best first; of passages with the same text, the first."""
    places: dict[str, int] = {}
    for place in map(int, np.argsort(-scores, kind="stable")):
        places.setdefault("".join(texts[place].split()), place)
        if len(places) == k:
            break
    return list(places.values())


def _mixed_sentences(sides: Sequence[tuple[float, list[tuple[Sentence, ...]]]]) -> list[tuple[Sentence, ...]]:
    """Of each passage its sentences, best first, by the mean of what the wordings' shares make of them."""
    mixed = []
    for alike in zip(*(found for _, found in sides), strict=True):
        scored = [
            replace(same[0], score=sum(share * one.score for (share, _), one in zip(sides, same, strict=True)))
            for same in zip(*alike, strict=True)
        ]
        mixed.append(tuple(sorted(scored, key=lambda one: -one.score)))
    return mixed
