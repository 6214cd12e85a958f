"""How long, and how much, a client may take to send a request: deadlines and bounds on uvicorn's HTTP protocol."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from tasker.api import problems

HEADERS_LIMIT: Final = 64 * 1024
"""Bytes of a request's first line and headers."""

DISCARD_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a body that are still taken, and thrown away, once the request was answered: closing at once would reset the
connection, and the client might never see the answer."""

_MEDIA_TYPE: Final = problems.MEDIA_TYPE.encode()
_IDLE, _HEADERS, _BODY = range(3)


def receiving_protocol(header_timeout: timedelta, body_timeout: timedelta) -> type[HttpToolsProtocol]:
    """Return the protocol class for ``uvicorn.Config(http=...)``.

    Args:
        header_timeout: from the connection, or the first byte of a further request, to the end of its headers.
        body_timeout: from there to the end of the body. Time in which the server itself does not read does not count.
    """

    class Receiving(ReceivingProtocol):
        timeouts = (None, header_timeout.total_seconds(), body_timeout.total_seconds())

    return Receiving


class ReceivingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with deadlines. A request that arrives in one piece sets no timer."""

    timeouts: tuple[None, float, float]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to uvicorn
        super().__init__(*args, **kwargs)
        self._phase = _HEADERS
        self._armed_for = _IDLE
        self._timer: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._discarded = 0
        self._served: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """See ``asyncio.Protocol`` and httptools."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol`` and httptools."""
        self._disarm()
        # uvicorn marks the newest of pipelined requests only; the one being served must not write any more either.
        self.pipeline.clear()
        if self._served is not None and not self._served.response_complete:
            self._served.disconnected = True
            self._served.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol`` and httptools."""
        if self._phase == _IDLE:
            self._phase, self._header_bytes = _HEADERS, 0
        if self._phase == _HEADERS:
            self._header_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._phase == _HEADERS and self._header_bytes > HEADERS_LIMIT:
            self._refuse_headers()
        elif self._phase == _BODY and self.cycle.response_complete:
            self._discarded += len(data)
            if self._discarded > DISCARD_LIMIT:
                self.transport.close()
        self._watch()

    def on_headers_complete(self) -> None:
        """See ``asyncio.Protocol`` and httptools."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEADERS_LIMIT:
            self._refuse_headers()
            raise httptools.HttpParserError("headers too large")
        super().on_headers_complete()
        self._phase, self._discarded = _BODY, 0

    def on_message_complete(self) -> None:
        """See ``asyncio.Protocol`` and httptools."""
        super().on_message_complete()
        self._phase, self._header_bytes = _IDLE, 0

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        del msg
        self._refuse(400, "bad_request", "expected an HTTP/1.1 request, got something that cannot be read")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def _watch(self) -> None:
        """Have a timer for what is being received, and none for a request that is here."""
        if self._phase != self._armed_for:
            self._disarm()
            timeout = self.timeouts[self._phase]
            if timeout is not None:
                self._armed_for = self._phase
                self._timer = self.loop.call_later(timeout, self._overdue)

    def _disarm(self) -> None:
        self._armed_for = _IDLE
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _overdue(self) -> None:
        phase = self._armed_for
        self._disarm()
        if self.flow.read_paused:  # the rest may be here already: it is the server that does not read it yet
            self._watch()
            return
        part = "headers" if phase == _HEADERS else "body"
        text = f"expected the whole {part} of the request within {self.timeouts[phase]:g} s"
        self._refuse(408, "request_timeout", text)

    def _refuse_headers(self) -> None:
        text = f"expected a URL and headers of at most {HEADERS_LIMIT} bytes together"
        self._refuse(431, "headers_too_large", text)

    def _refuse(self, status: int, code: str, text: str) -> None:
        """Answer without the application, unless an answer is on its way, and close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            if self.cycle is not None:
                self.cycle.disconnected = True  # the application, should it wait for the body, has nobody to answer
                self.cycle.message_event.set()
            body = problems.body(status, code, text)
            head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (_MEDIA_TYPE, len(body))
            self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
