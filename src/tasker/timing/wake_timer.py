"""Timers of the operating system that wake the event loop.

On Linux one ``timerfd``: the kernel wakes the loop at the moment itself, and never before it, also
when the clock was set meanwhile. uvloop's own ``call_at`` rounds to a millisecond and wakes early.
Source: timerfd_create(2).
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final, Protocol

from tasker.model.instants import SECOND, Instant

_CLOCK_REALTIME: Final = 0
_CLOCK_MONOTONIC: Final = 1
_TFD_NONBLOCK: Final = os.O_NONBLOCK
_TFD_CLOEXEC: Final = os.O_CLOEXEC
_TFD_TIMER_ABSTIME: Final = 1


class Timer(Protocol):
    """Rings once at a moment of the clock that made it."""

    def set(self, moment: Instant | None) -> None:
        """Ring at *moment*, or at once if it has passed; None: do not ring. Replaces what was set before."""

    def close(self) -> None:
        """Never ring again. May be called twice."""


def wall_clock_timer(ring: Callable[[], None], now: Callable[[], Instant]) -> Timer:
    """Return a timer on the wall clock that calls *ring* on the running event loop."""
    if sys.platform == "linux":
        return _TimerFd(_CLOCK_REALTIME, ring, int)
    return _LoopTimer(ring, int, now)


def monotonic_timer(ring: Callable[[], None], ticks_at: Callable[[Instant], int], ticks: Callable[[], int]) -> Timer:
    """Return a timer on the monotonic clock that calls *ring* on the running event loop.

    Args:
        ticks_at: what that clock reads, in microseconds, at a moment. Asked when the timer is set.
        ticks: what it reads now.
    """
    if sys.platform == "linux":
        return _TimerFd(_CLOCK_MONOTONIC, ring, ticks_at)
    return _LoopTimer(ring, ticks_at, ticks)


class _ITimerSpec(ctypes.Structure):
    """``struct itimerspec``: interval, then value, each as seconds and nanoseconds."""

    _fields_ = (
        ("interval_sec", ctypes.c_long),
        ("interval_nsec", ctypes.c_long),
        ("value_sec", ctypes.c_long),
        ("value_nsec", ctypes.c_long),
    )


class _TimerFd:
    """A ``timerfd`` on one of the system's clocks. Through ctypes: the ``os`` module has it only since Python 3.13."""

    def __init__(self, clock: int, ring: Callable[[], None], ticks_at: Callable[[Instant], int]) -> None:
        self._ticks_at = ticks_at
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._ring = ring
        self._spec = _ITimerSpec()
        self._fd = self._libc.timerfd_create(clock, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._expired)

    def set(self, moment: Instant | None) -> None:
        spec = self._spec
        spec.value_sec, microseconds = (0, 0) if moment is None else divmod(max(self._ticks_at(moment), 1), SECOND)
        spec.value_nsec = microseconds * 1000
        if self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _expired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # it was set anew between the kernel's wake-up and this call
        self._ring()


class _LoopTimer:
    """Where there is no ``timerfd``: the event loop's own timer, set again while it woke too early."""

    def __init__(self, ring: Callable[[], None], ticks_at: Callable[[Instant], int], ticks: Callable[[], int]) -> None:
        self._ring = ring
        self._ticks_at = ticks_at
        self._ticks = ticks
        self._loop = asyncio.get_running_loop()
        self._moment: Instant | None = None
        self._handle: asyncio.TimerHandle | None = None

    def set(self, moment: Instant | None) -> None:
        self._moment = moment
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if moment is not None:
            self._handle = self._loop.call_later(max(self._ticks_at(moment) - self._ticks(), 0) / SECOND, self._expired)

    def close(self) -> None:
        self.set(None)

    def _expired(self) -> None:
        if self._moment is not None and self._ticks() < self._ticks_at(self._moment):
            self.set(self._moment)
        else:
            self._ring()
