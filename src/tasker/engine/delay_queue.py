"""The delay queue: an endless stream of tasks that have come due."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from tasker.engine.lease import Lease
from tasker.engine.pulls import Pulls
from tasker.engine.pulse import Pulse
from tasker.engine.slots import Slots
from tasker.errors import StoreError
from tasker.interfaces.queue import Claimed
from tasker.interfaces.store import Store
from tasker.model.attempt import Attempt
from tasker.model.gate import Destination
from tasker.model.instants import Instant, after, text
from tasker.model.task import PULLED, Pool
from tasker.timing.alarm import LONGEST_SLEEP, Alarm

_NAME: Final = "delay queue"

_OTHERS_LOOK: Final = timedelta(seconds=LONGEST_SLEEP)
"""Within this time every other node claims, and so learns what is due next."""

_log = structlog.get_logger()


class DelayQueue:
    """Yields batches of attempts that have come due, each claimed for this node and holding a slot.

    The queue itself is the store's index. This sleeps until the earliest due time it knows of,
    however many tasks wait, and then lets the store decide what is due. Nothing is claimed before
    its time, so a task can be deleted up to that moment. It claims at least once every second,
    whatever it knows.
    """

    def __init__(
        self,
        store: Store,
        slots: Slots,
        lease: Lease,
        pulls: Pulls,
        pulse: Pulse,
        *,
        tell_paused: Callable[[Instant | None], None] = lambda _: None,
    ) -> None:
        """Make it.

        Args:
            pulls: told of what is pulled, which this does not claim.
            pulse: told of each look, from the first one on.
            tell_paused: told when a look finds everything paused, and since when; None: it is not any more.
        """
        self._store = store
        self._slots = slots
        self._lease = lease
        self._pulls = pulls
        self._pulse = pulse
        self._tell_paused = tell_paused
        self._alarm = Alarm(store.clock)
        self._full: frozenset[Pool] = frozenset()
        """Pools in which the latest claim used up the room it was given: there may be more due than
        it could say."""
        self._stopped = False
        self.is_held = False
        """Whether nothing is claimed until somebody says otherwise, and rings: for tests."""
        self.taken = 0
        """How many attempts it has yielded."""
        self._paused_at: Instant | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being claimed, and nothing is to be claimed now."""
        return self._alarm.is_slept_on

    def announce(self, due_at: Instant, pool: Pool, queue: Destination | None = None) -> None:
        """Say that a task of *pool* has been stored that is due at *due_at*: the alarm is set earlier if need be.

        If this node has no slot for it, the others are told, unless they will look in time anyway.

        Args:
            queue: of a task that is pulled, as in ``Pulls.announce``.
        """
        if pool == PULLED:
            self._pulls.announce(due_at, queue)
            return
        if self._slots.free.get(pool) == 0 and due_at <= after(self._store.clock.now(), _OTHERS_LOOK):
            self._store.wake_others()
        self._alarm.announce(due_at)

    def ring(self) -> None:
        """Look now: something may be due that this node does not know of."""
        self._alarm.ring()
        self._pulls.ring()

    def slot_released(self, pool: Pool) -> None:
        """Say that *pool* has room again: whatever waited for it is claimed now."""
        if pool in self._full:
            self._alarm.ring()

    def stop(self) -> None:
        """Claim nothing more; the stream ends. What a claim on its way takes is still yielded."""
        self._stopped = True
        self._alarm.ring()

    async def batches(self) -> AsyncIterator[Sequence[Attempt]]:
        """Yield claimed attempts, never an empty batch, until ``stop``. Each attempt holds a slot of its pool."""
        try:
            while not self._stopped:
                self._pulse.beat(_NAME)
                room = dict(self._slots.free)
                claimed = await self._claim(room)
                for attempt in claimed.attempts:
                    self._slots.take(attempt.pool)
                    room[attempt.pool] -= 1
                self._full = frozenset(pool for pool, left in room.items() if left == 0)
                if claimed.attempts:
                    self.taken += len(claimed.attempts)
                    yield claimed.attempts
                else:
                    await asyncio.sleep(0)  # a job that has to clear the way first, such as the expiry, has its turn
                if not any(self._slots.free[pool] for pool in self._full):  # else: room was made while the claim ran
                    self._pulse.beat(_NAME, rest=LONGEST_SLEEP)
                    await self._alarm.sleep_until(claimed.next_due)
            self._pulse.end(_NAME)
        finally:
            self._alarm.close()

    async def _claim(self, room: Mapping[Pool, int]) -> Claimed:
        self._alarm.forget()
        if self.is_held or not self._lease.is_trusted:
            return Claimed((), None)
        try:
            claimed = await self._store.claim_due({pool: slots for pool, slots in room.items() if slots > 0})
        except StoreError as error:
            _log.warning("cannot claim tasks, trying again", reason=str(error))
        except Exception:  # noqa: BLE001 - the queue must live on; it claims again within a second
            _log.exception("a claim failed, trying again")
        else:
            if self._store.paused_at != self._paused_at:
                self._paused_at = self._store.paused_at
                _say_paused(self._paused_at)
                self._tell_paused(self._paused_at)
            return claimed
        return Claimed((), None)


def _say_paused(since: Instant | None) -> None:
    if since is None:
        _log.info("tasks start again: everything was resumed")
    else:
        _log.warning("everything is paused: no task starts until POST /resume", since=text(since))
