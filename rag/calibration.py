"""Whether the answer is there, as odds: what the signals of that are worth, fitted on questions of which it is known.

Situations differ. Where the model reads all of one small document, every question is about its matter, nothing hinges
on retrieval, and its own feeling decides. Where there are several, or retrieval chose what it reads, the best
sentence's relevance tells something too. And the model's feeling has another scale in each language. So there are
weights for each situation and language; they belong to one answering and one embedding model, and `mureum calibrate`
makes them for others.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.models import models_dir
from rag.records import Language

log = logging.getLogger(__name__)

RIDGE = 1.0
"""Penalty on the weights of the fit, in units of the signals' spread."""

LEAST_ODDS = 0.25
"""Weight that the model's odds keep in any fit. Question sets ask about the matter of their documents; what the odds
tell best, that a question is about something else altogether, hardly occurs in them."""

LENIENCE = 1.1
"""Added to the balanced score where the model reads all of one document: the checks after the gate (kind, subject,
wording) refuse much of what has no answer, and nothing brings back an answer that it refused (docs/decisions.md)."""

FEWEST = 24
"""Questions that a fit needs, a quarter of them of either kind."""

MOST_LACKING = 2.0
"""What more is lacking than this counts as this much."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a question before an answer is shown.

    odds:    log-odds of the model that the answer is there; None when it does not tell.
    relevance: of the best sentence, as the search has it (`records.Sentence`); None across languages, where its scale
             is another.
    lacking: how many numbers, times and names of the question the sentences lack (see answerability.lack).
    whole:   the index is one document, small enough for the model to read all of it.
    spoken:  the question's language.
    certain: log-probability of the first token that the model writes; None until then, and when it does not tell.
    nouns:   whether common nouns of the question stand in none of the sentences.
    read:    log-odds of the sentence that answers best, by the cross-encoder; None where it does not read the question.
    """

    odds: float | None
    relevance: float | None
    lacking: float
    whole: bool
    spoken: Language
    certain: float | None = None
    read: float | None = None
    nouns: bool = False

    @property
    def situation(self) -> str:
        """Which weights are meant for it."""
        return f"{'whole' if self.whole else 'window'} {self.spoken}"

    def values(self) -> dict[str, float | None]:
        """By name, each so that it rises with the chance of an answer; None where it is not known or tells nothing."""
        return {
            "odds": self.odds,
            "relevance": None if self.whole else self.relevance,
            "lacking": -min(self.lacking, MOST_LACKING),
            "nouns": -float(self.nouns),
            "certain": self.certain,
            "read": self.read,
        }


LATE = ("certain",)
"""Signals that are known only once the model begins to write."""


@dataclass(frozen=True, slots=True)
class Term:
    """What a signal adds: weight * (value - middle), 0 where it is not known. spread: how far it mostly lies from its
    middle."""

    weight: float
    middle: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Weights:
    """Of a sum that is above 0 where an answer is likelier than none. terms: by the name of the signal."""

    bias: float = 0.0
    terms: Mapping[str, Term] = field(
        default_factory=lambda: {"odds": Term(1.0), "lacking": Term(1.5), "nouns": Term(1.5)}
    )

    def score(self, signals: Signals) -> float:
        """Log-odds, as far as the weights are right. A model that does not tell its odds has the benefit of the
        doubt."""
        values = signals.values()
        if signals.odds is None:
            return 1.0 + sum(
                self.terms.get(name, Term(0.0)).weight * (values[name] or 0.0) for name in ("lacking", "nouns")
            )
        known = ((term, values[name]) for name, term in self.terms.items())
        return self.bias + sum(term.weight * (value - term.middle) for term, value in known if value is not None)

    def swing(self) -> float:
        """How far what is known last may move the score, mostly."""
        return sum(term.weight * term.spread for name, term in self.terms.items() if name in LATE)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights by situation ('whole ko', 'window en', …). made: what they were fitted on."""

    weights: Mapping[str, Weights] = field(default_factory=dict)
    made: str = "nothing: the model's own odds"

    @property
    def reads(self) -> bool:
        """Whether the cross-encoder is asked in any situation."""
        return any("read" in weights.terms for weights in self.weights.values())

    def of(self, signals: Signals) -> Weights:
        """The weights for a situation, plain ones where none were fitted."""
        return self.weights.get(signals.situation, Weights())

    def score(self, signals: Signals) -> float:
        """Above 0: the answer is likely there."""
        return self.of(signals).score(signals)


def key(llm: str, encoder: str) -> str:
    """What a pair of models is known by."""
    return f"{llm} {encoder}"


def load(llm: str, encoder: str) -> Calibration:
    """The user's own calibration for the two models, else the one that comes along, else one without weights."""
    for text in (_read(own_file()), (files("rag") / "assets" / "calibration.json").read_text("utf-8")):
        try:
            record = json.loads(text).get(key(llm, encoder))
            if record is not None:
                weights = {situation: _weights(**values) for situation, values in record["weights"].items()}
                return Calibration(weights, str(record["made"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("'%s' is damaged: the calibration that comes along is used instead", own_file())
    return Calibration()


def _weights(bias: float, terms: Mapping[str, Mapping[str, float]]) -> Weights:
    return Weights(float(bias), {name: Term(**values) for name, values in terms.items()})


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

    Answerable and unanswerable questions weigh the same, whatever their numbers, and the bar lies where both mistakes
    are as frequent. A situation that has too few questions keeps the weights of `base`.
    """
    weights = dict(base.weights)
    for situation in sorted({signals.situation for signals, _ in cases}):
        part = [one for one in cases if one[0].situation == situation and one[0].odds is not None]
        there = sum(answerable for _, answerable in part)
        if len(part) >= FEWEST and min(there, len(part) - there) >= FEWEST / 4:
            weights[situation] = _fit(part)
    return Calibration(weights, made)


Rows = NDArray[np.float64]


def _fit(cases: Sequence[tuple[Signals, bool]]) -> Weights:
    there = np.array([answerable for _, answerable in cases], np.float64)
    names = list(cases[0][0].values())
    known = np.array([[_number(one) for one in signals.values().values()] for signals, _ in cases])  # NaN: not known
    told = ~np.isnan(known).all(axis=0)
    middles, spreads = np.zeros(len(names)), np.zeros(len(names))
    middles[told], spreads[told] = np.nanmean(known[:, told], axis=0), np.nanstd(known[:, told], axis=0)
    rows = np.nan_to_num(known - middles)
    importance = np.where(there > 0, 0.5 / there.sum(), 0.5 / (len(there) - there.sum())) * len(there)
    *weights, _ = _regress(rows, there, importance)
    bias = (LENIENCE if cases[0][0].whole else 0.0) - _even_bar(rows @ np.array(weights), there)
    rounded = [[round(float(one), 4) for one in term] for term in zip(weights, middles, spreads, strict=True)]
    return Weights(
        round(float(bias), 4), {name: Term(*term) for name, term in zip(names, rounded, strict=True) if term[0]}
    )


def _even_bar(scores: Rows, there: Rows) -> float:
    """Where as large a share of the unanswerable lies above as of the answerable below."""
    ordered = np.sort(scores)
    bars = (ordered[1:] + ordered[:-1]) / 2
    above = np.array([np.mean(scores[there == 0] >= bar) for bar in bars])
    below = np.array([np.mean(scores[there > 0] < bar) for bar in bars])
    return float(bars[np.argmin(np.abs(above - below))])


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _regress(rows: Rows, there: Rows, importance: Rows) -> Rows:
    """A weight for each column, none below 0 and the first not below LEAST_ODDS, and the bias last."""
    free = _positive(rows, there, importance, np.zeros(len(rows)))
    if free[0] >= LEAST_ODDS or not rows[:, 0].any():
        return free
    others = rows.copy()
    others[:, 0] = 0.0
    bound = _positive(others, there, importance, LEAST_ODDS * rows[:, 0])
    bound[0] = LEAST_ODDS
    return bound


def _positive(rows: Rows, there: Rows, importance: Rows, given: Rows) -> Rows:
    """Logistic regression with a ridge penalty and no weight below 0, on top of sums that are `given`, (n,)."""
    spread = np.maximum(rows.std(axis=0), 1e-9)
    full = np.zeros(rows.shape[1] + 1)
    used = [column for column in range(rows.shape[1]) if rows[:, column].any()]
    while True:
        weights = _newton(rows[:, used] / spread[used], there, importance, given)
        wrong = {column for column, weight in zip(used, weights, strict=False) if weight < 0}
        if not wrong:
            break
        used = [column for column in used if column not in wrong]
    full[used] = weights[:-1] / spread[used]
    full[-1] = weights[-1]
    return full


def _newton(rows: Rows, there: Rows, importance: Rows, given: Rows) -> Rows:
    """Weights of the columns, and the bias last, (columns + 1,)."""
    rows = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.array([RIDGE] * (rows.shape[1] - 1) + [1e-6])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-given - rows @ weights))
        slope = rows.T @ (importance * (chance - there)) + penalty * weights
        curve = (rows * (importance * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights
