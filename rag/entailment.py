"""Whether a statement follows from sentences: what words in common do not tell ('편리합니다', '불편합니다')."""

import threading

from rag import prompts
from rag.model import AnsweringModel

STATEMENT = 3
"""Words that a claim has at least that may say something false of what stands in its sentence."""

LEAST_ODDS = 0.25
"""Of yes against no, as logarithms. What the bar costs and catches is in docs/decisions.md."""


def follows(model: AnsweringModel, text: str, claim: str, cancel: threading.Event | None = None) -> bool:
    """Whether the model finds that a claim follows from a text, which may be in the other language: a translation may
    say what its original does not. What stands there word for word follows, and a few words are no statement; a model
    that does not tell has the benefit of the doubt. Raises what the model raises."""
    if len(claim.split()) < STATEMENT or squeezed(claim) in squeezed(text):
        return True
    odds = model.yes_or_no(prompts.follows(text, claim), cancel)
    return odds is None or odds >= LEAST_ODDS


def squeezed(text: str) -> str:
    """Without white space and the full stop at the end."""
    return "".join(text.split()).rstrip(".")
