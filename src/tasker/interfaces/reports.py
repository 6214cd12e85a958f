"""What a store does to tasks and destinations that nobody has asked for one by one."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from tasker.model.task import Task, TaskId


class Report(Struct, frozen=True, kw_only=True):
    """What a call of a store has come to, beside what it returns."""

    ended: Sequence[TaskId] = ()
    """Tasks that ended without an attempt, or with one that was lost."""
    taken_back: Sequence[TaskId] = ()
    """Tasks that went back to the queue because their holder was gone."""
    followed_by: Sequence[Task] = ()
    """The tasks that were stored with the ends, because they follow them."""
    pruned: int = 0
    """How many tasks were deleted that ended long ago."""


class ReportStore(Protocol):
    """Says what it does by itself. See ``Store`` for what holds for every method."""

    def report_to(self, told: Callable[[Report], None] | None) -> None:
        """Call *told* on the event loop with what ``expire``, ``give_up``, ``take_back`` and the prunes have written.

        Before they return, and only of this node. None: call nobody any more.
        """
