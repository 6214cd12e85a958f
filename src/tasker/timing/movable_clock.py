"""A clock whose hands can be stopped and moved, while whoever waits for seconds to pass waits for real ones."""

from collections.abc import Callable

from tasker.model.instants import SECOND, Instant
from tasker.timing.clock import Cancellable, Clock
from tasker.timing.wake_timer import Timer


class MovableClock:
    """A ``Clock`` whose wall clock can be frozen, and goes to a moment at once.

    Its timers follow. ``call_later`` is that of the clock below: timeouts of calls and waits of
    callers take as long as ever, however the hands are moved.
    """

    def __init__(self, base: Clock, *, frozen: bool = False) -> None:
        """Make a clock that agrees with *base* until it is moved.

        Args:
            base: runs below.
            frozen: whether it stands still from now on; else it runs as *base* does.
        """
        self._base = base
        self._ahead: Instant = 0
        """By so much the wall clock is ahead of that of the base, while it runs."""
        self._stands_at = base.now() if frozen else None
        self._leapt: Instant = 0
        self._timers: set[_MovableTimer] = set()

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still until it is moved."""
        return self._stands_at is not None

    def now(self) -> Instant:
        """See ``Clock``."""
        return self._base.now() + self._ahead if self._stands_at is None else self._stands_at

    def monotonic(self) -> float:
        """See ``Clock``; with the leaps, so that whoever has looked a while ago looks again."""
        return self._base.monotonic() + self._leapt / SECOND

    def timer(self, ring: Callable[[], None]) -> Timer:
        """A timer on this clock: it rings when the clock gets to its moment, by running or by being moved."""
        timer = _MovableTimer(ring, self._base, self._timers, self._on_base)
        self._timers.add(timer)
        return timer

    def call_later(self, delay: float, call: Callable[[], None]) -> Cancellable:
        """See ``Clock``: after *delay* seconds of the base."""
        return self._base.call_later(delay, call)

    def next_ring(self) -> Instant | None:
        """The earliest moment that a timer is set to; None: none is."""
        return min((timer.moment for timer in self._timers if timer.moment is not None), default=None)

    def freeze(self) -> None:
        """Stand still from now on. May be called twice."""
        self._stands_at = self.now()
        self._set_timers()

    def run(self) -> None:
        """Run on from where it stands, as the base does. May be called twice."""
        if self._stands_at is not None:
            self._ahead = self._stands_at - self._base.now()
            self._stands_at = None
            self._set_timers()

    def leap(self, moment: Instant) -> None:
        """Let the time up to *moment* pass at once, unless that has passed already. Timers that come due ring."""
        ahead = max(moment - self.now(), 0)
        self._leapt += ahead
        self.set(self.now() + ahead)

    def set(self, moment: Instant) -> None:
        """Set the wall clock to *moment*, on or back, as one sets a machine's: ``monotonic`` does not move.

        Timers that come due by it ring.
        """
        if self._stands_at is None:
            self._ahead = moment - self._base.now()
        else:
            self._stands_at = moment
        self._set_timers()
        due = [timer for timer in self._timers if timer.moment is not None and timer.moment <= moment]
        for timer in sorted(due, key=lambda timer: timer.moment or 0):
            timer.ring()

    def _on_base(self, moment: Instant) -> Instant | None:
        """Return when the base gets to *moment* of this clock; None: never by itself."""
        if self._stands_at is None:
            return moment - self._ahead
        return None if moment > self._stands_at else self._base.now()

    def _set_timers(self) -> None:
        for timer in self._timers:
            timer.follow()


class _MovableTimer:
    """Rings by the base's timer while the clock runs, and else when the clock is moved."""

    def __init__(
        self,
        ring: Callable[[], None],
        base: Clock,
        timers: "set[_MovableTimer]",
        on_base: Callable[[Instant], Instant | None],
    ) -> None:
        self.moment: Instant | None = None
        self._ring = ring
        self._timers = timers
        self._on_base = on_base
        self._timer = base.timer(self.ring)

    def set(self, moment: Instant | None) -> None:
        self.moment = moment
        self.follow()

    def follow(self) -> None:
        """Set the base's timer to where the moment lies there now."""
        self._timer.set(None if self.moment is None else self._on_base(self.moment))

    def ring(self) -> None:
        """Ring once, unless it was unset meanwhile."""
        if self.moment is not None:
            self.set(None)
            self._ring()

    def close(self) -> None:
        self.moment = None
        self._timers.discard(self)
        self._timer.close()
