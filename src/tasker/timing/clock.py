"""Clocks. The only file that reads the machine's."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Final, Protocol

import anyio

from tasker.model.instants import SECOND, Instant
from tasker.timing.wake_timer import Timer, wall_clock_timer

_TURNS: Final = 8
"""More than a chain of calls takes that gives the event loop a few turns: see ``patience.py``."""


class Cancellable(Protocol):
    """A call that is on its way."""

    def cancel(self) -> None:
        """Do not make the call. No effect once it was made."""


class Clock(Protocol):
    """Where everything in tasker reads time."""

    def now(self) -> Instant:
        """The moment now. May step back or forth when somebody sets the clock. For moments that are stored or shown."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back. For waits and durations, never stored."""

    def timer(self, ring: Callable[[], None]) -> Timer:
        """Return a timer on this clock that calls *ring* on the event loop, never before its moment."""

    def call_later(self, delay: float, call: Callable[[], None]) -> Cancellable:
        """Make *call* on the event loop after *delay* seconds of ``monotonic()``."""


def stopwatch() -> float:
    """Seconds on a clock that never steps back, to the microsecond: for what is measured on the machine alone."""
    return time.perf_counter()


def elapsed(began: float) -> float:
    """Seconds since ``stopwatch()`` read *began*, in whole microseconds, rounded down."""
    return int((time.perf_counter() - began) * SECOND) / SECOND  # round() takes twenty times as long


def since_boot() -> float:
    """Seconds since the machine was started, those in which it was suspended included, where the system knows that."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class SystemClock:
    """The machine's clocks: its wall clock, and the one that counts seconds since it was started."""

    def now(self) -> Instant:
        """The wall clock, to the microsecond, rounded down."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """See ``Clock``."""
        return time.monotonic()

    def timer(self, ring: Callable[[], None]) -> Timer:
        """A timer on the wall clock: it follows when the clock is set. Needs a running event loop."""
        return wall_clock_timer(ring, self.now)

    def call_later(self, delay: float, call: Callable[[], None]) -> Cancellable:
        """See ``Clock``."""
        return asyncio.get_running_loop().call_later(delay, call)


class ManualClock:
    """A clock for tests, and for made-up history: it stands still until it is moved.

    Timers ring in the order of their moments while the clock is moved past them, and after each the
    event loop runs until every task on it waits for something.
    """

    def __init__(self, now: Instant = 1_800_000_000 * SECOND) -> None:
        self._now = now
        self._elapsed = 0
        self._timers: set[_ManualTimer] = set()
        self._calls: list[tuple[int, int, _ManualCall]] = []
        self._order = itertools.count()

    def now(self) -> Instant:
        """Where the clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Seconds by which the clock was moved on so far; ``step`` does not count."""
        return self._elapsed / SECOND

    def timer(self, ring: Callable[[], None]) -> Timer:
        """See ``Clock``."""
        timer = _ManualTimer(ring, self._timers)
        self._timers.add(timer)
        return timer

    def next_ring(self) -> Instant | None:
        """The earliest moment that a timer is set to; None: none is."""
        return min((timer.moment for timer in self._timers if timer.moment is not None), default=None)

    def call_later(self, delay: float, call: Callable[[], None]) -> Cancellable:
        """See ``Clock``."""
        handle = _ManualCall(call)
        heapq.heappush(self._calls, (self._elapsed + round(delay * SECOND), next(self._order), handle))
        return handle

    async def advance(self, seconds: float) -> None:
        """Let *seconds* (0 or more) pass."""
        await _run_until_blocked()
        left = round(seconds * SECOND)
        while (ahead := self._next_within(left)) is not None:
            left -= ahead
            self._move(ahead)
            await _run_until_blocked()
        self._move(left)
        await _run_until_blocked()

    async def step(self, seconds: float) -> None:
        """Set the wall clock on by *seconds*, or back if they are negative; ``monotonic`` does not move."""
        self._now += round(seconds * SECOND)
        self._ring()
        await _run_until_blocked()

    def _next_within(self, limit: int) -> int | None:
        """Microseconds to the next ring or call, if it comes within *limit*."""
        while self._calls and self._calls[0][2].call is None:
            heapq.heappop(self._calls)
        ahead = [max(timer.moment - self._now, 0) for timer in self._timers if timer.moment is not None]
        if self._calls:
            ahead.append(max(self._calls[0][0] - self._elapsed, 0))
        nearest = min(ahead, default=None)
        return nearest if nearest is not None and nearest <= limit else None

    def _move(self, microseconds: int) -> None:
        self._now += microseconds
        self._elapsed += microseconds
        self._ring()

    def _ring(self) -> None:
        due = [timer for timer in self._timers if timer.moment is not None and timer.moment <= self._now]
        for timer in sorted(due, key=lambda timer: timer.moment or 0):
            timer.moment = None
            timer.ring()
        while self._calls and self._calls[0][0] <= self._elapsed:
            call = heapq.heappop(self._calls)[2].call
            if call is not None:
                call()


async def _run_until_blocked() -> None:
    """Run the event loop until every task on it waits for something, and calls that make other calls have made them."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    await anyio.wait_all_tasks_blocked()


class _ManualTimer:
    def __init__(self, ring: Callable[[], None], timers: "set[_ManualTimer]") -> None:
        self.ring = ring
        self.moment: Instant | None = None
        self._timers = timers

    def set(self, moment: Instant | None) -> None:
        self.moment = moment

    def close(self) -> None:
        self.moment = None
        self._timers.discard(self)


class _ManualCall:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None
