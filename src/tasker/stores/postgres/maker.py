"""Stores new tasks that may meet others by their keys or ids, or an earlier request by its idempotency key."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tasker.errors import (
    REFUSALS_SHOWN,
    ConflictsError,
    IdempotencyInFlightError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TaskerError,
)
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.new_task import Made, NewTask, OnConflict, Outcome
from tasker.model.task import State, Task, TaskId
from tasker.stores.conflicts import IN_THE_WAY, Holder, kept_by_id, latest, met, timed
from tasker.stores.group_commit import GROUP_LIMIT
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.kept_answers import KeptAnswers

_ROWS: Final = 200
"""Tasks that are handed over at a time: what asyncpg does for them, others wait for."""

_LOCKS: Final = GROUP_LIMIT
"""So many keys are locked one by one; of more, all keys there are."""

_TRIES: Final = 5
"""How often a request is looked at again because what it met changed meanwhile."""


class Making(Struct, frozen=True):
    """What a caller wants made."""

    new: Sequence[NewTask]
    repeatable: Repeatable[Sequence[Made]] | None = None
    entry: Entry | None = None


Came: TypeAlias = Sequence[Made] | KeptAnswer | ConflictsError | IdempotencyInFlightError | StoreError
"""What it came to."""


class Maker:
    """Makes tasks on one link, those of a caller all or none.

    Whoever makes a task with a key has a lock on the key until its commit: so of all callers on all
    nodes one comes first. No other writer asks for these locks.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        inserter: Inserter,
        kept_answers: KeptAnswers,
        auditor: Auditor,
    ) -> None:
        """Make it.

        Args:
            inserter: stores tasks, on the same link.
        """
        self._link = link
        self._sql = queries
        self._inserter = inserter
        self._kept_answers = kept_answers
        self._auditor = auditor

    async def make_batch(self, batch: Sequence[Making]) -> Sequence[Came]:
        """Store what several callers want made, sorted by key. Return what each one's came to, in the order given.

        Those of one task that change no other task share a transaction.
        """
        places = sorted(range(len(batch)), key=lambda place: _first_key(batch[place]))
        shared = [place for place in places if _shares(batch[place])]
        alone = [place for place in places if not _shares(batch[place])]
        came: dict[int, Came] = {}
        if shared:
            together = await self._repeatedly([batch[place] for place in shared])
            came |= zip(shared, together, strict=True)
        for place in alone:
            (came[place],) = await self._repeatedly([batch[place]])
        return [came[place] for place in range(len(batch))]

    async def make_each(self, connection: Connection, new: Sequence[NewTask]) -> Sequence[Made | TaskerError]:
        """Make tasks in the transaction that is under way, each by itself. Return what became of each, in order.

        Each keeps or rejects what holds its key, so that nothing has to be undone.

        Raises:
            ChangedError, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError: another
                transaction is needed.
        """
        came = await self._make(connection, [(each,) for each in new], _Look(is_repeated=False, is_careful=True))
        return [each.refusals[0] if isinstance(each, ConflictsError) else each[0] for each in came]

    async def _repeatedly(self, makings: Sequence[Making]) -> Sequence[Came]:
        """Make them. If the connection breaks, once more: it may have been done, and is recognised then."""
        try:
            try:
                return await self._link.run(lambda connection: self._try(connection, makings, is_repeated=False))
            except StoreFullError:
                raise
            except StoreUnavailableError:
                return await self._link.run(lambda connection: self._try(connection, makings, is_repeated=True))
        except StoreError as error:
            return [error] * len(makings)

    async def _try(self, connection: Connection, makings: Sequence[Making], *, is_repeated: bool) -> Sequence[Came]:
        for attempt in range(_TRIES):
            # Before the transaction, in which others would wait for a gate that they name, too.
            await self._inserter.make_what_is_named(
                connection, [each.task for making in makings for each in making.new]
            )
            look = _Look(is_repeated=is_repeated, is_careful=is_repeated or attempt > 0)
            try:
                async with self._inserter.transaction(connection):
                    if len(makings) == 1:
                        return [await self._make_once(connection, makings[0], look)]
                    return await self._make(connection, [making.new for making in makings], look)
            except (ConflictsError, IdempotencyInFlightError) as error:  # all of it is undone
                return [error]
            except (ChangedError, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                continue
        raise StoreBusyError

    async def _make_once(self, connection: Connection, making: Making, look: "_Look") -> Sequence[Made] | KeptAnswer:
        async def make() -> tuple[Sequence[Made], Instant]:
            entry = making.entry
            if entry is not None and look.is_repeated:
                ids = [each.task.id for each in making.new]
                if await self._stored(connection, ids, for_sure=False):
                    entry = None  # it was written with them
            (came,) = await self._make(connection, [making.new], look)
            if isinstance(came, ConflictsError):
                raise came
            await self._auditor.write(connection, entry)
            return came, latest(came)

        return await self._kept_answers.once(connection, making.repeatable, make)

    async def _make(
        self, connection: Connection, requests: Sequence[Sequence[NewTask]], look: "_Look"
    ) -> Sequence[Sequence[Made] | ConflictsError]:
        new = [each for request in requests for each in request]
        keys = sorted({each.task.key for each in new if each.task.key is not None})
        if len(keys) > _LOCKS:
            await connection.execute(self._sql["lock_all_keys"])
        elif keys:
            await connection.execute(self._sql["lock_keys"], keys)
        now: Instant = await connection.fetchval(self._sql["now"])
        named = [each.task.id for each in new if look.is_careful or each.task.content is not None]
        stored = await self._stored(connection, named, for_sure=look.is_repeated)
        met_so_far = _Met(now, stored, await self._holders(connection, keys), is_repeated=look.is_repeated)
        came = [await self._met(connection, request, met_so_far) for request in requests]
        waiting = list(met_so_far.waiting.values())
        for start in range(0, len(waiting), _ROWS):
            part = waiting[start : start + _ROWS]
            if len(await self._inserter.insert(connection, part)) < len(part):
                raise ChangedError  # another caller has stored one with such an id
        if any(made.outcome is Outcome.KEPT for each in came if not isinstance(each, ConflictsError) for made in each):
            await connection.execute(self._sql["confirm"])
        return came

    async def _met(
        self, connection: Connection, new: Sequence[NewTask], met_so_far: "_Met"
    ) -> Sequence[Made] | ConflictsError:
        """Return what became of the tasks of one request; of one with conflicts, some may be written."""
        made: list[Made] = []
        conflicts: dict[int, TaskerError] = {}
        for place, each in enumerate(new):
            if place % _ROWS == _ROWS - 1:
                await asyncio.sleep(0)  # others have their turn
            try:
                verdict = met_so_far.verdict(each)
            except IN_THE_WAY as error:
                conflicts[place] = error
                if len(conflicts) == REFUSALS_SHOWN:
                    break
                continue
            made.append(await self._write(connection, verdict, met_so_far) if isinstance(verdict, Task) else verdict)
        return ConflictsError(conflicts) if conflicts else made

    async def _write(self, connection: Connection, task: Task, met_so_far: "_Met") -> Made:
        """Store *task*, now or with the others of its request, in place of the one that holds its key or after it."""
        holder = None if task.key is None else met_so_far.holders.get(task.key)
        if holder is not None and holder.id == task.id:
            if (first := met_so_far.waiting.get(task.id)) is not None:
                met_so_far.waiting[task.id] = replace(task, content=first.content)
            else:
                await self._replace(connection, task)
            met_so_far.hold(task, holder.created_at)
            return Made(task.id, Outcome.REPLACED, task.execution_at)
        if holder is not None and await connection.fetchval(self._sql["release_key"], holder.id) is None:
            raise ChangedError
        met_so_far.waiting[task.id] = task
        met_so_far.stored[task.id] = (task.content, task.execution_at)
        met_so_far.hold(task, met_so_far.now)
        return Made(task.id, Outcome.CREATED, task.execution_at)

    async def _stored(
        self, connection: Connection, ids: Sequence[TaskId], *, for_sure: bool
    ) -> dict[TaskId, tuple[bytes | None, Instant]]:
        """Return the content and the execution time of what is stored under some of *ids*."""
        if not ids:
            return {}
        if for_sure:  # so that what was committed before is reported only once it is for sure
            await connection.fetch(self._sql["existing_for_sure"], ids)
        rows = await connection.fetch(self._sql["stored"], ids)
        return {TaskId(str(row["id"])): (row["content"], row["execution_at"]) for row in rows}

    async def _holders(self, connection: Connection, keys: Sequence[str]) -> dict[str, Holder]:
        rows = await connection.fetch(self._sql["key_holders"], keys) if keys else []
        return {
            row["key"]: Holder(
                TaskId(str(row["id"])), row["type"], State(row["state"]).shown, row["execution_at"], row["created_at"]
            )
            for row in rows
        }

    async def _replace(self, connection: Connection, task: Task) -> None:
        gate, host_gate = await self._inserter.gates_of(connection, task)
        replaced = await connection.fetchval(
            self._sql["replace"],
            task.id,
            task.due_at,
            task.execution_at,
            task.execution_time,
            gate,
            host_gate,
            task.expires_at,
            task.keep,
            task.patience,
            task.payload,
            list(task.tags),
            task.created_by,
            task.local_time,
            task.time_zone,
            task.zones,
        )
        if replaced is None:
            raise ChangedError


class _Look(Struct, frozen=True, kw_only=True):
    """What is known before a request is looked at."""

    is_repeated: bool
    """Whether it may be written already."""
    is_careful: bool
    """Whether all ids are looked for, those that tasker makes too."""


class _Met:
    """What the tasks of a transaction meet: what is stored, and those before them."""

    def __init__(
        self,
        now: Instant,
        stored: dict[TaskId, tuple[bytes | None, Instant]],
        holders: dict[str, Holder],
        *,
        is_repeated: bool,
    ) -> None:
        self.now = now
        self.stored = stored
        self.holders = holders
        self.waiting: dict[TaskId, Task] = {}
        """To be inserted."""
        self._is_repeated = is_repeated

    def verdict(self, new: NewTask) -> Made | Task:
        """Return what became of a task, or what is to be written of it: see ``conflicts.met``."""
        task = new.task
        if task.id in self.stored:
            content, execution_at = self.stored[task.id]
            if self._is_repeated and task.content is None and task.id not in self.waiting:
                return Made(task.id, Outcome.CREATED, execution_at)
            return kept_by_id(task, content, execution_at)
        if new.refusal is not None:
            raise new.refusal
        holder = None if task.key is None else self.holders.get(task.key)
        return timed(new, counted_from=self.now, now=self.now) if holder is None else met(new, holder, now=self.now)

    def hold(self, task: Task, created_at: Instant) -> None:
        """Note that *task* holds its key, if it has one."""
        if task.key is not None:
            self.holders[task.key] = Holder(task.id, task.type, State.TODO, task.execution_at, created_at)


class ChangedError(Exception):
    """What was met has changed since it was looked at. Nothing was written."""


def _first_key(making: Making) -> str:
    return (making.new[0].task.key or "") if making.new else ""


def _shares(making: Making) -> bool:
    """Whether it changes no task that is stored, so that its refusal leaves nothing to undo."""
    return (
        making.repeatable is None
        and making.entry is None
        and len(making.new) == 1
        and making.new[0].on_conflict in (OnConflict.REJECT, OnConflict.KEEP)
    )
