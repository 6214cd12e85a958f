"""One HTTP/1.1 connection to a target: a request goes out, its answer comes in, one after the other.

Sources: RFC 9112 (HTTP/1.1), sections 6.3 (where a body ends), 9.3 (persistence), 9.6 (closing).
"""

import asyncio
import socket
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tasker.egress.http_client import ANSWER_LIMIT, DeliveryError

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of an answer before its body, interim answers (1xx) included."""

_TRUSTED_SECONDS: Final = 0.5
"""How long after an exchange nobody closes a connection that is kept alive."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. Whatever a target sends, it holds little and reads little.

    Once more than ``ANSWER_LIMIT`` bytes came after the read that ended an answer's head, it is cut off and the connection
    closed.
    """

    def __init__(self, connected: socket.socket, *, is_secure: bool) -> None:
        """Make the protocol of a transport over *connected*, whose bytes are TLS's if it is secure."""
        self._loop = asyncio.get_running_loop()
        self._socket = connected
        self._is_secure = is_secure
        self._transport: asyncio.Transport
        self._parser: HttpResponseParser
        self._answer: asyncio.Future[int] | None = None
        self._status = 0
        self._left = 0
        self._has_head = False
        self._has_length = False
        self.is_idle = False
        """Whether another exchange may follow."""
        self.idle_since = 0.0
        """When the latest exchange ended, by the event loop's clock."""

    async def exchange(self, request: bytes) -> int:
        """Send a whole *request* and return the status of its answer, read to its end or to its limit.

        Cancelled, it closes the connection: nothing more of the request goes out.

        Raises:
            DeliveryError: there was no whole answer (``connection_lost``, ``bad_response``). The connection is closed.
        """
        self._answer = self._loop.create_future()
        self._parser = HttpResponseParser(self)
        self._left = HEAD_LIMIT
        self._has_head = self._has_length = self.is_idle = False
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None
            if not self.is_idle:
                self.close()

    def is_usable(self) -> bool:
        """Whether another exchange may follow: looks for an end that has arrived unseen, unless it was used just now."""
        if not self.is_idle or self._loop.time() - self.idle_since < _TRUSTED_SECONDS:
            return self.is_idle
        try:
            unread = self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return unread != b"" and self._is_secure  # TLS has more to say than answers

    def close(self) -> None:
        """Close it at once: what was not sent yet is not sent. May be called twice."""
        self.is_idle = False
        self._transport.abort()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked for it
            return
        self._left -= len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._succeed()  # 101: nobody offered to switch protocols
        except HttpParserError:
            self._fail(_broken() if self._has_head else _garbled())
        if self._left < 0:
            if self._has_head:
                self._succeed()
            else:
                self._fail(_endless())

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what is under way, unless the end of the connection is the end of its answer."""
        self.is_idle = False
        if exc is None and self._has_head and not self._has_length:
            self._succeed()
        else:
            self._fail(_broken() if self._has_head else _lost())

    # Called by the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note whether the answer says where it ends. A trailer comes here, too."""
        del value
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        """Take the status, unless it is an interim one."""
        status = self._parser.get_status_code()
        if status >= 200 or status == 101:
            self._status = status
            self._has_head = True
            self._left = ANSWER_LIMIT
        else:
            self._has_length = False

    def on_message_complete(self) -> None:
        """End the exchange."""
        if self._has_head:
            # An answer that came before the whole request was sent says nothing about what comes next.
            is_sent = self._transport.get_write_buffer_size() == 0
            self._succeed(can_follow=is_sent and self._parser.should_keep_alive())

    def on_message_begin(self) -> None:
        """Refuse a second answer."""
        if self._answer is not None and self._answer.done():
            self.close()

    def _succeed(self, *, can_follow: bool = False) -> None:
        if self._answer is not None and not self._answer.done():
            self.is_idle = can_follow
            self.idle_since = self._loop.time()
            self._answer.set_result(self._status)

    def _fail(self, error: DeliveryError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _lost() -> DeliveryError:
    return DeliveryError("connection_lost", "the target closed the connection before its answer was complete")


def _garbled() -> DeliveryError:
    return DeliveryError("bad_response", "the target's answer is not HTTP that can be read")


def _broken() -> DeliveryError:
    return DeliveryError("bad_response", "the body of the target's answer is broken or incomplete")


def _endless() -> DeliveryError:
    return DeliveryError("bad_response", f"the headers of the target's answer are longer than {HEAD_LIMIT // 1024} KiB")
