"""Runs claimed attempts and writes down how they ended."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Final, TypeVar

import msgspec
import structlog

from tasker.callbacks import may_be_followed
from tasker.engine.delay_queue import DelayQueue
from tasker.engine.lease import Lease
from tasker.engine.slots import Slots
from tasker.engine.telemetry import Telemetry
from tasker.errors import ClaimLostError, LeaseEndedError, StoreError, TaskExpiredError
from tasker.interfaces import Claim, Store, TaskType
from tasker.model import lifecycle
from tasker.model.attempt import Attempt, Failed, Outcome, Succeeded
from tasker.model.ending import Ending
from tasker.model.instants import Instant
from tasker.model.lifecycle import Move, Settlement
from tasker.model.retry import RetryPolicy
from tasker.model.task import Fault, TaskId
from tasker.timing.alarm import sleep
from tasker.wire.fields import decode_end_fields

_log = structlog.get_logger()

T = TypeVar("T")

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 1.0
"""Seconds between tries to write how an attempt ended, while the store cannot be written."""

_UNASKED: Final = RetryPolicy()
"""For a success, which needs no policy: reading the task's own would take longer than all the rest."""


class Worker:
    """Runs attempts, each on an asyncio task of its own, in the slot its claim took.

    A slot is released once nothing of the attempt is running and its end is written. Whatever a task type raises, or
    however long it hangs, concerns its own attempt alone.
    """

    def __init__(
        self,
        store: Store,
        types: Callable[[str], TaskType | None],
        queue: DelayQueue,
        slots: Slots,
        lease: Lease,
        telemetry: Telemetry,
        rand: Callable[[], float],
    ) -> None:
        """Make a worker.

        Args:
            types: finds a task type by its name.
            rand: random numbers in [0, 1), for the jitter of retries.
        """
        self._store = store
        self._clock = store.clock
        self._types = types
        self._queue = queue
        self._slots = slots
        self._lease = lease
        self._telemetry = telemetry
        self._rand = rand
        self._running: set[_Running] = set()
        self._claims: set[tuple[TaskId, int]] = set()

    def begin(self, attempt: Attempt) -> None:
        """Run *attempt*, whose slot is taken already, in the background."""
        running = _Running(attempt, started_at=self._clock.now())
        self._running.add(running)
        self._claims.add((attempt.task_id, attempt.fence))
        running.task = asyncio.get_running_loop().create_task(self._see_through(running))

    def is_running(self, claim: Claim) -> bool:
        """Whether an attempt with this claim holds a slot."""
        return (claim.task_id, claim.fence) in self._claims

    async def drain(self, grace: timedelta) -> None:
        """Wait up to *grace* for what is running; cancel and give back what still runs then.

        An attempt that ignores its cancellation, or whose end cannot be written, is left behind after a little longer: the
        next start takes it back.
        """
        await self._wait_until_idle(grace.total_seconds())
        for running in list(self._running):
            self._interrupt(running, self._give_back(running.attempt))
        await self._wait_until_idle(5 * _LONGEST_WAIT)
        for running in self._running:
            _log.warning("left an attempt behind", task_id=running.attempt.task_id, type=running.attempt.type)

    async def _wait_until_idle(self, seconds: float) -> None:
        over = asyncio.ensure_future(sleep(self._clock, seconds))
        while self._running and not over.done():
            tasks = {running.task for running in self._running if running.task is not None}
            await asyncio.wait({*tasks, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()

    async def _see_through(self, running: "_Running") -> None:
        """Run an attempt, write its end, release its slot."""
        attempt = running.attempt
        try:
            outcome = await self._run(running)
            if running.interruption is None:
                running.settling = True
                if outcome is None:
                    await self._give_back(attempt)
                else:
                    await self._settle(attempt, outcome, running.started_at)
            else:
                await running.interruption  # an outcome that comes after it is void
        finally:
            self._running.discard(running)
            self._claims.discard((attempt.task_id, attempt.fence))
            self._slots.release(attempt.pool)
            self._queue.slot_released(attempt.pool)

    async def _run(self, running: "_Running") -> Outcome | None:
        """Let the task type make the attempt; None: it has not begun, and must not.

        Never raises for what the type does, its cancellation included.
        """
        attempt = running.attempt
        task_type = self._types(attempt.type)
        if task_type is None:
            return _failed("unknown_task_type", f"this server has no task type {attempt.type}", permanent=True)

        if not self._lease.is_trusted:
            return None

        def started() -> None:
            if not self._lease.is_trusted:
                raise LeaseEndedError
            now = self._clock.now()
            if attempt.expires_at is not None and attempt.expires_at <= now:
                raise TaskExpiredError(attempt.task_id)
            running.started_at = now

        deadline = self._clock.call_later(task_type.timeout.total_seconds(), lambda: self._overrun(running, task_type.timeout))
        try:
            outcome = await task_type.run(attempt, started)
        except asyncio.CancelledError:
            return _failed("cancelled", "the attempt was cancelled")  # void if it was interrupted
        except (LeaseEndedError, TaskExpiredError):
            return None
        except Exception as error:  # noqa: BLE001 - whatever a task type raises concerns its own attempt alone
            _log.exception("a task type raised", task_id=attempt.task_id, type=attempt.type)
            return _failed("internal_error", f"the task type {attempt.type} raised {type(error).__name__}")
        finally:
            deadline.cancel()
        if isinstance(outcome, Outcome):
            return outcome
        return _failed("internal_error", f"the task type {attempt.type} returned {type(outcome).__name__}, which is no outcome")

    def _overrun(self, running: "_Running", timeout: timedelta) -> None:
        """Settle an attempt that has not ended in time, and cancel it. Its slot stays taken until it has really ended."""
        fault = _failed("timeout", f"the attempt did not end within {timeout.total_seconds():g} s")
        self._interrupt(running, self._settle(running.attempt, fault, running.started_at))

    def _interrupt(self, running: "_Running", ending: Coroutine[object, object, None]) -> None:
        """Write *ending* in place of whatever the attempt comes to, and cancel it. Too late once it is being settled."""
        if running.settling or running.interruption is not None or running.task is None:
            ending.close()
            return
        running.interruption = asyncio.get_running_loop().create_task(ending)
        running.task.cancel()

    async def _settle(self, attempt: Attempt, outcome: Outcome, started_at: Instant) -> None:
        settlement = self._settlement(attempt, outcome, started_at)
        self._telemetry.attempt_began(max(started_at - attempt.due_at, 0))
        settled = await self._write(attempt, lambda: self._store.settle(attempt, settlement))
        if settled is None:
            return
        if settled.has_room:
            self._queue.ring()
        for task in settled.followed_by:
            self._queue.announce(task.due_at, task.pool)
        match settled.move:
            case Move.COMPLETE:
                self._telemetry.done += 1
            case Move.BACK_OFF:
                self._telemetry.retried += 1
                if settlement.due_at is not None:
                    self._queue.announce(settlement.due_at, attempt.pool)
            case _:
                self._telemetry.failed += 1
        if settlement.fault is not None:
            _log.info(
                "an attempt failed",
                task_id=attempt.task_id,
                type=attempt.type,
                attempt=attempt.number,
                code=settlement.fault.code,
                state=settlement.state.word,
            )

    def _settlement(self, attempt: Attempt, outcome: Outcome, started_at: Instant) -> Settlement:
        """Return what is to be written of an attempt."""
        now = self._clock.now()
        settlement = lifecycle.settle(
            outcome,
            attempt=attempt,
            retry=_UNASKED if isinstance(outcome, Succeeded) else decode_end_fields(attempt.payload).policy,
            started_at=started_at,
            now=now,
            rand=self._rand(),
        )
        if settlement.ended_at is None or not may_be_followed(attempt.payload):
            return settlement
        ending = Ending(
            task_id=attempt.task_id,
            type=attempt.type,
            state=settlement.state,
            attempts=attempt.number,
            payload=attempt.payload,
            fault=settlement.fault,
            status=None if outcome.exchange is None else outcome.exchange.status,
            result=settlement.result,
        )
        return msgspec.structs.replace(settlement, ending=ending)

    async def _give_back(self, attempt: Attempt) -> None:
        async def give_back() -> bool:
            await self._store.give_back(attempt)
            return True

        if await self._write(attempt, give_back) is not None:
            self._telemetry.given_back += 1
            if attempt.expires_at is not None:
                self._queue.announce(attempt.expires_at, attempt.pool)

    async def _write(self, attempt: Attempt, write: Callable[[], Awaitable[T]]) -> T | None:
        """Repeat *write* until it succeeds, and return what it does; None if the claim is lost, and with it the result."""
        wait = _FIRST_WAIT
        while True:
            try:
                return await write()
            except ClaimLostError:
                self._telemetry.claims_lost += 1
                _log.warning("discarded the end of an attempt: its claim is lost", task_id=attempt.task_id, type=attempt.type)
                return None
            except StoreError as error:
                _log.warning("cannot write the end of an attempt, trying again", task_id=attempt.task_id, reason=str(error))
                await sleep(self._clock, wait)
                wait = min(2 * wait, _LONGEST_WAIT)


class _Running:
    """An attempt that holds a slot."""

    __slots__ = ("attempt", "interruption", "settling", "started_at", "task")

    def __init__(self, attempt: Attempt, *, started_at: Instant) -> None:
        self.attempt = attempt
        self.started_at = started_at
        self.task: asyncio.Task[None] | None = None
        self.settling = False
        self.interruption: asyncio.Task[None] | None = None


def _failed(code: str, msg: str, *, permanent: bool = False) -> Failed:
    return Failed(Fault(code, msg), permanent=permanent)
