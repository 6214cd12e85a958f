"""Works on operations: one at a time on each node, in small batches."""

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog
from msgspec import UNSET
from msgspec.structs import replace

from tasker.engine.due_work import Step
from tasker.engine.events import Events
from tasker.engine.slots import Slots
from tasker.engine.telemetry import Telemetry
from tasker.errors import TaskerError, TaskNotFoundError
from tasker.filters import Order, query_of
from tasker.interfaces.store import Store
from tasker.model.change import Change
from tasker.model.event import EventChange, EventKind
from tasker.model.instants import Instant
from tasker.model.operation import Action, Batch, Match, Operation, OperationState, Rewrite, Worked, verdict
from tasker.model.task import Task
from tasker.timing.alarm import sleep

AT_ONCE: Final = 50
"""Tasks in a batch, at most: the store does other things in between."""

LOOKED_AT_ONCE: Final = 1_000
"""The same where nothing is changed."""

_TOLD_APART: Final = 1.0
"""Seconds after which readers of events are told again how far it has come."""

_CHANGES: Final = {
    Action.RUN: EventChange.RUN,
    Action.RETRY: EventChange.RETRIED,
    Action.POSTPONE: EventChange.POSTPONED,
    Action.CHANGE: EventChange.PATCHED,
}

_log = structlog.get_logger()


class Operations:
    """Makes the moves of operations. The step of a ``DueWork``.

    It rests as long as it works, so that half of the time is left for all else.
    """

    def __init__(
        self,
        store: Store,
        slots: Slots,
        telemetry: Telemetry,
        events: Events,
        *,
        rewriting: Callable[[bytes], Rewrite],
        ring: Callable[[], None],
    ) -> None:
        """Make the job.

        Args:
            events: told of the operations, and of what they change.
            rewriting: reads what each task is given anew, and says how it is changed.
            ring: called when tasks may have come due.
        """
        self._store = store
        self._slots = slots
        self._telemetry = telemetry
        self._events = events
        self._told_at = -math.inf
        self._rewriting = rewriting
        self._ring = ring

    async def step(self) -> Step:
        """Work on a batch of the operation that this node is at. Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or a batch, was written.
        """
        clock = self._store.clock
        began_at = clock.monotonic()
        operation = await self._store.next_operation()
        if operation is None:
            return Step(done=0, next_at=None)
        stands = await (self._look(operation) if operation.is_dry_run else self._work(operation))
        if stands is not None and self._events.is_on:
            self._tell(stands)
        if stands is not None and not stands.is_running:
            _log.info(
                "an operation has ended",
                id=stands.id,
                action=stands.action.value,
                matched=stands.matched,
                changed=stands.changed,
                refused=stands.refused,
            )
        await sleep(clock, clock.monotonic() - began_at)
        return Step(done=1, next_at=clock.now())

    async def _work(self, operation: Operation) -> Operation | None:
        is_deleting = operation.action is Action.DELETE
        if operation.asked.ids:
            query, batch = None, _named(operation, AT_ONCE)
        else:
            query = query_of(operation.asked.filter, Order.CREATED.value).stored_until(operation.created_at)
            batch = await self._store.matches(
                query, after=operation.cursor, limit=AT_ONCE, free_pools=self._slots.free_pools
            )
        is_told = self._events.is_on
        before = await self._events.read(match.id for match in batch.matches) if is_told and is_deleting else ()
        worked = await self._store.operate(
            operation, batch, query, free_pools=self._slots.free_pools, rewrite=self.rewrite_of(operation)
        )
        if worked is None:
            return None
        changed = worked.operation.changed - operation.changed
        self._telemetry.cancelled += worked.cancelled
        if is_deleting:
            self._telemetry.deleted += changed
        if changed:
            self._ring()
        if is_told:
            await self._tell_moves(worked, before)
        return worked.operation

    async def _tell_moves(self, worked: Worked, before: Sequence[Task]) -> None:
        """Tell of the tasks that were changed; of those that are gone as they were *before*."""
        change = _CHANGES.get(worked.operation.action)
        if change is not None:
            await self._events.moved_by_id(EventKind.CHANGED, worked.ids, change)
        elif worked.operation.action is Action.DELETE:
            for task in before:
                if task.id in worked.ids:
                    self._events.moved(EventKind.DELETED, task)
        else:
            for task in await self._events.read(worked.ids):
                self._events.cancelled(task)

    def _tell(self, operation: Operation) -> None:
        """Tell how far an operation has come, but not with every batch."""
        now = self._store.clock.monotonic()
        if not operation.is_running or now >= self._told_at + _TOLD_APART:
            self._told_at = now
            self._events.operation(operation)

    async def _look(self, operation: Operation) -> Operation | None:
        """Say what would become of a batch."""
        if operation.asked.ids:
            batch = _named(operation, LOOKED_AT_ONCE)
            stands, cursor = await self._look_at_named(operation, batch), batch.cursor
        else:
            query = query_of(operation.asked.filter, Order.CREATED.value).stored_until(operation.created_at)
            page = await self._store.find(
                query, after=operation.cursor, limit=LOOKED_AT_ONCE, free_pools=self._slots.free_pools
            )
            stands, cursor = await self.look_at(operation, page.tasks), page.next
        state = OperationState.DONE if cursor is None else OperationState.RUNNING
        stands = replace(stands, cursor=cursor, state=state)
        return stands if await self._store.record(stands, seen=operation.cursor) else None

    async def look_at(self, operation: Operation, tasks: Sequence[Task]) -> Operation:
        """Return *operation* once it has met *tasks*, as they are. Others have their turn in between."""
        now, rewrite = self._store.clock.now(), self.rewrite_of(operation)
        for place, task in enumerate(tasks):
            if place % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            operation = operation.met(task.id, verdict(operation, task, now, rewrite))
        return operation

    def rewrite_of(self, operation: Operation) -> Rewrite | None:
        """Return what says how *operation* changes tasks; None: it gives them nothing anew.

        If its change can no longer be read, such as after its task type is gone, it refuses them all.
        """
        change = operation.asked.change
        if change is UNSET:
            return None
        try:
            return self._rewriting(bytes(change))
        except TaskerError as error:
            return partial(_refused, error)

    async def _look_at_named(self, operation: Operation, batch: Batch) -> Operation:
        """Return *operation* once it has met the tasks of *batch*, which are named."""
        for match in batch.matches:
            try:
                task = await self._store.get(match.id)
            except TaskNotFoundError as error:
                operation = operation.met(match.id, error)
            else:
                operation = await self.look_at(operation, (task,))
        return operation


def _refused(error: TaskerError, task: Task, now: Instant) -> Change | None:
    raise error


def _named(operation: Operation, limit: int) -> Batch:
    """Return the next tasks of an operation whose tasks are named. Its cursor is a place in their list."""
    ids = operation.asked.ids
    start = 0 if operation.cursor is None else int(operation.cursor)
    end = min(start + limit, len(ids))
    matches = [Match(ids[place], str(place + 1)) for place in range(start, end)]
    return Batch(matches, None if end == len(ids) else str(end))
