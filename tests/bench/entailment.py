"""What becomes of statements that do, and do not, follow from a sentence.

python -m tests.bench.entailment FILE [--sample N]

FILE: JSON Lines of `premise`, `hypothesis` and `label` ('entailment', 'neutral', 'contradiction'), such as KLUE-NLI.
The weights of words are taken from all premises together. Prints which part of each label's statements passes as
supported by the checks of `rag.verification` alone, and with the model asked as well.
"""

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np

from index.lexical import LexicalStore
from index.sentences import language
from index.tokens import tokens
from rag import opening
from rag.entailment import follows
from rag.records import Language
from rag.verification import Evidence, verify
from ui.options import parser, settings
from ui.report import table


def main() -> None:
    """See above."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", type=Path)
    options.add_argument("--sample", type=int, default=300)
    chosen = options.parse_args()
    pairs = [json.loads(line) for line in chosen.file.read_text("utf-8").splitlines()]
    lexical = LexicalStore([tokens(text) for text in dict.fromkeys(pair["premise"] for pair in pairs)])
    model = opening.open_model(settings(parser().parse_args(["ask", "?"])))
    passed: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for pair in random.Random(2024).sample(pairs, min(chosen.sample, len(pairs))):
        premise, claim = pair["premise"], pair["hypothesis"]
        evidence = Evidence([premise], [premise], np.zeros(1, np.float32), [0])
        spoken: Language = "ko" if language(claim) == "ko" else "en"
        words = not verify(claim, "", spoken, evidence, lexical).reason
        passed[pair["label"]].append((words, words and follows(model, premise, claim)))
    model.close()
    rows = [["", "statements", "pass by words", "and by the model"]]
    for label, both in sorted(passed.items()):
        rows.append([label, str(len(both)), *(f"{share:.3f}" for share in np.mean(both, axis=0))])
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
