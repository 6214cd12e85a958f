"""Notices that the clock of this machine was set while the server ran: what is due depends on it."""

from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from tasker.model.instants import SECOND
from tasker.timing.clock import Cancellable, Clock

EVERY_SECONDS: Final = 1.0
"""How often it is looked at."""

LEAST_SECONDS: Final = 0.25
"""What counts as a step. To slow a clock down, or to let it run faster, moves it by much less in a second."""

DIRECTIONS: Final = ("forward", "back")

_HELD_UP_SECONDS: Final = 0.05
"""If reading both clocks took longer, they were not read at one moment."""

_log = structlog.get_logger()


class ClockSteps:
    """Compares the wall clock every second with one that nobody sets. Needs a running event loop."""

    def __init__(self, clock: Clock, steady: Callable[[], float]) -> None:
        """Begin to look.

        Args:
            steady: seconds of a clock that never steps, and goes on while the machine is suspended.
        """
        self.counts: Counter[str] = Counter(dict.fromkeys(DIRECTIONS, 0))
        """How often the clock was set, by ``DIRECTIONS``."""
        self._clock = clock
        self._steady = steady
        self._ahead = self._compare()
        self._call: Cancellable
        self._begin()

    def close(self) -> None:
        """Look no more."""
        self._call.cancel()

    def _begin(self) -> None:
        self._call = self._clock.call_later(EVERY_SECONDS, self._called)

    def _called(self) -> None:
        self._begin()
        ahead = self._compare()
        if ahead is None:
            return
        step = 0.0 if self._ahead is None else ahead - self._ahead
        self._ahead = ahead
        if abs(step) >= LEAST_SECONDS:
            self.counts["forward" if step > 0 else "back"] += 1
            _log.warning("the clock of this machine was set", by_seconds=round(step, 3))

    def _compare(self) -> float | None:
        """Return how many seconds the wall clock is ahead of the other; None: the process was held up between them."""
        before = self._steady()
        now = self._clock.now() / SECOND
        return None if self._steady() - before > _HELD_UP_SECONDS else now - before
