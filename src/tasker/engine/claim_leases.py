"""Takes back what workers have pulled and were not heard of in time."""

from collections.abc import Callable

import structlog

from tasker.engine.due_work import Step
from tasker.engine.recovery import count_taken_back
from tasker.engine.telemetry import Telemetry
from tasker.interfaces.store import Store

_log = structlog.get_logger()


class ClaimLeases:
    """Ends the leases of claims by callers. The step of a ``DueWork``."""

    def __init__(self, store: Store, telemetry: Telemetry, *, ring: Callable[[], None]) -> None:
        """Make the job.

        Args:
            ring: called when tasks went back to their queues, or ended.
        """
        self._store = store
        self._telemetry = telemetry
        self._ring = ring

    async def step(self) -> Step:
        """End what the store ends at once. Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """
        ended = await self._store.end_leases()
        taken = ended.taken
        if taken.todo or taken.failed:
            count_taken_back(self._telemetry, taken, at=self._store.clock.now())
            _log.warning("took back jobs whose workers were not heard of", todo=taken.todo, failed=taken.failed)
            self._ring()
        return Step(done=taken.todo + taken.failed, next_at=ended.next_at)
