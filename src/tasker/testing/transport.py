"""Carries the requests of a client to a server in the same process, without a network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote

import httpx2
from starlette.types import ASGIApp, Message
from typing_extensions import override

from tasker.api.receiving import CUT, HANG_UP, LEFT, PEER, PUSH
from tasker.testing.loop_thread import LoopThread

_END: Final = None


class InProcessTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """The ``transport`` of a ``tasker.Client`` or an ``AsyncClient``.

    The server runs on an event loop of its own, so a client may be used from any thread and any other
    event loop.
    """

    def __init__(self, api: ASGIApp, loop: LoopThread) -> None:
        """Make it.

        Args:
            api: answers the calls.
            loop: where it runs.
        """
        self._api = api
        self._loop = loop

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = _Exchange(self._api, request, request.read())
        status, headers = self._loop.run(exchange.begin())
        return httpx2.Response(status, headers=headers, stream=_Parts(exchange, self._loop))

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = _Exchange(self._api, request, await request.aread())
        status, headers = await asyncio.wrap_future(self._loop.begin(exchange.begin()))
        return httpx2.Response(status, headers=headers, stream=_AsyncParts(exchange, self._loop))


class _Exchange:
    """A request and its answer, on the event loop of the server."""

    def __init__(self, api: ASGIApp, request: httpx2.Request, body: bytes) -> None:
        self._api = api
        self._request = request
        self._body = body
        self._has_left = False
        self._when_left: list[Callable[[], None]] = []

    async def begin(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Have the request answered, and return the status and the headers once they are there.

        Raises:
            httpx2.RemoteProtocolError: the server has hung up.
        """
        loop = asyncio.get_running_loop()
        self._head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = loop.create_future()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._answering = loop.create_task(self._answer())
        try:
            return await self._head
        except asyncio.CancelledError:
            await self.leave()
            raise

    async def part(self) -> bytes | None:
        """Return the next part of the body; None: that was all."""
        return await self._parts.get()

    async def leave(self) -> None:
        """Say that nobody reads the answer any more."""
        self._has_left = True
        for call in self._when_left:
            call()

    async def _answer(self) -> None:
        try:
            await self._api(self._scope(), self._receive, self._send)
        finally:
            if not self._head.done():
                self._head.set_exception(httpx2.RemoteProtocolError("the server hung up without an answer"))
            self._parts.put_nowait(_END)

    def _scope(self) -> dict[str, Any]:
        url = self._request.url
        path = url.raw_path.partition(b"?")[0]
        calls = {HANG_UP: _nothing, LEFT: self._call_when_left, PEER: _loopback, CUT: _nothing, PUSH: self._push}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "client": ("127.0.0.1", 0),
            "extensions": {name: {"call": call} for name, call in calls.items()},
        }

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head.set_result((message["status"], [*message["headers"]]))
        elif message.get("body"):
            self._parts.put_nowait(message["body"])

    def _push(self, part: bytes) -> bool:
        self._parts.put_nowait(part)
        return True

    def _call_when_left(self, call: Callable[[], None]) -> None:
        if self._has_left:
            call()
        else:
            self._when_left.append(call)


class _Parts(httpx2.SyncByteStream):
    """The body, as somebody reads it who waits."""

    def __init__(self, exchange: _Exchange, loop: LoopThread) -> None:
        self._exchange = exchange
        self._loop = loop

    @override
    def __iter__(self) -> Iterator[bytes]:
        while (part := self._loop.run(self._exchange.part())) is not None:
            yield part

    @override
    def close(self) -> None:
        self._loop.run(self._exchange.leave())


class _AsyncParts(httpx2.AsyncByteStream):
    """The body, as somebody reads it in an event loop of their own."""

    def __init__(self, exchange: _Exchange, loop: LoopThread) -> None:
        self._exchange = exchange
        self._loop = loop

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await asyncio.wrap_future(self._loop.begin(self._exchange.part()))) is not None:
            yield part

    @override
    async def aclose(self) -> None:
        await asyncio.wrap_future(self._loop.begin(self._exchange.leave()))


def _nothing() -> None:
    """There is no connection to close."""


def _loopback() -> str:
    return "127.0.0.1"
