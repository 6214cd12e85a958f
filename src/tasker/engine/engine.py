"""The engine: the delay queue and the worker, and the jobs beside them, running together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from tasker.engine.aftermath import Aftermath
from tasker.engine.circuit_patience import CircuitPatience
from tasker.engine.claim_leases import ClaimLeases
from tasker.engine.completions import Completions
from tasker.engine.deadlines import Deadlines
from tasker.engine.delay_queue import DelayQueue
from tasker.engine.due_work import DueWork
from tasker.engine.events import Events
from tasker.engine.expiry import Expiry
from tasker.engine.history import History
from tasker.engine.inbox import Inbox, Looked
from tasker.engine.key_ring import KeyRing
from tasker.engine.lease import Lease, LeaseKeeper
from tasker.engine.operations import Operations
from tasker.engine.pruner import LOOK as PRUNE_LOOK
from tasker.engine.pruner import Pruner
from tasker.engine.pulls import Pulls
from tasker.engine.pulse import Pulse
from tasker.engine.recovery import Recovery
from tasker.engine.rezoning import Rezoning
from tasker.engine.schedules import Schedules
from tasker.engine.shared_look import SharedLook
from tasker.engine.slots import Slots
from tasker.engine.telemetry import Telemetry
from tasker.engine.waiters import Waiters
from tasker.engine.worker import Worker
from tasker.errors import StoreError, StoreUnavailableError
from tasker.interfaces.store import Store
from tasker.interfaces.task_type import TaskType
from tasker.interfaces.tracing import Tracer
from tasker.model.event import EventChange
from tasker.model.gate import Destination
from tasker.model.instants import Instant
from tasker.model.operation import Rewrite
from tasker.model.task import PULLED, Pool, TaskId
from tasker.timing.alarm import sleep

AGAIN: Final = timedelta(seconds=1)
"""After this time a job that could not reach the store tries again."""

LOOKS_APART: Final = timedelta(seconds=1)
"""Between two questions to the store what is overdue, at least."""

_GLANCE_SECONDS: Final = 0.001
"""Between two glances whether all jobs sleep, which nobody tells; only ``settle`` glances."""

_LAST_SECONDS: Final = 2.0
"""How long a drain may take to write down what is of little worth."""

_log = structlog.get_logger()


class Engine:
    """Runs tasks when they are due, from ``start`` to ``drain``. Needs a running event loop."""

    def __init__(
        self,
        store: Store,
        types: Sequence[TaskType],
        telemetry: Telemetry,
        *,
        rand: Callable[[], float],
        rewriting: Callable[[bytes], Rewrite],
        keep_done: timedelta | None = None,
        keep_failed: timedelta | None = None,
        keep_audit: timedelta | None = None,
        circuit_patience: timedelta = timedelta(hours=1),
        lacks: Callable[[], str | None] = lambda: None,
        max_waiters: int = 1_000,
        key_lines: Sequence[str] = (),
        tracer: Tracer | None = None,
    ) -> None:
        """Make an engine that is not running yet.

        Args:
            store: an open store.
            types: the task types it runs, each with a pool of its own.
            rand: random numbers in [0, 1), for the jitter of retries.
            rewriting: reads what operations give tasks anew, and says how each is changed.
            keep_done: how long tasks that are ``done`` or ``cancelled`` are kept after their end;
                None: for ever.
            keep_failed: the same for those that ``failed``.
            keep_audit: how long the rows of the audit log are kept; None: for ever.
            circuit_patience: how long a circuit may keep any task.
            lacks: what this machine lacks to make attempts, in a few words; None: nothing.
            key_lines: see ``KeyRing``.
            max_waiters: how many callers may wait for the ends of tasks, or read events, at once.
            tracer: see ``Worker``.
        """
        self.telemetry = telemetry
        self.types = tuple(types)
        self.slots = Slots(types)
        self.pulse = pulse = Pulse(store.clock)
        """Whether the jobs get on without which tasks are late, or run where they must not."""
        self.lease = lease = Lease(store.clock)
        self.waiters = Waiters(store, room=max_waiters)
        self.pulls = Pulls(store, self.waiters, self._announce_lease)
        self.queue = DelayQueue(store, self.slots, lease, self.pulls, pulse, tell_paused=self._tell_paused)
        self.overdue = SharedLook(
            lambda: store.overdue(free_pools=self.slots.free_pools), store.clock.monotonic, apart=LOOKS_APART
        )
        """What is overdue, as this node sees it."""
        self.draining = False
        self._lacks = lacks
        self._store = store
        self.key_ring = KeyRing(store, key_lines)
        self.events = Events(store, self.waiters, types)
        self._expiry = DueWork(
            store.clock,
            self.events.with_reports(Expiry(store, telemetry, ring=self.queue.ring).step),
            pulse,
            name="expiry",
        )
        patience = CircuitPatience(store, telemetry, least=circuit_patience, ring=self.queue.ring)
        self._patience = DueWork(store.clock, self.events.with_reports(patience.step), pulse, name="circuit patience")
        claim_leases = ClaimLeases(store, telemetry, ring=self.queue.ring)
        self._claim_leases = DueWork(
            store.clock, self.events.with_reports(claim_leases.step), pulse, name="leases of claims by callers"
        )
        self.schedules = Schedules(store, telemetry, self.events, announce=self.announce, ring=self.queue.ring)
        self._schedules = DueWork(store.clock, self.schedules.step, pulse, name="schedules")
        aftermath = self.aftermath = Aftermath(
            store.clock,
            self.queue,
            self._expiry.announce,
            self._announce_deadline,
            self.waiters.tell,
            self._run_ended,
            lambda: self.schedules.has_waiting,
            self.events,
            telemetry,
        )
        self.completions = Completions(store, aftermath, lambda due_at: self.queue.announce(due_at, PULLED), rand=rand)
        self._deadlines = DueWork(store.clock, Deadlines(store, aftermath, rand=rand).step, pulse, name="deadlines")
        self._worker = Worker(
            store,
            types,
            self.queue,
            aftermath,
            self.events,
            self.slots,
            lease,
            telemetry,
            rand,
            tracer,
        )
        self._keeper = LeaseKeeper(store, lease, is_running=self._worker.is_running, ring=self.queue.ring)
        self.operations = Operations(
            store, self.slots, telemetry, self.events, rewriting=rewriting, ring=self.queue.ring
        )
        self._operations = DueWork(store.clock, self.operations.step, pulse, name="operations")
        self._due_works = (
            self._expiry,
            self._deadlines,
            self._claim_leases,
            self._operations,
            self._schedules,
            self._patience,
        )
        self._recovery = Recovery(store, telemetry)
        self._rezoning = Rezoning(
            store, reschedule=self.schedules.rezone, moved=self.events.moved_by_zones, ring=self.queue.ring
        )
        self._pruner = Pruner(store, telemetry, keep_done=keep_done, keep_failed=keep_failed, keep_audit=keep_audit)
        self.history = History(store, telemetry)
        self._inbox: DueWork | None = None
        self._job: asyncio.Task[None] | None = None
        self._jobs: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take back what a dead process left running, then run what is due.

        If nothing can be written now, such as on a full disk, it is taken back once that works:
        until then, the store is ailing, and nothing is claimed.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        await self._keeper.run_once()
        try:
            await self._recovery.run_once()
        except StoreUnavailableError as error:
            _log.warning("cannot take back what was running, trying again", reason=str(error))
        self._store.listen(self.queue.ring)
        self._store.listen_for_readers(self.events.telling.wanted)
        self.key_ring.watch()
        self._job = asyncio.create_task(self._work())
        self._jobs += [asyncio.create_task(work.run()) for work in self._due_works]
        for name, run_once in (
            ("lease", self._keeper.run_once),
            ("recovery", self.events.with_reports(self._recovery.run_once)),
            ("keys", self.key_ring.run_once),
        ):
            self._jobs.append(asyncio.create_task(self._repeat(run_once, watched=name)))
        for run_once in (
            self._pruner.run_once,
            self._rezoning.run_once,
            self.waiters.run_once,
            self.key_ring.note_uses,
            self.events.run_once,
            self.events.telling.run_once,
            self.history.run_once,
        ):
            self._jobs.append(asyncio.create_task(self._repeat(run_once)))

    def take_from_inbox(self, take: Callable[[TaskId | None, int], Awaitable[Looked]]) -> None:
        """Take from now on what applications write into the inbox, if there is one: see ``Inbox``. After ``start``."""
        if not self._store.has_inbox:
            return
        self._inbox = DueWork(self._store.clock, Inbox(self._store.clock, take).step, self.pulse, name="inbox")
        self._store.watch_inbox(self.announce_inbox)
        self._jobs.append(asyncio.create_task(self._inbox.run()))

    def announce_inbox(self) -> None:
        """Say that rows of the inbox are to be taken: they are at once."""
        if self._inbox is not None:
            self._inbox.announce(self._store.clock.now())

    def stop_claiming(self) -> None:
        """Claim nothing more for this node. Callers may claim what they pull, until ``drain``."""
        self.queue.stop()

    async def drain(self, grace: timedelta) -> None:
        """Claim nothing more; give running attempts *grace* to end, then cancel them and give their tasks back.

        Callers who wait for the end of a task wait no longer, and the streams of events end.

        May be called twice, and without ``start``.
        """
        if not self.draining:
            self.draining = True
            self.waiters.close()
            self.pulls.close()
            self.events.close()
        await self.pulls.drain()
        self.queue.stop()
        if self._job is not None:
            await self._job
            await self._worker.drain(grace)  # the lease is kept meanwhile
            self._job = None  # what was left behind is not waited for again
        await self.events.telling.flush()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        with suppress(StoreError, TimeoutError):  # when keys were used, and the latest seconds, are not worth more
            async with asyncio.timeout(_LAST_SECONDS):
                await self.key_ring.write_uses()
                if self._jobs:
                    await self.history.write()
        self._jobs.clear()

    def announce(
        self, due_at: Instant, pool: Pool, *, queue: Destination | None = None, expires_at: Instant | None = None
    ) -> None:
        """Say that a task of *pool* has been stored that is due at *due_at*, which may have passed: it starts in time.

        Args:
            queue: where it goes, if it is pulled; None: that is not known here.
            expires_at: when it expires; None: it does not.
        """
        self.queue.announce(due_at, pool, queue)
        if expires_at is not None:
            self._expiry.announce(expires_at)

    def _tell_paused(self, since: Instant | None) -> None:
        if self.events.is_on:
            self.events.node(self._store.node_id, EventChange.RESUMED if since is None else EventChange.PAUSED)

    def _announce_lease(self, ends_at: Instant) -> None:
        self._claim_leases.announce(ends_at)

    def _announce_deadline(self, deadline: Instant) -> None:
        self._deadlines.announce(deadline)

    def announce_schedule(self, moment: Instant) -> None:
        """Say that a schedule is to be looked at at *moment*, which may have passed."""
        self._schedules.announce(moment)

    def _run_ended(self) -> None:
        self._schedules.announce(self._store.clock.now())

    def announce_operation(self) -> None:
        """Say that an operation has been stored: it begins at once."""
        self._operations.announce(self._store.clock.now())

    @property
    def done(self) -> int:
        """Grows with all that this node has begun, or done, because it was due."""
        return self.queue.taken + sum(work.done for work in self._due_works)

    async def settle(self) -> None:
        """Return once nothing is running, and nothing that is due can be begun by this node now, or once it drains.

        What callers have in hand is not waited for.
        """
        while not self.draining:
            before = self.done
            self.queue.ring()  # first: what came due while no node looked is known once one has looked
            await self._until_idle()
            for work in self._due_works:
                work.ring()
            await self._until_idle()
            if self.done == before:
                return

    async def catch_up(self) -> None:
        """Do what is done now and then, for a clock that was moved: prune, and end what keys have let in that expired.

        Raises:
            StoreError: it is done later.
        """
        await self.history.write()
        while await self._pruner.run_once() < PRUNE_LOOK:
            pass
        self.key_ring.end_expired()

    async def _until_idle(self) -> None:
        while not self.draining:
            await self._worker.wait_for_an_end()
            jobs = (self.queue, self.pulls, self._worker, *self._due_works)
            if all(job.is_idle for job in jobs):
                return
            await asyncio.sleep(_GLANCE_SECONDS)

    def ring(self) -> None:
        """Say that tasks may start now that could not before, such as those of a destination that goes on."""
        self.queue.ring()

    def has_slot(self, pool: Pool) -> bool:
        """Return whether this node could start a task of *pool*. It cannot if no task type of its own has this pool."""
        return self.slots.free.get(pool, 0) > 0

    def unready(self) -> str | None:
        """Return why this node should not be sent work now, in a few words; None if it should."""
        return "the server is stopping" if self.draining else self._store.ailment or self._lacks()

    async def _work(self) -> None:
        """Run what is due, once everything that waits is due when it should be."""
        await self._rezoning.until_done(is_stopped=lambda: self.draining)
        await self._worker.run()

    async def _repeat(self, run_once: Callable[[], Awaitable[timedelta]], *, watched: str | None = None) -> None:
        """Do a job again and again, whatever happens to it. It says after how long.

        Args:
            watched: the name of a job that no task may have to do without, and that never waits for
                others in a step; None: it is not watched.
        """
        while True:
            if watched is not None:
                self.pulse.beat(watched)
            try:
                wait = await run_once()
            except StoreError as error:
                _log.warning("a job in the background could not reach the store, trying again", reason=str(error))
                wait = AGAIN
            except Exception:  # noqa: BLE001 - the others depend on it
                _log.exception("a job in the background failed, trying again")
                wait = AGAIN
            if watched is not None:
                self.pulse.beat(watched, rest=wait.total_seconds())
            await sleep(self._store.clock, wait.total_seconds())
