"""Trains the changes to the embedding model that make a cross-encoder of it (`rag/cross_encoder.py`), and measures it.

python -m tests.bench.reading train FILE [--from FILE] [--skip N] [--passes 1] [--set FILE …]
                                                                trains, keeps them in FILE
python -m tests.bench.reading mean FILE FIRST SECOND             keeps in FILE the mean of both, number by number
python -m tests.bench.reading measure [--weights FILE] [--set FILE …] measures those that come along
python -m tests.bench.reading questions [--sample 20]           prints held-out texts, for `mureum eval`
python -m tests.bench.reading rest FILE [--corpus FILE]         prints what of a set is not trained on, likewise

The texts are in `invented.jsonl.gz`, written for this: 5 to 10 sentences each, with nine or ten questions in both
languages of which half have no answer there. Those with `held_out` are never trained on. Beside them it can learn from
halves of published sets (`reading_sets.py`): --set takes a file as `mureum eval` does, 'FILE,CORPUS' for SQuAD. --skip
leaves out the first texts, which what is begun from has learnt. 700 texts and the sets take some 40 minutes on machine
C of docs/results.md. Changes of one run are not those of another to the last digit.
"""

import argparse
import gzip
import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from index.encoder import SentenceTransformerEncoder
from index.models import EMBEDDING_MODEL, resolve
from rag import cross_encoder
from rag.cross_encoder import QUESTION, SENTENCE, SHARPNESS, CrossEncoder
from tests.bench import reading_sets
from tests.bench.reading_sets import Item

RANK = 16
LOWEST = 3
"""Layers below this one stay as they are."""

SCALE = 2.0
RATE = 1e-3
TOGETHER = 2048
"""Tokens of a batch, padding included."""

WINDOW = 512

OF_SETS = 2
"""How often a pass takes each question of a published set."""


class Changed(nn.Module):  # type: ignore[misc]
    """A linear layer with a low-rank change."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.a = nn.Parameter(torch.randn(RANK, base.in_features) / math.sqrt(base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.base(rows) + functional.linear(functional.linear(rows, self.a), self.b) * SCALE
        return changed


class Reader(nn.Module):  # type: ignore[misc]
    """What is trained: as `CrossEncoder` works, in batches."""

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        super().__init__()
        self.bert: Any = encoder.transformer.float()
        self.bert.requires_grad_(False)
        for layer in self.bert.encoder.layer[LOWEST:]:
            for part, name in (
                (layer.attention.self, "query"),
                (layer.attention.self, "key"),
                (layer.attention.self, "value"),
                (layer.attention.output, "dense"),
                (layer.intermediate, "dense"),
                (layer.output, "dense"),
            ):
                setattr(part, name, Changed(getattr(part, name)))
        size = self.bert.config.hidden_size
        self.pair = nn.Parameter(torch.ones(size))
        self.head, self.null = nn.Linear(size, 1), nn.Linear(2 * size, 1)
        for linear in (self.head, self.null):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
        nn.init.constant_(self.head.bias, -SHARPNESS * 0.955)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, owners: torch.Tensor) -> torch.Tensor:
        """Of each text the scores of 'none' and of its sentences (B, 1 + most sentences).

        owners (B, T): the number of the sentence that a token belongs to; -1 the question's, -2 neither.
        """
        with torch.autocast("cpu", torch.bfloat16):
            rows = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        rows = rows.float()
        own = functional.one_hot(owners + 2, int(owners.max()) + 3).float()
        means = functional.normalize(torch.einsum("btn,btd->bnd", own, rows), dim=-1)
        asked, read = means[:, 1:2], means[:, 2:]
        size = rows.shape[-1] ** 0.5
        told = SHARPNESS * (asked * read * self.pair).sum(-1) + self.head(size * read).squeeze(-1)
        told = told.masked_fill(own.sum(1)[:, 2:] == 0, -1e4)
        first = functional.normalize(rows[:, 0], dim=-1)
        return torch.cat([self.null(size * torch.cat([first, asked[:, 0]], -1)), told], 1)

    def changes(self) -> dict[str, torch.Tensor]:
        """What `CrossEncoder` reads: the low-rank parts in half precision, the scale within b."""
        found = {}
        for name, value in self.named_parameters():
            if value.requires_grad:
                kept = (value * SCALE).half() if name.endswith(".b") else value.half()
                found[name.removeprefix("bert.")] = (
                    (kept if "." in name and "layer" in name else value).detach().clone()
                )
        return found

    def begin_from(self, file: str) -> None:
        """Go on from changes that were kept."""
        kept = load_file(file)
        with torch.no_grad():
            for name, value in self.named_parameters():
                if value.requires_grad:
                    value.copy_(kept[name.removeprefix("bert.")].float() / (SCALE if name.endswith(".b") else 1))


def read_items(held_out: bool) -> list[dict[str, Any]]:
    """The texts that are trained on, or those that are not."""
    lines = gzip.decompress((Path(__file__).parent / "invented.jsonl.gz").read_bytes()).decode("utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["held_out"] == held_out]


def one_pass(items: Sequence[dict[str, Any]], chance: random.Random) -> Iterator[Item]:
    """Each question once, mostly in the language of its text; at times with a part of the sentences, without the one
    that answers, or among sentences of another text."""
    for item in items:
        language, other = item["language"], chance.choice(items)
        for asked in item["questions"]:
            spoken = language if chance.random() < 0.7 else "en" if language == "ko" else "ko"
            chosen, kind = list(enumerate(item["sentences"])), chance.random()
            if kind < 0.35:
                share = chance.uniform(0.4, 0.9)
                chosen = [one for one in chosen if one[0] in asked["answers"] or chance.random() < share]
                if chance.random() < 0.15:
                    chosen = [one for one in chosen if one[0] not in asked["answers"]]
            if 0.25 < kind < 0.6 and other["language"] == language and other is not item:
                strange = [(-1, text) for text in other["sentences"][: chance.randrange(1, 6)]]
                chosen = strange + chosen if chance.random() < 0.5 else chosen + strange
            if chosen:
                right = [place for place, (number, _) in enumerate(chosen) if number in asked["answers"]]
                yield asked[spoken], [text for _, text in chosen], right


def batches(items: Sequence[Item], tokenizer: Any, chance: random.Random) -> Iterator[tuple[Any, list[list[int]]]]:
    """Batches of like lengths in any order, ready for `Reader`, and which sentences are right."""

    def tokens(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    encoded = []
    for question, texts, right in items:
        asked = tokens("query: " + question)[:QUESTION]
        ids = [tokenizer.cls_token_id, *asked, tokenizer.sep_token_id, *tokens("passage:")]
        owners = [-2, *[-1] * len(asked), *[-2] * (len(ids) - len(asked) - 1)]
        for number, text in enumerate(texts):
            piece = tokens(text)[:SENTENCE]
            if len(ids) + len(piece) >= WINDOW:
                break
            ids += piece
            owners += [number] * len(piece)
        kept = [number for number in right if number <= max(owners)]
        if kept or not right:
            encoded.append(([*ids, tokenizer.sep_token_id], [*owners, -2], kept))
    encoded.sort(key=lambda one: len(one[0]) + 20 * chance.random())
    lots: list[list[Any]] = [[]]
    for one in encoded:
        if lots[-1] and len(one[0]) * (len(lots[-1]) + 1) > TOGETHER:
            lots.append([])
        lots[-1].append(one)
    chance.shuffle(lots)
    for lot in lots:
        width = max(len(one[0]) for one in lot)
        shape = [(one[0] + [tokenizer.pad_token_id] * (width - len(one[0]))) for one in lot]
        mask = [[1] * len(one[0]) + [0] * (width - len(one[0])) for one in lot]
        owners = [one[1] + [-2] * (width - len(one[1])) for one in lot]
        yield (torch.tensor(shape), torch.tensor(mask), torch.tensor(owners)), [one[2] for one in lot]


def train(file: str, start: str | None, skip: int, passes: int, sets: Sequence[str]) -> None:
    """Likelihood of the right sentence, or of 'none'; AdamW, falling rate."""
    torch.manual_seed(0)
    chance = random.Random(1)
    encoder = SentenceTransformerEncoder(resolve(EMBEDDING_MODEL))
    published = [
        one for name in sets for one in reading_sets.items(name, encoder, chance, trained=True) for _ in range(OF_SETS)
    ]
    reader, items = Reader(encoder), read_items(held_out=False)[skip:]
    if start:
        reader.begin_from(start)
    trained = [(name, value) for name, value in reader.named_parameters() if value.requires_grad]
    groups = [
        {"params": [value for name, value in trained if "bert" in name], "lr": RATE},
        {"params": [value for name, value in trained if "bert" not in name], "lr": 4 * RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    lots = [
        lot for _ in range(passes) for lot in batches([*one_pass(items, chance), *published], encoder.tokenizer, chance)
    ]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 40) * max(0.03, 1 - step / len(lots))
    )
    mean = 0.0
    for step, (batch, right) in enumerate(lots, start=1):
        chances = functional.log_softmax(reader(*batch), 1)
        rows = [chances[row, [n + 1 for n in good] or [0]].logsumexp(0) for row, good in enumerate(right)]
        loss = -torch.stack(rows).mean()
        loss.backward()
        nn.utils.clip_grad_norm_([value for _, value in trained], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        mean = loss.item() if step == 1 else 0.98 * mean + 0.02 * loss.item()
        if step % 50 == 0:
            print(f"{step} of {len(lots)}: loss {mean:.3f}", flush=True)
    save_file(reader.changes(), file, {"encoder": encoder.name})


def mean(file: str, first: str, second: str) -> None:
    """Of two trainings, one begun from the other (weight averaging, Wortsman et al. 2022, arXiv:2109.01903)."""
    one, other = load_file(first), load_file(second)
    with safe_open(first, "pt") as opened:
        made_for = opened.metadata()
    kept = {name: ((one[name].float() + other[name].float()) / 2).to(one[name].dtype) for name in one}
    save_file(kept, file, made_for)


def measure(sets: Sequence[str]) -> None:
    """AUC of telling answerable questions from others, and how often the right sentence comes first."""
    encoder = SentenceTransformerEncoder(resolve(EMBEDDING_MODEL))
    reader = CrossEncoder.of(encoder)
    assert reader is not None
    items: dict[str, list[Item]] = {}
    for one in read_items(held_out=True):
        for spoken in ("ko", "en"):
            asked = [(question[spoken], one["sentences"], question["answers"]) for question in one["questions"]]
            items.setdefault(f"{spoken} asks about {one['language']}", []).extend(asked)
    for name in sets:
        items[Path(name.partition(",")[0]).name] = list(
            reading_sets.items(name, encoder, random.Random(1), trained=False)
        )
    for name, cases in items.items():
        found = [reader.odds(question, sentences) for question, sentences, _ in cases]
        there = [bool(right) for _, _, right in cases]
        first = [int(odds.argmax()) in right for odds, (_, _, right) in zip(found, cases, strict=True) if right]
        print(f"{name}: {len(cases)} questions, AUC {auc([float(odds.max()) for odds in found], there):.3f}, ", end="")
        print(f"right sentence first {np.mean(first):.3f}", flush=True)


def questions(sample: int) -> None:
    """Texts that were held out, as many in each language: each question with its text as the only document."""
    for language in ("ko", "en"):
        items = [(number, one) for number, one in enumerate(read_items(held_out=True)) if one["language"] == language]
        for number, item in random.Random(7).sample(items, min(sample, len(items))):
            text = {"id": f"text {number}", "text": " ".join(item["sentences"])}
            for place, asked in enumerate(item["questions"]):
                record = {
                    "id": f"{number}-{place}",
                    f"question_{language}": asked[language],
                    f"accepted_{language}": [],
                    "rejected": [],
                    "history": [],
                    "answerable": bool(asked["answers"]),
                    "evidence": [item["sentences"][row] for row in asked["answers"]],
                    "documents": [text],
                }
                print(json.dumps(record, ensure_ascii=False))


def auc(scores: Sequence[float], there: Sequence[bool]) -> float:
    """How often one of the right kind has the higher score than one of the other."""
    right = np.array([score for score, is_there in zip(scores, there, strict=True) if is_there])
    wrong = np.array([score for score, is_there in zip(scores, there, strict=True) if not is_there])
    return float((right[:, None] > wrong).mean())


def main(arguments: Sequence[str]) -> int:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    training = kinds.add_parser("train")
    training.add_argument("file")
    training.add_argument("--from", dest="start")
    training.add_argument("--skip", type=int, default=0)
    training.add_argument("--passes", type=int, default=1)
    averaging = kinds.add_parser("mean")
    for name in ("file", "first", "second"):
        averaging.add_argument(name)
    measuring = kinds.add_parser("measure")
    measuring.add_argument("--weights", type=Path, default=cross_encoder.WEIGHTS)
    for one in (training, measuring):
        one.add_argument("--set", action="append", default=[], dest="sets")
    kinds.add_parser("questions").add_argument("--sample", type=int, default=20)
    rest = kinds.add_parser("rest")
    rest.add_argument("file", type=Path)
    rest.add_argument("--corpus", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.kind == "train":
        train(chosen.file, chosen.start, chosen.skip, chosen.passes, chosen.sets)
    elif chosen.kind == "mean":
        mean(chosen.file, chosen.first, chosen.second)
    elif chosen.kind == "questions":
        questions(chosen.sample)
    elif chosen.kind == "rest":
        print("\n".join(reading_sets.lines_to_measure(chosen.file, chosen.corpus)))
    else:
        cross_encoder.WEIGHTS = chosen.weights
        measure(chosen.sets)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
