"""What the page asks for besides answers: conversations, feedback, documents. JSON over POST, under /mureum/.

Every request carries the visitor's id in a header of its own, which a page of another site cannot send.
"""

import errno
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from index.errors import MureumError, NoSpace
from ui import page, panels
from ui.conversations import ConversationNotFound, owner_of
from ui.library import LIMIT, Library, document_name, too_large

ROOT = "/mureum"
VISITOR = "x-mureum-visitor"
FILE_NAME = "x-mureum-name"
LARGEST_QUESTION = 1 << 20
"""Bytes of a JSON request."""

Handler = Callable[[str, dict[str, Any]], dict[str, Any]]
"""From the owner and what was sent to what is sent back."""
Account = Callable[[Request], str | None]
"""The account of who asks, None where no accounts are used. Raises SignedOut."""

log = logging.getLogger(__name__)


class SignedOut(Exception):
    """Whoever asks has no account here, or is no page of this program."""


def routes(handlers: Mapping[str, Handler], library: Library, account: Account) -> list[BaseRoute]:
    """A route for each handler, by its name, and one for uploads."""
    named = [Route(f"{ROOT}/{name}", _json(handler, account), methods=["POST"]) for name, handler in handlers.items()]
    return [*named, Route(f"{ROOT}/upload", _upload(library, account), methods=["POST"])]


def _json(handler: Handler, account: Account) -> Callable[[Request], Any]:
    async def reply(request: Request) -> Response:
        async def work() -> dict[str, Any]:
            owner = _owner(request, account)
            sent = b""
            async for chunk in request.stream():
                sent += chunk
                if len(sent) > LARGEST_QUESTION:
                    raise ValueError("too much was sent")
            data = json.loads(sent)
            if not isinstance(data, dict):
                raise TypeError("no object was sent")
            return await run_in_threadpool(handler, owner, data)

        return await _answered(work)

    return reply


def _upload(library: Library, account: Account) -> Callable[[Request], Any]:
    async def reply(request: Request) -> Response:
        async def work() -> dict[str, Any]:
            owner = _owner(request, account)
            name = document_name(unquote(request.headers.get(FILE_NAME, "")))
            if not name:
                raise ValueError("a file has no name")
            return await _taken(request, library, owner, name)

        return await _answered(work)

    return reply


async def _taken(request: Request, library: Library, owner: str, name: str) -> dict[str, Any]:
    incoming: Path | None = None
    try:
        incoming = library.incoming(owner, name)
        await _receive(request, incoming, name)
        done = await run_in_threadpool(library.add, owner, incoming, name)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoSpace("The disk is full. Make room and try again.", path=name) from error
    finally:
        if incoming is not None:
            incoming.unlink(missing_ok=True)
    added = len(done.added) + len(done.changed) + len(done.unchanged)
    return {"documents": added, "refused": len(done.refused), "html": panels.upload_html(done)}


async def _receive(request: Request, path: Path, name: str) -> None:
    """The body into a private file. Raises UploadTooLarge, as early as it is known."""
    if int(request.headers.get("content-length", 0)) > LIMIT:
        raise too_large(name)
    size = 0
    with path.open("xb") as file:
        path.chmod(0o600)
        async for chunk in request.stream():
            size += len(chunk)
            if size > LIMIT:
                raise too_large(name)
            file.write(chunk)


def _owner(request: Request, account: Account) -> str:
    if VISITOR not in request.headers:
        raise SignedOut
    return owner_of(request.headers[VISITOR], account(request))


async def _answered(work: Callable[[], Any]) -> Response:
    """The reply, or a failure in words."""
    try:
        return JSONResponse(await work())
    except SignedOut:
        return JSONResponse({"error": ""}, 401)
    except MureumError as error:
        status = 404 if isinstance(error, ConversationNotFound) else 409
        return JSONResponse({"error": page.words(page.error_words(error))}, status)
    except Exception as error:
        nonsense = isinstance(error, ValueError | KeyError | TypeError)
        log.log(logging.INFO if nonsense else logging.ERROR, "a request of the page failed", exc_info=True)
        return JSONResponse({"error": page.words(page.error_words(error))}, 400 if nonsense else 500)
