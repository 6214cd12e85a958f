"""What is counted of tasks over time."""

from datetime import timedelta
from typing import Final, Protocol

from tasker.model.steps import DueCounts, Steps

DUE_COUNTED_TO: Final = 200_000
"""Where ``count_due`` stops counting."""

DUE_COUNTED_FOR: Final = timedelta(seconds=0.5)
"""After so long it stops, too."""


class StatisticsStore(Protocol):
    """Counts. See ``Store`` for what holds for every method."""

    async def count_due(self, steps: Steps) -> DueCounts:
        """Return how many of the tasks that are ``todo`` are due in each step, by their ``due_at``.

        Counts at most ``DUE_COUNTED_TO`` tasks, for about ``DUE_COUNTED_FOR``: those that gates
        hold first, up to a quarter of that, then the others in the order of time.
        """
