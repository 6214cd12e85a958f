"""Deadlines that are set often and seldom pass."""

from collections.abc import Callable
from typing import Final

from tasker.timing.clock import Cancellable, Clock

_SHORTEST_SLEEP: Final = 0.001
"""Seconds. Event loops count whole milliseconds, so a timer may ring one too early; shorter ones
would ring again at once."""


class Deadline:
    """Calls *passed* when its time is up, unless it is cleared or set anew before. Belongs to one event loop.

    It never passes early. When it would pass late, because the process stood still or the loop was
    busy, it first gives once more as much time as it is late, but no more than it was set to, and a
    turn of the loop at the least: what has arrived meanwhile is read before it is called too late.
    (Event loops may ring their timers before they look at their sockets.)

    To set and to clear it costs hardly more than a look at the clock: the timer behind it rings
    when the earliest of the moments that were set comes, and then sleeps on if that is not the one
    that counts.
    """

    def __init__(self, clock: Clock, passed: Callable[[], None]) -> None:
        self._clock = clock
        self._passed = passed
        self._moment: float | None = None
        self._held = False
        self._left: float | None = None  # of the time, while it is held
        self._grace = 0.0
        self._timer: Cancellable | None = None
        self._rings_at = 0.0

    @property
    def is_set(self) -> bool:
        """Whether it may still pass."""
        return self._moment is not None or self._left is not None

    def set(self, seconds: float) -> None:
        """Pass in so many *seconds* from now, 0 or more. Replaces what was set before."""
        self._grace = seconds
        if self._held:
            self._left = seconds
        else:
            self._run(seconds)

    def clear(self) -> None:
        """Do not pass, until it is set again."""
        self._moment = self._left = None

    def hold(self) -> None:
        """Let no time pass until ``go_on``, neither of what is set nor of what is set meanwhile.

        May be called twice.
        """
        if self._moment is not None:
            self._left = max(self._moment - self._clock.monotonic(), 0)
            self._moment = None
        self._held = True

    def go_on(self) -> None:
        """Let time pass again. May be called twice."""
        self._held = False
        if self._left is not None:
            self._run(self._left)
            self._left = None

    def close(self) -> None:
        """Never pass again, and leave no timer behind. May be called twice."""
        self.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self, seconds: float) -> None:
        self._moment = moment = self._clock.monotonic() + seconds
        if self._timer is None:
            self._sleep(seconds)
        elif moment < self._rings_at:
            self._timer.cancel()
            self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        seconds = max(seconds, _SHORTEST_SLEEP)
        self._rings_at = self._clock.monotonic() + seconds
        self._timer = self._clock.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._moment is None:
            return
        left = self._moment - self._clock.monotonic()
        if left < 0 < self._grace:
            left = min(-left, self._grace)
            self._moment = self._clock.monotonic() + left
            self._grace = 0.0
        if left > 0:
            self._sleep(left)
        else:
            self._moment = None
            self._passed()
