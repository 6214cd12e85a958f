"""The HTTP client: keeps connections open between requests, and counts on nothing that a target says."""

import asyncio
import base64
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from tasker import urls
from tasker.egress.connection import Connection, UnsentError
from tasker.egress.connector import Connector, Durations, Origin
from tasker.egress.http_client import DeliveryError, Request
from tasker.model.attempt import Exchange, Phases
from tasker.timing.clock import stopwatch

KEPT_ALIVE_SECONDS: Final = 15.0
"""How long a connection is kept that nothing is sent on."""

_USUAL_LENGTH: Final = 1_000
"""Characters of a URL up to which what it says is remembered."""

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say ``content-length: 0`` if there is no body. Source: RFC 9110, section 8.6."""


class _Target(NamedTuple):
    """What a URL says."""

    origin: Origin
    head: bytes
    """The beginning of each request to it, without the method."""


class PooledClient:
    """A ``HttpClient`` over HTTP/1.1. Needs a running event loop.

    A request goes out once: if its connection breaks, that is the attempt's end, whatever the target has seen of it.
    """

    def __init__(self, connector: Connector | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = connector or Connector()
        self._idle: dict[Origin, list[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def send(self, request: Request, before_first_byte: Callable[[], None]) -> Exchange:
        """See ``HttpClient``."""
        began = stopwatch()
        durations = Durations()
        connection: Connection | None = None
        try:
            async with asyncio.timeout(request.timeout_seconds):
                target = _target(request.url)
                message = _message(target, request)
                while True:
                    connection = self._take_idle(target.origin)
                    is_new = connection is None
                    if connection is None:
                        connection = await self._connector.connect(target.origin, durations)
                    try:
                        before_first_byte()
                    except BaseException:
                        connection.close()
                        raise
                    try:
                        await connection.exchange(message, is_head=request.method == "HEAD")
                        break
                    except UnsentError:
                        if is_new:
                            raise DeliveryError(
                                "connection_lost", "the target closed the connection before the request was sent"
                            ) from None
        except TimeoutError:
            within = f"within {request.timeout_seconds:g} s"
            if connection is None:
                error = durations.too_long(within)
            else:
                error = DeliveryError("timeout", f"the target did not answer {within}")
            error.exchange = self._exchange(began, durations, connection)
            raise error from None
        except DeliveryError as error:
            error.exchange = self._exchange(began, durations, connection)
            raise
        if connection.is_idle:
            self._keep(target.origin, connection)
        return self._exchange(began, durations, connection)

    def _exchange(self, began: float, durations: Durations, connection: Connection | None) -> Exchange:
        """Return what has passed so far."""
        total = round(stopwatch() - began, 6)
        if connection is None:
            return Exchange(phases=Phases(dns=durations.dns, connect=durations.connect, total=total))
        return Exchange(
            phases=Phases(dns=durations.dns, connect=durations.connect, first_byte=connection.first_byte, total=total),
            status=connection.status,
            headers=connection.headers,
            body=connection.body,
        )

    async def close(self) -> None:
        """See ``HttpClient``. Requests that are under way are not ended: cancel them."""
        self._close_idle(before=float("inf"))
        self._connector.close()

    def _take_idle(self, origin: Origin) -> Connection | None:
        """Return the connection that was used last: the ones before it may end."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_usable():
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(KEPT_ALIVE_SECONDS, self._close_old)

    def _close_old(self) -> None:
        self._sweep = None
        self._close_idle(before=self._loop.time() - KEPT_ALIVE_SECONDS)
        if self._idle:
            self._sweep = self._loop.call_later(KEPT_ALIVE_SECONDS / 3, self._close_old)

    def _close_idle(self, *, before: float) -> None:
        """Close what has been idle since *before*, and what its target has closed."""
        for origin, idle in list(self._idle.items()):
            kept = [connection for connection in idle if connection.is_idle and connection.idle_since > before]
            for connection in idle:
                if connection not in kept:
                    connection.close()
            if kept:
                self._idle[origin] = kept
            else:
                del self._idle[origin]


def _target(url: str) -> _Target:
    return _read_once(url) if len(url) <= _USUAL_LENGTH else _read(url)


def _read(url: str) -> _Target:
    """Return what *url* says.

    Raises:
        DeliveryError: it cannot be called (``invalid_url``, permanent).
    """
    try:
        parts = urls.parts(url)
    except ValueError:
        raise DeliveryError("invalid_url", "the target's URL cannot be used", permanent=True, is_targets_fault=False) from None
    head = f" {parts.target} HTTP/1.1\r\nhost: {parts.host_header}\r\n".encode("ascii")
    if parts.credentials is not None:
        head += b"authorization: Basic %b\r\n" % base64.b64encode(parts.credentials)
    return _Target(Origin(parts.host, parts.port, parts.scheme == "https", parts.is_absolute), head)


_read_once = lru_cache(maxsize=1024)(_read)


def _message(target: _Target, request: Request) -> bytes:
    """Return the whole request, as it goes out."""
    headers = "".join([f"{name}: {value}\r\n" for name, value in request.headers.items()]).encode("latin-1")
    body, method = request.body, request.method.encode()
    if body is None and request.method not in _WITH_BODY:
        return b"%b%b%b\r\n" % (method, target.head, headers)
    body = body or b""
    return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (method, target.head, headers, len(body), body)
