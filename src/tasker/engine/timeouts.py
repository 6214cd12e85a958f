"""Which of many things that began have not ended in time: one timer for all of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from tasker.timing.clock import Clock
from tasker.timing.patience import PatientTimer

T = TypeVar("T")


class Timeouts(Generic[T]):
    """Calls for each thing that has not ended *timeout* after it began, a few turns of the loop later.

    All have the same time, so they come due in the order in which they began, and a timer for the
    first of them does. A timer for each would cost more than the rest of what is done for it.
    """

    def __init__(self, clock: Clock, timeout: timedelta, overrun: Callable[[T], None]) -> None:
        """Make it.

        Args:
            overrun: called once for each thing that has not ended in time.
        """
        self._clock = clock
        self._seconds = timeout.total_seconds()
        self._overrun = overrun
        self._deadlines: dict[T, float] = {}
        """By what ``Clock.monotonic`` reads, the earliest first."""
        self._timer: PatientTimer | None = None

    def begin(self, thing: T) -> None:
        """*thing* begins, and is not under way yet."""
        self._deadlines[thing] = self._clock.monotonic() + self._seconds
        if self._timer is None:
            self._set(self._seconds)

    def end(self, thing: T) -> None:
        """*thing* has ended: it is not called for. May be called twice."""
        self._deadlines.pop(thing, None)

    def _set(self, seconds: float) -> None:
        self._timer = PatientTimer(self._clock.call_later, seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        late = [thing for thing, deadline in self._deadlines.items() if deadline <= now]
        for thing in late:
            del self._deadlines[thing]
            self._overrun(thing)
        if self._deadlines and self._timer is None:  # else: something has begun meanwhile
            self._set(next(iter(self._deadlines.values())) - now)
