"""What is done for the page's requests besides answering: conversations, feedback, documents, sources."""

from collections.abc import Callable
from typing import Any, cast

from index.errors import DocumentNotFound
from rag.records import Language
from ui import export, page, panels
from ui.api import Handler
from ui.conversations import VERDICTS, Collection, Conversations, Verdict
from ui.library import Library, NoOwnDocuments


class Desk:
    """One method a request; each takes the owner and what was sent. Raises KeyError, TypeError, ValueError for what
    the page never sends."""

    def __init__(self, kept: Conversations, library: Library, at_work: Callable[[str], bool]) -> None:
        self._kept = kept
        self._library = library
        self._at_work = at_work

    def handlers(self) -> dict[str, Handler]:
        """By the names of the requests."""
        return {
            "alive": self.alive,
            "source": self.source,
            "conversations": self.conversations,
            "open": self.open,
            "rename": self.rename,
            "delete": self.delete,
            "export": self.export,
            "feedback": self.feedback,
            "documents": self.documents,
            "remove": self.remove,
        }

    def alive(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Whether an asking is still at work."""
        return {"alive": self._at_work(str(asked["ask"]))}

    def source(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A document's whole text with a range marked; where what is shown as `quote` does not stand there any more,
        that is said, with the sentence as it was."""
        chosen = int(asked["start"]), int(asked["end"])
        others = [(int(start), int(end)) for start, end in asked.get("others", [])]
        quote = str(asked.get("quote", ""))
        try:
            text = self._library.answerer(owner, _collection(asked)).index.text(str(asked["document"]))
        except (DocumentNotFound, NoOwnDocuments):
            return {"html": page.gone_html(quote)}
        if quote and page.as_shown(text[chosen[0] : chosen[1]]) != quote:
            return {"html": page.changed_html(text, quote)}
        return {"html": page.source_html(text, chosen, others)}

    def conversations(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The list, and what there is to say about what is kept."""
        notice = panels.set_aside_html(self._kept.set_aside) if self._kept.set_aside else ""
        return {"html": panels.conversations_html(self._kept.all_of(owner)), "notice": notice}

    def open(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The turns of a conversation as they were shown; none when there is no such conversation."""
        conversation = str(asked["conversation"])
        judged = self._kept.verdicts(owner, conversation)
        turns = []
        for turn in self._kept.turns(owner, conversation):
            verdict, comment = judged.get(turn.asked, ("", ""))
            turns.append(
                {
                    "question": turn.question,
                    "collection": turn.collection,
                    "documents": list(turn.documents),
                    "view": page.turn_view(turn, "").wire(),
                    "verdict": verdict,
                    "comment": comment,
                }
            )
        return {"turns": turns}

    def rename(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Give a conversation another title."""
        self._kept.rename(owner, str(asked["conversation"]), str(asked["title"]))
        return {}

    def delete(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Forget a conversation."""
        self._kept.delete(owner, str(asked["conversation"]))
        return {}

    def export(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A conversation as a file's name, kind and text."""
        conversation = self._kept.conversation(owner, str(asked["conversation"]))
        turns = self._kept.turns(owner, conversation.id)
        if asked["format"] == "json":
            return {
                "name": "conversation.json",
                "type": "application/json",
                "text": export.to_json(conversation, turns),
            }
        language: Language = "ko" if asked["language"] == "ko" else "en"
        text = export.to_markdown(conversation, turns, language)
        return {"name": "conversation.md", "type": "text/markdown", "text": text}

    def feedback(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Keep what the visitor says of an answer."""
        if asked["verdict"] not in VERDICTS:
            raise ValueError("no such verdict")
        verdict = cast(Verdict, asked["verdict"])
        self._kept.judge(owner, str(asked["conversation"]), int(asked["number"]), verdict, str(asked["comment"]))
        return {}

    def documents(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The list of a collection's documents, and how many there are."""
        collection = _collection(asked)
        documents = self._library.documents(owner, collection)
        return {"html": panels.documents_html(documents, own=collection == "own"), "count": len(documents)}

    def remove(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Forget one of the visitor's own documents."""
        self._library.remove(owner, str(asked["document"]))
        return {}


def _collection(asked: dict[str, Any]) -> Collection:
    return "own" if asked.get("collection") == "own" else "shared"
