"""What the answering model gets to read: the sentences of an index, all of them when they are few, else the best."""

import re
import threading
from collections.abc import Sequence

import numpy as np

from index.encoder import Asked, Encoder, Vectors
from index.records import Passage
from index.sentences import language
from index.snapshot import Index, Snapshot
from rag.late import Tokens, centred, within
from rag.orders import gives_orders
from rag.records import Citation, Hit
from rag.selection import Rows, rows_of

WHOLE = 2600
"""Characters up to which all the text of an index goes into the prompt, in its own order.

The prompt then begins the same whatever is asked, and llama.cpp has read it already.
"""

WINDOW = 240
"""Tokens (estimated) of retrieved sentences in a prompt when the index holds more than WHOLE."""

FEW = 300
"""Sentences up to which all of an index is translated ahead for who asks in the other language."""

LONGEST_HEADING = 60
"""Characters of what a document is called in a prompt."""

CONTEXTS = 8
"""Choices of documents whose sentences are kept at hand."""

Place = tuple[str, int, int]
"""Where a sentence stands: its document, and the range [start, end) there."""

_FIRST_STOP = re.compile(r"[.:?!\n]")
_REPORTER = re.compile(r"^\s*[가-힣]{2,4}\s?(?:선임|수습|사진|객원)?\s?(?:기자|특파원|PD)\b[=,]?\s*(?:\S+@\S+)?\s*$")


class Context:
    """The sentences of one state of an index, or of the rows of it that a question is limited to.

    Sentences are Citations whose markers are not given yet.
    """

    def __init__(self, snapshot: Snapshot, rows: Rows | None = None) -> None:
        self.snapshot = snapshot
        self.rows = rows
        self._passages = snapshot.passages if rows is None else [snapshot.passages[row] for row in rows]
        self.documents = (
            snapshot.documents if rows is None else list(dict.fromkeys(passage.document for passage in self._passages))
        )
        self.few = self._few()
        """All its distinct sentences in their order, without orders to the model, when they are few."""
        self.whole = self._whole()
        """The same, when they are short enough together for one prompt."""
        self._near: tuple[list[Place], Vectors, list[Vectors]] | None = None

    def text(self, sentence: Citation) -> str:
        """A sentence as it stands in its document."""
        return self.snapshot.quote(sentence.document, sentence.start, sentence.end)

    def ranked(self, hits: Sequence[Hit]) -> list[Citation]:
        """All sentences of the hits, the most relevant first, each wording once."""
        sentences = [
            Citation(0, hit.passage.document, sentence.start, sentence.end, sentence.score)
            for hit in hits
            for sentence in hit.sentences
        ]
        return self._distinct(sorted(sentences, key=lambda sentence: -sentence.score))

    def best(self, ranked: Sequence[Citation]) -> list[Citation]:
        """The first of the ranked that fill the window of a prompt, in reading order."""
        chosen: list[Citation] = []
        room = WINDOW
        for sentence in ranked:
            room -= _tokens(self.text(sentence))
            if chosen and room < 0:
                break
            chosen.append(sentence)
        return sorted(chosen, key=lambda one: (one.document, one.start))

    def headings(self, sentences: Sequence[Citation]) -> list[str]:
        """For each sentence the name of its document, for the model; '' after another one of the same document, and
        where there is one document only. A sentence without it does not tell of whom or what it speaks."""
        before = [""] + [one.document for one in sentences]
        return [
            self._heading(one.document) if len(self.documents) > 1 and one.document != previous else ""
            for one, previous in zip(sentences, before, strict=False)
        ]

    def _heading(self, document: str) -> str:
        """How a document begins: its title, or the first words up to a stop."""
        return _FIRST_STOP.split(self.snapshot.quote(document, 0, LONGEST_HEADING).strip(), maxsplit=1)[0].strip(" #*")

    def role(self, sentence: Citation) -> str:
        """What a line is there for: 'headline' first in its document, of a bare reporter's name 'photo' under a caption
        or 'byline' by itself; '' for a sentence."""
        if not self.snapshot.quote(sentence.document, 0, sentence.start).strip():
            text = self.snapshot.quote(sentence.document, sentence.start, sentence.end + 1)
            return "headline" if text.endswith("\n") and not text.rstrip().endswith((".", "?", "!")) else ""
        if not _REPORTER.match(self.text(sentence)):
            return ""
        return (
            "photo" if self.snapshot.passage_at(sentence.document, sentence.start).start < sentence.start else "byline"
        )

    def direct(self, asked: Asked, spoken: str, encoder: Encoder) -> dict[Place, tuple[float, float]]:
        """How near each sentence of a small index is to a question, both [-1, 1]: the cosine of their vectors, and
        their similarity by tokens (`rag.late`). spoken: the question's language."""
        if self._near is None:
            self._near = self._vectors(encoder)
        places, vectors, tokens = self._near
        centre = encoder.centre(spoken)
        cosines = vectors @ asked.vector
        similar = Tokens(asked, centre).similarity(tokens)
        return dict(zip(places, zip(cosines.tolist(), similar.tolist(), strict=True), strict=True))

    def _vectors(self, encoder: Encoder) -> tuple[list[Place], Vectors, list[Vectors]]:
        """Of all sentences the place, the vector, and the vectors of the tokens less the centre of their language."""
        snapshot = self.snapshot
        ids = snapshot.ids if self.rows is None else [snapshot.ids[row] for row in self.rows]
        own, words = snapshot.sentence_vectors(ids), snapshot.token_vectors(ids)
        texts = [snapshot.quote(passage.document, passage.start, passage.end) for passage in self._passages]
        spans = [
            [(start - passage.start, end - passage.start) for start, end in passage.sentences]
            for passage in self._passages
        ]
        tokens: list[Vectors] = []
        for number, its_spans, tokens_at in zip(ids, spans, encoder.token_spans(texts, spans), strict=True):
            tokens += [words[number][within(tokens_at, span)] for span in its_spans]
        sentences = _sentences(self._passages)
        spoken = [language(self.text(one)) for one in sentences]
        for each in set(spoken):
            rows = [row for row, its in enumerate(spoken) if its == each]
            for row, rest in zip(rows, centred([tokens[row] for row in rows], encoder.centre(each).token), strict=True):
                tokens[row] = rest
        vectors = np.concatenate([own[number] for number in ids])
        return [(one.document, *one.span) for one in sentences], vectors, tokens

    def before(self, sentence: Citation) -> list[Citation]:
        """The sentences of running text (no captions, no credits) before one in its document, the nearest first."""
        own = [one for one in self._passages if one.document == sentence.document and not one.repeated]
        return [one for one in reversed(_sentences(own)) if one.end <= sentence.start]

    def is_repeated(self, sentence: Citation) -> bool:
        """Whether it stands in a caption or a credit line."""
        return self.snapshot.passage_at(sentence.document, sentence.start).repeated

    def _few(self) -> tuple[Citation, ...] | None:
        passages = self._passages
        if len(passages) > 2 * FEW or sum(len(passage.sentences) for passage in passages) > 2 * FEW:
            return None
        sentences = tuple(one for one in self._distinct(_sentences(passages)) if not gives_orders(self.text(one)))
        return sentences if len(sentences) <= FEW else None

    def _whole(self) -> tuple[Citation, ...] | None:
        few = self.few
        return few if few is not None and sum(one.end - one.start for one in few) <= WHOLE else None

    def _distinct(self, sentences: Sequence[Citation]) -> list[Citation]:
        """The first of those with the same wording."""
        first: dict[str, Citation] = {}
        for sentence in sentences:
            first.setdefault("".join(self.text(sentence).split()), sentence)
        return list(first.values())


class Contexts:
    """The contexts of an index's newest state, those of the last few choices of documents at hand. Safe to share
    between threads."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._made: dict[frozenset[str], Context] = {}

    def of(self, documents: Sequence[str] = ()) -> Context:
        """The context of the named documents and folders; of all without a name. Raises NoSuchDocument."""
        snapshot, names = self._index.snapshot(), frozenset(documents)
        context = self._made.get(names)
        if context is None or context.snapshot is not snapshot:
            context = Context(snapshot, rows_of(snapshot, documents))
            with self._lock:
                fresh = [(name, one) for name, one in self._made.items() if one.snapshot is snapshot and name != names]
                self._made = dict([*fresh[1 - CONTEXTS :], (names, context)])
        return context


def _sentences(passages: Sequence[Passage]) -> list[Citation]:
    return [Citation(0, passage.document, start, end, 0.0) for passage in passages for start, end in passage.sentences]


def _tokens(text: str) -> int:
    """About how many tokens a model makes of a text: three for four Hangul letters, one for four others."""
    hangul = sum("가" <= letter <= "힣" for letter in text)
    return 8 + (3 * hangul + len(text) - hangul) // 4
