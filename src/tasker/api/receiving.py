"""How requests are received: an HTTP/1.1 connection with deadlines and limits, for clients that are slow or hang up."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import unquote

import httptools
import uvicorn
from starlette.types import Scope
from uvicorn.server import ServerState

from tasker.api import problems
from tasker.api.exchange import Exchange
from tasker.timing.clock import Clock, SystemClock
from tasker.timing.deadline import Deadline

MAX_HEAD_BYTES: Final = 65_536
"""Bytes that the request line and the headers of a request may have together."""

MAX_DISCARDED_BYTES: Final = 67_108_864
"""Bytes that are still read of a request that is answered already, so that a client that is sending gets to the answer."""

HANG_UP: Final = "tasker.hang_up"
"""The ASGI extension that ends an answer before it is complete: a function without arguments under ``call``."""

_MAX_UNREAD: Final = 65_536
"""Bytes of a body that may wait for the application before no more is read."""

_MAX_FRAMING: Final = 8
"""Bytes on the wire per byte of a chunked body, beyond ``MAX_HEAD_BYTES``. A chunk of a single byte takes six."""

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


def receiving_protocol(
    header_timeout: timedelta, body_timeout: timedelta, *, clock: Clock | None = None
) -> type[asyncio.Protocol]:
    """Return a protocol for ``uvicorn.Config(http=...)``, of which it heeds ``app`` and ``timeout_keep_alive``.

    Requests may be pipelined; they are answered one after the other. An upgrade is declined. A client that is too slow gets
    408, headers beyond ``MAX_HEAD_BYTES`` get 431, what is not HTTP gets 400, each after the answers to the requests before
    it; then the connection is closed. A deadline that ends is extended if the server itself has paused reading meanwhile.

    Args:
        header_timeout: from the connection, or from the first byte of a further request, until the headers are complete.
        body_timeout: from there until the body is complete. Also how long a connection that is to be closed is still read.
        clock: what the deadlines are read from; the machine's if it is not given.
    """

    class Protocol(_ReceivingProtocol):
        header_seconds = header_timeout.total_seconds()
        body_seconds = body_timeout.total_seconds()

    Protocol.clock = clock or SystemClock()
    return Protocol


class _Expecting(Enum):
    """What the client is to send next."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class _Refusal(NamedTuple):
    """Why a connection is closed."""

    status: HTTPStatus
    code: str
    text: str

    def answer(self) -> bytes:
        """The whole answer as it goes over the wire."""
        body = problems.body(self.status, self.code, self.text)
        return (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        ).encode() + body


_NOT_HTTP: Final = _Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "expected a request in HTTP/1.1 or HTTP/1.0, got something else"
)
_HEAD_TOO_LARGE: Final = _Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    f"expected a request line and headers of at most {MAX_HEAD_BYTES} bytes together, got more",
)
_FRAMING_TOO_LARGE: Final = _Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "expected chunks of a sensible size, and trailers, if any, that are short"
)
_HEAD_TOO_SLOW: Final = "expected the headers of the request to be complete within {:g} s"
_BODY_TOO_SLOW: Final = "expected the body of the request to be complete within {:g} s after its headers"


class _RefusedError(Exception):
    """The way out of the parser."""

    def __init__(self, refusal: _Refusal) -> None:
        self.refusal = refusal


class _ReceivingProtocol(asyncio.Protocol):
    """A connection. It receives requests, starts the application for each in turn, and is closed in the end."""

    header_seconds: ClassVar[float]
    body_seconds: ClassVar[float]
    clock: ClassVar[Clock]

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take what uvicorn's server hands to its protocols."""
        del app_state  # of lifespan events, which are not used
        self.is_full = False
        self._app = config.loaded_app
        self._keep_alive_seconds = config.timeout_keep_alive
        self._server = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._extensions = {HANG_UP: {"call": self._hang_up}}
        self._room = asyncio.Event()
        self._parser = self._new_parser()
        self._deadline = Deadline(self.clock, self._deadline_passed)
        self._expecting = _Expecting.REQUEST
        self._is_idle = False  # it has its answers and may send another request
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._answering: Exchange | None = None
        self._waiting: deque[Exchange] = deque()  # received, not begun
        self._newest: Exchange  # once the headers of a request are complete
        self._client_has_ended = False
        self._refusal: _Refusal | None = None  # once it is set, nothing is parsed any more
        self._ending = False  # nothing is sent any more, though the connection may still be read
        self._reading_paused = False
        self._has_paused = False  # since the deadline was set
        self._piece_bytes = 0
        self._first_piece_bytes = 0
        self._head_bytes = 0
        self._framing_bytes = 0
        self._discarded_bytes = 0

    # Called by uvicorn's server and by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is one of TCP
        """Wait for a request, but not for ever."""
        self._transport = transport
        self._server.connections.add(self)  # type: ignore[arg-type]  # it names its own protocols
        self._addresses = {
            name: transport.get_extra_info(key) for name, key in (("client", "peername"), ("server", "sockname"))
        }
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request of the connection that nobody waits for its answer."""
        del exc
        self._server.connections.discard(self)
        self._deadline.close()
        self._waiting.clear()
        if self._answering is not None:
            self._answering.disconnect()
        self.resume_writing()
        del self._parser  # the two know each other

    def eof_received(self) -> bool:
        """Keep sending to a client that has ended its side after a complete request: it may still read the answer."""
        is_complete = self._expecting is _Expecting.REQUEST or self._refusal is not None
        if self._ending or not is_complete or not self._is_answering():
            return False
        self._client_has_ended = True
        self._close_after_last()
        self._deadline.clear()
        return True

    def shutdown(self) -> None:
        """Close at once, or after the answers that are under way."""
        if self._ending or not self._is_answering():
            self._transport.close()
        else:
            self._close_after_last()

    def pause_writing(self) -> None:
        """Let the application wait until the client has taken what was sent."""
        self.is_full = True
        self._room.clear()

    def resume_writing(self) -> None:
        """Let the application go on."""
        self.is_full = False
        self._room.set()

    def data_received(self, data: bytes) -> None:
        """Parse what the client has sent."""
        if self._is_idle:
            self._is_idle = False
            self._deadline.clear()
        if self._refusal is not None or self._ending:
            self._discard(len(data))
            return
        self._count(len(data))
        self._parse(data)
        if self._refusal is None and not self._ending:
            self._check_progress()

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin to count the head of a request."""
        if self._expecting is _Expecting.BODY:  # see _decline_upgrade
            return
        self._expecting = _Expecting.HEAD
        self._target = b""
        self._headers = []
        self._head_bytes = self._first_piece_bytes = self._piece_bytes

    def on_url(self, part: bytes) -> None:
        """Take a part of the request's target."""
        if self._expecting is _Expecting.HEAD:
            self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Trailers of a chunked body come here, too: nobody asks for them."""
        if self._expecting is _Expecting.HEAD:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Begin to answer the request, or let it wait for those before it."""
        if self._expecting is _Expecting.BODY:  # see _decline_upgrade
            return
        if self._head_bytes > MAX_HEAD_BYTES and self._measured_head() > MAX_HEAD_BYTES:
            raise _RefusedError(_HEAD_TOO_LARGE)
        version = self._parser.get_http_version()
        expected = dict(self._headers).get(b"expect", b"")
        exchange = Exchange(
            self._scope(version),
            self,
            keep_alive=version == "1.1" and self._parser.should_keep_alive(),
            continue_awaited=expected.lower() == b"100-continue",
        )
        self._newest = exchange
        self._expecting = _Expecting.BODY
        self._framing_bytes = self._discarded_bytes = 0
        self._deadline.clear()
        if self._is_answering():
            self._waiting.append(exchange)
            self._pause_reading()
        else:
            self._answer(exchange)

    def on_body(self, part: bytes) -> None:
        """Hand a part of the body on."""
        self._framing_bytes -= (1 + _MAX_FRAMING) * len(part)
        self._newest.add_body(part)
        if self._newest.unread > _MAX_UNREAD:
            self._pause_reading()

    def on_message_complete(self) -> None:
        """Expect the next request."""
        if self._parser.should_upgrade():  # see _decline_upgrade
            return
        self._expecting = _Expecting.REQUEST
        self._deadline.clear()
        self._newest.end_body()

    # Called by the exchanges: see exchange.Wire

    @property
    def default_headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The date, which uvicorn's server keeps."""
        return self._server.default_headers

    def write(self, data: bytes) -> None:
        """Send *data*."""
        if not (self._ending or self._transport.is_closing()):  # uvloop raises once the connection is closed
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait for the client."""
        await self._room.wait()

    def body_taken(self) -> None:
        """Go on reading, unless requests wait that were received already."""
        if self._reading_paused and not self._waiting:
            self._resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """Begin the next answer, or give the last one, or wait for the next request."""
        if not exchange.keep_alive:
            self.end()
        elif self._transport.is_closing():
            return
        elif self._waiting:
            self._answer(self._waiting.popleft())
        elif self._refusal is not None:
            self._tell_refusal(self._refusal)
        elif self._expecting is _Expecting.REQUEST:
            self._is_idle = True
            self._deadline.set(self._keep_alive_seconds)
        self.body_taken()

    def end(self) -> None:
        """Close the connection so that the client can read what was sent.

        Closing while the client still sends would make its system throw the answer away: the rest is read, within bounds.
        """
        if self._ending or self._transport.is_closing():
            return
        self._deadline.clear()
        if self._client_has_ended or (self._refusal is None and self._expecting is _Expecting.REQUEST):
            self._transport.close()
            return
        self._ending = True
        self._transport.write_eof()
        self._resume_reading()
        self._set_deadline()

    # Steps

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # What follows a request with "connection: close" is no error of that request, which is to be answered.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _scope(self, version: str) -> Scope:
        path, query = self._target, b""
        if not path.startswith(b"/") or b"#" in path:
            url = httptools.parse_url(path)
            path, query = url.path, url.query or b""
        elif b"?" in path:
            path, _, query = path.partition(b"?")
        text = path.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "extensions": self._extensions,
        }

    def _answer(self, exchange: Exchange) -> None:
        self._answering = exchange
        task = self._loop.create_task(exchange.run(self._app))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def _count(self, size: int) -> None:
        self._piece_bytes = size
        if self._expecting is _Expecting.HEAD:
            self._head_bytes += size
        elif self._expecting is _Expecting.BODY:
            self._framing_bytes += size  # on_body takes off what of it is body
            if self._newest.complete:
                self._discard(size)

    def _check_progress(self) -> None:
        """Refuse a request that grows too large; set a deadline for one that is not complete yet."""
        if self._expecting is _Expecting.REQUEST:
            if self._is_answering() or self._is_idle:
                return  # nearly always: the request came in one piece
        elif self._expecting is _Expecting.HEAD:
            # How much of the first piece belonged to the request before is not known: it does not count until all is here.
            if self._head_bytes - self._first_piece_bytes > MAX_HEAD_BYTES:
                self._refuse(_HEAD_TOO_LARGE)
                return
        elif self._framing_bytes > MAX_HEAD_BYTES:
            self._refuse(_FRAMING_TOO_LARGE)
            return
        if not self._deadline.is_set:
            self._set_deadline()

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._decline_upgrade()
            except httptools.HttpParserError as error:
                cause = error.__context__
                self._refuse(cause.refusal if isinstance(cause, _RefusedError) else _NOT_HTTP)
                return
            else:
                return

    def _decline_upgrade(self) -> None:
        """Go on with HTTP/1.1 after the headers of a request that offers another protocol.

        The parser believes that such a request has no body and that nothing follows. A new one is told only how the body is
        framed. Java's HTTP client, for one, offers HTTP/2 with its first request, whatever that carries.
        """
        framing = [
            b"%b: %b\r\n" % (name, value) for name, value in self._headers if name in (b"content-length", b"transfer-encoding")
        ]
        self._parser = self._new_parser()
        self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(framing))

    def _measured_head(self) -> int:
        return len(self._target) + sum(len(name) + len(value) + 4 for name, value in self._headers)  # ": ", the end of the line

    def _is_answering(self) -> bool:
        exchange = self._answering
        return exchange is not None and not exchange.complete and not exchange.gone

    def _close_after_last(self) -> None:
        self._newest.keep_alive = False

    def _set_deadline(self) -> None:
        self._has_paused = self._reading_paused
        self._deadline.set(self.body_seconds if self._ending or self._expecting is _Expecting.BODY else self.header_seconds)

    def _deadline_passed(self) -> None:
        if self._is_idle:
            self._transport.close()
        elif self._ending:
            self._transport.abort()
        elif self._has_paused:
            self._set_deadline()
        elif self._expecting is _Expecting.REQUEST:
            self._transport.abort()  # it has not asked for anything
        elif self._expecting is _Expecting.HEAD:
            self._refuse(_Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", _HEAD_TOO_SLOW.format(self.header_seconds)))
        elif self._newest.complete:
            self._transport.abort()  # it has its answer, and has had the time to read it
        else:
            self._refuse(_Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", _BODY_TOO_SLOW.format(self.body_seconds)))

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = self._has_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    def _discard(self, size: int) -> None:
        self._discarded_bytes += size
        if self._discarded_bytes > MAX_DISCARDED_BYTES:
            self._transport.abort()

    def _refuse(self, refusal: _Refusal) -> None:
        """Close the connection because of the request that is being received, once those before it are answered."""
        self._deadline.clear()
        self._refusal = refusal
        if self._expecting is _Expecting.BODY:
            if self._newest.complete:
                self.end()  # it has its answer
                return
            if self._waiting and self._waiting[-1] is self._newest:
                self._waiting.pop()  # it has not begun
            elif self._newest.started:
                self._transport.abort()  # two answers cannot be told apart
                return
            self._newest.disconnect()
        if not self._is_answering():
            self._tell_refusal(refusal)

    def _tell_refusal(self, refusal: _Refusal) -> None:
        self.write(refusal.answer())
        self.end()

    def _hang_up(self) -> None:
        if self._answering is not None:
            self._answering.hang_up()
