"""That a node looks for due tasks: when to write it down, and whether the process itself was why it did not.

From what is written it is known when no node looked: a gap between one look and the next of any
node. A store writes it with a claim, before it takes anything.
"""

from collections.abc import Callable
from datetime import timedelta

from tasker.model.instants import Instant, after
from tasker.model.lateness import DOWN_AFTER, LOOK_EVERY


class Looks:
    """What one node knows of its looks. Each claim is one, unless the store refuses it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Make it, for a node that has not looked yet.

        Args:
            monotonic: seconds of a clock that never steps back, and stands still while the machine
                is suspended.
        """
        self._monotonic = monotonic
        self._began_at: float | None = None
        """When it last began a look, or was refused: what follows is the process's own time."""
        self._noted_at: Instant | None = None
        self.hung = timedelta(0)
        """How long the process made no try to look since a look was last noted, although nothing
        kept it from one. Shorter pauses than ``DOWN_AFTER`` do not count."""
        self.down_until: Instant = 0
        """The end of the latest span in which no node looked: what is due later was not due in
        any."""

    @property
    def has_looked(self) -> bool:
        """Whether the node has looked, so that ``down_until`` is known."""
        return self._noted_at is not None

    def begin(self) -> None:
        """Say that a try to look begins."""
        now = self._monotonic()
        pause = timedelta(seconds=0 if self._began_at is None else now - self._began_at)
        if pause > DOWN_AFTER:
            self.hung += pause
        self._began_at = now

    def is_due(self, now: Instant) -> bool:
        """Return whether a look at *now* is to be noted before anything is claimed."""
        return self._noted_at is None or not self._noted_at <= now < after(self._noted_at, LOOK_EVERY)

    def noted(self, now: Instant, *, down_until: Instant) -> None:
        """Say that the look at *now* was written down, and when the latest span ended in which there was none."""
        self._noted_at = now
        self.hung = timedelta(0)
        self.down_until = down_until

    def refused(self) -> None:
        """Say that the store cannot be used: up to now the process was not the reason why nobody looked."""
        self._began_at = self._monotonic()
