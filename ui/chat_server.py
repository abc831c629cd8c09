"""The web server under the chat: its port, its end, and what it lets through."""

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import UsageError

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'self'; "
    "object-src 'none'"
)
"""No other host, whatever a document or a library says. (Gradio evaluates its templates, hence unsafe-eval.)"""

HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
CLOSED = ("/gradio_api/upload", "/gradio_api/file", "/gradio_api/proxy", "/gradio_api/stream", "/monitoring", "/mcp")
"""What Gradio offers and this page has no use for."""


class PortInUse(UsageError):
    """Another program listens at the port. Value: `port`."""

    code = "port-in-use"


class CannotListen(UsageError):
    """The address is none of this machine's, or may not be used. Values: `host`, `port`, `reason`."""

    code = "cannot-listen"


def bind(host: str, port: int) -> socket.socket:
    """A socket at host and port; port 0 is any free one. Raises PortInUse, CannotListen."""
    sock: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(128)
    except (OSError, OverflowError, UnicodeError) as error:
        if sock is not None:
            sock.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"Port {port} is already in use. End the program that uses it, or choose another port with --port.",
                port=port,
            ) from error
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotListen(
            f"Cannot listen at {host}, port {port} ({reason}). Check --host and --port.",
            host=host,
            port=port,
            reason=reason,
        ) from error
    return sock


def url_of(host: str, sock: socket.socket) -> str:
    """The address to open in a browser."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{sock.getsockname()[1]}"


class Server(uvicorn.Server):
    """Uvicorn that says when it is ready, ends without an exception, and does not wait for streams to end."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], on_end: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=3)
        )
        self._on_ready = on_ready
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what streams end, then close."""
        self._on_end()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server, and nothing else: uvicorn would raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Shield:
    """ASGI middleware: the headers above on every reply, and the closed paths closed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(CLOSED):
            await _not_found(send)
        else:
            await self._app(scope, receive, lambda message: send(_with_headers(message)))


def _with_headers(message: Message) -> MutableMapping[str, Any]:
    if message["type"] == "http.response.start":
        kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in HEADERS]
        message = {**message, "headers": [*kept, *HEADERS.items()]}
    return message


async def _not_found(send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": list(HEADERS.items())})
    await send({"type": "http.response.body", "body": b"Not found"})
