"""Wakes other nodes by NOTIFY, and is woken by them. Everything works without it, a little later."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Final

from tasker.errors import StoreError
from tasker.model.store_meter import StoreMeter
from tasker.stores.postgres.connection import Connection, Link
from tasker.timing.alarm import sleep
from tasker.timing.clock import Clock

CHANNEL: Final = "tasker_due"
"""Something is due."""

WATCHING: Final = "tasker_watching"
"""Somebody waits for the end of a task."""

ENDED: Final = "tasker_ended"
"""A task has ended."""

KEYS: Final = "tasker_keys"
"""Other callers may call than before."""

READING: Final = "tasker_reading"
"""Somebody reads events."""

EVENTS: Final = "tasker_events"
"""What has happened."""

INBOX: Final = "tasker_inbox"
"""Rows were written to the inbox, by anybody: a trigger says so."""

_SUFFIX: Final = "SELECT CASE current_schema() WHEN 'public' THEN '' ELSE '_' || left(current_schema(), 40) END"
"""What the names of channels end with: each schema has its own, those that share a database do not hear each
other. A trigger of the inbox says the same."""

APART_SECONDS: Final = 0.1
"""Between two notifications of a node on a channel. PostgreSQL commits those of all sessions one
after the other."""

WATCH_SECONDS: Final = 5.0
"""How long a node that says that it watches is told of ends, or one with readers of events."""

_OTHERS: Final = "SELECT EXISTS (SELECT FROM node WHERE id::text <> $1 AND lease_until > tasker_now())"
"""Whether there is any other node."""

_NOTIFY: Final = "SELECT pg_notify($1, $2)"

_LOOK_SECONDS: Final = 2.0
"""How often the connection is looked after."""


class Bell:
    """Listens on a connection of its own, and notifies on it: never inside the transaction of a write."""

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], node: str, clock: Clock, meter: StoreMeter
    ) -> None:
        self._connect = connect
        self._node = node
        self._clock = clock
        self.link = Link(self._connect_and_listen, clock.monotonic, meter)
        """Its connection."""
        self._ring: Callable[[], None] = lambda: None
        self._ring_ended: Callable[[], None] = lambda: None
        self._ring_keys: Callable[[], None] = lambda: None
        self._ring_inbox: Callable[[], None] = lambda: None
        self._readers_elsewhere: Callable[[float], None] = lambda seconds: None
        self._events_heard: Callable[[str], None] = lambda text: None
        self._events_lost: Callable[[], None] = lambda: None
        self._suffix = ""
        self._has_listened = False
        self._told_until = -math.inf
        """Until when some other node is told of ends."""
        self._jobs: set[asyncio.Task[None]] = set()
        self._rung_at: dict[str, float] = {}
        self._ringing: set[str] = set()

    def listen(self, ring: Callable[[], None]) -> None:
        """Call *ring* when another node notifies."""
        self._ring = ring
        self._start(self._look_after())

    def ring_others(self) -> None:
        """Notify, now or a little later: several calls make one notification."""
        self._notify_soon(CHANNEL)

    def watch_ends(self, ring: Callable[[], None]) -> None:
        """Call *ring* when another node says that a task has ended; they do so for ``WATCH_SECONDS``."""
        self._ring_ended = ring
        self._notify_soon(WATCHING)

    def say_ended(self) -> None:
        """Say that a task has ended, as ``ring_others`` does, if another node watches."""
        if self._clock.monotonic() < self._told_until:
            self._notify_soon(ENDED)

    def watch_keys(self, ring: Callable[[], None]) -> None:
        """Call *ring* when another node says that other callers may call than before."""
        self._ring_keys = ring

    def say_keys_changed(self) -> None:
        """Say that other callers may call than before, as ``ring_others`` does."""
        self._notify_soon(KEYS)

    def watch_inbox(self, ring: Callable[[], None]) -> None:
        """Call *ring* when rows were committed to the inbox."""
        self._ring_inbox = ring

    def listen_for_readers(self, wanted: Callable[[float], None]) -> None:
        """Call *wanted* when another node says that it has readers of events; and now, if one may have said so."""
        self._readers_elsewhere = wanted
        self._start(self._want_what_others_may_read())

    def watch_events(self, heard: Callable[[str], None], lost: Callable[[], None]) -> None:
        """Call *heard* with what other nodes tell; they do so for ``WATCH_SECONDS``. *lost*: some may be missing."""
        self._events_heard, self._events_lost = heard, lost
        self._notify_soon(READING)

    async def tell_events(self, texts: Sequence[str]) -> None:
        """Tell the other nodes, in one transaction: they get all texts, in their order."""
        said = [self._node + text for text in texts]
        await self.link.run(
            lambda connection: connection.execute(
                "SELECT pg_notify($1, text) FROM unnest($2::text[]) AS told (text)",
                EVENTS + self._suffix,
                said,
            )
        )

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

    async def _want_what_others_may_read(self) -> None:
        alone = False
        with suppress(StoreError):
            alone = not await self.link.run(lambda connection: connection.fetchval(_OTHERS, self._node))
        if not alone:
            self._readers_elsewhere(WATCH_SECONDS)

    def _notify_soon(self, channel: str) -> None:
        if channel not in self._ringing:
            self._ringing.add(channel)
            self._start(self._notify(channel))

    async def _notify(self, channel: str) -> None:
        wait = self._rung_at.get(channel, -math.inf) + APART_SECONDS - self._clock.monotonic()
        if wait > 0:
            await sleep(self._clock, wait)
        self._ringing.discard(channel)
        self._rung_at[channel] = self._clock.monotonic()
        with suppress(StoreError):
            await self.link.run(lambda connection: connection.execute(_NOTIFY, channel + self._suffix, self._node))

    async def _connect_and_listen(self) -> Connection:
        connection = await self._connect()
        self._suffix = await connection.fetchval(_SUFFIX) or ""
        for channel in (CHANNEL, WATCHING, ENDED, KEYS, READING, EVENTS, INBOX):
            await connection.add_listener(channel + self._suffix, self._heard)
        if self._has_listened:  # what was said in between is lost, that others read among it
            self._events_lost()
            self._readers_elsewhere(WATCH_SECONDS)
        self._has_listened = True
        return connection

    def _heard(self, _connection: object, _process: int, channel: str, said: str) -> None:
        if said.startswith(self._node):
            return
        channel = channel.removesuffix(self._suffix)
        if channel == EVENTS:
            self._events_heard(said[len(self._node) :])
        elif channel == READING:
            self._readers_elsewhere(WATCH_SECONDS)
        elif channel == WATCHING:
            self._told_until = self._clock.monotonic() + WATCH_SECONDS
        elif channel == ENDED:
            self._ring_ended()
        elif channel == KEYS:
            self._ring_keys()
        elif channel == INBOX:
            self._ring_inbox()
        else:
            self._ring()
