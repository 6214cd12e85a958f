"""Ends attempts in other hands of whose end was told nothing in time."""

from collections.abc import Callable

import structlog

from tasker.engine.aftermath import Aftermath
from tasker.engine.due_work import Step
from tasker.engine.judging import judged
from tasker.interfaces.store import Store
from tasker.model.attempt import Awaited, Failed
from tasker.model.instants import Instant
from tasker.model.lifecycle import TIMED_OUT, Settlement
from tasker.wire.fields import readable_end_fields

_log = structlog.get_logger()


class Deadlines:
    """Ends attempts with ``completion_timeout`` whose deadline has passed. The step of a ``DueWork``."""

    def __init__(self, store: Store, aftermath: Aftermath, *, rand: Callable[[], float]) -> None:
        """Make the job.

        Args:
            rand: random numbers in [0, 1), for the jitter of retries.
        """
        self._store = store
        self._aftermath = aftermath
        self._rand = rand

    async def step(self) -> Step:
        """End what the store ends at once. Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """
        lapsed = await self._store.lapse(self._timed_out)
        for lapse in lapsed.lapses:
            attempt = lapse.awaited.attempt
            self._aftermath.settled(attempt, readable_end_fields(attempt.payload), lapse.settlement, lapse.settled)
        return Step(done=len(lapsed.lapses), next_at=lapsed.next_at)

    def _timed_out(self, awaited: Awaited, now: Instant) -> Settlement:
        return judged(awaited, Failed(TIMED_OUT), now=now, rand=self._rand())
