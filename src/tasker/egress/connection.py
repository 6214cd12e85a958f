"""One HTTP/1.1 connection to a target: a request goes out, its answer comes in, one after the other.

Once the status line of an answer has been read, the status stands. What is wrong with the rest is
noted, and the connection is
closed: the target has said what became of the request, and to send it again because of a header or
a chunk would do it twice.

Sources: RFC 9112 (HTTP/1.1), sections 6.3 (where a body ends), 8 (incomplete answers), 9.3
(persistence), 9.6 (closing).
"""

import asyncio
import codecs
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from types import SimpleNamespace
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tasker.egress import odd_head
from tasker.egress.http_client import ANSWER_LIMIT, BODY_KEPT, HEADER_KEPT, HEADERS_KEPT, DeliveryError
from tasker.egress.odd_head import Framing, NoAnswerError, OddHead
from tasker.egress.tls import Tls
from tasker.timing.clock import elapsed, stopwatch

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of an answer before its body, interim answers (1xx) included."""

_READ_AT_ONCE: Final = 64 * 1024

_TRUSTED_SECONDS: Final = 0.5
"""How long after an exchange nobody closes a connection that is kept alive."""

_KEPT: Final = {name.encode(): name for name in HEADERS_KEPT}
_BLANKS: Final = b" \t"
"""They may stand around a value and are no part of it. Source: RFC 9110, section 5.5."""
_NO_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))

_CUT: Final = "the answer broke off before its end"
_LATE: Final = "the answer did not end in time"
_LONG: Final = f"the answer's headers are longer than {HEAD_LIMIT // 1024} KiB"
_UNREADABLE: Final = "where the answer's body ends is not said as HTTP says it; it was not read to its end"


class UnsentError(Exception):
    """The connection turned out to be closed before a byte of the request was written to it.

    Args:
        why: what TLS says of it, if it does.
    """

    def __init__(self, why: DeliveryError | None) -> None:
        self.why = why
        super().__init__()


class _EndedError(Exception):
    """The exchange has ended: raised to stop the parser."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. Whatever a target sends, it holds little and reads little.

    Once more than ``ANSWER_LIMIT`` bytes came after the read that ended an answer's head, it is cut
    off and the connection closed.
    """

    def __init__(self, connected: socket.socket, tls: Tls | None = None) -> None:
        """Make the protocol of a transport over *connected*, with *tls* between them unless that is None."""
        self._loop = asyncio.get_running_loop()
        self._socket = connected
        self._tls = tls
        self._transport: asyncio.Transport
        self._parser = _parser(self)
        self._answer: asyncio.Future[None] | None = None
        self._left = 0
        self._is_head = False
        self._has_head = False
        self._has_length = False
        self._has_codings = False
        self._is_odd = False
        self._head = b""
        self._headers: dict[str, str] = {}
        self._body = b""
        self._began = 0.0
        self._closed = self._loop.create_future()
        self.made_at = self._loop.time()
        """When it was made, by the event loop's clock."""
        self.is_idle = False
        """Whether another exchange may follow."""
        self.idle_since = 0.0
        """When the latest exchange ended, by the event loop's clock."""
        self.status: int | None = None
        """The status of the latest exchange's answer; None: it has not come."""
        self.first_byte: float | None = None
        """Seconds from the request to the first byte of its answer; None: there was none."""
        self.note: str | None = None
        """What of the latest exchange's answer was not read, although its status was; None:
        nothing."""

    async def secure(self) -> None:
        """Let the two ends of TLS agree. To be called once, before the first exchange, if there is TLS.

        Cancelled, or if it fails, it closes the connection.

        Raises:
            DeliveryError: the target's certificate or its TLS is not acceptable (``tls_failed``).
        """
        assert self._tls is not None  # noqa: S101 - who calls this has given it
        try:
            with suppress(OSError):  # the end of the connection comes by itself
                self._write(self._tls.begin())
            await self._tls.established()
        except BaseException:
            self.close()
            raise

    async def exchange(self, request: bytes, *, is_head: bool) -> None:
        """Send a whole *request* and read its answer to its end or to its limit.

        What came of it is kept until the next one. Cancelled, it closes the connection: nothing
        more of the request goes out. What has come by then is kept, too.

        Args:
            request: head and body.
            is_head: whether its method is HEAD: its answer ends with the head. Then the connection
                is closed, since nobody knows whether the target knows that, too.

        Raises:
            UnsentError: the target has closed the connection. Nothing of the request went out.
            DeliveryError: there was no status (``connection_lost``, ``bad_response``). The
                connection is closed.
        """
        self._answer = self._loop.create_future()
        self._left = HEAD_LIMIT
        self._is_head = is_head
        self._has_head = self._has_length = self._has_codings = self.is_idle = False
        self._head, self._headers, self._body = b"", {}, b""
        self.status = self.first_byte = self.note = None
        self._began = stopwatch()
        try:
            self._send(request)
            await self._answer
        except asyncio.CancelledError:
            if self._answer.cancelled():  # and not ended just before
                self._take_unended_head()
                self.note = _LATE
            self.close()
            raise
        finally:
            self._answer = None
            if not self.is_idle:
                self.close()

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the latest answer's headers that are kept, without blanks at the ends of their values.

        The values of one that came several times are joined with commas. Source: RFC 9110, section
        5.3.
        """
        return self._headers

    @property
    def body(self) -> str:
        """The beginning of the latest answer's body."""
        text, _ = codecs.utf_8_decode(
            self._body, "replace", len(self._body) < BODY_KEPT
        )  # no half character at the cut
        return text

    def is_usable(self) -> bool:
        """Whether another exchange may follow.

        Looks for an end that has arrived unseen, unless the connection was used just now.
        """
        if not self.is_idle or self._loop.time() - self.idle_since < _TRUSTED_SECONDS:
            return self.is_idle
        try:
            unread = self._socket.recv(_READ_AT_ONCE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if unread:
            self.data_received(unread)  # TLS has more to say than answers
        return unread != b"" and self.is_idle

    def close(self) -> None:
        """Close it at once: what was not sent yet is not sent. May be called twice."""
        self.is_idle = False
        self._transport.abort()

    async def wait_closed(self) -> None:
        """Return once it is closed and its descriptor is free."""
        await asyncio.shield(self._closed)

    def _send(self, request: bytes) -> None:
        if self._transport.is_closing():
            raise UnsentError(self._refusal())
        if self._tls is not None:
            request = self._tls.sealed(request)
        try:
            self._write(request)
        except OSError:
            if self._tls is not None:
                with suppress(OSError):
                    self._tls.opened(self._socket.recv(_READ_AT_ONCE, socket.MSG_DONTWAIT))  # it may say why
            raise UnsentError(self._refusal()) from None

    def _write(self, data: bytes) -> None:
        """Write *data* now, as much as goes out, where the transport would do so later and not say what went out.

        Raises:
            OSError: nothing of it went out.
        """
        sent = 0
        if self._transport.get_write_buffer_size() == 0:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
        if sent < len(data):
            self._transport.write(memoryview(data)[sent:])

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._tls is None:
            self._receive(data)
        else:
            self._open(self._tls, data)

    def _open(self, tls: Tls, data: bytes) -> None:
        """Read on from what TLS has sealed."""
        if part := tls.opened(data):
            self._receive(part)
        if unsent := tls.unsent():
            with suppress(OSError):  # as the end of the connection will say, too
                self._write(unsent)
        if tls.error is not None or tls.is_ended:
            self._end(in_order=tls.is_ended)
            self.close()

    def _receive(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked for it
            return
        if self.first_byte is None:
            self.first_byte = elapsed(self._began)
        self._left -= len(data)
        if not self._has_head:
            self._head += data
        if self._has_head or not self._is_odd:
            self._feed(data)
        elif odd_head.may_end(self._head, len(data)):
            self._read_odd_head()
        if self._left < 0:
            if self._has_head:
                self._succeed()
            else:
                self._conclude(_LONG, DeliveryError("bad_response", _LONG))

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is under way: the end of the connection may be the end of its answer."""
        self.is_idle = False
        if exc is not None:
            self._read_rest()
        if self._tls is not None:
            self._tls.cut()
        self._end(in_order=exc is None and self._tls is None)
        if not self._closed.done():
            self._closed.set_result(None)

    def _end(self, *, in_order: bool) -> None:
        """End what is under way, since nothing more comes; *in_order*: because the target has said all that it says."""
        is_whole = in_order and self._has_head and not self._has_length
        self._conclude(None if is_whole else _CUT, self._refusal() or _lost())

    def _refusal(self) -> DeliveryError | None:
        """Return what TLS says of its end."""
        return None if self._tls is None else self._tls.error

    def _read_rest(self) -> None:
        """Read what has come and was not read because a write failed before.

        A target may answer and close while we send.
        """
        with suppress(OSError):
            while self._answer is not None and not self._answer.done():
                data = self._socket.recv(_READ_AT_ONCE, socket.MSG_DONTWAIT)
                if not data:
                    break
                self.data_received(data)

    # Called by the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note whether the answer says where it ends, and what is kept. A trailer comes here, too."""
        name = name.lower()
        if name in _KEPT and not self._has_head:
            self._keep(_KEPT[name], _text(value.strip(_BLANKS)[:HEADER_KEPT]))
        if name == b"content-length":
            self._has_length = True
        elif name == b"transfer-encoding":
            self._has_codings = True
            self._has_length = value.rpartition(b",")[2].strip(_BLANKS).lower() == b"chunked"

    def on_headers_complete(self) -> None:
        """Take the status, unless it is an interim one."""
        status = self._parser.get_status_code()
        if _is_interim(status):
            self._has_length = self._has_codings = False
            self._headers.clear()
            return
        self._take_status(status)
        if self._is_head:
            self._succeed()
            raise _EndedError

    def on_body(self, part: bytes) -> None:
        """Keep the beginning."""
        if len(self._body) < BODY_KEPT:
            self._body += part[: BODY_KEPT - len(self._body)]

    def on_message_complete(self) -> None:
        """End the exchange."""
        if self._has_head:
            self._succeed(can_follow=self._ends_beyond_doubt())

    def on_message_begin(self) -> None:
        """Refuse a second answer."""
        if self._answer is None or self._answer.done():
            raise _EndedError

    # Reading

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._succeed()  # 101: nobody offered to switch protocols
        except HttpParserError:
            if self._has_head:
                self._succeed(note=_UNREADABLE)
                self.is_idle = False  # what came after the answer is no answer
            else:
                self._is_odd = True
                self._read_odd_head()

    def _read_odd_head(self) -> None:
        """Read a head that the parser has refused, and go on to the body, if that is all of the head."""
        try:
            head = self._odd_head()
        except NoAnswerError:
            self._fail(_garbled())
            return
        if head is None:
            return
        body = self._head[head.size :]
        self._take(head)
        if self._is_head:
            self._succeed()
        elif head.framing is Framing.UNKNOWN:
            self._succeed(note=_UNREADABLE)
        else:
            self._has_length = head.framing is not Framing.UNTIL_CLOSED
            self._parser = _parser(SimpleNamespace(on_body=self.on_body, on_message_complete=self.on_message_complete))
            self._feed(head.plain() + body)

    def _odd_head(self, *, is_over: bool = False) -> OddHead | None:
        """Return the head of the answer that has come, as ``odd_head.read`` does.

        The interim ones before it are left out.
        """
        while (head := odd_head.read(self._head, is_over=is_over)) is not None and _is_interim(head.status):
            self._head = self._head[head.size :]
        return head

    def _take(self, head: OddHead) -> None:
        self._is_odd = True
        self._headers.clear()
        for name, value in head.fields:
            self.on_header(name, value)
        self._take_status(head.status)

    def _take_status(self, status: int) -> None:
        self.status = status
        self._has_head = True
        self._head = b""
        self._left = ANSWER_LIMIT

    def _take_unended_head(self) -> None:
        """Take what there is of a head of which nothing more is read: it needs a status line, no more."""
        with suppress(NoAnswerError):
            if not self._has_head and (head := self._odd_head(is_over=True)) is not None:
                self._take(head)

    def _ends_beyond_doubt(self) -> bool:
        """Whether the target, too, takes this for the end of the answer and of its request, and awaits another one."""
        if self._is_odd or not self._parser.should_keep_alive():
            return False
        if self._transport.get_write_buffer_size() > 0 or self._transport.is_closing():
            return False
        if self._has_codings and self._parser.get_http_version() == "1.0":
            return False  # source: RFC 9112, section 6.1
        return self.status != 204 or (not self._has_codings and self._headers.get("content-length", "0") == "0")

    def _keep(self, name: str, value: str) -> None:
        before = self._headers.get(name)
        self._headers[name] = value if before is None else f"{before}, {value}"[:HEADER_KEPT]

    def _conclude(self, note: str | None, error: DeliveryError) -> None:
        """End the exchange: with its status if that has come, or else with *error*.

        Nothing more of the answer is read.
        """
        self._take_unended_head()
        if self._has_head:
            self._succeed(note=note)
        else:
            self._fail(error)

    def _succeed(self, *, note: str | None = None, can_follow: bool = False) -> None:
        if self._answer is not None and not self._answer.done():
            self.note = note
            self.is_idle = can_follow
            self.idle_since = self._loop.time()
            self._answer.set_result(None)

    def _fail(self, error: DeliveryError) -> None:
        if self._answer is None or self._answer.done():
            self.is_idle = False  # what came after the answer is no answer
        else:
            self._answer.set_exception(error)


def _parser(protocol: object) -> HttpResponseParser:
    """Return a parser of one answer. Blanks after the size of a chunk must be read: RFC 9112, section 7.1.1."""
    parser = HttpResponseParser(protocol)
    parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
    return parser


def _is_interim(status: int) -> bool:
    """Whether another answer follows. Nobody asks to switch protocols, so that 101 is the last."""
    return status < 200 and status != 101


@lru_cache(maxsize=256)
def _text(value: bytes) -> str:
    text = value.decode("latin-1")
    return text if text.isprintable() else text.translate(_NO_CONTROLS)


def _lost() -> DeliveryError:
    return DeliveryError("connection_lost", "the target closed the connection before its answer was complete")


def _garbled() -> DeliveryError:
    return DeliveryError("bad_response", "the target's answer is not HTTP that can be read")
