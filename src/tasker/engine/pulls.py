"""Gives callers what they pull, and lets them wait for it: first come, first served."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

import structlog

from tasker.engine.waiters import Waiters
from tasker.errors import ClaimLostError, StoreError
from tasker.interfaces.pulling import Pulled
from tasker.interfaces.store import Store
from tasker.model.attempt import Attempt
from tasker.model.gate import Destination
from tasker.model.instants import Instant, after
from tasker.timing.alarm import LONGEST_SLEEP, Alarm

NOTHING: Final = Pulled()
"""What somebody is given who has waited in vain."""

_OTHERS_LOOK: Final = timedelta(seconds=LONGEST_SLEEP)
"""Within this time every other node with somebody who waits has looked, and so knows what is due next."""

_log = structlog.get_logger()


class _Waiter:
    """Somebody who waits for tasks of some queues."""

    __slots__ = ("came_at", "given", "is_gone", "is_last_look", "lease", "most", "queues_left", "turn")

    def __init__(self, most: int, lease: timedelta, *, queues: int, came_at: float, is_last_look: bool) -> None:
        self.queues_left = queues
        """In so many lines it stands."""
        self.turn = asyncio.Lock()
        """Held while a line asks for it: what it stands in line for is asked for one after the other."""
        self.came_at = came_at
        """On the monotonic clock."""
        self.most = most
        self.lease = lease
        self.given: asyncio.Future[Pulled] = asyncio.get_running_loop().create_future()
        self.is_last_look = is_last_look
        """Whether the next look ends the wait, whatever it finds."""
        self.is_gone = False
        """Whether nobody takes what is found."""

    def give(self, pulled: Pulled) -> bool:
        """End the wait. Return whether somebody takes it."""
        if self.is_gone or self.given.done():
            return False
        self.given.set_result(pulled)
        return True

    @property
    def has_ended(self) -> bool:
        """Whether it waits for nothing any more."""
        return self.is_gone or self.given.done()

    def leave_line(self) -> None:
        """Stand in one line less. In none, there is nothing for it."""
        self.queues_left -= 1
        if self.queues_left == 0:
            self.give(NOTHING)


class _Line:
    """Those who wait for tasks of one queue, in the order in which they came."""

    def __init__(self, queue: Destination, alarm: Alarm) -> None:
        self.queue = queue
        self.alarm = alarm
        self.waiters: deque[_Waiter] = deque()
        self.job: asyncio.Task[None]


class Pulls:
    """Takes tasks of queues for callers. Belongs to one event loop.

    Who waits is served in turn: the store is asked for the first in line, and again once something is
    due, or is rung, and at least once every second. While nobody waits for a queue, nothing is asked.
    """

    def __init__(self, store: Store, waiters: Waiters, announce_lease: Callable[[Instant], None]) -> None:
        """Let nobody wait yet.

        Args:
            waiters: those who wait for other things: they share the places.
            announce_lease: called with the moments at which leases end.
        """
        self._store = store
        self._clock = store.clock
        self._waiters = waiters
        self._announce_lease = announce_lease
        self._lines: dict[Destination, _Line] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.given: list[Attempt] | None = None
        """What callers were given since somebody began to note it here; None: nobody wants to know."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being claimed or given back, and nothing is to be claimed now for those who wait."""
        serving = {line.job for line in self._lines.values()}
        return self._jobs <= serving and all(line.alarm.is_slept_on for line in self._lines.values())

    @property
    def waited_for(self) -> Collection[Destination]:
        """The queues of which somebody waits for a task."""
        return self._lines.keys()

    async def pull(
        self,
        queues: Sequence[Destination],
        *,
        most: int,
        lease: timedelta,
        longest: timedelta,
        when_left: Callable[[Callable[[], None]], None],
    ) -> Pulled:
        """Take up to *most* tasks of one of *queues* as soon as one is due, at most *longest* from now.

        Returns nothing after that time, and once the node stops; at once, if too many callers are
        waiting already. Whatever is taken for somebody who has left meanwhile is given back. Of
        several queues with something due, the first one that is looked at counts.

        Args:
            queues: at least one, each once.
            when_left: takes what is to be called once nobody waits for the answer any more.
        """
        if self._is_closed:
            return NOTHING
        may_wait = longest > timedelta(0) and self._waiters.enter()
        waiter = _Waiter(most, lease, queues=len(queues), came_at=self._clock.monotonic(), is_last_look=not may_wait)
        lines = [self._join(queue, waiter) for queue in queues]
        when_left(lambda: self._leave(lines, waiter))
        limit = self._clock.call_later(longest.total_seconds(), lambda: self._end_wait(lines, waiter))
        try:
            return await waiter.given
        except asyncio.CancelledError:  # the server stops and waits no longer
            self._leave(lines, waiter)
            if waiter.given.done() and not waiter.given.cancelled():
                self.give_back(waiter.given.result().attempts)
            raise
        finally:
            limit.cancel()
            if may_wait:
                self._waiters.leave()
            if len(lines) > 1:  # the others need not wait for their next look to let it go
                self._leave(lines, waiter)

    def give_back(self, attempts: Sequence[Attempt]) -> None:
        """Give back what nobody has been told of, in the background: it is due as before."""
        if attempts:
            self._start(self._give_back(attempts))

    def announce(self, due_at: Instant, queue: Destination | None) -> None:
        """Say that a task of *queue* is due at *due_at*: whoever waits for it has it in time.

        If nobody waits here, the other nodes are told, unless they will look in time anyway.

        Args:
            queue: None: any.
        """
        lines = [*self._lines.values()] if queue is None else [self._lines[queue]] if queue in self._lines else []
        for line in lines:
            line.alarm.announce(due_at)
        if not lines and due_at <= after(self._clock.now(), _OTHERS_LOOK):
            self._store.wake_others()

    def ring(self) -> None:
        """Look now, for all who wait: something may be due that this node does not know of."""
        for line in self._lines.values():
            line.alarm.ring()

    def close(self) -> None:
        """Let nobody wait any longer: the node stops."""
        self._is_closed = True
        for line in self._lines.values():
            for waiter in line.waiters:
                waiter.is_last_look = True
            line.alarm.ring()

    async def drain(self) -> None:
        """Return once nobody waits any more, and what was to be given back is."""
        while self._jobs:
            await asyncio.wait(self._jobs)

    def _join(self, queue: Destination, waiter: _Waiter) -> _Line:
        line = self._lines.get(queue)
        if line is None:
            line = self._lines[queue] = _Line(queue, Alarm(self._clock))
            line.waiters.append(waiter)
            line.job = self._start(self._serve(line))
        else:
            line.waiters.append(waiter)
            if waiter.is_last_look:  # it need not be served at once, but be told
                line.alarm.ring()
        return line

    def _end_wait(self, lines: Sequence[_Line], waiter: _Waiter) -> None:
        """End the wait of *waiter*, unless it is being served right now: it has what comes of that."""
        waiter.is_last_look = True
        for line in lines:
            line.alarm.ring()

    def _leave(self, lines: Sequence[_Line], waiter: _Waiter) -> None:
        waiter.is_gone = True
        if not waiter.given.done():
            waiter.given.set_result(NOTHING)
        for line in lines:
            line.alarm.ring()

    async def _serve(self, line: _Line) -> None:
        """Serve those in *line* until nobody is left."""
        try:
            while line.waiters:
                line.alarm.forget()
                waiter = line.waiters[0]
                async with waiter.turn:
                    pulled = NOTHING if waiter.has_ended else await self._pull(line.queue, waiter)
                if waiter.has_ended and not pulled.attempts:
                    line.waiters.popleft()
                    continue
                if pulled.attempts:
                    self._announce_lease(pulled.lease_until)
                    line.waiters.popleft()
                    if not waiter.give(pulled):
                        self.give_back(pulled.attempts)
                        continue
                    if self.given is not None:
                        self.given += pulled.attempts
                    if not line.waiters and not waiter.is_last_look and len(pulled.attempts) == waiter.most:
                        self._store.wake_others()  # there may be more, of which nobody has told them
                    continue
                self._dismiss(line)
                if line.waiters:
                    await line.alarm.sleep_until(pulled.next_at)
        finally:
            del self._lines[line.queue]
            line.alarm.close()

    def _dismiss(self, line: _Line) -> None:
        """Let those go who do not wait any longer: there is nothing for the first in line, and so for nobody."""
        for waiter in [waiter for waiter in line.waiters if waiter.has_ended or waiter.is_last_look]:
            line.waiters.remove(waiter)
            waiter.leave_line()

    async def _pull(self, queue: Destination, waiter: _Waiter) -> Pulled:
        if self._is_closed:
            return NOTHING
        try:
            waited = timedelta(seconds=self._clock.monotonic() - waiter.came_at)
            return await self._store.pull(queue, most=waiter.most, lease=waiter.lease, waited=waited)
        except StoreError as error:
            if waiter.is_last_look and not waiter.given.done():  # who does not wait is told why
                waiter.given.set_exception(error)
            else:
                _log.warning("cannot claim tasks for a caller, trying again", reason=str(error))
        except Exception:  # noqa: BLE001 - the others in line depend on it; it is tried again within a second
            _log.exception("a claim for a caller failed, trying again")
        return NOTHING

    async def _give_back(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            try:
                await self._store.give_back(attempt)
            except ClaimLostError:
                continue
            except StoreError as error:  # then its lease ends
                _log.warning("cannot give back a task that a caller did not take", reason=str(error))
        self.announce(self._clock.now(), None)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> asyncio.Task[None]:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job
