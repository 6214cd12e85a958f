"""What is due and has not started."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tasker.model import instants
from tasker.model.instants import Instant

OVERDUE_COUNTED_TO: Final = 10_000
"""Where counting overdue tasks stops, for each reason: its cost does not grow with the store."""


class OverdueTasks(Struct, frozen=True):
    """The overdue tasks that wait for one reason."""

    count: int
    """Counting stops at ``OVERDUE_COUNTED_TO``."""
    oldest: Instant | None
    """The due time of the one that has waited longest, however many there are; None: there is none. Of
    those in the inbox: when their rows were inserted, of those that were counted."""


class Overdue(Struct, frozen=True):
    """The overdue tasks of a store at one moment."""

    at: Instant
    by_reason: Mapping[str, OverdueTasks]
    """By each of ``explaining.OVERDUE_REASONS``."""

    def oldest_seconds(self, reason: str) -> float:
        """Return for how long the oldest one of *reason* has been due; 0: there is none."""
        oldest = self.by_reason[reason].oldest
        return 0.0 if oldest is None else instants.seconds(max(self.at - oldest, 0))
