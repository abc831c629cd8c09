"""The page's HTML: everything that comes from a person or a document is escaped here, and nowhere else."""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Literal

from index.errors import MureumError
from rag.records import Answer, Citation, Language, Status
from ui.conversations import KeptTurn
from ui.reasons import why
from ui.words import Pair, both, error_text, language_of, place_of, textless

Phase = Literal[
    "searching", "waiting", "writing", "checking", "answered", "quoted", "not_found", "failed", "stopped", "refused"
]
"""The states of a turn. refused: the question was not taken at all, and goes back into the box."""

Quote = Callable[[str, int, int], str]
"""The stored text of a document's range [start, end)."""

MARK = re.compile(r"\[(\d{1,3})\]")
SCRIPTS = ("chat", "box", "source", "rail", "conversations", "documents", "feedback", "start")
"""The parts of the page's script in the order in which they are put together: one function body."""
CUT = ("document", "item-title")
"""Kinds of text that are cut off where there is no room, and shown whole to who stays on them."""
PLACEHOLDER = re.compile(r"\[\[([@~#%]?)([a-z_]+)\]\]")


@dataclass(frozen=True, slots=True)
class View:
    """One turn as the browser is to show it now, whole: a view that was missed does no harm.

    ask:      what the browser called this asking.
    lang:     the language of the answer.
    status, body, evidence: HTML; an empty evidence leaves the one before.
    number:   the turn's number in the kept conversation; -1 while it is not kept.
    notice:   HTML of what the person should know besides, such as that the turn could not be kept.
    """

    ask: str
    phase: Phase
    lang: Language
    status: str
    body: str = ""
    evidence: str = ""
    number: int = -1
    notice: str = ""

    def wire(self) -> dict[str, object]:
        """What is sent to the browser."""
        return asdict(self)


def escape(text: str) -> str:
    """A text as HTML that shows it letter by letter, in an element as well as in a quoted attribute."""
    return html.escape(as_shown(text), quote=True)


def isolated(text: str, tag: str = "bdi", kind: str = "") -> str:
    """A text in an element of its own language and writing direction, which cannot turn the letters around it."""
    attribute = f' class="{kind}"' if kind else ""
    attribute += f' title="{escape(text)}"' if kind in CUT else ""
    return f'<{tag}{attribute} dir="auto" lang="{language_of(text)}">{escape(text)}</{tag}>'


def words(pair: Pair) -> str:
    """Words in both languages; the style sheet shows those of the page's language."""
    return f'<span class="w" lang="ko">{escape(pair[0])}</span><span class="w" lang="en">{escape(pair[1])}</span>'


def label(pair: Pair) -> str:
    """Attributes that name an element for a screen reader, in both languages."""
    ko, en = escape(pair[0]), escape(pair[1])
    return f'aria-label="{en}" data-aria-ko="{ko}" data-aria-en="{en}"'


def icon(name: str) -> str:
    """A picture of the page's own sheet."""
    return f'<svg class="icon" aria-hidden="true"><use href="#m-{name}"/></svg>'


def asset(name: str) -> str:
    """A file of `ui/assets`."""
    return (files("ui") / "assets" / name).read_text("utf-8")


def script() -> str:
    """The page's script, whole."""
    return "\n".join(asset(f"{name}.js") for name in SCRIPTS)


def shell(examples: Sequence[Pair]) -> str:
    """The page as it stands before the first question, with its style."""
    buttons = "".join(
        f'<li><button type="button" class="example" data-ko="{escape(ko)}" data-en="{escape(en)}">'
        f"{words((ko, en))}</button></li>"
        for ko, en in examples
    )
    page = PLACEHOLDER.sub(_placeholder, asset("shell.html"))
    page = page.replace("<!--sprite-->", asset("icons.svg")).replace("<!--examples-->", buttons)
    return f"<style>{asset('chat.css')}</style>{page}"


def _placeholder(match: re.Match[str]) -> str:
    """`[[key]]` words, `[[@key]]` a label, `[[#key]]` what a box says while it is empty, `[[~key]]` a state's line,
    `[[%key]]` words with a `{count}` that the browser fills in."""
    kind, key = match.groups()
    if kind == "#":
        ko, en = both(key)
        return f'data-placeholder-ko="{escape(ko)}" data-placeholder-en="{escape(en)}"'
    if kind == "~":
        return status_html(key)
    if kind == "%":
        return words(both(key, count="{count}"))
    return label(both(key)) if kind == "@" else words(both(key))


def status_html(phase: str, seconds: float = 0.0, note: str = "", meaning: Pair | None = None) -> str:
    """The line that tells a turn's state: a picture, a word, what it means (or `note`, or `meaning`), and how long it
    took."""
    ko, en = meaning or both(note or f"{phase}_note")
    told = f'<span class="note">{words((ko, en))}</span>' if ko else ""
    took = f'<span class="took">{words(both("seconds", value=f"{seconds:.1f}"))}</span>' if seconds else ""
    return f'<span class="state {phase}">{icon(phase)}<b>{words(both(phase))}</b></span>{told}{took}'


def draft_html(text: str) -> str:
    """The model's words so far, marked as unchecked."""
    return f'<div class="draft">{_paragraphs(text, _plain)}</div>'


def quotes_html(citations: Sequence[Citation], quote: Quote) -> str:
    """Sentences as they stand in their documents, each with its mark, and its translation where it has one."""
    return "".join(_block_quote(citation, quote) for citation in citations)


def answer_html(answer: Answer, quote: Quote) -> str:
    """The answer with its marks as buttons, under it what it rests on where that had to be translated; for the
    statuses without one, what stands in its place."""
    known = {citation.marker for citation in answer.citations}
    lines = (answer.text or textless(answer.status, answer.reason, answer.language)).split("\n")
    quoted = [one for one in answer.citations if one.translation or answer.status == "quoted"]
    if quoted:  # quotes come with their translations
        lines = [line for line in lines if not line.startswith("“")]
    return _paragraphs("\n".join(lines), lambda line: marks_html(line, known)) + quotes_html(quoted, quote)


def marks_html(text: str, known: set[int]) -> str:
    """Escaped text in which the marks of `known` sources are buttons; any other `[7]` stays text."""
    pieces = []
    at = 0
    for match in MARK.finditer(text):
        if int(match[1]) in known:
            pieces += [escape(text[at : match.start()]), mark_html(int(match[1]))]
            at = match.end()
    return "".join(pieces) + escape(text[at:])


def mark_html(marker: int) -> str:
    """The button that opens source `marker`."""
    return (
        f'<button type="button" class="mark" data-marker="{marker}" '
        f"{label(both('show_source', marker=marker))}>[{marker}]</button>"
    )


def waiting_view(ask: str, ahead: int, lang: Language) -> View:
    """A turn that waits for the model: how many are before it; 0 when it has just begun to be worked on."""
    if not ahead:
        return View(ask, "writing", lang, status_html("writing", note="reading_note"))
    return View(ask, "waiting", lang, status_html("waiting", meaning=both("ahead", count=ahead)))


def turn_view(turn: KeptTurn, ask: str, notice: str = "") -> View:
    """A turn that has come to its end, as it was and as it is shown again later."""
    answer = turn.answer()
    if answer is not None:
        status = answer_status(answer)
        body, evidence = answer_html(answer, turn.quote), evidence_html(answer, turn.quote)
    else:
        status = status_html(turn.status)
        body = failure_html(turn.failure) if turn.status == "failed" else ""
        found = [one.citation for one in turn.found]
        evidence = found_html(found, turn.quote) if found else f'<p class="none">{words(both("evidence_not"))}</p>'
    return View(ask, turn.status, turn.language, status, body, evidence, turn.number, notice)


def answer_status(answer: Answer) -> str:
    """The line that tells an answer's state, with what is special about it."""
    if answer.status == "answered" and not answer.text:
        return status_html("reply")
    translated = answer.status == "answered" and any(one.translation for one in answer.citations)
    said = answer.reason if answer.reason in ("summary", "yes_no", "disagreement", "partly") else ""
    note = f"{said}_note" if said else "translated_note" if translated else ""
    return status_html(answer.status, answer.timings.total_ms / 1000, note, why(answer.status, answer.reason))


def failure_html(pair: Pair) -> str:
    """What went wrong, in both languages."""
    return f'<p class="error" role="alert">{words(pair)}</p>'


def error_html(error: Exception) -> str:
    """A failure, in both languages, with what to do."""
    return failure_html(error_words(error))


def error_words(error: Exception) -> Pair:
    """A failure in words; an unforeseen one is named by its kind alone, for its text may hold anything."""
    if isinstance(error, MureumError):
        return error_text(error, "ko"), error_text(error, "en")
    return both("unexpected", kind=type(error).__name__)


def found_html(found: Sequence[Citation], quote: Quote) -> str:
    """The evidence while the answer is being written: what retrieval put first."""
    if not found:
        return f'<p class="none">{words(both("evidence_none"))}</p>'
    return _heading(_counted("evidence_found", len(found))) + _cards(found, "found", quote)


def quoted_html(quotes: Sequence[Citation], found: Sequence[Citation], quote: Quote) -> str:
    """The evidence once it is likely that the answer stands in these sentences; what else was found is folded."""
    likely = _heading(_counted("evidence_likely", len(quotes))) + _cards(quotes, "quote", quote)
    return likely + _folded("evidence_besides", _others(found, quotes), quote)


def evidence_html(answer: Answer, quote: Quote) -> str:
    """The evidence of a finished answer: the cited sentences, then, folded, what was found and not used."""
    unused = _others(answer.found, answer.citations)
    if not answer.citations:
        if not unused:
            said = "evidence_none" if answer.status == "not_found" else "evidence_reply"
            return f'<p class="none">{words(both(said))}</p>'
        return _heading(both("evidence_nearest", count=len(unused))) + _cards(unused, "found", quote)
    used = _heading(_counted("evidence_used", len(answer.citations)))
    used += _cards(answer.citations, _kind(answer.status), quote)
    return used + _folded("evidence_unused", unused, quote)


def source_html(text: str, chosen: tuple[int, int], others: Sequence[tuple[int, int]] = ()) -> str:
    """A whole document, line by line, with the chosen range marked in its paragraph and the other ranges lightly."""
    spans = sorted({(*chosen, "chosen"), *((*span, "other") for span in others if span != chosen)})
    lines = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        here = [span for span in spans if span[0] < end and span[1] > start]
        if line.strip():
            kind = ' class="here"' if any(span[2] == "chosen" for span in here) else ""
            content = _highlighted(text, start, end, here) if here else escape(line)
            lines.append(f'<p{kind} dir="auto">{content}</p>')
        start = end + 1
    return "".join(lines)


def as_shown(text: str) -> str:
    """A document's text as the browser shows it."""
    return text.replace("\x00", "\ufffd")


def changed_html(text: str, quote: str) -> str:
    """A document that has changed since `quote` was cited: that, the sentence as it was, and the document as it is,
    with the sentence marked where it still stands."""
    start = text.find(quote)
    chosen = (start, start + len(quote)) if start >= 0 else (0, 0)
    return _kept_html("source_moved" if start >= 0 else "source_changed", quote) + source_html(text, chosen)


def gone_html(quote: str) -> str:
    """A document that is not there any more, and what was cited from it."""
    return _kept_html("source_gone", quote)


def _kept_html(key: str, quote: str) -> str:
    kept = f'<blockquote dir="auto" lang="{language_of(quote)}">{escape(quote)}</blockquote>' if quote else ""
    return f'<div class="kept" role="alert"><p>{words(both(key))}</p>{kept}</div>'


def _highlighted(text: str, start: int, end: int, spans: Sequence[tuple[int, int, str]]) -> str:
    """The range [start, end) of a text with the parts of `spans` (in order) that lie in it marked."""
    pieces = []
    at = start
    for left, right, kind in spans:
        left, right = max(left, at), min(right, end)
        if left < right:
            pieces += [escape(text[at:left]), f'<mark class="{kind}">{escape(text[left:right])}</mark>']
            at = right
    return "".join(pieces) + escape(text[at:end])


def _paragraphs(text: str, render: Callable[[str], str]) -> str:
    return "".join(f'<p dir="auto">{render(line)}</p>' for line in text.split("\n") if line.strip())


def _plain(text: str) -> str:
    return escape(text)


def _kind(status: Status) -> str:
    return "quote" if status == "quoted" else "verified"


def _counted(key: str, count: int) -> Pair:
    return both(f"{key}_one") if count == 1 else both(key, count=count)


def _others(found: Sequence[Citation], shown: Sequence[Citation]) -> list[Citation]:
    """What was found, without what is shown."""
    ranges = {(citation.document, *citation.span) for citation in shown}
    return [citation for citation in found if (citation.document, *citation.span) not in ranges]


def _folded(key: str, citations: Sequence[Citation], quote: Quote) -> str:
    """Sentences that are one step away; nothing where there are none."""
    if not citations:
        return ""
    summary = words(both(key, count=len(citations)))
    return f'<details class="unused"><summary>{summary}</summary>{_cards(citations, "found", quote)}</details>'


def _heading(pair: Pair) -> str:
    return f'<h3 class="count">{words(pair)}</h3>'


def _block_quote(citation: Citation, quote: Quote) -> str:
    text = quote(citation.document, *citation.span)
    return (
        f'<blockquote dir="auto" lang="{language_of(text)}">{escape(text)} {mark_html(citation.marker)}</blockquote>'
        f"{_translation(citation)}"
    )


def _translation(citation: Citation) -> str:
    if not citation.translation:
        return ""
    tag = f'<span class="tag">{words(both("machine_translation"))}</span>'
    return f'<div class="translation">{tag}{isolated(citation.translation, "p")}</div>'


def _cards(citations: Sequence[Citation], kind: str, quote: Quote) -> str:
    return f'<ol class="cards">{"".join(_card(citation, kind, quote) for citation in citations)}</ol>'


def _card(citation: Citation, kind: str, quote: Quote) -> str:
    """A sentence with where it stands; the browser opens its source from the data attributes."""
    number = "" if kind == "found" else f'<span class="number">{citation.marker}</span>'
    text = quote(citation.document, *citation.span)
    marker = "" if kind == "found" else f'data-marker="{citation.marker}"'
    return (
        f'<li class="card {kind}" {marker} data-document="{escape(citation.document)}" '
        f'data-start="{citation.start}" data-end="{citation.end}">'
        f'<div class="card-head">{number}{isolated(citation.document, kind="document")}'
        f'<span class="tag {kind}">{icon(kind)}{words(both(kind))}</span></div>'
        f"{isolated(text, 'p', 'sentence')}{_translation(citation)}"
        f'<div class="card-foot">'
        f'<button type="button" class="open">{words(both("open_source"))}{icon("arrow")}</button>'
        f'<span class="place">{words(place_of(citation))}</span></div></li>'
    )
