"""The receivers of the demo: they are in the process, and nothing is sent to anybody."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from tasker.egress.call_meter import CallMeter
from tasker.egress.http_client import DeliveryError, Request
from tasker.model.attempt import Exchange, Phases
from tasker.model.instants import SECOND, Instant
from tasker.timing.clock import Clock

_JSON: Final = {"content-type": "application/json"}
_HTML: Final = {"content-type": "text/html; charset=utf-8", "server": "nginx"}


class _Answer(NamedTuple):
    status: int
    body: str
    headers: Mapping[str, str] = _JSON
    seconds: float = 0.06
    """How long it takes, usually."""


_ANSWERS: Final[Mapping[str, Sequence[tuple[float, _Answer]]]] = {
    "mail.example": (
        (0.06, _Answer(429, '{"error": "too many messages"}', {**_JSON, "retry-after": "20"}, 0.02)),
        (1.00, _Answer(202, '{"queued": true}', seconds=0.11)),
    ),
    "crm.example": (
        (0.05, _Answer(503, "<h1>503 Service Unavailable</h1>", _HTML, 0.4)),
        (0.06, _Answer(200, "{}", seconds=120)),
    ),
    "legacy.example": ((0.20, _Answer(500, "<h1>Internal Server Error</h1>database is locked", _HTML, 1.3)),),
    "render.example": ((1.00, _Answer(200, '{"frames": 4800}', seconds=2_400)),),
}
"""What a host answers, and in how many cases. In all others: that it is well."""

_ACCEPTED: Final = _Answer(202, '{"accepted": true}', seconds=0.2)
_UNPAID: Final = _Answer(422, '{"error": "no such customer", "field": "customer"}', seconds=0.05)
_WELL: Final = _Answer(200, '{"ok": true}')
_UNKNOWN: Final = _Answer(200, "This is tasker's demo: nothing was sent.", {"content-type": "text/plain"})

Spans: TypeAlias = Mapping[str, Sequence[tuple[Instant, Instant]]]
"""Hosts, and from when until when something is so."""


class Troubles(NamedTuple):
    """What is wrong with receivers."""

    dead: Spans
    """They refuse connections."""
    strict: Spans
    """They do not take what they are sent."""


def _others(host: str) -> _Answer:
    return _WELL if host.endswith(".example") else _UNKNOWN


def _is_within(moment: Instant, spans: Spans, host: str) -> bool:
    return any(begin <= moment < end for begin, end in spans.get(host, ()))


class Receivers:
    """Answers as the receivers of the demo would. A ``node.Client``."""

    kept_open = 0
    ailment = None

    def __init__(self, clock: Clock, rand: random.Random, troubles: Troubles) -> None:
        """Make them.

        Args:
            clock: says when, and how long an answer takes.
            rand: decides what goes wrong now and then.
            troubles: what is wrong always, and when.
        """
        self._clock = clock
        self._rand = rand
        self._troubles = troubles
        self.meter = CallMeter()
        self.under_way = 0
        self.tokens: list[str] = []
        """What those show who have accepted work, in the order in which they did."""

    async def send(self, request: Request, before_first_byte: Callable[[], None]) -> Exchange:
        """See ``HttpClient``: but that nothing is sent."""
        self.under_way += 1
        try:
            return await self._answered(request, before_first_byte)
        finally:
            self.under_way -= 1

    async def close(self) -> None:
        """There is nothing to close."""

    async def _answered(self, request: Request, before_first_byte: Callable[[], None]) -> Exchange:
        url = urlsplit(request.url)
        host = url.hostname or ""
        dns, connect = self._about(0.002), self._about(0.012)
        if _is_within(self._clock.now(), self._troubles.dead, host):
            await self._pass(dns + connect)
            error = DeliveryError("connect_refused", "the target refused the connection")
            error.exchange = Exchange(phases=Phases(dns=dns, connect=connect, total=round(dns + connect, 6)))
            raise error
        answer = self._answer(host, url.path, request)
        await self._pass(dns + connect)
        before_first_byte()
        seconds = self._about(answer.seconds)
        if seconds > request.timeout_seconds:
            await self._pass(request.timeout_seconds)
            error = DeliveryError("timeout", f"the target did not answer within {request.timeout_seconds:g} s")
            error.exchange = Exchange(phases=Phases(dns=dns, connect=connect, total=round(request.timeout_seconds, 6)))
            raise error
        await self._pass(seconds)
        total = round(dns + connect + seconds, 6)
        return Exchange(
            phases=Phases(dns=dns, connect=connect, first_byte=seconds, total=total),
            status=answer.status,
            headers={**answer.headers, "content-length": str(len(answer.body))},
            body=answer.body,
        )

    def _answer(self, host: str, path: str, request: Request) -> _Answer:
        token = request.headers.get("tasker-completion-token")
        if token is not None:
            self.tokens.append(token)
            return _ACCEPTED
        if _is_within(self._clock.now(), self._troubles.strict, host):
            return _Answer(400, f'{{"error": "unknown field: mode", "request": "r-{self._rand.randrange(10**5):05}"}}')
        if "unpaid" in path:
            return _UNPAID
        chance = self._rand.random()
        return next((answer for below, answer in _ANSWERS.get(host, ()) if chance < below), _others(host))

    def _about(self, seconds: float) -> float:
        """Return about so many seconds."""
        return round(seconds * self._rand.uniform(0.6, 1.6), 6)

    async def _pass(self, seconds: float) -> None:
        """Return after some seconds. By a timer: a clock that leaps from ring to ring stops there."""
        over = asyncio.Event()
        timer = self._clock.timer(over.set)
        try:
            timer.set(self._clock.now() + round(seconds * SECOND))
            await over.wait()
        finally:
            timer.close()
