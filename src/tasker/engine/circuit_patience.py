"""Ends what waits behind a circuit for too long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from tasker.engine.due_work import Step
from tasker.engine.telemetry import Telemetry
from tasker.interfaces.store import Store
from tasker.model import lifecycle
from tasker.model.instants import Instant

_log = structlog.get_logger()

_AT_ONCE: Final[Instant] = 0


class CircuitPatience:
    """Ends tasks as ``failed`` that circuits have kept for too long. The step of a ``DueWork``."""

    def __init__(self, store: Store, telemetry: Telemetry, *, least: timedelta, ring: Callable[[], None]) -> None:
        """Make the job.

        Args:
            least: how long a circuit may keep any task.
            ring: called when tasks have ended: their callbacks are due.
        """
        self._store = store
        self._telemetry = telemetry
        self._least = least
        self._ring = ring

    async def step(self) -> Step:
        """End what the store ends at once. Safe to repeat.

        When the next one is to end is not looked up: it may be up to a second late.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """
        if self._store.is_upgrading:  # nodes of the version before do not write down since when a circuit is open
            return Step(done=0, next_at=None)
        count = await self._store.give_up(self._least)
        if count:
            self._telemetry.failed += count
            fault = lifecycle.given_up(None)
            self._telemetry.failures.ended(fault.code, fault.msg, count, at=self._store.clock.now())
            _log.info("tasks ended behind circuits", count=count)
            self._ring()
        return Step(done=count, next_at=_AT_ONCE if count else None)
