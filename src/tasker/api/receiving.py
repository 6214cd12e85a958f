"""How requests are received: deadlines, a limit for headers, clients that hang up. Extends uvicorn's HTTP protocol."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, ClassVar, Final, NamedTuple

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tasker.api import problems

MAX_HEAD_BYTES: Final = 65_536
"""Bytes that the request line and the headers of a request may have together."""

MAX_DISCARDED_BYTES: Final = 67_108_864
"""Bytes that are still read of a request that is answered already, so that a client that is sending gets to the answer."""

HANG_UP: Final = "tasker.hang_up"
"""The ASGI extension that ends an answer before it is complete: a function without arguments under ``call``."""

_MAX_FRAMING: Final = 8
"""Bytes on the wire per byte of a chunked body, beyond ``MAX_HEAD_BYTES``. A chunk of a single byte takes six."""


def receiving_protocol(header_timeout: timedelta, body_timeout: timedelta) -> type[HttpToolsProtocol]:
    """Return uvicorn's HTTP protocol with deadlines, for ``uvicorn.Config(http=...)``.

    A client that is too slow gets 408, headers beyond ``MAX_HEAD_BYTES`` get 431, what is not HTTP gets 400, each after the
    answers to the requests before it; then the connection is closed. A deadline that ends is extended if the server itself has
    paused reading meanwhile.

    Args:
        header_timeout: from the connection, or from the first byte of a further request, until the headers are complete.
        body_timeout: from there until the body is complete. Also how long a connection that is to be closed is still read.
    """

    class Protocol(_ReceivingProtocol):
        header_seconds = header_timeout.total_seconds()
        body_seconds = body_timeout.total_seconds()

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
_HEAD_BEGINNINGS: Final = tuple(b"HTTP/1.1 %d" % hundreds for hundreds in (2, 3, 4, 5))
"""How the head of an answer begins, unless it is an interim one."""

_HEAD_TOO_SLOW: Final = "expected the headers of the request to be complete within {:g} s"
_BODY_TOO_SLOW: Final = "expected the body of the request to be complete within {:g} s after its headers"


class _HeadTooLargeError(Exception):
    """The way out of the parser."""


class _ReceivingProtocol(HttpToolsProtocol):
    header_seconds: ClassVar[float]
    body_seconds: ClassVar[float]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._expecting = _Expecting.REQUEST
        self._gentle: _GentleTransport
        self._deadline: asyncio.TimerHandle | None = None
        self._answering: RequestResponseCycle | None = None  # uvicorn's self.cycle is the newest of pipelined requests
        self._client_has_ended = False
        self._refusal: _Refusal | None = None  # once it is set, nothing is parsed any more
        self._piece_bytes = 0
        self._first_piece_bytes = 0
        self._head_bytes = 0
        self._body_bytes = 0
        self._framing_bytes = 0
        self._discarded_bytes = 0

    # Called by uvicorn's server and by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for a request, but not for ever."""
        self._gentle = _GentleTransport(transport, self.end)
        super().connection_made(self._gentle)  # type: ignore[arg-type]  # it has what uvicorn calls
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request of the connection; uvicorn tells the newest."""
        self._clear_deadline()
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        super().connection_lost(exc)
        if self._answering is not None:
            _disconnect(self._answering)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn returns None, which closes
        """Keep sending to a client that has ended its side after a complete request: it may still read the answer."""
        is_complete = self._expecting is _Expecting.REQUEST or self._refusal is not None
        if self._gentle.ending or not is_complete or not self._is_answering():
            return False
        self._client_has_ended = True
        self.cycle.keep_alive = False
        self._clear_deadline()
        return True

    def shutdown(self) -> None:
        """Close at once, or after the answers that are under way."""
        if self._gentle.ending or self.cycle is None or self.cycle.response_complete:
            self._gentle.connection.close()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Parse what the client has sent."""
        self._unset_keepalive_if_required()
        if self._refusal is not None or self._gentle.ending:
            self._discard(len(data))
            return
        self._count(len(data))
        self._parse(data)
        if self._refusal is None and not self._gentle.ending:
            self._check_progress()

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin to count the head of a request."""
        if self._expecting is _Expecting.BODY:  # see _decline_upgrade
            return
        super().on_message_begin()
        self._expecting = _Expecting.HEAD
        self._head_bytes = self._first_piece_bytes = self._piece_bytes

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Trailers of a chunked body come here, too: nobody asks for them."""
        if self._expecting is _Expecting.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer the request."""
        if self._expecting is _Expecting.BODY:  # see _decline_upgrade
            return
        if self._head_bytes > MAX_HEAD_BYTES and self._measured_head() > MAX_HEAD_BYTES:
            raise _HeadTooLargeError
        super().on_headers_complete()
        self._expecting = _Expecting.BODY
        self._body_bytes = self._framing_bytes = self._discarded_bytes = 0
        self._clear_deadline()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        self._body_bytes += len(body)
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the next request."""
        if self.parser.should_upgrade():  # see _decline_upgrade
            return
        self._expecting = _Expecting.REQUEST
        self._clear_deadline()
        super().on_message_complete()

    # Called by uvicorn's protocol

    def on_response_complete(self) -> None:
        """Begin the next answer, or give the last one."""
        self._gentle.flush()
        super().on_response_complete()
        if self._refusal is not None and not self._is_answering():
            self._tell_refusal(self._refusal)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        cycle.scope["extensions"] = {HANG_UP: {"call": self._hang_up}}
        if cycle.scope["http_version"] != "1.1":
            # HTTP/1.0 knows no chunks: an answer whose length is not known beforehand ends with the connection.
            cycle.chunked_encoding = False
            cycle.expected_content_length = _AnyLength()
        super()._start_asgi_task(cycle, app)

    def _should_upgrade_to_ws(self) -> bool:
        return False

    # Steps

    def _count(self, size: int) -> None:
        self._piece_bytes = size
        if self._expecting is _Expecting.HEAD:
            self._head_bytes += size
        elif self._expecting is _Expecting.BODY:
            self._framing_bytes += size  # on_body takes off what of it is body
            if self.cycle.response_complete:
                self._discard(size)

    def _check_progress(self) -> None:
        """Refuse a request that grows too large; set a deadline for one that is not complete yet."""
        if self._expecting is _Expecting.HEAD:
            # How much of the first piece belonged to the request before is not known: it does not count until all is here.
            if self._head_bytes - self._first_piece_bytes > MAX_HEAD_BYTES:
                self._refuse(_HEAD_TOO_LARGE)
                return
        elif self._expecting is _Expecting.BODY:
            if self._framing_bytes > MAX_HEAD_BYTES + _MAX_FRAMING * self._body_bytes:
                self._refuse(_FRAMING_TOO_LARGE)
                return
        elif self._is_answering() or self.timeout_keep_alive_task is not None:
            return  # nearly always: the request came in one piece
        if self._deadline is None:
            self._set_deadline()

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._decline_upgrade()
            except httptools.HttpParserError as error:
                self._refuse(_HEAD_TOO_LARGE if isinstance(error.__context__, _HeadTooLargeError) else _NOT_HTTP)
                return
            else:
                return

    def _decline_upgrade(self) -> None:
        """Go on with HTTP/1.1 after the headers of a request that offers another protocol.

        The parser believes that such a request has no body and that nothing follows. A new one is told only how the body is
        framed. Java's HTTP client, for one, offers HTTP/2 with its first request, whatever that carries.
        """
        framing = [
            b"%b: %b\r\n" % (name, value) for name, value in self.headers if name in (b"content-length", b"transfer-encoding")
        ]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(framing))

    def _measured_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)  # ": " and the end of the line

    def _is_answering(self) -> bool:
        cycle = self._answering
        return cycle is not None and not cycle.response_complete and not cycle.disconnected

    def _set_deadline(self) -> None:
        seconds = self.body_seconds if self._gentle.ending or self._expecting is _Expecting.BODY else self.header_seconds
        self._gentle.has_paused = self.flow.read_paused
        self._deadline = self.loop.call_later(seconds, self._deadline_passed)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _deadline_passed(self) -> None:
        self._deadline = None
        if self._gentle.ending:
            self._gentle.connection.abort()
        elif self._gentle.has_paused:
            self._set_deadline()
        elif self._expecting is _Expecting.REQUEST:
            self._gentle.connection.abort()  # it has not asked for anything
        elif self._expecting is _Expecting.HEAD:
            self._refuse(_Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", _HEAD_TOO_SLOW.format(self.header_seconds)))
        elif self.cycle.response_complete:
            self._gentle.connection.abort()  # it has its answer, and has had the time to read it
        else:
            self._refuse(_Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", _BODY_TOO_SLOW.format(self.body_seconds)))

    def _discard(self, size: int) -> None:
        self._discarded_bytes += size
        if self._discarded_bytes > MAX_DISCARDED_BYTES:
            self._gentle.connection.abort()

    def _refuse(self, refusal: _Refusal) -> None:
        """Close the connection because of the request that is being received, once those before it are answered."""
        self._clear_deadline()
        self._refusal = refusal
        if self._expecting is _Expecting.BODY:
            if self.cycle.response_complete:
                self.end()  # it has its answer
                return
            if self.pipeline and self.pipeline[0][0] is self.cycle:
                self.pipeline.popleft()  # it has not begun
            elif self.cycle.response_started:
                self._gentle.connection.abort()  # two answers cannot be told apart
                return
            else:
                _disconnect(self.cycle)
        if not self._is_answering():
            self._tell_refusal(refusal)

    def _tell_refusal(self, refusal: _Refusal) -> None:
        self._unset_keepalive_if_required()
        self.transport.write(refusal.answer())
        self.end()

    def _hang_up(self) -> None:
        """Leave the answer that is under way as it is."""
        if self._answering is not None:
            _disconnect(self._answering)
        self.end()

    def end(self) -> None:
        """Close the connection so that the client can read what was sent.

        Closing while the client still sends would make its system throw the answer away: the rest is read, within bounds.
        """
        if self._gentle.is_closing():
            return
        self._gentle.flush()
        self._clear_deadline()
        if self._client_has_ended or (self._refusal is None and self._expecting is _Expecting.REQUEST):
            self._gentle.connection.close()
            return
        self._gentle.ending = True
        self._gentle.connection.write_eof()
        self.flow.resume_reading()
        self._set_deadline()


class _GentleTransport:
    """A connection as uvicorn sees it: writing after its end is no error, and closing lets the client read the answer."""

    def __init__(self, connection: asyncio.Transport, end: Callable[[], None]) -> None:
        self.connection = connection
        self.close = end
        self.get_extra_info = connection.get_extra_info
        self._held = b""
        """The head of an answer, until something follows it: sent together they cost half as much."""
        self.ending = False
        """Whether nothing is sent any more, though the connection may still be read."""
        self.has_paused = False
        """Whether reading was paused since the deadline was set."""

    def is_closing(self) -> bool:
        return self.ending or self.connection.is_closing()

    def write(self, data: bytes) -> None:
        # uvloop raises once the connection is closed, and uvicorn does not always know yet that it is.
        if self.is_closing():
            return
        if not self._held and data.startswith(_HEAD_BEGINNINGS):
            self._held = data
        else:
            self.connection.write(self._held + data if self._held else data)
            self._held = b""

    def flush(self) -> None:
        """Write the head that is held back, if there is one: nothing follows it."""
        if self._held and not self.is_closing():
            self.connection.write(self._held)
        self._held = b""

    def pause_reading(self) -> None:
        self.has_paused = True
        if not self.connection.is_closing():
            self.connection.pause_reading()

    def resume_reading(self) -> None:
        if not self.connection.is_closing():
            self.connection.resume_reading()


class _AnyLength(int):
    """The length of an answer that ends with its connection: none is too long, none too short."""

    def __lt__(self, _: int) -> bool:  # asked first when a plain int is compared with >, since this is the subclass
        return False

    def __ne__(self, _: object) -> bool:
        return False

    def __sub__(self, _: int) -> "_AnyLength":
        return self


def _disconnect(cycle: RequestResponseCycle) -> None:
    """Tell a request that its client is gone."""
    if not cycle.response_complete:
        cycle.disconnected = True
        cycle.message_event.set()
