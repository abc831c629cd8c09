"""The lists of the page's left side: conversations and documents. What is shown in them is escaped by `ui.page`."""

from collections.abc import Sequence
from pathlib import Path

from index.errors import MureumError
from index.records import DocumentInfo
from ui.conversations import Conversation
from ui.library import Upload
from ui.page import error_words, escape, icon, isolated, label, words
from ui.words import WORDS, both

ACTIONS = ("rename", "export_markdown", "export_json", "delete")
"""What can be done with a conversation; each is a word and a picture."""


def conversations_html(conversations: Sequence[Conversation]) -> str:
    """The list, newest first; the browser writes the times in its own form and marks the open one."""
    if not conversations:
        return f'<p class="none">{words(both("conversations_none"))}</p>'
    return f'<ol class="items">{"".join(_conversation(one) for one in conversations)}</ol>'


def _conversation(one: Conversation) -> str:
    acts = "".join(f'<button type="button" data-act="{act}">{icon(act)}{words(both(act))}</button>' for act in ACTIONS)
    return (
        f'<li class="item" data-conversation="{escape(one.id)}" data-title="{escape(one.title)}">'
        f'<button type="button" class="item-open">{isolated(one.title, kind="item-title")}'
        f'<span class="meta"><time datetime="{escape(one.changed)}"></time></span></button>'
        f'<details class="menu"><summary {label(both("more_for", title=one.title))}>{icon("more")}</summary>'
        f'<div class="menu-acts">{acts}</div></details></li>'
    )


def documents_html(documents: Sequence[DocumentInfo], own: bool) -> str:
    """The list by name, each with what is known of it; only one's own can be removed."""
    if not documents:
        return f'<p class="none">{words(both("documents_none_own" if own else "documents_none"))}</p>'
    return f'<ol class="items">{"".join(_document(one, own) for one in documents)}</ol>'


def _document(one: DocumentInfo, own: bool) -> str:
    named = label(both("remove_document", name=one.name))
    remove = f'<button type="button" class="remove" {named}>{icon("delete")}</button>' if own else ""
    passages = both("passages_one" if one.passages == 1 else "passages", count=f"{one.passages:,}")
    spoken = words(both(f"language_{one.language}")) if f"language_{one.language}" in WORDS else escape(one.language)
    parts = (f'<time datetime="{escape(one.added)}"></time>', size(one.bytes), words(passages), spoken)
    tick = f'<input type="checkbox" class="choose" {label(both("choose_document", name=one.name))}>'
    return (
        f'<li class="item" data-document="{escape(one.name)}"><label class="tick">{tick}</label>'
        f'<button type="button" class="item-open preview">{isolated(one.name, kind="item-title")}'
        f'<span class="meta">{"".join(f"<span>{part}</span>" for part in parts)}</span></button>{remove}</li>'
    )


def size(count: int) -> str:
    """Bytes for people; the same in both languages."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:,.1f} KB" if count < 1_000_000 else f"{count / 1e6:,.1f} MB"


def upload_html(done: Upload) -> str:
    """What became of a file, in a line or two."""
    lines = []
    for key, names in (("added", done.added), ("changed", done.changed), ("unchanged", done.unchanged)):
        if names:
            lines.append(words(both(f"upload_{key}", count=f"{len(names):,}")))
    lines += [refused_html(error) for error in done.refused[:3]]
    if len(done.refused) > 3:
        lines.append(words(both("upload_more_refused", count=f"{len(done.refused) - 3:,}")))
    return "".join(f"<p>{line}</p>" for line in lines)


def refused_html(error: MureumError) -> str:
    """Why something was refused."""
    return f'<span class="refused">{words(error_words(error))}</span>'


def set_aside_html(path: Path) -> str:
    """That earlier conversations could not be read, and where they are."""
    return f'<p class="error" role="alert">{words(both("set_aside", path=path))}</p>'
