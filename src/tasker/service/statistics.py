"""What is counted of tasks over time."""

from tasker.interfaces.store import Store
from tasker.model.instants import Instant
from tasker.model.steps import DueCounts, Steps


class StatisticsService:
    """Counts. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> Instant:
        """Return the time by the clock that decides what is due."""
        return self._store.clock.now()

    async def due(self, steps: Steps) -> DueCounts:
        """Return how many tasks are due in each step; see ``Store.count_due``."""
        return await self._store.count_due(steps)
