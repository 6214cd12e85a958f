"""One request and its answer: what an ASGI application is called with, and how its answer goes over the wire."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Final, Protocol

import structlog
from starlette.types import ASGIApp, Message, Scope

from tasker.api import problems

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus}
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

_log = structlog.get_logger()


class Wire(Protocol):
    """The connection, as an exchange needs it."""

    is_full: bool
    """Whether the client has yet to take what was sent."""

    @property
    def default_headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Headers that every answer has."""

    def write(self, data: bytes) -> None:
        """Send *data*. No effect once the connection is closed."""

    async def drain(self) -> None:
        """Return when there is room again, or the connection is closed."""

    def body_taken(self) -> None:
        """Go on reading the body."""

    def answered(self, exchange: "Exchange") -> None:
        """Go on with what follows a complete answer."""

    def returned(self, exchange: "Exchange") -> None:
        """Nothing of the application runs any more."""

    def end(self) -> None:
        """Close, once what was written is sent."""


class Exchange:
    """A request, of which the body may still be coming, and the answer to it.

    The head of the answer is held back until a part of its body follows: sent together they cost
    half as much.
    """

    __slots__ = (
        *("_arrived", "_bodiless", "_body", "_chunked", "_continued", "_head", "_knows_left", "_left", "_news"),
        *("_tell_left", "_wire", "complete", "gone", "keep_alive", "scope", "started", "task", "unread"),
    )

    def __init__(self, scope: Scope, wire: Wire, *, keep_alive: bool) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        """Whether the connection may be used again after the answer."""
        self.complete = False
        """Whether the answer is."""
        self.gone = False
        """Whether nobody waits for the answer any more, though it is not complete."""
        self.unread = 0
        """Bytes of the body that the application has not taken yet."""
        self.task: asyncio.Task[None] | None = None
        """Runs the application, if it was begun."""
        self._wire = wire
        self._continued = False  # the client was told to go on
        self._body: list[bytes] = []
        self._arrived = False  # the end of the body, until the application is told
        self._news: asyncio.Event | None = None
        self._tell_left: Callable[[], None] | None = None
        self._knows_left = False  # the application has been told
        self.started = False
        self._head = b""
        self._bodiless = False
        self._chunked = False
        self._left: int | None = None  # bytes of the answer, if its length was declared

    # Called by the connection

    async def run(self, app: ASGIApp) -> None:
        """Let *app* answer. Whatever it does, the client learns that the answer has ended."""
        try:
            await app(self.scope, self.receive, self.send)
            if self._knows_left:  # and so it may leave the answer: nobody reads it
                self.hang_up()
            elif not (self.complete or self.gone):
                method, path = self.scope["method"], self.scope["path"][:200]
                _log.error("an answer was left without an end", method=method, path=path)
                await self._give_up()
        except asyncio.CancelledError:  # the server stops and waits no longer
            self.hang_up()
        except Exception:  # noqa: BLE001 - outside of this frame nobody could answer
            _log.exception("a request found a defect", method=self.scope["method"], path=self.scope["path"][:200])
            await self._give_up()
        finally:
            self._wire.returned(self)

    def add_body(self, part: bytes) -> None:
        """Keep a part of the body for the application."""
        if not self.complete and not self.gone:
            self._body.append(part)
            self.unread += len(part)
            self._tell()

    def end_body(self) -> None:
        """The body is complete."""
        self._arrived = True
        self._tell()

    def tell_if_left(self, tell: Callable[[], None]) -> None:
        """Call *tell* once nobody may wait for the answer any more: see ``client_left``."""
        self._tell_left = tell

    def client_left(self) -> None:
        """The client has hung up, or ended its side: it may read the answer still, or be gone."""
        if self._tell_left is not None:
            self._knows_left = True
            self._tell_left()
            self._tell_left = None

    def disconnect(self) -> None:
        """Nobody waits for the answer any more."""
        if not self.complete:
            self.gone = True
            self._drop_body()
            self._tell()
            self.client_left()

    def hang_up(self) -> None:
        """Leave the answer as it is, and close the connection."""
        if not self.complete and not self.gone:
            self._wire.write(self._head)
            self.disconnect()
            self._wire.end()

    def push(self, part: bytes) -> bool:
        """Send a further part of the body, and return True; False: it cannot be sent."""
        if self.gone or self.complete or not self.started:
            return False
        self._send_body(part, more=True)
        return True

    # Called by the application

    async def receive(self) -> Message:
        """Return the body's next part once it is there, or say that nobody waits for the answer.

        See ASGI.
        """
        while not (self._body or self._arrived or self.complete or self.gone):
            self._ask_for_body()
            self._news = self._news or asyncio.Event()
            self._news.clear()
            await self._news.wait()
        if self.complete or self.gone:
            return {"type": "http.disconnect"}
        message = {"type": "http.request", "body": b"".join(self._body), "more_body": not self._arrived}
        self._arrived = False
        self._drop_body()
        self._wire.body_taken()
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, once the client has taken most of those before. See ASGI.

        Raises:
            RuntimeError: ASGI does not allow it, or it cannot be said in HTTP.
        """
        if self._wire.is_full:
            await self._wire.drain()
        if self.gone:
            return
        kind = message["type"]
        if kind == "http.response.body" and self.started and not self.complete:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        elif kind == "http.response.start" and not self.started:
            self._head = self._start(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"expected the parts of one answer in their order, got: {kind}")

    # Steps

    async def _give_up(self) -> None:
        """End an answer that will not come."""
        if self.started:
            self.hang_up()
        elif not self.gone:
            await problems.internal_error()(self.scope, self.receive, self.send)

    def _ask_for_body(self) -> None:
        """Tell a client to go on that waits for that. Source: RFC 9110, 10.1.1."""
        if not self._continued and not self.started:
            self._continued = True
            expected = dict(self.scope["headers"]).get(b"expect", b"")
            if expected.lower() == b"100-continue" and self.scope["http_version"] == "1.1":
                self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Decide how the answer is framed, and return its head."""
        fields = [*self._wire.default_headers, *headers]
        given = dict(fields)
        if given.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            fields.append((b"connection", b"close"))
        if self.scope["method"] == "HEAD" or status in _BODILESS:
            self._bodiless = True
        elif b"content-length" in given:
            self._left = int(given[b"content-length"])
        elif self.scope["http_version"] == "1.1":  # HTTP/1.0 knows no chunks: the answer ends with the connection
            self._chunked = True
            fields.append((b"transfer-encoding", b"chunked"))
        head = b"\r\n".join([_STATUS_LINES[status], *map(b": ".join, fields), b"", b""])
        if not head.count(b"\r") == head.count(b"\n") == len(fields) + 2:
            raise RuntimeError("expected headers without line breaks")
        self.started = True
        return head

    def _send_body(self, part: bytes, *, more: bool) -> None:
        if self._left is not None:
            self._left -= len(part)
            if self._left < 0 or (self._left > 0 and not more):
                raise RuntimeError("expected a body as long as its content-length says")
        elif self._bodiless:
            part = b""
        elif self._chunked:
            part = b"%x\r\n%b\r\n" % (len(part), part) if part else b""
            if not more:
                part += b"0\r\n\r\n"
        self._wire.write(self._head + part)
        self._head = b""
        if not more:
            self.complete = True
            self._drop_body()
            self._tell()
            self._wire.answered(self)

    def _drop_body(self) -> None:
        self._body.clear()
        self.unread = 0

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()
