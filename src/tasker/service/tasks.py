"""What callers can do with tasks."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from tasker import explaining
from tasker.building import Asked, build_duplicate, build_new_task, build_task
from tasker.callers import Caller, Scope
from tasker.changing import Decode, Patch, changed
from tasker.engine.engine import Engine
from tasker.errors import (
    REFUSALS_SHOWN,
    ConflictsError,
    InvalidTaskError,
    InvalidTasksError,
    RevisionPassedError,
    TaskerError,
    TaskNotFoundError,
    TooManyBatchesError,
    cut,
)
from tasker.explaining import Finding
from tasker.ids import id_before, parse_id
from tasker.interfaces.store import Store
from tasker.interfaces.tasks import Page, TaskFilter
from tasker.model.attempt import AttemptRecord
from tasker.model.audit import Action, Entry, Kind
from tasker.model.audit import changed as changed_to
from tasker.model.event import EventChange, EventKind
from tasker.model.gate import Destination
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.inbox import InboxRow
from tasker.model.instants import LAST, Instant
from tasker.model.new_task import Made, NewTask, Outcome
from tasker.model.task import PULLED, Pool, State, Task, TaskId
from tasker.service.upgrading import refuse_if_upgrading, refuse_newer_members
from tasker.task_types.registry import Registry
from tasker.wire.changes import task_changes
from tasker.wire.fields import RequestFields, readable_end_fields, retry_policy
from tasker.wire.masking import listed, masked

BATCHES: Final = 4
"""How many batches are made at a time."""

_TOLD_AT_ONCE: Final = 500
"""Events of a batch, before others have their turn."""

_SLICE_SECONDS: Final = 0.004
"""After how long others have their turn while a batch is checked."""

_NEVER: Final = LAST + 1


class TaskService:
    """Creates, reads, lists, changes, runs, cancels, retries and deletes tasks.

    For what all methods raise, see ``Service``. Whether secrets (``secret``, the values of headers,
    the passwords in URLs) are shown is decided here: a single task shows them to a caller with the
    scope ``secrets:read``; a list shows such a caller ``secret`` alone.
    """

    def __init__(
        self, store: Store, engine: Engine, registry: Registry, *, takes_ids_of_any_time: bool = False
    ) -> None:
        """Make it.

        Args:
            takes_ids_of_any_time: see ``build_new_task``.
        """
        self._takes_ids_of_any_time = takes_ids_of_any_time
        self._store = store
        self._clock = store.clock
        self._engine = engine
        self._events = engine.events
        self._webhooks = registry.webhooks
        self._batches = 0

    async def create(self, caller: Caller, asked: Asked) -> Made:
        """Store a new task. Once this returns, the task survives a kill and a power loss.

        One that its caller names by an id or a key may meet another: see ``Store.make``.

        Raises:
            InvalidTaskError: it cannot become a task. ``field`` is the whole path in the request,
                such as ``webhook.url``.
            UpgradeUnfinishedError: it has a member that not all nodes know.
            IdInUseError, KeyInUseError, TaskRunningError: what it meets is in its way.
        """
        if not asked.is_plain:
            made = await self._make(self._built_new(caller, asked))
            assert isinstance(made, Made)  # noqa: S101 - no answer is kept
            return made
        task = self._built(caller, asked)
        await self._store.create((task,))
        return self._created(task)

    def check(self, caller: Caller, asked: Asked) -> Task:
        """Return the task that *asked* would become now. Nothing is stored, and whom it would meet is not looked at.

        Raises:
            InvalidTaskError, UpgradeUnfinishedError: as for ``create``.
        """
        return self._built_new(caller, asked).task

    async def create_once(self, caller: Caller, asked: Asked, repeatable: Repeatable[Made] | None) -> KeptAnswer | Made:
        """Do as ``create``, unless an answer is kept for a request: then return that. Else it is kept with the task.

        Args:
            asked: see ``create``.
            repeatable: the request; None: it has no idempotency key.

        Raises:
            InvalidTaskError: as for ``create``, and so all that it raises.
            IdempotencyInFlightError: see ``Store.create_once``.
        """
        if repeatable is None:
            return await self.create(caller, asked)
        if not asked.is_plain:
            return await self._make(self._built_new(caller, asked), repeatable.of(lambda made: made[0]))
        came = await self._store.create_once(self._built(caller, asked), repeatable.of(_made))
        return self._created(came) if isinstance(came, Task) else came

    async def create_batch(
        self,
        caller: Caller,
        asked: Iterable[Asked | InvalidTaskError],
        repeatable: Repeatable[Sequence[Made]] | None,
    ) -> KeptAnswer | Sequence[Made]:
        """Store many new tasks, all or none, as ``create`` does each: a later one may meet an earlier.

        Others have their turn every few milliseconds.

        Args:
            asked: each task, or why it is none.
            repeatable: the request; None: it has no idempotency key.

        Raises:
            InvalidTasksError: some cannot become tasks. Of the refusals there are
                ``REFUSALS_SHOWN`` at most.
            ConflictsError: what some meet is in their way.
            TooManyBatchesError: ``BATCHES`` others are being made.
            UpgradeUnfinishedError: as for ``create``.
            IdempotencyInFlightError: see ``Store.make``.
        """
        if self._batches >= BATCHES:
            raise TooManyBatchesError
        self._batches += 1
        try:
            new = await self._all_built(caller, asked)
            try:
                came = await self._store.make(new, repeatable)
            except ConflictsError as error:
                if any(isinstance(each, InvalidTaskError) for each in error.refusals.values()):
                    raise InvalidTasksError(error.refusals) from None
                raise
        finally:
            self._batches -= 1
        if isinstance(came, KeptAnswer):
            return came
        await self.made(new, came)
        return came

    def build(self, caller: Caller, asked: Asked, *, now: Instant) -> NewTask:
        """Return the task that *asked* would become if it had been asked for at *now*. Nothing is stored.

        Raises:
            InvalidTaskError, UpgradeUnfinishedError: as for ``create``.
        """
        refuse_newer_members(self._store, asked)
        return build_new_task(
            asked,
            now=now,
            webhooks=self._webhooks,
            created_by=caller.creator,
            takes_ids_of_any_time=self._takes_ids_of_any_time,
        )

    async def made(self, new: Sequence[NewTask], made: Sequence[Made]) -> None:
        """Count, announce and tell of tasks that were made; others have their turn in between."""
        self._all_made(new, made)
        if self._events.is_on:
            for start in range(0, len(new), _TOLD_AT_ONCE):
                self._tell_made(new[start : start + _TOLD_AT_ONCE], made[start : start + _TOLD_AT_ONCE])
                await asyncio.sleep(0)

    async def _all_built(self, caller: Caller, asked: Iterable[Asked | InvalidTaskError]) -> Sequence[NewTask]:
        loop = asyncio.get_running_loop()
        pause_at = loop.time() + _SLICE_SECONDS
        new: list[NewTask] = []
        refusals: dict[int, TaskerError] = {}
        for place, each in enumerate(asked):
            try:
                if isinstance(each, InvalidTaskError):
                    raise each
                new.append(self._built_new(caller, each))
            except InvalidTaskError as error:
                refusals[place] = error
                if len(refusals) == REFUSALS_SHOWN:
                    break
            if loop.time() >= pause_at:
                await asyncio.sleep(0)
                pause_at = loop.time() + _SLICE_SECONDS
        if refusals:
            raise InvalidTasksError(refusals)
        return new

    def _all_made(self, new: Sequence[NewTask], made: Sequence[Made]) -> None:
        """Count them, and announce what is due first in each pool or queue, and expires first: the rest comes later."""
        counts = self._engine.telemetry.created_by_type
        earliest: dict[tuple[Pool, Destination | None], Instant] = {}
        expiries = []
        for each, came in zip(new, made, strict=True):
            task, outcome = each.task, came.outcome
            if outcome is Outcome.CREATED:
                counts[task.type] += 1
            if outcome is not Outcome.KEPT:
                place = task.pool, task.destination if task.pool == PULLED else None
                if came.execution_at < earliest.get(place, _NEVER):
                    earliest[place] = came.execution_at
                if task.expires_at is not None:
                    expiries.append(task.expires_at)
        for (pool, queue), due_at in earliest.items():
            self._engine.announce(due_at, pool, queue=queue, expires_at=min(expiries, default=None))

    async def duplicate(
        self,
        caller: Caller,
        task_id: str,
        when: RequestFields,
        repeatable: Repeatable[Made] | None,
        *,
        traceparent: str | None = None,
    ) -> KeptAnswer | Made:
        """Store another task like one that is stored, whatever has become of that; see ``build_duplicate``.

        Args:
            when: says the execution time.
            repeatable: the request; None: it has no idempotency key.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            InvalidRequestError: *when* does not say a time in the future.
            UpgradeUnfinishedError: it is a local time, and nodes of the version before may be running.
            IdempotencyInFlightError: see ``Store.make``.
        """
        if when.local_time is not UNSET:
            refuse_if_upgrading(self._store, "local_time")
        id_ = parsed_id(task_id)
        standing = await self._store.standing(id_)
        task = build_duplicate(
            standing, when, now=self._clock.now(), created_by=caller.creator, traceparent=traceparent
        )
        entry = caller.entry(Action.DUPLICATE, Kind.TASK, id_, changes={"duplicate": changed_to(after=task.id)})
        if repeatable is None:
            return await self._make(NewTask(task=task), entry=entry)
        return await self._make(NewTask(task=task), repeatable.of(lambda made: made[0]), entry)

    async def _make(
        self,
        new: NewTask,
        repeatable: Repeatable[Sequence[Made]] | None = None,
        entry: Entry | None = None,
    ) -> KeptAnswer | Made:
        try:
            came = await self._store.make((new,), repeatable, entry)
        except ConflictsError as error:
            raise error.refusals[0] from None
        if isinstance(came, KeptAnswer):
            return came
        (made,) = came
        if made.outcome is Outcome.CREATED:
            self._engine.telemetry.created_by_type[new.task.type] += 1
        if made.outcome is not Outcome.KEPT:
            self._engine.announce(
                made.execution_at, new.task.pool, queue=new.task.destination, expires_at=new.task.expires_at
            )
        if self._events.is_on:
            self._tell_made((new,), came)
        return made

    def _tell_made(self, new: Sequence[NewTask], made: Sequence[Made]) -> None:
        for each, came in zip(new, made, strict=True):
            if came.outcome is Outcome.CREATED:
                self._events.created(each.task)
            elif came.outcome is Outcome.REPLACED:
                self._events.replaced(each.task, came.id)

    async def id_of_key(self, key: str, *, or_newest: bool = False) -> TaskId:
        """Return the id of the task that holds *key*; with *or_newest*, if none does, of the newest that had it.

        Raises:
            KeyNotFoundError: there is none.
        """
        return await self._store.id_of_key(key, or_newest=or_newest)

    async def get(self, caller: Caller, task_id: str) -> Task:
        """Return a task, with its secrets if *caller* may see them. *task_id* is a UUID in any spelling.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return _shown_to(caller, await self._store.get(parsed_id(task_id)))

    async def get_ended(
        self, caller: Caller, task_id: str, *, longest: timedelta, when_left: Callable[[Callable[[], None]], None]
    ) -> Task:
        """Return a task as ``get`` does, once it has ended, or after *longest* as it is then.

        As it is now, if too many callers are waiting already. As it is then, once the node stops.

        Args:
            when_left: takes what is to be called once nobody waits for the answer any more.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID; or it was deleted meanwhile.
        """
        id_ = parsed_id(task_id)
        with self._engine.waiters.joined(id_) as over:
            task = await self._store.get(id_)
            if task.state in (State.TODO, State.IN_PROGRESS) and not over.is_set():
                when_left(over.set)
                limit = self._clock.call_later(longest.total_seconds(), over.set)
                try:
                    await over.wait()
                finally:
                    limit.cancel()
                task = await self._store.get(id_)
        return _shown_to(caller, task)

    async def page(self, caller: Caller, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return one page of a list; see ``Store.list_page``."""
        page = await self._store.list_page(which, after=after, limit=limit)
        return Page([*map(shown_in_lists_to(caller), page.tasks)], page.next)

    async def change(
        self,
        caller: Caller,
        task_id: str,
        patch: Patch,
        *,
        decode: Decode,
        revisions: frozenset[int] | None = None,
    ) -> Task:
        """Change what a task was given, and return it as it stands then, as ``get`` does.

        Once this returns, it is never run in its old form any more. What somebody else writes at
        the same time is not lost: this change is made of what comes out of that.

        Args:
            decode: see ``changed``.
            revisions: those at which the task may be; None: any.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            RevisionPassedError: it is at another revision.
            InvalidTaskError, MaskedValueError, HeadersNeededError, TaskRunningError,
                TaskEndedError, TaskNotWaitingError: see ``changed``.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "PATCH")
        id_ = parsed_id(task_id)
        while True:
            task = await self._store.get(id_)
            if revisions is not None and task.revision not in revisions:
                raise RevisionPassedError(id_)
            change = changed(task, patch, now=self._clock.now(), decode=decode, webhooks=self._webhooks)
            if change is None:
                await self._store.confirm()
                return _shown_to(caller, task)
            with contextlib.suppress(RevisionPassedError):  # then again, from the newest
                entry = caller.entry(Action.CHANGE, Kind.TASK, id_, changes=task_changes(task, change.task))
                await self._store.change(change, entry=entry)
                break
        task = replace(change.task, revision=change.revision + 1)
        if task.state is State.TODO:
            self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
        if self._events.is_on:
            self._events.moved(EventKind.CHANGED, task, EventChange.PATCHED)
        return _shown_to(caller, task)

    async def run(self, caller: Caller, task_id: str) -> tuple[Task, Finding]:
        """Have a task that waits become due now, and return it as it stands then, as ``get`` does, and why.

        Its gate holds it as any other.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskNotWaitingError: it is not ``todo``.
            TaskExpiredError: its ``expires_at`` has passed.
        """
        id_ = parsed_id(task_id)
        await self._store.run_now(id_, entry=caller.entry(Action.RUN, Kind.TASK, id_))
        finding = await self._explained(id_, looks_ahead=True)
        task = finding.task
        self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
        if self._events.is_on:
            self._events.moved(EventKind.CHANGED, task, EventChange.RUN)
        return _shown_to(caller, task), finding

    async def cancel(self, caller: Caller, task_id: str) -> Task:
        """End a task as ``cancelled``, and return it as it stands then, as ``get`` does.

        One that is running goes on, and ends so with that attempt, unless the attempt succeeds. One
        that is cancelled already stays as it is.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskEndedError: it is ``done`` or ``failed``.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "cancel")
        id_ = parsed_id(task_id)
        cancelled = await self._store.cancel(id_, entry=caller.entry(Action.CANCEL, Kind.TASK, id_))
        if cancelled.is_new:
            self._engine.telemetry.cancelled += 1
            self._engine.waiters.tell(id_)
        for task in cancelled.followed_by:
            self._engine.announce(task.due_at, task.pool)
        task = await self._store.get(id_)
        if cancelled.is_new and task.schedule is not None:
            self._engine.announce_schedule(self._clock.now())  # its next run is to be made
        if self._events.is_on and (cancelled.is_new or cancelled.state is State.IN_PROGRESS):
            self._events.cancelled(task)
            for follower in cancelled.followed_by:
                self._events.created(follower)
        return _shown_to(caller, task)

    async def retry(self, caller: Caller, task_id: str) -> Task:
        """Have a failed or cancelled task run again, now, and return it as it stands then, as ``get`` does.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskNotFailedError: it is neither failed nor cancelled.
            TaskExpiredError: its ``expires_at`` has passed.
            KeyInUseError: another task holds its key now.
        """
        id_ = parsed_id(task_id)
        await self._store.retry(id_, entry=caller.entry(Action.RETRY, Kind.TASK, id_))
        task = await self._store.get(id_)
        self._engine.announce(task.due_at, task.pool, expires_at=task.expires_at)
        if self._events.is_on:
            self._events.moved(EventKind.CHANGED, task, EventChange.RETRIED)
        return _shown_to(caller, task)

    async def delete(self, caller: Caller, task_id: str) -> None:
        """Delete a task for good: it never starts any more.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskRunningError: it is running.
        """
        id_ = parsed_id(task_id)
        before = await self._store.get(id_) if self._events.is_on else None
        await self._store.delete(id_, entry=caller.entry(Action.DELETE, Kind.TASK, id_))
        if before is not None:
            self._events.moved(EventKind.DELETED, before)
        self._engine.telemetry.deleted += 1
        self._engine.waiters.tell(id_)

    async def attempts(self, task_id: str) -> Sequence[AttemptRecord]:
        """Return what is kept of the attempts of a task that have ended, oldest first.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return await self._store.attempts(parsed_id(task_id))

    async def explain(self, task_id: str) -> Finding | InboxRow:
        """Return why a task is where it is, and what comes next; of a task to be, the row of the inbox.

        Raises:
            TaskNotFoundError: no task has this id and no row, or it is not a UUID.
        """
        id_ = parsed_id(task_id)
        try:
            return await self.explain_task(id_)
        except TaskNotFoundError:
            rows = await self._store.inbox_rows(after=id_before(id_), limit=1) if self._store.has_inbox else ()
            if rows and rows[0].id == id_:
                return rows[0]
        return await self.explain_task(id_)  # it may have been taken in between

    async def explain_task(self, task_id: TaskId) -> Finding:
        """Return why a task is where it is, and what comes next.

        Raises:
            TaskNotFoundError: no task has this id.
        """
        return await self._explained(task_id)

    def _built(self, caller: Caller, asked: Asked) -> Task:
        refuse_newer_members(self._store, asked)
        return build_task(asked, now=self._clock.now(), webhooks=self._webhooks, created_by=caller.creator)

    def _built_new(self, caller: Caller, asked: Asked) -> NewTask:
        return self.build(caller, asked, now=self._clock.now())

    def _created(self, task: Task) -> Made:
        self._engine.telemetry.created_by_type[task.type] += 1
        self._engine.announce(task.due_at, task.pool, queue=task.destination, expires_at=task.expires_at)
        if self._events.is_on:
            self._events.created(task)
        return _made(task)

    async def _explained(self, task_id: TaskId, *, looks_ahead: bool = False) -> Finding:
        standing = await self._store.standing(task_id)
        return explaining.explain(
            standing,
            now=self._clock.now(),
            max_attempts=retry_policy(readable_end_fields(standing.task.payload)).max_attempts,
            has_free_slot=self._engine.has_slot(standing.task.pool),
            looks_ahead=looks_ahead,
        )


def _made(task: Task) -> Made:
    return Made(task.id, Outcome.CREATED, task.execution_at)


def _shown_to(caller: Caller, task: Task) -> Task:
    return task if caller.may(Scope.SECRETS_READ) else masked(task)


def shown_in_lists_to(caller: Caller) -> Callable[[Task], Task]:
    """Return what makes of a task what lists show of it to *caller*."""
    return listed if caller.may(Scope.SECRETS_READ) else masked


def parsed_id(text: str) -> TaskId:
    """Return the id that *text*, a UUID in any spelling, stands for.

    Raises:
        TaskNotFoundError: it is no UUID.
    """
    try:
        return parse_id(text)
    except ValueError:
        raise TaskNotFoundError(cut(text)) from None
