"""Takes what applications have written into the inbox."""

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from tasker.engine.due_work import Step
from tasker.model.task import TaskId
from tasker.timing.clock import Clock

AT_ONCE: Final = 100
"""Rows that are taken in one step, at most."""


class Looked(Struct, frozen=True):
    """What a look at a part of the inbox came to."""

    count: int
    """Rows that were looked at."""
    next: TaskId | None
    """The row behind which to go on; None: the end was reached."""


class Inbox:
    """Goes through the inbox from its beginning to its end, again and again. The step of a ``DueWork``.

    So a row that is left, such as to a node that knows more, is in the way of no other.
    """

    def __init__(self, clock: Clock, take: Callable[[TaskId | None, int], Awaitable[Looked]]) -> None:
        """Make the job.

        Args:
            take: takes up to so many rows behind one; None: from the first one on.
        """
        self._clock = clock
        self._take = take
        self._after: TaskId | None = None

    async def step(self) -> Step:
        """Take some rows. Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: they were taken or not.
        """
        after, self._after = self._after, None  # if it fails, from the beginning
        looked = await self._take(after, AT_ONCE)
        self._after = looked.next
        return Step(done=looked.count, next_at=None if looked.next is None else self._clock.now())
