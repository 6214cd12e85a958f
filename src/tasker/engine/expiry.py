"""Ends what could not start in time."""

from collections.abc import Callable
from typing import Protocol

import structlog
from msgspec import Struct

from tasker.engine.due_work import Step
from tasker.engine.telemetry import Telemetry
from tasker.model.instants import Instant

_log = structlog.get_logger()


class Expired(Struct, frozen=True):
    """What a look for expired tasks found."""

    count: int
    """Tasks that ended ``failed`` with ``expired``."""

    next_at: Instant | None
    """When the next task expires, which may have passed already; None: none does."""


class Expires(Protocol):
    """A store, as far as it is needed here."""

    async def expire(self) -> Expired:
        """End a bounded number of the tasks that could not start before their ``expires_at``, and store their callbacks.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """


class Expiry:
    """Ends tasks as ``failed`` whose ``expires_at`` has passed while they were waiting. The step of a ``DueWork``."""

    def __init__(self, store: Expires, telemetry: Telemetry, *, ring: Callable[[], None]) -> None:
        """Make the job.

        Args:
            ring: called when tasks have expired: their callbacks are due.
        """
        self._store = store
        self._telemetry = telemetry
        self._ring = ring

    async def step(self) -> Step:
        """End what the store ends at once. Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """
        expired = await self._store.expire()
        if expired.count:
            self._telemetry.failed += expired.count
            _log.info("tasks expired", count=expired.count)
            self._ring()
        return Step(done=expired.count, next_at=expired.next_at)
