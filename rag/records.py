"""What an answer is made of, from the hit to the verified answer."""

from dataclasses import dataclass, field
from typing import Literal

from index.records import Passage, Span

Language = Literal["ko", "en"]

Wording = tuple[float, str]
"""One way to put a question to a search, and its share in the scores; the shares add up to 1."""

Status = Literal["answered", "quoted", "not_found"]
"""answered: every sentence was checked against what it cites. quoted: the draft could not be verified, so exact
quotes stand in its place. not_found: the documents do not hold the answer. A failure is an exception instead."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation. `answer` is the shown text, '' when there was none."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit: its range in the document and its relevance to the question, [-1, 1], higher is better."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage.

    score:     what hits are ordered by, [0, 1], 1 is the best; comparable within one question only.
    dense:     cosine of question and passage, [-1, 1].
    lexical:   BM25, 0 or more; 0 where no word matches.
    sentences: the passage's sentences, the most relevant first.
    """

    passage: Passage
    score: float
    dense: float
    lexical: float
    sentences: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence that an answer rests on: `[marker]` in the answer's text, a character range of a document.

    score: the relevance of the sentence to the question, [-1, 1].
    translation: the model's translation of the sentence where the question is in another language than the
    document; '' otherwise, or where none came out that could be trusted. It is never part of the quote.
    """

    marker: int
    document: str
    start: int
    end: int
    score: float
    translation: str = ""

    @property
    def span(self) -> Span:
        """Its character range."""
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds since the question was given. first_token_ms: to the first words of the answer, which may be those
    of a quote; 0 when there was none."""

    retrieve_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of the way. `text` carries marks `[1]`; `citations` are in the order of their markers.

    found:  the sentences that retrieval put first, used or not (for 'what was found').
    reason: for status 'quoted' and 'not_found', why the draft was not shown: a stable code such as 'number'. For
            'quoted' also 'summary' and 'yes_no', where quotes are what was wanted; for 'answered', 'greeting', 'thanks'
            or 'help' where no document was asked (the text is then ''); 'partly' where one of several questions is
            left open; 'partly:number,support' where sentences of the draft are left out, with why.
    """

    question: str
    language: Language
    status: Status
    text: str
    citations: tuple[Citation, ...] = ()
    found: tuple[Citation, ...] = ()
    reason: str = ""
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Found:
    """First event of a stream: what retrieval put first, before anything is written."""

    sentences: tuple[Citation, ...]
    retrieve_ms: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """The answering model is at work for others: `ahead` questions come before this one; 0 when its turn has come."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The documents seem to hold the answer, and most likely in these sentences: exact, so that they can be shown
    before the model has written anything."""

    sentences: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """The model's words so far, not checked yet: a user interface shows them as such, or not at all."""

    text: str


@dataclass(frozen=True, slots=True)
class Checking:
    """The draft is whole; whether the documents support it is being checked."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Last event of a stream."""

    answer: Answer


Event = Found | Waiting | Quote | Draft | Checking | Finished
