"""Timers that let what has arrived be read before they ring.

When a process goes on after a pause (SIGSTOP, ``docker pause``, a machine that was moved), its
timers are due while bytes that came in time still wait to be read; which of them the event loop
serves first is chance. Here a timer that is due gives the loop a few turns first, so that what came
in time counts. Without a pause that takes a fraction of a millisecond.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, TypeAlias

from tasker.timing.clock import Cancellable

_TURNS: Final = 4
"""Turns of the event loop: to read what waits, to wake the task that awaits it, to let it go on;
and one to spare."""

CallLater: TypeAlias = Callable[[float, Callable[[], None]], Cancellable]
"""``Clock.call_later``, or that of an event loop."""


class PatientTimer:
    """Makes a call once, a few turns of the running event loop after so many *seconds* have passed."""

    __slots__ = ("_call", "_next", "_turns", "is_due")

    def __init__(self, call_later: CallLater, seconds: float, call: Callable[[], None]) -> None:
        self._call = call
        self._next: Cancellable = call_later(seconds, self._ring)
        self._turns = _TURNS
        self.is_due = False
        """Whether the time is over, although the call may not have been made yet: nothing new
        should be begun."""

    def cancel(self) -> None:
        """Do not make the call. No effect once it was made."""
        self._next.cancel()
        # Where it is a method of this very timer, both would have to wait for the garbage collector, and with
        # them all that a delivery has used.
        self._call = _nothing

    def _ring(self) -> None:
        self.is_due = True
        if self._turns > 0:
            self._turns -= 1
            self._next = asyncio.get_running_loop().call_soon(self._ring)
        else:
            self._call()


def _nothing() -> None:
    """Do nothing."""


class Within(PatientTimer):
    """``with Within(seconds)``: as ``asyncio.timeout``, with a ``PatientTimer``. Use it once.

    Raises:
        TimeoutError: what is within did not end in time. It was cancelled.
    """

    __slots__ = ("_cancelling", "_has_expired", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._has_expired = False
        self._task: asyncio.Task[object]

    def check(self) -> None:
        """Call this before something new is begun, which would be cut short.

        Raises:
            TimeoutError: the time is over, although what is within still runs.
        """
        if self.is_due:
            raise TimeoutError

    def __enter__(self) -> "Within":
        """Begin to count."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        self._task = task
        self._cancelling = task.cancelling()
        super().__init__(task.get_loop().call_later, self._seconds, self._expire)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop counting."""
        self.cancel()
        if self._has_expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self._has_expired = True
        self._task.cancel()
