"""Moves the clock of a server that is there for tests, and lets what comes due by that happen."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from tasker.engine.engine import Engine
from tasker.errors import ClaimLostError, StoreUnavailableError
from tasker.interfaces.queue import Claim
from tasker.interfaces.store import Store
from tasker.model.attempt import Attempt
from tasker.model.gate import Destination
from tasker.model.history import MINUTE
from tasker.model.instants import Instant, after
from tasker.timing.clock import elapsed, stopwatch
from tasker.timing.movable_clock import MovableClock

PATIENCE: Final = timedelta(seconds=60)
"""For so long, of real time, a caller is waited for who was given tasks by a move, and does not tell their ends."""

COMES_BACK: Final = timedelta(seconds=1)
"""For so long, of real time, a worker is waited for that was waiting for tasks when the move began, and does not
ask for more."""

STARTS: Final = timedelta(seconds=10)
"""The same for a worker that the server starts itself, and that has yet to ask."""

_GLANCE_SECONDS: Final = 0.005
"""Between two glances whether callers have told the ends of what they were given, and ask for more."""


class ClockMover:
    """Moves a clock, one move after the other: a second one waits until the first is done, and begins there.

    After each move nothing is running, and nothing that is due can be begun, unless callers have it
    in hand: what they claimed before the move, or accepted (202) and have yet to complete, is not
    waited for. What they were given during the move is, for up to ``PATIENCE``. So that they are given it
    in time, workers that wait for tasks when a move begins are waited for to ask again before the clock goes on.

    What is looked for now and then, and not at moments of its own, is looked for at the end of
    each move: what is old enough to be deleted, keys that have expired, and what alerts are about.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        clock: MovableClock,
        *,
        looks: Sequence[Callable[[], Awaitable[None]]] = (),
        holds: bool = False,
        own_queues: Collection[Destination] = (),
    ) -> None:
        """Make it.

        Args:
            engine: runs on *clock*.
            store: reads *clock*.
            looks: made at the end of each move.
            holds: whether nothing starts but in a move, while the clock stands still: not even what is
                due at once.
            own_queues: those that workers take from which the server starts itself.
        """
        self._own_queues = own_queues
        self._awaited: dict[Destination, timedelta] = {}
        """The queues from which workers take, and for how long they are waited for to ask again."""
        self.clock = clock
        self._engine = engine
        self._store = store
        self._looks = looks
        self._holds = holds
        self._turn = asyncio.Lock()
        engine.queue.is_held = holds and clock.is_frozen

    async def advance(self, length: timedelta, *, is_given_up: Callable[[], bool] = lambda: False) -> None:
        """Let *length* pass, from one moment at which something is due to the next: each thing happens at its own.

        Args:
            is_given_up: asked at each of these moments: if so, the clock goes no further.

        Raises:
            StoreUnavailableError: the server is stopping, or the store cannot be used. The clock
                stands somewhere on its way.
        """
        async with self._turn:
            target = after(self.clock.now(), length)
            with self._standing_still():
                await self._settle()
                while not is_given_up() and (ring := self.clock.next_ring()) is not None and ring < target:
                    await self._leap(ring)
                if not is_given_up():
                    await self._leap(target)
            await self._catch_up()

    async def set(self, moment: Instant) -> None:
        """Set the clock to *moment*, on or back, at once: what was due in between is due now, and late.

        Nothing is undone: what has ended stays as it is, and schedules only go forward.

        Raises:
            StoreUnavailableError: as ``advance``.
        """
        async with self._turn:
            with self._standing_still():
                await self._settle()
                self.clock.set(moment)
                await self._settle()
            await self._catch_up()

    async def freeze(self, *, frozen: bool) -> None:
        """Have the clock stand still, or run on from where it stands. Twice is as good as once.

        Raises:
            StoreUnavailableError: as ``advance``.
        """
        async with self._turn:
            if frozen:
                with self._standing_still():
                    await self._settle()
                self.clock.freeze()
                self._engine.queue.is_held = self._holds
            else:
                self.clock.run()
                self._engine.queue.is_held = False
                self._engine.queue.ring()

    async def settle(self) -> None:
        """Return once nothing runs, and nothing that is due can be begun. The clock does not move.

        Raises:
            StoreUnavailableError: as ``advance``.
        """
        async with self._turn:
            with self._standing_still():
                await self._settle()

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Let the clock stand still, and what is due start; then it runs on from where it stands, if it ran."""
        ran = not self.clock.is_frozen
        self.clock.freeze()
        self._engine.queue.is_held = False
        self._engine.pulls.given = []
        self._awaited = dict.fromkeys(self._own_queues, STARTS)
        self._awaited |= dict.fromkeys(self._engine.pulls.waited_for, COMES_BACK)
        try:
            yield
        finally:
            self._engine.pulls.given = None
            if ran:
                self.clock.run()
            else:
                self._engine.queue.is_held = self._holds

    async def _leap(self, moment: Instant) -> None:
        if moment // MINUTE != self.clock.now() // MINUTE:  # what was counted in this minute is counted for it
            await self._engine.history.write()
        self.clock.leap(moment)
        await self._settle()

    async def _settle(self) -> None:
        while True:
            await self._await_workers()
            await self._engine.settle()
            if self._engine.draining:
                raise StoreUnavailableError("the server is stopping")
            if not await self._has_waited():
                return

    async def _await_workers(self) -> None:
        """Return once all workers ask for tasks: what is due for them begins, and when more is, is known."""
        began = stopwatch()
        while not self._engine.draining and (missing := self._awaited.keys() - self._engine.pulls.waited_for):
            for queue in missing:
                if elapsed(began) >= self._awaited[queue].total_seconds():
                    del self._awaited[queue]
            await asyncio.sleep(_GLANCE_SECONDS)

    async def _has_waited(self) -> bool:
        """Wait for the ends of what callers were given by this move. Return whether there was anything."""
        given = self._engine.pulls.given or []
        if not given:
            return False
        began = stopwatch()
        while not self._engine.draining and elapsed(began) < PATIENCE.total_seconds():
            in_hand = [attempt for attempt in given if await self._is_in_hand(attempt)]
            if not in_hand:
                break
            await asyncio.sleep(_GLANCE_SECONDS)
        given.clear()
        return True

    async def _is_in_hand(self, attempt: Attempt) -> bool:
        try:
            await self._store.awaited(Claim(attempt.task_id, attempt.fence))
        except ClaimLostError:
            return False
        return True

    async def _catch_up(self) -> None:
        await self._engine.catch_up()
        for look in self._looks:
            await look()
