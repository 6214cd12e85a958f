"""Takes back what a process that died, or a node whose lease has ended, left running."""

from datetime import timedelta
from typing import Final

import structlog

from tasker.engine.telemetry import Telemetry
from tasker.interfaces.queue import TakenBack
from tasker.interfaces.store import Store
from tasker.model import lifecycle
from tasker.model.instants import Instant

LOOK: Final = timedelta(seconds=2)
"""How often nodes look for others that are gone."""

_log = structlog.get_logger()


class Recovery:
    """Returns tasks to the queue whose holder is gone; they run at once."""

    def __init__(self, store: Store, telemetry: Telemetry) -> None:
        self._store = store
        self._telemetry = telemetry

    async def run_once(self) -> timedelta:
        """Take back what there is. Return after how long to look again. Safe to repeat.

        Raises:
            StoreUnavailableError: the store cannot be written; nothing, or everything, was taken
                back.
        """
        taken = await self._store.take_back()
        if not (taken.todo or taken.failed or taken.cancelled):
            return LOOK
        count_taken_back(self._telemetry, taken, at=self._store.clock.now())
        _log.warning(
            "took back tasks that were running when their server died",
            todo=taken.todo,
            failed=taken.failed,
            cancelled=taken.cancelled,
        )
        return timedelta(0)  # there may be more


def count_taken_back(telemetry: Telemetry, taken: TakenBack, *, at: Instant) -> None:
    """Count what was taken back at a moment."""
    telemetry.taken_back += taken.todo + taken.failed + taken.cancelled
    telemetry.failed += taken.failed
    if taken.failed:
        fault = lifecycle.CRASHED
        telemetry.failures.ended(fault.code, fault.msg, taken.failed, at=at)
    telemetry.cancelled += taken.cancelled
