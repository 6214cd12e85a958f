"""A clock that stands elsewhere, such as a database's, as this machine knows it."""

from collections.abc import Callable
from typing import Final

from tasker.model.instants import SECOND, Instant
from tasker.timing.clock import Cancellable, Clock
from tasker.timing.wake_timer import Timer, monotonic_timer

DRIFT: Final = 500e-6
"""Seconds per second by which two clocks may drift apart while one of them is being adjusted.
Source: adjtimex(8)."""


class RemoteClock:
    """A ``Clock`` that another machine keeps, and that runs on here between one answer of that machine and the next.

    Each answer says between which two moments of our monotonic clock the other one read so much.
    The offset lies in what all answers agree on, widened at each by the time that has passed.
    ``now()`` is the earliest reading that this leaves
    possible: behind the other clock by less than the quickest answer took and the drift since, and
    ahead of it by no more than the two have drifted apart since the latest answer, half a
    millisecond in a second at most. An answer that contradicts the ones before means that the other
    clock was set: it counts alone.
    """

    def __init__(self, base: Clock) -> None:
        """Make a clock that agrees with *base*'s wall clock until the first answer.

        Args:
            base: this machine's clock.
        """
        self._base = base
        self._low = self._high = base.now() - self._ticks()
        self._observed_at: float | None = None

    def observe(self, moment: Instant, *, sent: float, received: float) -> None:
        """Take an answer: the other clock read *moment* at some time between *sent* and *received*.

        Both are readings of ``monotonic()``.
        """
        low, high = moment - _microseconds(received), moment - _microseconds(sent)
        if self._observed_at is not None:
            drift = _microseconds((received - self._observed_at) * DRIFT) + 1
            known_low, known_high = self._low - drift, self._high + drift
            if low <= known_high and high >= known_low:
                low, high = max(low, known_low), min(high, known_high)
        self._low, self._high, self._observed_at = low, high, received

    @property
    def ahead(self) -> int:
        """Microseconds by which the other clock is ahead of this machine's wall clock; negative if it is behind."""
        return self.now() - self._base.now()

    def now(self) -> Instant:
        """See ``Clock``."""
        return self._low + int(self._base.monotonic() * SECOND)

    def monotonic(self) -> float:
        """See ``Clock``: this machine's own."""
        return self._base.monotonic()

    def timer(self, ring: Callable[[], None]) -> Timer:
        """A timer on this machine's monotonic clock.

        It does not follow when the other clock is set: look now and then.
        """
        return monotonic_timer(ring, lambda moment: moment - self._low, self._ticks)

    def call_later(self, delay: float, call: Callable[[], None]) -> Cancellable:
        """See ``Clock``."""
        return self._base.call_later(delay, call)

    def _ticks(self) -> int:
        return _microseconds(self._base.monotonic())


def _microseconds(seconds: float) -> int:
    return int(seconds * SECOND)
