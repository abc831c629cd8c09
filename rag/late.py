"""Late interaction: texts compared with a question token by token (MaxSim: Khattab & Zaharia 2020, arXiv:2004.12832,
here with the one embedding model and without training).

Token vectors are compared as differences from their language's mean: all of them have a good part in common, which says
nothing and hides what two languages share.
"""

from collections.abc import Sequence

import numpy as np

from index.encoder import Asked, Centre, Vectors
from index.records import Span

LEAST = 1e-3
"""What a token's lead counts for at least, so that some count where all texts are alike."""

PRIOR = 30
"""As many texts the question's own centre counts for in the centre of texts: a few have none of their own."""


class Tokens:
    """A question's tokens, to be compared with those of texts."""

    def __init__(self, asked: Asked, centre: Centre) -> None:
        """centre: that of questions in its language."""
        self._tokens = unit(asked.tokens - centre.token)
        self._weights = asked.weights

    def similarity(self, texts: Sequence[Vectors]) -> Vectors:
        """MaxSim (n,), [-1, 1]: the mean over the question's tokens of the best cosine among a text's tokens.

        texts: of each the vectors of its tokens (T, size), less their centre, at length 1.
        A token weighs by how much it tells in general and here: by how far the best text stands out for it.
        """
        if not texts:
            return np.zeros(0, np.float32)
        cosines = np.concatenate(texts) @ self._tokens.T  # (all tokens of the texts, T)
        best = best_of(cosines, [len(text) for text in texts])  # (n, T)
        weights = self._weights * (best.max(axis=0) - best.mean(axis=0) + LEAST)
        return np.asarray(best @ (weights / max(float(weights.sum()), 1e-9)), np.float32)


def centred(texts: Sequence[Vectors], prior: Vectors) -> list[Vectors]:
    """The texts' token vectors less their mean, at length 1.

    prior: the centre (size,) of questions in their language, which counts where there are few texts.
    """
    filled = [text for text in texts if len(text)]
    if not filled:
        return list(texts)
    share = np.float32(len(filled) / (len(filled) + PRIOR))
    centre = share * np.concatenate(filled).mean(axis=0) + (1 - share) * prior
    return [unit(text - centre) if len(text) else text for text in texts]


def within(tokens_at: Sequence[Span], span: Span) -> list[int]:
    """Which tokens lie in a range of characters."""
    return [place for place, (start, end) in enumerate(tokens_at) if start >= span[0] and end <= span[1]]


def best_of(cosines: Vectors, lengths: Sequence[int]) -> Vectors:
    """The highest of each run of rows, (number of runs, columns); -1 for an empty run."""
    best = np.full((len(lengths), cosines.shape[1]), -1.0, np.float32)
    filled = [run for run, length in enumerate(lengths) if length]
    if filled:
        starts = np.cumsum([0, *lengths])[filled]
        best[filled] = np.maximum.reduceat(cosines, starts, axis=0)
    return best


def unit(rows: Vectors) -> Vectors:
    """The last axis at length 1; zero stays zero."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), np.float32)
