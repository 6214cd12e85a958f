"""Lets history happen: a server in memory, on a clock that leaps from one thing to do to the next."""

import json
import random
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tasker.api.receiving import HANG_UP, LEFT
from tasker.config import Settings
from tasker.demo.receivers import Receivers, Troubles
from tasker.model.history import MINUTE
from tasker.model.instants import SECOND, Instant, microseconds
from tasker.node import InProcess, in_process
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock
from tasker.timing.movable_clock import MovableClock

PUBLIC_URL: Final = "http://tasker.example"
"""Where the receivers of the demo would reach the server."""

PATIENCE: Final = timedelta(hours=24)
"""How long the circuit of the dead endpoint keeps what waits for it."""

_BEHIND: Final = 0.0006
"""Seconds by which an attempt begins later than due, on average."""


class Past:
    """A server that lives through a span of time as fast as it can. Use it as a context manager.

    It is a server in all but its doors: calls of the API are made by ``call``, and each is answered,
    checked and written down as it would be.
    """

    def __init__(self, begin: Instant, rand: random.Random, people: Mapping[str, str], troubles: Troubles) -> None:
        """Make it.

        Args:
            begin: where the clock stands at first.
            rand: random numbers: two pasts with the same ones are alike.
            people: who calls: a name, and a role.
            troubles: see ``Receivers``.
        """
        self._passing = ManualClock(begin)
        self.clock = MovableClock(self._passing)
        """Can leap: what waits for so many seconds to pass goes on waiting."""
        self.receivers = Receivers(self.clock, rand, troubles)
        self._rand = rand
        self._keys = {name: secrets.token_urlsafe(24) for name in people}
        self._settings = Settings(
            database_url="sqlite::memory:",
            api_keys=tuple(f"{key} {people[name]} {name}" for name, key in self._keys.items()),
            public_url=PUBLIC_URL,
            keep_done=None,  # all of the history is looked at
            keep_failed=None,
            keep_audit=None,
            circuit_patience=PATIENCE,
        )
        self._closing = AsyncExitStack()
        self._server: InProcess

    async def __aenter__(self) -> "Past":
        self._server = await self._closing.enter_async_context(
            in_process(self._settings, self.receivers, self.clock, rand=self._rand.random)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    async def until(self, moment: Instant) -> None:
        """Let time pass until *moment*: what comes due before it happens in its time."""
        while True:
            ring = self.clock.next_ring()
            if (ring is None or ring > self.clock.now() + SECOND) and (
                await self._server.store.due_schedules(limit=1)
            ).schedules:
                await self._passing.advance(1)  # a run has begun meanwhile: the job looks again within a second
                continue
            if ring is None or ring >= moment:
                break
            await self._go_to(ring + microseconds(timedelta(seconds=self._rand.expovariate(1 / _BEHIND))))
        await self._go_to(moment)

    async def until_calls_have_ended(self) -> None:
        """Let as much time pass as the calls take that are under way."""
        while self.receivers.under_way and (ring := self.clock.next_ring()) is not None:
            await self._go_to(ring)
        await self._server.engine.history.write()

    async def walk(self, seconds: float, *, step: float = 2) -> None:
        """Let some seconds pass without leaps: for what the server would not notice otherwise, such as a pause."""
        for _ in range(round(seconds / step)):
            await self._passing.advance(step)
        await self._server.engine.history.write()

    async def call(self, who: str, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Make a call of the API, and return the answer's JSON; None: it has none."""
        text = await self._exchange(
            method,
            path,
            b"" if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {self._keys[who]}", **headers},
        )
        return json.loads(text) if text else None

    async def tell(self, token: str, word: str, body: object) -> None:
        """Report the end of accepted work: as one who has a *token*. *word*: ``complete`` or ``fail``."""
        sent = {"authorization": f"Bearer {token}"}
        await self._exchange("POST", f"/completions/{word}", json.dumps(body).encode(), sent)

    def copy(self, path: Path) -> None:
        """Write what has become of it all into a file, which is empty: a database for a server."""
        assert isinstance(self._server.store, SqliteStore)  # noqa: S101 - as the settings say
        self._server.store.copy(path)

    async def _go_to(self, moment: Instant) -> None:
        if moment // MINUTE != self.clock.now() // MINUTE:  # what was counted in this minute is counted for it
            await self._server.engine.history.write()
        self.clock.leap(moment)
        await self._passing.advance(0)

    async def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Have the API answer a request.

        Raises:
            RuntimeError: it was refused: the story is wrong.
        """
        path, _, query = path.partition("?")
        asgi = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": _headers(body, headers),
            "extensions": {HANG_UP: {"call": _nothing}, LEFT: {"call": _nothing}},
        }
        answer = _Answer()
        await self._server.api(asgi, _Body(body), answer)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text.decode()}")
        await self._passing.advance(0)  # the alarms have heard of it before the clock leaps
        return answer.text


class _Body:
    """Hands a request's body over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}


class _Answer:
    """Takes an answer down."""

    def __init__(self) -> None:
        self.status = 0
        self.text = b""

    async def __call__(self, message: Any) -> None:  # noqa: ANN401 - as ASGI has it
        self.status = message.get("status", self.status)
        self.text += message.get("body", b"")


def _headers(body: bytes, headers: Mapping[str, str]) -> Sequence[tuple[bytes, bytes]]:
    sent = {"host": "localhost", **headers}
    if body:
        sent |= {"content-type": "application/json", "content-length": str(len(body))}
    return [(name.encode(), value.encode()) for name, value in sent.items()]


def _nothing(*_: object) -> None:
    pass
