"""The HTTP client: keeps connections open between requests, and counts on nothing that a target says."""

import asyncio
import base64
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from tasker import urls
from tasker.egress.call_meter import CallMeter
from tasker.egress.connection import Connection, UnsentError
from tasker.egress.connector import Connector, Durations, Origin
from tasker.egress.http_client import DeliveryError, OutOfResourcesError, Request
from tasker.egress.idle_connections import IdleConnections
from tasker.egress.shortage import DESCRIPTORS, Shortage, connections_that_fit
from tasker.model.attempt import Exchange, Phases
from tasker.timing.clock import elapsed, stopwatch
from tasker.timing.patience import Within

PAUSE_SECONDS: Final = 0.5
"""How long a call that finds nothing to make a connection with waits before it gives up."""

_MOST_IDLE: Final = 1_024

_USUAL_LENGTH: Final = 1_000
"""Characters of a URL up to which what it says is remembered."""

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say ``content-length: 0`` if there is no body. Source: RFC 9110, section 8.6."""


class _Target(NamedTuple):
    """What a URL says."""

    origin: Origin
    is_absolute: bool
    """Whether no search domain is tried when its host is looked up."""
    head: bytes
    """The beginning of each request to it, without the method."""


class _Call:
    """How far a call has come."""

    __slots__ = ("_began", "connection", "durations", "origin")

    def __init__(self) -> None:
        self._began = stopwatch()
        self.durations = Durations()
        self.connection: Connection | None = None
        self.origin: Origin | None = None
        """Where it goes, once the URL was read."""

    def has_status(self) -> bool:
        """Whether the target has said what became of the request."""
        return self.connection is not None and self.connection.status is not None

    def late(self, seconds: float) -> DeliveryError:
        """Return the error of a call that came to no status within *seconds*."""
        if self.connection is None:
            return self.durations.too_long(f"within {seconds:g} s")
        return DeliveryError("timeout", f"the target did not answer within {seconds:g} s")

    def ended(self, meter: CallMeter) -> Exchange:
        """Return what has passed, and have it counted. Called once, when nothing more will."""
        total = elapsed(self._began)
        durations, connection = self.durations, self.connection
        if connection is None:
            meter.ended(self.origin, durations, None, total, None)
            return Exchange(phases=Phases(dns=durations.dns, connect=durations.connect, total=total))
        meter.ended(self.origin, durations, connection.first_byte, total, connection.status)
        return Exchange(
            phases=Phases(dns=durations.dns, connect=durations.connect, first_byte=connection.first_byte, total=total),
            status=connection.status,
            headers=connection.headers,
            body=connection.body,
            note=connection.note,
        )


class PooledClient:
    """A ``HttpClient`` over HTTP/1.1. Needs a running event loop.

    A request goes out once: if its connection breaks, that is the attempt's end, whatever the
    target has seen of it.
    """

    def __init__(self, connector: Connector | None = None, *, descriptors: int | None = None) -> None:
        """Make a client.

        Args:
            connector: makes its connections.
            descriptors: how many the process may have; None: as many as the system says.
                ``connections_that_fit`` says how many of them connections to targets take at most.
        """
        self._connector = connector or Connector()
        self._most = connections_that_fit(descriptors)
        most_idle = min(self._most // 2, _MOST_IDLE)
        self._idle = IdleConnections(most_idle, most_of_one=max(most_idle // 2, 1))
        self._under_way = 0
        self._shortage = Shortage()
        self.meter = CallMeter()
        """What it has counted of its calls. Those that this machine lacked something for, and
        those that were cancelled or never begun, are not among them."""

    @property
    def under_way(self) -> int:
        """How many calls are being made."""
        return self._under_way

    @property
    def kept_open(self) -> int:
        """How many connections wait for another call."""
        return len(self._idle)

    @property
    def ailment(self) -> str | None:
        """Why no connections could be made from here in the latest seconds, in a few words; None while it is well."""
        return self._shortage.reason

    async def send(self, request: Request, before_first_byte: Callable[[], None]) -> Exchange:
        """See ``HttpClient``."""
        call = _Call()
        self._under_way += 1
        try:
            with Within(request.timeout_seconds) as within:
                await self._make(call, request, before_first_byte, within)
        except TimeoutError:
            if not call.has_status():
                error = call.late(request.timeout_seconds)
                error.exchange = call.ended(self.meter)
                raise error from None
        except DeliveryError as error:
            error.exchange = call.ended(self.meter)
            raise
        except OutOfResourcesError as error:
            self._shortage.met(error.lack)
            await asyncio.sleep(PAUSE_SECONDS)
            raise
        finally:
            self._under_way -= 1
        return call.ended(self.meter)

    async def _make(
        self, call: "_Call", request: Request, before_first_byte: Callable[[], None], within: Within
    ) -> None:
        """Make a call, and keep its connection if another one may follow. Nothing is sent once its time is over."""
        target = _target(request.url)
        call.origin = target.origin
        message = _message(target, request)
        while True:
            connection = self._idle.take(target.origin)
            is_new = connection is None
            if connection is None:
                connection = await self._connect(target, call.durations)
            try:
                within.check()
                before_first_byte()
            except BaseException:
                connection.close()
                raise
            call.connection = connection
            try:
                await connection.exchange(message, is_head=request.method == "HEAD")
                break
            except UnsentError as error:
                if is_new:
                    raise error.why or _closed_at_once() from None
        if connection.is_idle:
            self._idle.keep(target.origin, connection)

    async def _connect(self, target: _Target, durations: Durations) -> Connection:
        """Return a new connection, for which others make way that are idle."""
        if self._under_way + len(self._idle) > self._most and not self._idle.close_half():
            raise OutOfResourcesError(DESCRIPTORS)
        try:
            return await self._connector.connect(target.origin, durations, is_absolute=target.is_absolute)
        except OutOfResourcesError:
            if not (closed := self._idle.close_half()):
                raise
        for connection in closed:
            await connection.wait_closed()
        return await self._connector.connect(target.origin, durations, is_absolute=target.is_absolute)

    async def close(self) -> None:
        """See ``HttpClient``. Requests that are under way are not ended: cancel them."""
        self._idle.close_all()
        self._connector.close()


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
        raise DeliveryError(
            "invalid_url", "the target's URL cannot be used", permanent=True, is_targets_fault=False
        ) from None
    head = f" {parts.target} HTTP/1.1\r\nhost: {parts.host_header}\r\n".encode("ascii")
    if parts.credentials is not None:
        head += b"authorization: Basic %b\r\n" % base64.b64encode(parts.credentials)
    return _Target(Origin(parts.host, parts.port, parts.scheme == "https"), parts.is_absolute, head)


def _closed_at_once() -> DeliveryError:
    return DeliveryError("connection_lost", "the target closed the connection before the request was sent")


_read_once = lru_cache(maxsize=1024)(_read)


def _message(target: _Target, request: Request) -> bytes:
    """Return the whole request, as it goes out."""
    headers = "\r\n".join((*map(": ".join, request.headers.items()), "")).encode("latin-1")
    body, method = request.body, request.method.encode()
    if body is None and request.method not in _WITH_BODY:
        return b"%b%b%b\r\n" % (method, target.head, headers)
    body = body or b""
    return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (method, target.head, headers, len(body), body)
