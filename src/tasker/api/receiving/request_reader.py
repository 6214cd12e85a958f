"""Makes requests of the bytes of a connection."""

from enum import Enum, auto
from typing import Final, Protocol

import httptools
from starlette.types import Scope

from tasker.api.receiving import refusals
from tasker.api.receiving.head import scope_of
from tasker.api.receiving.refusals import MAX_HEAD_BYTES, RefusedError

_MAX_FRAMING: Final = 8
"""Bytes on the wire per byte of a chunked body, beyond ``MAX_HEAD_BYTES``. A chunk of a single byte
takes six."""


class Expecting(Enum):
    """What the client is to send next."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


REQUEST, HEAD, BODY = Expecting
"""A look at a member of an ``Enum`` takes longer than the rest of what a callback of the parser does."""


class Taker(Protocol):
    """Who gets the requests."""

    def request_began(self, scope: Scope, *, keep_alive: bool) -> None:
        """Take a request, of which the body is still to come."""

    def body_came(self, part: bytes) -> None:
        """Take a part of its body."""

    def request_ended(self) -> None:
        """Its body is complete."""


class RequestReader:
    """Reads requests, as pieces of a connection come in.

    No piece of a request is kept here longer than its head takes to be complete.
    """

    def __init__(self, taker: Taker) -> None:
        self.expecting = REQUEST
        self._taker = taker
        self._parser = self._new_parser()
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._piece_bytes = 0
        self._head_bytes = 0  # with all of the piece that it began in
        self._head_allowance = 0
        self._framing_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Read the next *piece*, which may end anywhere.

        Raises:
            RefusedError: it is not HTTP, or too large. Nothing may be fed any more. What came
                before the fault was handed on.
        """
        self._piece_bytes = len(piece)
        if self.expecting is HEAD:
            self._head_bytes += len(piece)
        elif self.expecting is BODY:
            self._framing_bytes += len(piece)  # on_body takes off what of it is body
        self._parse(piece)
        if self.expecting is HEAD:
            if self._head_bytes > self._head_allowance:
                raise RefusedError(refusals.HEAD_TOO_LARGE)
        elif self.expecting is BODY and self._framing_bytes > MAX_HEAD_BYTES:
            raise RefusedError(refusals.FRAMING_TOO_LARGE)

    def close(self) -> None:
        """Let go of the parser: the two know each other."""
        del self._parser

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin to count the head of a request."""
        if self.expecting is BODY:  # see _decline_upgrade
            return
        self.expecting = HEAD
        self._target = b""
        self._headers = []
        self._head_bytes = self._piece_bytes
        # How much of its first piece belonged to the request before is not known: it does not count
        # until all is here.
        self._head_allowance = MAX_HEAD_BYTES + self._piece_bytes

    def on_url(self, part: bytes) -> None:
        """Take a part of the request's target."""
        if self.expecting is HEAD:
            self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Trailers of a chunked body come here, too: nobody asks for them."""
        if self.expecting is HEAD:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        if self.expecting is BODY:  # see _decline_upgrade
            return
        if self._head_bytes > MAX_HEAD_BYTES and self._measured_head() > MAX_HEAD_BYTES:
            raise RefusedError(refusals.HEAD_TOO_LARGE)
        version = self._parser.get_http_version()
        scope = scope_of(self._parser.get_method().decode(), self._target, version, self._headers)
        self.expecting = BODY
        self._framing_bytes = 0
        self._taker.request_began(scope, keep_alive=version == "1.1" and self._parser.should_keep_alive())

    def on_body(self, part: bytes) -> None:
        """Hand a part of the body on."""
        self._framing_bytes -= (1 + _MAX_FRAMING) * len(part)
        self._taker.body_came(part)

    def on_message_complete(self) -> None:
        """Expect the next request."""
        if self._parser.should_upgrade():  # see _decline_upgrade
            return
        self.expecting = REQUEST
        self._taker.request_ended()

    # Steps

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # What follows a request with "connection: close" is no fault of that request, which is to
        # be answered.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._decline_upgrade()
            except httptools.HttpParserError as error:
                if isinstance(error.__context__, RefusedError):
                    raise error.__context__ from None
                raise RefusedError(refusals.unparsable(str(error))) from None
            else:
                return

    def _decline_upgrade(self) -> None:
        """Go on with HTTP/1.1 after the headers of a request that offers another protocol.

        The parser believes that such a request has no body and that nothing follows. A new one is
        told only how the body is framed. Java's HTTP client, for one, offers HTTP/2 with its first
        request, whatever that carries.
        """
        framing = [
            b"%b: %b\r\n" % (name, value)
            for name, value in self._headers
            if name in (b"content-length", b"transfer-encoding")
        ]
        self._parser = self._new_parser()
        self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(framing))

    def _measured_head(self) -> int:
        return len(self._target) + sum(
            len(name) + len(value) + 4 for name, value in self._headers
        )  # ": ", the end of the line
