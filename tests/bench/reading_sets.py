"""Published question sets to train the cross-encoder with: each question with the sentences that retrieval may choose.

Of each set one half is trained on, and the other is there to measure with: of NoMIRACL's every other question, of
SQuAD's the questions about every other title, so that no text is on both sides.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index.encoder import Encoder, Vectors
from index.records import Document
from index.sentences import sentences
from rag.datasets import Case, Corpus, read_bytes, read_corpus, read_questions
from rag.writing import READ

Item = tuple[str, list[str], list[int]]
"""A question, sentences, and which of them answer it."""

Read = tuple[list[str], Vectors]
"""The sentences of some documents and their vectors (n, size)."""


def is_trained_on(case: Case, place: int, titles: dict[str, str]) -> bool:
    """place: the question's in its file. titles: of the documents of a corpus, by their names; none without one."""
    if not titles:
        return place % 2 == 0
    return sorted(set(titles.values())).index(titles[case.relevant[0]]) % 2 == 0


def lines_to_measure(file: Path, corpus: Path | None) -> Iterator[str]:
    """The lines of a set of one question a line that are not trained on."""
    questions, titles = read_questions(file), _titles(read_corpus(corpus) if corpus else None)
    lines = [line for line in read_bytes(file).decode("utf-8-sig").split("\n") if line.strip()]
    for place, (case, line) in enumerate(zip(questions.cases, lines, strict=True)):
        if not is_trained_on(case, place, titles):
            yield line


def items(name: str, encoder: Encoder, chance: random.Random, *, trained: bool) -> Iterator[Item]:
    """Of the half that is trained on, or of the other: the READ sentences nearest to the question, in reading order.

    name: a file of questions, with a comma and its corpus if it has one.

    SQuAD's right answers stand in one passage, and the sentences with those words count as right; with half of the
    questions the sentences are of all passages of the title. Of NoMIRACL it is not known which sentence answers: any.
    """
    file, _, other = name.partition(",")
    questions, corpus = read_questions(Path(file)), read_corpus(Path(other)) if other else None
    titles = _titles(corpus)
    read = {one.name: _read([one], encoder) for one in corpus.documents} if corpus else {}
    for place, case in enumerate(questions.cases):
        if is_trained_on(case, place, titles) != trained:
            continue
        if not corpus:
            texts, vectors = _read(case.passages, encoder)
            right = list(range(len(texts))) if case.answerable else []
        else:
            here = case.relevant[0]
            names = (
                [here]
                if trained and chance.random() < 0.5
                else [name for name in titles if titles[name] == titles[here]]
            )
            texts = [text for name in names for text in read[name][0]]
            vectors = np.concatenate([read[name][1] for name in names])
            own = [name == here for name in names for _ in read[name][0]]
            right = [row for row, text in enumerate(texts) if own[row] and any(one in text for one in case.answers)]
        nearest = list(np.argsort(-vectors @ encoder.encode_question(case.question))[:READ])
        if case.answerable and not set(right) & set(nearest):
            nearest[-1:] = right[:1]
        chosen = sorted(int(row) for row in nearest)
        if bool(right) == case.answerable:
            yield (
                case.question,
                [texts[row] for row in chosen],
                [number for number, row in enumerate(chosen) if row in right],
            )


def _titles(corpus: Corpus | None) -> dict[str, str]:
    return {one.name: one.title for one in corpus.documents} if corpus else {}


def _read(documents: Sequence[Document], encoder: Encoder) -> Read:
    spans = [sentences(one.text) for one in documents]
    _, vectors = encoder.encode_passages([one.text for one in documents], spans)
    texts = [one.text[start:end] for one, own in zip(documents, spans, strict=True) for start, end in own]
    return texts, np.concatenate(vectors)
