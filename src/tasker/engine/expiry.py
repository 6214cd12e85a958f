"""Ends what could not start in time."""

from collections.abc import Callable

import structlog

from tasker.engine.due_work import Step
from tasker.engine.telemetry import Telemetry
from tasker.interfaces.store import Store
from tasker.model import lifecycle

_log = structlog.get_logger()


class Expiry:
    """Ends tasks as ``failed`` whose ``expires_at`` has passed while they were waiting. The step of a ``DueWork``."""

    def __init__(self, store: Store, telemetry: Telemetry, *, ring: Callable[[], None]) -> None:
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
            fault = lifecycle.expired(None)
            self._telemetry.failures.ended(fault.code, fault.msg, expired.count, at=self._store.clock.now())
            _log.info("tasks expired", count=expired.count)
            self._ring()
        return Step(done=expired.count, next_at=expired.next_at)
