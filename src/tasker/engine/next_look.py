"""When a job looks next: at the moment it knows of, or earlier if it hears of another."""

from tasker.model.instants import LAST, Instant
from tasker.timing.alarm import Alarm
from tasker.timing.clock import Clock


class NextLook:
    """Lets one job sleep between looks at what is due. Belongs to one event loop.

    It holds one moment and one alarm, however much is waiting. It sleeps for a second at most, whatever it knows.
    """

    def __init__(self, clock: Clock) -> None:
        self._alarm = Alarm(clock)
        self._announced: Instant | None = None
        """The earliest moment announced since the latest look began, which may not have seen it."""
        self._sleeps_until: Instant | None = None

    def announce(self, moment: Instant) -> None:
        """Say that there will be something to do at *moment*: the job looks then, if it would not look earlier."""
        if self._announced is None or moment < self._announced:
            self._announced = moment
            if self._sleeps_until is not None and moment < self._sleeps_until:
                self._alarm.ring()

    def ring(self) -> None:
        """Look now: there may be something to do that nobody announced."""
        self._alarm.ring()

    def begin(self) -> None:
        """Say that a look begins. It sees what was announced so far."""
        self._announced = None

    async def sleep_until(self, moment: Instant | None) -> None:
        """Sleep until *moment*, what was announced since the look began, a ring, or for a second. May return earlier."""
        moments = [known for known in (moment, self._announced) if known is not None]
        self._sleeps_until = min(moments, default=LAST + 1)
        try:
            await self._alarm.sleep_until(self._sleeps_until)
        finally:
            self._sleeps_until = None

    def close(self) -> None:
        """Give the timer back to the system. The job must not be sleeping."""
        self._alarm.close()
