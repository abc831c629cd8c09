"""Whether the answer is there, as odds: what the signals of that are worth, fitted on questions that others made.

Two situations differ. Where the model has read all of a small index, nothing hinges on retrieval, and its own feeling
decides. Where retrieval chose what it reads, the best passage's cosine tells more than the model does. Both sets of
weights belong to one answering and one embedding model; `mureum calibrate` makes them for others.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.models import models_dir

RIDGE = 1.0
"""Penalty on the weights of the fit, in units of the signals' spread."""

FEWEST = 40
"""Questions that a fit needs, and a quarter of them of either kind."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a question before anything is written.

    odds:    log-odds of the model that the answer is there; None when it does not tell.
    cosine:  of the question and the best passage, [-1, 1]; None across languages, where its scale is another.
    lacking: how many things the question names and the sentences lack.
    whole:   the model has read all of the index.
    """

    odds: float | None
    cosine: float | None
    lacking: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Weights:
    """Of a sum that is above 0 where an answer is likelier than none. middle: the cosine that tells nothing."""

    odds: float
    cosine: float
    lacking: float
    bias: float
    middle: float = 0.0

    def score(self, signals: Signals) -> float:
        """Log-odds, as far as the weights are right."""
        cosine = 0.0 if signals.cosine is None else signals.cosine - self.middle
        return self.odds * (signals.odds or 0.0) + self.cosine * cosine - self.lacking * signals.lacking + self.bias


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights for both situations. made: what they were fitted on."""

    whole: Weights
    window: Weights
    made: str = ""

    def score(self, signals: Signals) -> float:
        """Above 0: the answer is likely there. A model that does not tell its odds has the benefit of the doubt."""
        weights = self.whole if signals.whole else self.window
        if signals.odds is None:
            return 1.0 - weights.lacking * signals.lacking
        return weights.score(signals)


PLAIN = Calibration(Weights(1.0, 0.0, 1.5, 0.0), Weights(1.0, 0.0, 1.5, 0.0), "nothing: the model's own odds")
"""For models that nobody has calibrated."""


def key(llm: str, encoder: str) -> str:
    """What a pair of models is known by."""
    return f"{llm} {encoder}"


def load(llm: str, encoder: str) -> Calibration:
    """The user's own calibration for the two models, else the one that comes along, else PLAIN."""
    for text in (_read(own_file()), (files("rag") / "assets" / "calibration.json").read_text("utf-8")):
        try:
            record = json.loads(text).get(key(llm, encoder))
            if record is not None:
                return Calibration(Weights(**record["whole"]), Weights(**record["window"]), str(record["made"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # a damaged file of one's own: what comes along still holds
    return PLAIN


def save(llm: str, encoder: str, calibration: Calibration) -> Path:
    """Keep it as the user's own, beside those of other models. Raises OSError."""
    path = own_file()
    try:
        known = json.loads(_read(path))
    except ValueError:
        known = {}
    known[key(llm, encoder)] = asdict(calibration)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", "utf-8")
    new.replace(path)
    return path


def own_file() -> Path:
    """Where the user's own calibrations are kept."""
    return models_dir() / "calibration.json"


def _read(path: Path) -> str:
    """The text of a file, '{}' where there is none."""
    try:
        return path.read_text("utf-8")
    except OSError:
        return "{}"


def fit(cases: Sequence[tuple[Signals, bool]], made: str, base: Calibration) -> Calibration:
    """Weights from questions of which it is known whether they have an answer.

    Answerable and unanswerable questions weigh the same, whatever their numbers: the bar balances both mistakes. A
    situation that has too few questions keeps the weights of `base`.
    """
    known = [(signals, there) for signals, there in cases if signals.odds is not None]
    parts = {whole: [one for one in known if one[0].whole == whole] for whole in (True, False)}
    fitted = {whole: _fit(part, with_cosine=not whole) for whole, part in parts.items()}
    return Calibration(fitted[True] or base.whole, fitted[False] or base.window, made)


def _fit(cases: Sequence[tuple[Signals, bool]], *, with_cosine: bool) -> Weights | None:
    """Logistic regression by Newton's method with a ridge penalty; no weight gets the wrong sign."""
    there = np.array([answerable for _, answerable in cases], np.float64)
    if len(cases) < FEWEST or min(there.sum(), len(cases) - there.sum()) < FEWEST / 4:
        return None
    middle = float(np.mean([signals.cosine for signals, _ in cases if signals.cosine is not None] or [0.0]))
    rows = np.array(
        [
            (
                signals.odds or 0.0,
                signals.cosine - middle if with_cosine and signals.cosine is not None else 0.0,
                -min(signals.lacking, 2),
            )
            for signals, _ in cases
        ]
    )  # (n, 3)
    importance = np.where(there > 0, 0.5 / there.sum(), 0.5 / (len(there) - there.sum())) * len(there)
    spread = np.maximum(rows.std(axis=0), 1e-9)
    used = [column for column in range(3) if rows[:, column].any()]
    while True:
        weights = _newton(rows[:, used] / spread[used], there, importance)
        wrong = [column for column, weight in zip(used, weights, strict=False) if weight < 0]
        if not wrong:
            break
        used = [column for column in used if column not in wrong]
    full = np.zeros(3)
    full[used] = weights[:-1] / spread[used]
    return Weights(float(full[0]), float(full[1]), float(full[2]), float(weights[-1]), middle)


def _newton(
    rows: NDArray[np.float64], there: NDArray[np.float64], importance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights of the columns, and the bias last, (columns + 1,)."""
    rows = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.array([RIDGE] * (rows.shape[1] - 1) + [1e-6])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (importance * (chance - there)) + penalty * weights
        curve = (rows * (importance * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights
