"""What each part of an answer's way brings: `mureum eval` with one of them left out.

python -m tests.bench.ablation PART QUESTIONS [options of mureum eval]

PART  gate:          nothing is refused before it is written
      verification:  a draft is shown as it was written, and is said to rest on the sentence that was ranked first
      fusion:        vectors alone: no BM25, and sentences gain nothing by the question's words
      prompt:        the best sentence is not said again next to the question
      none:          nothing is left out
"""

import sys
from typing import Any
from unittest.mock import patch

from index.lexical import LexicalStore
from rag.calibration import Calibration, Signals, Weights
from rag.verification import Evidence, Verdict
from ui import command

OPEN = Weights(1.0, {})
"""A gate that lets everything through."""


def open_gate(calibration: Calibration, signals: Signals) -> Weights:
    """In place of `Calibration.of`."""
    return OPEN


def believe(draft: str, question: str, spoken: str, evidence: Evidence, lexical: LexicalStore) -> Verdict:
    """In place of `verify`: every draft holds."""
    best = max(evidence.rows, key=lambda row: evidence.relevance[row], default=0)
    return Verdict(" ".join(draft.split()), (best,), "")


PARTS: dict[str, dict[str, Any]] = {
    "gate": {
        "rag.calibration.Calibration.of": open_gate,
        "rag.writing.asks_of_strangers": lambda *_: False,
    },
    "verification": {
        "rag.writing.verify": believe,
        "rag.writing.Writer._on_question": lambda writer, verdict, *_: verdict,
        "rag.writing.follows": lambda *_: True,
        "rag.writing.Writer._has_kind": lambda *_: True,
    },
    "fusion": {
        "rag.retrieval.DENSE_WEIGHT": 1.0,
        "rag.retrieval.COVERAGE_SHARE": 0.0,
        "rag.bridge.COVERAGE_SHARE": 0.0,
    },
    "prompt": {"rag.writing.HINTS": 0},
    "none": {},
}


def main(arguments: list[str]) -> int:
    """Leave the part out and measure."""
    if not arguments or arguments[0] not in PARTS:
        print(__doc__)
        return 2
    changes = [patch(name, other) for name, other in PARTS[arguments[0]].items()]
    for change in changes:
        change.start()
    return command.main(["eval", *arguments[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
