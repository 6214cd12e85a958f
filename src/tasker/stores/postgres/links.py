"""Whether a node has all the connections that it needs.

A node with some of them looks well, and fails at half of its work.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from tasker.errors import StoreError, StoreUnavailableError
from tasker.stores.postgres.connection import Link
from tasker.timing.alarm import sleep
from tasker.timing.clock import Clock

LOOK_SECONDS: Final = 1.0
"""How often the connections are looked at."""

_log = structlog.get_logger()


class Links:
    """Makes the connections of all links before they are needed, and again when they break."""

    def __init__(self, links: Sequence[Link], clock: Clock) -> None:
        self._links = links
        self._clock = clock
        self._job: asyncio.Task[None] | None = None
        self._said = 0
        self.ailment: StoreError | None = None
        """That the node has some of its connections, and cannot get the others; None while it has
        all, or none."""

    @property
    def needed(self) -> int:
        """How many connections there are when all are there."""
        return len(self._links)

    async def open(self) -> None:
        """Connect, as far as PostgreSQL lets it, and keep at it until ``stop``."""
        await self._look()
        self._job = asyncio.create_task(self._look_again())

    async def stop(self) -> None:
        """Make no connection anew. Those that are there go on."""
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)

    async def disconnect(self) -> None:
        """Close all connections, each once what is being done on it is done. After ``stop``."""
        for link in self._links:
            await link.close()

    def shut(self) -> None:
        """Close all connections now: what is being done on them, and what waits for them, fails."""
        for link in self._links:
            link.shut()

    async def _look_again(self) -> None:
        while True:
            await sleep(self._clock, LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        for link in self._links:
            if not link.is_connected:
                with suppress(StoreError):
                    await link.connect()
        failures = [link.failure for link in self._links if link.failure is not None]
        needed, given = len(self._links), len(self._links) - len(failures)
        if not failures or not given:  # none at all: whatever is asked of the store says so
            if self._said:
                _log.info("this node has all the connections to PostgreSQL again that it needs", needed=needed)
            self._said, self.ailment = 0, None
            return
        reason = getattr(failures[0], "reason", "unknown reason")
        self.ailment = StoreUnavailableError(f"this node needs {needed} connections to it, and has {given}: {reason}")
        if self._said != given:
            self._said = given
            _log.warning(
                "this node has fewer connections to PostgreSQL than it needs, and is not ready; "
                "see max_connections, the role's CONNECTION LIMIT, and the pooler",
                needed=needed,
                given=given,
                reason=reason,
            )
