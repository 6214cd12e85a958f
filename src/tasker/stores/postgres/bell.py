"""Wakes other nodes by NOTIFY, and is woken by them. Everything works without it, a little later."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Final

from tasker.errors import StoreError
from tasker.stores.postgres.connection import Connection, Link
from tasker.timing.alarm import sleep
from tasker.timing.clock import Clock

CHANNEL: Final = "tasker_due"

APART_SECONDS: Final = 0.1
"""Between two notifications of a node. PostgreSQL commits those of all sessions one after the
other."""

_LOOK_SECONDS: Final = 2.0
"""How often the connection is looked after."""


class Bell:
    """Listens on a connection of its own, and notifies on it: never inside the transaction of a write."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], node: str, clock: Clock) -> None:
        self._connect = connect
        self._node = node
        self._clock = clock
        self.link = Link(self._connect_and_listen, clock.monotonic)
        """Its connection."""
        self._ring: Callable[[], None] = lambda: None
        self._jobs: set[asyncio.Task[None]] = set()
        self._rung_at = 0.0
        self._is_ringing = False

    def listen(self, ring: Callable[[], None]) -> None:
        """Call *ring* when another node notifies."""
        self._ring = ring
        self._start(self._look_after())

    def ring_others(self) -> None:
        """Notify, now or a little later: several calls make one notification."""
        if not self._is_ringing:
            self._is_ringing = True
            self._start(self._notify())

    async def close(self) -> None:
        """Stop listening and notifying."""
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self.link.close()

    def _start(self, job: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _look_after(self) -> None:
        while True:
            with suppress(StoreError):  # every node claims once a second in any case
                await self.link.run(lambda connection: connection.execute("SELECT"))
            await sleep(self._clock, _LOOK_SECONDS)

    async def _notify(self) -> None:
        wait = self._rung_at + APART_SECONDS - self._clock.monotonic()
        if wait > 0:
            await sleep(self._clock, wait)
        self._is_ringing = False
        self._rung_at = self._clock.monotonic()
        with suppress(StoreError):
            await self.link.run(lambda connection: connection.execute("SELECT pg_notify($1, $2)", CHANNEL, self._node))

    async def _connect_and_listen(self) -> Connection:
        connection = await self._connect()
        await connection.add_listener(CHANNEL, self._heard)
        return connection

    def _heard(self, _connection: object, _process: int, _channel: str, sender: object) -> None:
        if sender != self._node:
            self._ring()
