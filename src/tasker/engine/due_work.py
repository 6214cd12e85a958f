"""Work that comes due and is no claim, such as ending what has expired."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct

from tasker.engine.pulse import Pulse
from tasker.errors import StoreError
from tasker.model.instants import Instant
from tasker.timing.alarm import LONGEST_SLEEP, Alarm
from tasker.timing.clock import Clock

_log = structlog.get_logger()


class Step(Struct, frozen=True):
    """What a step of the work did, and when there is more."""

    done: int
    """How much was done. 0: nothing was due, or others are at it."""

    next_at: Instant | None
    """When the next step is due, which may have passed already; None: nothing is waiting."""


class DueWork:
    """Does work in bounded steps, each at the moment that the one before it named.

    Any number of nodes may do so at once. A step is made at the beginning and then at least once
    every second, whatever is known. If one has left more that is due, the next follows at once;
    others have their turn of the event loop in between. A step that fails is made again within a
    second. The work is not done twice at a time.
    """

    def __init__(self, clock: Clock, step: Callable[[], Awaitable[Step]], pulse: Pulse, *, name: str) -> None:
        """Make the job.

        Args:
            clock: the clock of ``Step.next_at``.
            step: does a bounded part of what is due. What it raises is logged.
            pulse: told of each step.
            name: what the work is called in the log.
        """
        self._clock = clock
        self._step = step
        self._pulse = pulse
        self._name = name
        self._alarm = Alarm(clock)
        self.done = 0
        """How much was done so far."""

    @property
    def is_idle(self) -> bool:
        """Whether no step is being made, and none is to be made now."""
        return self._alarm.is_slept_on

    def ring(self) -> None:
        """Make a step now, whatever is known."""
        self._alarm.ring()

    def announce(self, moment: Instant) -> None:
        """Say that something of this work comes due at *moment*. If it has passed, the next step is made at once."""
        self._alarm.announce(moment)

    async def run(self) -> None:
        """Do the work until this is cancelled."""
        try:
            while True:
                self._alarm.forget()
                began_at = self._clock.now()
                self._pulse.beat(self._name)
                step = await self._try()
                self.done += step.done
                was_due = step.next_at is not None and step.next_at <= began_at
                await asyncio.sleep(0)  # others have their turn, even if the next step follows at once
                if not (was_due and step.done):
                    self._pulse.beat(self._name, rest=LONGEST_SLEEP)
                    await self._alarm.sleep_until(None if was_due else step.next_at)
        finally:
            self._alarm.close()

    async def _try(self) -> Step:
        try:
            return await self._step()
        except StoreError as error:
            _log.warning(
                "a job in the background could not reach the store, trying again", job=self._name, reason=str(error)
            )
        except Exception:  # noqa: BLE001 - the work must go on; the next step is made within a second
            _log.exception("a job in the background failed, trying again", job=self._name)
        return Step(done=0, next_at=None)
