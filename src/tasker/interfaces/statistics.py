"""What is counted of tasks over time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from tasker.model.history import HistoryRow, Kept
from tasker.model.instants import Instant
from tasker.model.steps import DueCounts, Steps

DUE_COUNTED_TO: Final = 200_000
"""Where ``count_due`` stops counting."""

DUE_COUNTED_FOR: Final = timedelta(seconds=0.5)
"""After so long it stops, too."""

PRUNE_HISTORY_LIMIT: Final = 500
"""Rows of the history that one call of ``prune_history`` deletes at most, of each length."""


class StatisticsStore(Protocol):
    """Counts. See ``Store`` for what holds for every method."""

    async def count_due(self, steps: Steps) -> DueCounts:
        """Return how many of the tasks that are ``todo`` are due in each step, by their ``due_at``.

        Counts at most ``DUE_COUNTED_TO`` tasks, for about ``DUE_COUNTED_FOR``: those that gates
        hold first, up to a quarter of that, then the others in the order of time. What changes while
        they are counted may be counted as before, as after, or twice.
        """

    async def write_history(self, rows: Sequence[HistoryRow]) -> None:
        """Write *rows*, all or none. One with the length, the moment and the run of a stored one replaces it."""

    async def history(
        self,
        length: int,
        first: Instant,
        until: Instant,
        *,
        beyond: tuple[Instant, str] | None = None,
        limit: int,
        of_failures: bool = False,
    ) -> Sequence[Kept]:
        """Return up to *limit* rows of spans of *length* that began at *first* or later, before *until*.

        They are ordered by moment and run. Fewer than *limit*: there are no more.

        Args:
            beyond: the moment and the run of the last row of the page before; None for the first page.
            limit: at least 1.
            of_failures: return what failed, of the rows in which anything did; else the counts.
        """

    async def prune_history(self) -> int:
        """Delete some of the rows that are older than ``KEPT`` says; return how many. 0: there are no more.

        At most ``PRUNE_HISTORY_LIMIT`` of each length. Nodes may do so at the same time.
        """
