"""Sends nothing: records each webhook, and answers it as a test says."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from tasker.egress.call_meter import CallMeter
from tasker.egress.http_client import DeliveryError, Request
from tasker.model.attempt import Exchange, Phases
from tasker.model.instants import SECOND
from tasker.timing.clock import Clock


class Sent(Struct, frozen=True):
    """A webhook, as its receiver would have got it."""

    at: datetime
    """When, by the clock of the test, in UTC."""
    method: str
    url: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """Empty: it had none."""

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """What the body says.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


class Answered(Struct, frozen=True):
    """What a receiver answers."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: str = ""
    refuses: bool = False
    """Whether there is no answer, but a connection that is refused."""


Respond = Callable[[Sent], Answered | int] | Callable[[Sent], Awaitable[Answered | int]]


class _Rule:
    def __init__(self, url: str, respond: Respond, times: int | None) -> None:
        self.url, self.respond, self.left = url, respond, times

    def fits(self, url: str) -> bool:
        return self.left != 0 and url.startswith(self.url)


class RecordingClient:
    """An ``HttpClient`` that records. What no rule is about is answered with 200."""

    kept_open = 0
    ailment = None

    def __init__(self, clock: Clock) -> None:
        """Make one.

        Args:
            clock: says when something was sent.
        """
        self._clock = clock
        self._rules: list[_Rule] = []
        self.meter = CallMeter()
        self.sent: list[Sent] = []
        """What was sent so far, in order."""

    def answer(
        self,
        url: str,
        status: int | Respond = 200,
        *,
        json: Any = UNSET,  # noqa: ANN401 - JSON
        body: str | UnsetType = UNSET,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> None:
        """Say how webhooks to *url*, and to all that begins with it, are answered from now on.

        Of several that fit, the one that was said last counts.

        Args:
            status: or a function, also an async one, that takes what was ``Sent`` and returns a status or
                an ``Answered``. It is called on a thread of the server.
            json: the body, as JSON; or *body* as text.
            headers: such as ``{"retry-after": "60"}``.
            times: for so many webhooks; None: for all.
        """
        if callable(status):
            self._add(url, status, times)
            return
        answered = _answered(status, json, body, headers or {})
        self._add(url, lambda _: answered, times)

    def refuse(self, url: str, *, times: int | None = None) -> None:
        """Have connections to *url*, and to all that begins with it, refused from now on: as ``answer``."""
        self._add(url, lambda _: Answered(refuses=True), times)

    async def send(self, request: Request, before_first_byte: Callable[[], None]) -> Exchange:
        """See ``HttpClient``: but that nothing is sent."""
        sent = Sent(
            at=datetime.fromtimestamp(self._clock.now() // SECOND, UTC).replace(microsecond=self._clock.now() % SECOND),
            method=request.method,
            url=request.url,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.body or b"",
        )
        answered = await self._answer_to(sent)
        if answered.refuses:
            error = DeliveryError("connect_refused", "the target refused the connection")
            error.exchange = Exchange(phases=Phases(total=0.0))
            raise error
        before_first_byte()
        self.sent.append(sent)
        return Exchange(
            phases=Phases(total=0.0),
            status=answered.status,
            headers={name.lower(): value for name, value in answered.headers.items()},
            body=answered.body,
        )

    async def close(self) -> None:
        """There is nothing to close."""

    def _add(self, url: str, respond: Respond, times: int | None) -> None:
        self._rules.insert(0, _Rule(url, respond, times))

    async def _answer_to(self, sent: Sent) -> Answered:
        rule = next((rule for rule in self._rules if rule.fits(sent.url)), None)
        if rule is None:
            return Answered()
        if rule.left is not None:
            rule.left -= 1
        answered = rule.respond(sent)
        if inspect.isawaitable(answered):
            answered = await answered
        return Answered(answered) if isinstance(answered, int) else answered


def _answered(status: int, said: Any, body: str | UnsetType, headers: Mapping[str, str]) -> Answered:  # noqa: ANN401 - JSON
    if said is UNSET:
        return Answered(status, headers, "" if isinstance(body, UnsetType) else body)
    if body is not UNSET:
        raise ValueError("expected json or body, got both")
    return Answered(status, {"content-type": "application/json", **headers}, json.dumps(said))
