"""Ends attempts as whoever has them in hand tells."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from tasker.engine.aftermath import Aftermath
from tasker.engine.judging import judged
from tasker.errors import ClaimLostError, NotPulledError
from tasker.interfaces.completions import Beat
from tasker.interfaces.queue import Claim
from tasker.interfaces.store import Store
from tasker.model.attempt import Awaited, Outcome
from tasker.model.instants import SECOND, Instant
from tasker.model.lifecycle import Move
from tasker.model.task import PULLED, State
from tasker.wire.fields import readable_end_fields

BEATS_APART: Final = 1 * SECOND
"""Between two heartbeats of a task that are written, at least, unless the second moves the deadline."""


class Completions:
    """Writes what is told of attempts in other hands, or about to be, and does what follows."""

    def __init__(
        self, store: Store, aftermath: Aftermath, announce: Callable[[Instant], None], *, rand: Callable[[], float]
    ) -> None:
        """Make it.

        Args:
            announce: called with the moments at which what was given back is due.
            rand: random numbers in [0, 1), for the jitter of retries.
        """
        self._store = store
        self._aftermath = aftermath
        self._announce = announce
        self._rand = rand

    async def end(self, claim: Claim, outcome: Outcome) -> State:
        """End the attempt with *claim*, and return the state of its task then. Once this returns, that is durable.

        Raises:
            ClaimLostError: it has ended already. Nothing was written.
            StoreError: it may have ended so or not.
        """
        awaited = await self._store.awaited(claim)
        try:
            return await self._end(awaited, outcome)
        except ClaimLostError:
            if awaited.deadline is not None:
                raise
        return await self._end(await self._store.awaited(claim), outcome)  # it was accepted in between

    async def _end(self, awaited: Awaited, outcome: Outcome) -> State:
        attempt = awaited.attempt
        settlement = judged(awaited, outcome, now=self._store.clock.now(), rand=self._rand())
        record = None if settlement.record is None else replace(settlement.record, told_by=attempt.fence)
        settlement = replace(settlement, record=record, is_early=awaited.deadline is None)
        settled = await self._store.settle(attempt, settlement)
        self._aftermath.settled(attempt, readable_end_fields(attempt.payload), settlement, settled)
        return State.CANCELLED if settled.move is Move.STOP else settlement.state

    async def give_back(self, claim: Claim) -> State:
        """Return a pulled task to its queue, as if it had not been claimed, and return its state then.

        Raises:
            ClaimLostError: the attempt has ended already. Nothing was written.
            NotPulledError: nobody has claimed it. Nothing was written.
            StoreError: it may have gone back or not.
        """
        attempt = (await self._store.awaited(claim)).attempt
        if attempt.pool != PULLED:
            raise NotPulledError(attempt.type)
        settled = await self._store.give_back(attempt)
        self._aftermath.given_back(attempt, readable_end_fields(attempt.payload), settled)
        if settled.move is Move.STOP:
            return State.CANCELLED
        self._announce(self._store.clock.now())
        return State.TODO

    async def beat(self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None) -> Beat:
        """Note how far the attempt with *claim* has come, and move its deadline to so long from now.

        Less than ``BEATS_APART`` after another heartbeat, one that moves no deadline is heard, but not
        written.

        Raises:
            ClaimLostError: it has ended. Nothing was written.
            StoreError: it may have been written or not.
        """
        if deadline is None:
            awaited = await self._store.awaited(claim)
            if self._is_recent(awaited):
                return Beat(awaited.deadline, awaited.is_cancelled)
        beat = await self._store.beat(claim, progress=progress, msg=msg, deadline=deadline)
        if beat.deadline is not None and deadline is not None:
            self._aftermath.announce_deadline(beat.deadline)
        return beat

    def _is_recent(self, awaited: Awaited) -> bool:
        told = awaited.progress
        if told is None or told.attempt != awaited.attempt.number:
            return False
        return 0 <= self._store.clock.now() - told.at < BEATS_APART
