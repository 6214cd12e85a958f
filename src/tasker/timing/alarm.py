"""Sleep until a moment, or until somebody rings."""

import asyncio
from typing import Final

from tasker.model.instants import Instant
from tasker.timing.clock import Clock

LONGEST_SLEEP: Final = 1.0
"""Seconds after which a sleeper wakes in any case. A clock that was set, a suspended machine or a
lost ring costs at most that."""


class Alarm:
    """Lets one sleeper wait until a moment on a clock, or an earlier one that is announced.

    Belongs to one event loop.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timer = clock.timer(self._wake)
        self._rung = False
        self._sleeper: asyncio.Future[None] | None = None
        self._sleeps_until: Instant | None = None
        self._announced: Instant | None = None
        """The earliest moment announced since ``forget``."""

    @property
    def is_slept_on(self) -> bool:
        """Whether somebody sleeps, and nothing wakes them now: the next to do so is a moment to come, or a ring."""
        return self._sleeper is not None and not self._sleeper.done() and not self._rung

    def announce(self, moment: Instant) -> None:
        """Say that it is worth looking at *moment*. A sleeper who would sleep longer wakes now, and hears of it."""
        if self._announced is None or moment < self._announced:
            self._announced = moment
            if self._sleeper is not None and (self._sleeps_until is None or moment < self._sleeps_until):
                self.ring()

    def forget(self) -> None:
        """Forget what was announced so far.

        Call this before a look, which sees it: what is announced meanwhile counts.
        """
        self._announced = None

    def ring(self) -> None:
        """Wake the sleeper now; if nobody sleeps, the next sleep ends at once. Rings do not add up."""
        self._rung = True
        self._wake()

    async def sleep_until(self, moment: Instant | None) -> None:
        """Return when the clock reads *moment*, or what was announced, or later; when rung; or after ``LONGEST_SLEEP``.

        None: there is no such moment. Never returns early for *moment*'s sake, but the caller has
        to look: a return says that it is worth looking, no more.
        """
        if self._announced is not None and (moment is None or self._announced < moment):
            moment = self._announced
        if not self._rung and (moment is None or moment > self._clock.now()):
            self._sleeper = asyncio.get_running_loop().create_future()
            self._sleeps_until = moment
            if moment is not None:
                self._timer.set(moment)
            limit = self._clock.call_later(LONGEST_SLEEP, self._wake)
            try:
                await self._sleeper
            finally:
                limit.cancel()
                if moment is not None:
                    self._timer.set(None)
                self._sleeper = None
        self._rung = False

    def close(self) -> None:
        """Give the timer back to the system. A sleeper must not be waiting."""
        self._timer.close()

    def _wake(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)


async def sleep(clock: Clock, seconds: float, *, rung: asyncio.Event | None = None) -> None:
    """Return after *seconds* of the *clock*'s monotonic time, or once *rung* is set.

    It is set then in any case: whoever waits for the next time clears it. 0 or less: others on the event loop
    get a turn, whether the clock moves or not.
    """
    over = asyncio.Event() if rung is None else rung
    if seconds <= 0:
        await asyncio.sleep(0)
        over.set()
        return
    call = clock.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        call.cancel()
