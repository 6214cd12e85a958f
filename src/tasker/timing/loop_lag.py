"""How late the event loop is: whatever it does at one time, everything else waits for."""

from typing import Final

from tasker.model.histogram import PHASE_BOUNDS, Histogram
from tasker.timing.clock import Cancellable, Clock

EVERY_SECONDS: Final = 1.0
"""How often it is measured."""


class LoopLag:
    """Has itself called every second, and notes how much later that was. Needs a running event loop."""

    def __init__(self, clock: Clock) -> None:
        """Begin to measure."""
        self.micros = Histogram(PHASE_BOUNDS)
        """How late each call was, in microseconds. The timers of the event loop round to about a
        millisecond."""
        self._clock = clock
        self._due_at = 0.0
        self._call: Cancellable
        self._begin()

    def close(self) -> None:
        """Measure no more."""
        self._call.cancel()

    def _begin(self) -> None:
        self._due_at = self._clock.monotonic() + EVERY_SECONDS
        self._call = self._clock.call_later(EVERY_SECONDS, self._called)

    def _called(self) -> None:
        self.micros.observe(max(int((self._clock.monotonic() - self._due_at) * 1_000_000), 0))
        self._begin()
