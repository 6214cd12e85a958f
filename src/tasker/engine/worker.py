"""Runs claimed attempts and writes down how they ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias, TypeVar, assert_never

import msgspec
import structlog

from tasker.engine.aftermath import Aftermath, ending_of, names
from tasker.engine.delay_queue import DelayQueue
from tasker.engine.events import Events
from tasker.engine.lease import Lease
from tasker.engine.slots import Slots
from tasker.engine.telemetry import Telemetry
from tasker.engine.timeouts import Timeouts
from tasker.errors import AttemptMustNotBeginError, ClaimLostError, StoreError
from tasker.interfaces.queue import Claim
from tasker.interfaces.schedules import Admitted
from tasker.interfaces.store import Store
from tasker.interfaces.task_type import TaskType
from tasker.interfaces.tracing import AttemptSpan, Tracer
from tasker.model import lifecycle
from tasker.model.attempt import Accepted, Attempt, Failed, Outcome, Succeeded
from tasker.model.instants import Instant
from tasker.model.lifecycle import Settlement
from tasker.model.retry import RetryPolicy
from tasker.model.task import Admission, Fault, TaskId
from tasker.timing.alarm import sleep
from tasker.wire.fields import TaskFields, readable_end_fields, retry_policy

_log = structlog.get_logger()

_FIRST_WAIT: Final = timedelta(seconds=0.1)
_LONGEST_WAIT: Final = timedelta(seconds=1)
"""Between tries to write how an attempt ended, while the store cannot be written."""

_UNASKED: Final = RetryPolicy()
"""For what is no failure, which needs no policy: making the task's own would take longer than all the
rest."""

_NO_FIELDS: Final = TaskFields()

T = TypeVar("T")


class GiveBack(msgspec.Struct, frozen=True):
    """The attempt does not count: its task goes back to the queue as if it had not been claimed."""


Ended: TypeAlias = Outcome | GiveBack
"""What an attempt has come to."""


class _Job:
    """A task type, and what reads the fields of its tasks."""

    __slots__ = ("decode", "timeouts", "type")

    def __init__(self, task_type: TaskType, timeouts: "Timeouts[_Run]") -> None:
        self.type = task_type
        self.timeouts = timeouts
        self.decode: Callable[[bytes], TaskFields] = msgspec.json.Decoder(task_type.fields).decode


class _Run:
    """An attempt that holds a slot."""

    __slots__ = (
        "admitted",
        "attempt",
        "fields",
        "interruption",
        "is_ending",
        "is_refused",
        "span",
        "started_at",
        "task",
    )

    def __init__(self, attempt: Attempt, *, started_at: Instant, is_refused: bool) -> None:
        self.attempt = attempt
        self.admitted: asyncio.Future[Admitted] | None = None
        """Whether the run of a schedule starts; None: the task is no run, or one that has started."""
        self.fields = _NO_FIELDS
        """What the task type is given, once it has been read."""
        self.span: AttemptSpan | None = None
        """Records the attempt in a trace; None: nothing does."""
        self.started_at = started_at
        self.is_refused = is_refused
        """Whether the attempt was told that it must not begin, whatever its task type makes of
        that."""
        self.task: asyncio.Task[None] | None = None
        self.is_ending = False
        """Whether what the attempt has come to is being written: it is too late to interrupt it."""
        self.interruption: asyncio.Task[None] | None = None
        """Writes the end that was decided while the attempt ran; what it comes to later is void."""


class Worker:
    """Runs attempts, each on an asyncio task of its own, in the slot its claim took.

    A slot is released once nothing of the attempt is running and its end is written. Whatever a
    task type raises, or however long it hangs, concerns its own attempt alone.
    """

    def __init__(
        self,
        store: Store,
        types: Sequence[TaskType],
        queue: DelayQueue,
        aftermath: Aftermath,
        events: Events,
        slots: Slots,
        lease: Lease,
        telemetry: Telemetry,
        rand: Callable[[], float],
        tracer: Tracer | None = None,
    ) -> None:
        """Make a worker.

        Args:
            types: the task types it runs.
            aftermath: told of each end that was written.
            events: told of attempts that begin and end.
            rand: random numbers in [0, 1), for the jitter of retries.
            tracer: records the attempts; None: nothing does.
        """
        self._store = store
        self._clock = store.clock
        self._jobs = {
            each.name: _Job(each, Timeouts(self._clock, each.timeout, partial(self._overrun, timeout=each.timeout)))
            for each in types
        }
        self._queue = queue
        self._aftermath = aftermath
        self._events = events
        self._slots = slots
        self._lease = lease
        self._telemetry = telemetry
        self._rand = rand
        self._tracer = tracer
        self._runs: set[_Run] = set()
        self._claims: set[tuple[TaskId, int]] = set()
        self._admitting: set[asyncio.Task[None]] = set()
        """Asks whether runs of schedules start."""

    async def run(self) -> None:
        """Run what the delay queue yields, until it is stopped. What runs then goes on: see ``drain``."""
        async for attempts in self._queue.batches():
            self._begin(attempts)

    def _begin(self, attempts: Sequence[Attempt]) -> None:
        """Run *attempts* in the background; their slots are taken already.

        Without a lease, they are given back untouched.
        """
        loop, now, must_not = asyncio.get_running_loop(), self._clock.now(), not self._lease.is_trusted
        asking: list[_Run] = []
        for attempt in attempts:
            run = _Run(attempt, started_at=now, is_refused=must_not)
            self._runs.add(run)
            self._claims.add((attempt.task_id, attempt.fence))
            if attempt.schedule is not None and attempt.asks_to_start and not must_not:
                run.admitted = loop.create_future()
                asking.append(run)
            # With a name: otherwise one is made up for each.
            run.task = asyncio.Task(self._see_through(run), loop=loop, name="attempt")
        if asking:
            self._admitting.add(admitting := loop.create_task(self._admit(asking)))
            admitting.add_done_callback(self._admitting.discard)

    def is_running(self, claim: Claim) -> bool:
        """Whether an attempt with this claim holds a slot."""
        return (claim.task_id, claim.fence) in self._claims

    async def drain(self, grace: timedelta) -> None:
        """Wait up to *grace* for what is running; cancel and give back what still runs then.

        An attempt that ignores its cancellation, or whose end cannot be written, is left behind
        after a little longer: the next start takes it back.
        """
        await self._wait_until_idle(grace)
        for run in list(self._runs):
            self._interrupt(run, GiveBack())
        await self._wait_until_idle(5 * _LONGEST_WAIT)
        for run in self._runs:
            _log.warning("left an attempt behind", **names(run.attempt, run.fields))

    async def _wait_until_idle(self, longest: timedelta) -> None:
        over = asyncio.ensure_future(sleep(self._clock, longest.total_seconds()))
        while self._runs and not over.done():
            tasks = {run.task for run in self._runs if run.task is not None}
            await asyncio.wait({*tasks, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is running."""
        return not self._runs

    async def wait_for_an_end(self) -> None:
        """Return once another attempt has ended; at once, if nothing is running."""
        tasks = {run.task for run in self._runs if run.task is not None}
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    def _interrupt(self, run: _Run, ended: Ended) -> None:
        """Write *ended* in place of whatever the attempt comes to, and cancel it.

        It is too late for this once that is being written.
        """
        if not run.is_ending and run.interruption is None and run.task is not None:
            run.interruption = asyncio.get_running_loop().create_task(self._end(run, ended))
            run.task.cancel()

    # The steps of an attempt, in their order

    async def _see_through(self, run: _Run) -> None:
        """Let the attempt be made, write what it has come to, release its slot."""
        try:
            if run.admitted is not None and not await self._is_admitted(run, run.admitted):
                return
            ended = await self._perform(run)
            if run.interruption is None:
                run.is_ending = True
                await self._end(run, ended)
            else:
                await run.interruption
        finally:
            self._release(run)

    async def _admit(self, runs: Sequence[_Run]) -> None:
        """Ask the store whether runs of schedules start, and tell them."""
        attempts = [run.attempt for run in runs]
        try:
            admitted = await self._write(runs[0], lambda: self._store.admit(attempts))
        except Exception as error:  # noqa: BLE001 - a defect: their tasks are strays, which are given back
            for run in runs:
                if run.admitted is not None and not run.admitted.done():
                    run.admitted.set_exception(error)
            return
        for run, each in zip(runs, admitted, strict=True):
            if run.admitted is not None and not run.admitted.done():
                run.admitted.set_result(each)

    async def _is_admitted(self, run: _Run, asked: "asyncio.Future[Admitted]") -> bool:
        """Wait for what is decided of a run; return whether it starts. Else all is done."""
        try:
            admitted = await asyncio.shield(asked)
        except asyncio.CancelledError:
            if run.interruption is None:
                raise
            await run.interruption
            return False
        if run.interruption is not None:
            await run.interruption
            return False
        self._aftermath.removed(run.attempt, admitted.removed)
        if admitted.admission is Admission.STARTED:
            return True
        run.is_ending = True
        run.fields = readable_end_fields(run.attempt.payload)
        if admitted.admission is None:
            self._telemetry.claims_lost += 1
            _log.warning("gave up an attempt: its claim is lost", **names(run.attempt, run.fields))
        else:
            self._aftermath.not_admitted(run.attempt, run.fields, admitted)
        return False

    async def _perform(self, run: _Run) -> Ended:
        """Let the task type make the attempt. Never raises for what the type does, its cancellation included."""
        if run.is_refused:
            return GiveBack()
        job = self._read(run)
        if self._tracer is not None:
            self._trace(self._tracer, run)
        match job:
            case _Job():
                return await self._call(run, job)
            case Failed():
                return job
            case _:
                assert_never(job)

    def _read(self, run: _Run) -> _Job | Failed:
        """Find the task type, and read the task's fields with its decoder: the one time on the task's way."""
        attempt = run.attempt
        job = self._jobs.get(attempt.type)
        if job is None:
            run.fields = readable_end_fields(attempt.payload)
            return _failed("unknown_task_type", f"this server has no task type {attempt.type}", permanent=True)
        try:
            run.fields = job.decode(attempt.payload)
        except Exception:  # noqa: BLE001 - the struct of a package may run code of its own
            run.fields = readable_end_fields(attempt.payload)
            _log.exception("cannot read the fields of a task", **names(run.attempt, run.fields))
            msg = f"the fields that are stored with the task are not those of the task type {attempt.type}"
            return _failed("unreadable_payload", msg, permanent=True)
        return job

    def _trace(self, tracer: Tracer, run: _Run) -> None:
        """Begin the span of the attempt, and let the task type know it."""
        run.span = tracer.begin(run.attempt, run.fields, at=self._clock.now())
        if run.span is not None:
            run.attempt = msgspec.structs.replace(run.attempt, traceparent=run.span.traceparent)

    async def _call(self, run: _Run, job: _Job) -> Ended:
        """Run the task type within its timeout."""
        if self._events.is_on:
            self._events.started(run.attempt, run.fields)
        job.timeouts.begin(run)
        try:
            returned = await job.type.run(run.attempt, run.fields, partial(self._start, run))
        except asyncio.CancelledError:
            return _failed("cancelled", "the attempt was cancelled")  # void if it was interrupted
        except AttemptMustNotBeginError:
            return GiveBack()
        except Exception as error:  # noqa: BLE001 - whatever a task type raises concerns its own attempt alone
            return self._judged_error(run, error)
        finally:
            job.timeouts.end(run)
        return self._judged(run, returned)

    def _start(self, run: _Run) -> None:
        """Note that the attempt begins now, unless it must not: the ``started`` of ``TaskType.run``."""
        now = self._clock.now()
        expires_at = run.attempt.expires_at
        if not self._lease.is_trusted:
            reason = "this node's lease has ended"
        elif expires_at is not None and expires_at <= now:
            reason = "its task has expired"
        elif run.interruption is not None:
            reason = "it was cancelled"
        else:
            run.started_at, run.is_refused = now, False
            return
        run.is_refused = True
        raise AttemptMustNotBeginError(reason)

    def _overrun(self, run: _Run, *, timeout: timedelta) -> None:
        """Settle an attempt that has not ended in time, and cancel it.

        Its slot stays taken until it has really ended.
        """
        self._interrupt(run, _failed("timeout", f"the attempt did not end within {timeout.total_seconds():g} s"))

    def _judged(self, run: _Run, returned: object) -> Ended:
        """Return what counts of what a task type returned."""
        if run.is_refused:
            return GiveBack()
        if isinstance(returned, Outcome):
            return returned
        kind = type(returned).__name__
        return _failed("internal_error", f"the task type {run.attempt.type} returned {kind}, which is no outcome")

    def _judged_error(self, run: _Run, error: Exception) -> Ended:
        """Return what counts of what a task type raised."""
        if run.is_refused:
            return GiveBack()
        _log.exception("a task type raised", **names(run.attempt, run.fields))
        return _failed("internal_error", f"the task type {run.attempt.type} raised {type(error).__name__}")

    async def _end(self, run: _Run, ended: Ended) -> None:
        """Write what the attempt has come to, unless its claim is lost, and with it the result."""
        if run.span is not None:
            run.span.end(None if isinstance(ended, GiveBack) else ended, at=self._clock.now())
        try:
            match ended:
                case Succeeded() | Failed() | Accepted():
                    await self._settle(run, ended)
                case GiveBack():
                    await self._give_back(run)
                case _:
                    assert_never(ended)
        except ClaimLostError:
            if await self._was_told(run, ended):
                return
            self._telemetry.claims_lost += 1
            _log.warning("discarded the end of an attempt: its claim is lost", **names(run.attempt, run.fields))

    async def _was_told(self, run: _Run, ended: Ended) -> bool:
        """Return whether the end of the attempt was told before the target had answered: what it answers is noted."""
        exchange = None if isinstance(ended, GiveBack) else ended.exchange
        return await self._write(run, lambda: self._store.note_answer(run.attempt, exchange))

    async def _settle(self, run: _Run, outcome: Outcome) -> None:
        """Write how the attempt ended, and what follows."""
        attempt = run.attempt
        settlement = self._settlement(run, outcome)
        self._aftermath.began(attempt, run.started_at)
        settled = await self._write(run, lambda: self._store.settle(attempt, settlement))
        self._aftermath.settled(attempt, run.fields, settlement, settled)

    def _settlement(self, run: _Run, outcome: Outcome) -> Settlement:
        """Return what is to be written of the attempt."""
        settlement = lifecycle.settle(
            outcome,
            attempt=run.attempt,
            retry=retry_policy(run.fields) if isinstance(outcome, Failed) else _UNASKED,
            started_at=run.started_at,
            now=self._clock.now(),
            rand=self._rand(),
        )
        ending = ending_of(run.attempt, run.fields, settlement)
        return settlement if ending is None else msgspec.structs.replace(settlement, ending=ending)

    async def _give_back(self, run: _Run) -> None:
        """Return the task to the queue."""
        attempt = run.attempt
        settled = await self._write(run, lambda: self._store.give_back(attempt))
        self._aftermath.given_back(attempt, run.fields, settled)

    async def _write(self, run: _Run, write: Callable[[], Awaitable[T]]) -> T:
        """Repeat *write* until the store can do it, and return what it returns.

        Raises:
            ClaimLostError: nothing was written.
        """
        wait = _FIRST_WAIT
        while True:
            try:
                return await write()
            except StoreError as error:
                _log.warning(
                    "cannot write the end of an attempt, trying again",
                    **names(run.attempt, run.fields),
                    reason=str(error),
                )
                await sleep(self._clock, wait.total_seconds())
                wait = min(2 * wait, _LONGEST_WAIT)

    def _release(self, run: _Run) -> None:
        """Let go of the slot."""
        attempt = run.attempt
        self._runs.discard(run)
        self._claims.discard((attempt.task_id, attempt.fence))
        self._slots.release(attempt.pool)
        self._queue.slot_released(attempt.pool)


def _failed(code: str, msg: str, *, permanent: bool = False) -> Failed:
    return Failed(Fault(code, msg), permanent=permanent)
