"""What callers do to tasks that are stored: run them now or again, change, cancel and delete them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import asyncpg

from tasker.errors import (
    KeyInUseError,
    RevisionPassedError,
    StoreError,
    TaskEndedError,
    TaskerError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskNotWaitingError,
    TaskRunningError,
)
from tasker.ids import new_id
from tasker.interfaces.queue import Follow
from tasker.interfaces.tasks import Cancelled
from tasker.model.audit import Entry
from tasker.model.change import Change
from tasker.model.instants import LAST, Instant
from tasker.model.operation import Rewrite
from tasker.model.task import State, TaskId
from tasker.stores.postgres.auditor import Auditor, values
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.gates import Gates
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.payloads import with_payloads
from tasker.stores.rows import Reading


class Changer:
    """Changes tasks. Each change is a statement, and so a transaction, unless others may follow."""

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        inserter: Inserter,
        gates: Gates,
        auditor: Auditor,
        *,
        follow: Follow,
    ) -> None:
        """Make it.

        Args:
            inserter: stores what follows, on the same link.
            gates: told of those that may have room.
            follow: says what follows the end of a task.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._inserter = inserter
        self._gates = gates
        self._auditor = auditor
        self._follow = follow

    async def cancel(self, task_id: TaskId, entry: Entry | None) -> Cancelled:
        """End a task as cancelled, or note that it is to end so: see ``Store.cancel``."""
        cancelled, gates = await self._link.run(lambda connection: self._cancel(connection, task_id, entry))
        if gates:
            with suppress(StoreError):  # then it is looked at when its time comes
                await self._link.run(lambda connection: self._gates.wake(connection, gates))
        return cancelled

    async def cancel_on(self, connection: Connection, task_id: TaskId, entry: Entry | None = None) -> Cancelled:
        """The same on *connection*, as a part of a transaction or as one of its own.

        What its gate holds is looked at when its time comes.
        """
        cancelled, _ = await self._cancel(connection, task_id, entry)
        return cancelled

    async def _cancel(
        self, connection: Connection, task_id: TaskId, entry: Entry | None
    ) -> tuple[Cancelled, Sequence[int]]:
        """Return what it came to, and the gates that may have room for it."""
        async with self._inserter.transaction(connection):
            row = await connection.fetchrow(self._sql["cancel"], task_id)
            gates: Sequence[int] = ()
            if row is not None:
                await look_at_schedules(connection, self._sql, [row])
            else:
                row = await connection.fetchrow(self._sql["cancel_waiting"], task_id)
                gates = [] if row is None else [row[name] for name in ("gate", "host_gate") if row[name] is not None]
            if row is not None:
                (ending,) = await with_payloads(connection, self._sql, [self._reading.cancelled(row)])
                followers = self._follow(ending, now=row["now"], new_id=new_id)
                await self._inserter.insert(connection, followers)
                await self._auditor.write(connection, entry)
                return Cancelled(State.CANCELLED, is_new=True, followed_by=followers), gates
        if await connection.fetchval(self._sql["cancel_running"], task_id, values(entry)) is not None:
            return Cancelled(State.IN_PROGRESS), ()
        state = await self._state(connection, task_id)
        if state in (State.TODO, State.IN_PROGRESS):  # it has moved on in between
            return await self._cancel(connection, task_id, entry)
        if state is State.CANCELLED:
            await self._confirm(connection)
            return Cancelled(state), ()
        raise TaskEndedError(task_id, state.word)

    async def confirm(self) -> None:
        """Return once what was read before is for sure: see ``Store.confirm``."""
        await self._link.run(self._confirm)

    async def _confirm(self, connection: Connection) -> None:
        await connection.execute(self._sql["confirm"])

    async def run_now(self, task_id: TaskId, entry: Entry | None) -> None:
        """Have a task become due now: see ``Store.run_now``."""
        await self._link.run(lambda connection: self.run_now_on(connection, task_id, entry=entry))

    async def run_now_on(
        self, connection: Connection, task_id: TaskId, *, at: Instant | None = None, entry: Entry | None = None
    ) -> None:
        """The same on *connection*, or a little later, *at* a moment."""
        if await connection.fetchval(self._sql["run_now"], task_id, at, values(entry)) is None:
            raise await self._does_not_wait(connection, task_id)

    async def postpone_on(self, connection: Connection, task_id: TaskId, by: timedelta) -> None:
        """Have a task become due later: see ``postponed``."""
        if await connection.fetchval(self._sql["postpone"], task_id, by, LAST) is None:
            raise await self._does_not_wait(connection, task_id)

    async def _does_not_wait(self, connection: Connection, task_id: TaskId) -> TaskerError:
        state = await self._state(connection, task_id)
        return TaskExpiredError(task_id) if state is State.TODO else TaskNotWaitingError(task_id, state.word)

    async def retry(self, task_id: TaskId, entry: Entry | None) -> None:
        """Have a failed or cancelled task run again: see ``Store.retry``."""
        await self._link.run(lambda connection: self.retry_on(connection, task_id, entry=entry))

    async def retry_on(
        self, connection: Connection, task_id: TaskId, *, at: Instant | None = None, entry: Entry | None = None
    ) -> None:
        """The same on *connection*, or a little later, *at* a moment."""
        try:
            async with connection.transaction():  # a part: of one in which a key is in use, the rest goes on
                if await connection.fetchval(self._sql["retry"], task_id, at) is not None:
                    await self._auditor.write(connection, entry)
                    return None
        except asyncpg.UniqueViolationError:
            holder = await connection.fetchrow(self._sql["other_holder"], task_id)
            if holder is None:  # it has ended in between
                return await self.retry_on(connection, task_id, at=at, entry=entry)
            raise KeyInUseError(holder["key"], str(holder["id"])) from None
        state = await self._state(connection, task_id)
        if state in (State.FAILED, State.CANCELLED):
            raise TaskExpiredError(task_id)
        raise TaskNotFailedError(task_id, state.word)

    async def rewrite_on(self, connection: Connection, task_id: TaskId, rewrite: Rewrite) -> bool:
        """Change a task that *connection* has locked, as *rewrite* says. Return whether that changes anything."""
        row = await connection.fetchrow(self._sql["get"], task_id)
        if row is None:
            raise TaskNotFoundError(task_id)
        now = await connection.fetchval(self._sql["now"])
        change = rewrite(self._reading.task.read(row), now)
        if change is None:
            return False
        await self._change(connection, change)
        return True

    async def delete_on(self, connection: Connection, task_id: TaskId) -> None:
        """Delete a task on *connection*: see ``Store.delete``."""
        if not await connection.fetch(self._sql["delete"], [task_id], [None], [None]):
            await self._state(connection, task_id)
            raise TaskRunningError(task_id)

    async def _state(self, connection: Connection, task_id: TaskId) -> State:
        """Return the state of a task of which a move could not be made."""
        state = await connection.fetchval(self._sql["state"], task_id)
        if state is None:
            raise TaskNotFoundError(task_id)
        return State(state).shown

    async def change(self, change: Change, entry: Entry | None) -> None:
        """Write what a task is given anew: see ``Store.change``."""
        await self._link.run(lambda connection: self._change(connection, change, entry))

    async def _change(self, connection: Connection, change: Change, entry: Entry | None = None) -> None:
        task = change.task
        gate, host_gate = await self._inserter.gates_of(connection, task)
        changed = await connection.fetchval(
            self._sql["change"],
            task.id,
            change.revision,
            task.due_at,
            task.execution_at,
            task.execution_time,
            gate,
            host_gate,
            task.expires_at,
            task.keep,
            task.patience,
            change.waited,
            task.payload if change.has_new_payload else None,
            list(task.tags),
            values(entry),
            task.local_time,
            task.time_zone,
            task.zones,
        )
        if changed is None:
            if await connection.fetchval(self._sql["state"], task.id) is None:
                raise TaskNotFoundError(task.id)
            raise RevisionPassedError(task.id)

    async def delete_batch(
        self, batch: Sequence[tuple[TaskId, Entry | None]]
    ) -> Sequence[TaskRunningError | TaskNotFoundError | None]:
        """Delete several tasks that are not running. Return each one's error; None: it is gone."""

        async def delete(connection: Connection) -> tuple[set[TaskId], set[TaskId]]:
            first = dict(reversed(batch))
            ids = sorted(first)  # in order, so that two nodes do not wait for each other
            by = [None if (entry := first[task_id]) is None else entry.by for task_id in ids]
            rows = await connection.fetch(
                self._sql["delete"],
                ids,
                [None if actor is None else actor.id for actor in by],
                [None if actor is None else actor.name for actor in by],
            )
            gone = {TaskId(str(row["id"])) for row in rows}
            left = [task_id for task_id in ids if task_id not in gone]
            there = await connection.fetch(self._sql["existing"], left) if left else []
            return gone, {TaskId(str(row["id"])) for row in there}

        gone, there = await self._link.run(delete)
        results: list[TaskRunningError | TaskNotFoundError | None] = []
        for task_id, _ in batch:
            if task_id in gone:
                gone.discard(task_id)  # a second caller finds nothing
                results.append(None)
            else:
                results.append(TaskRunningError(task_id) if task_id in there else TaskNotFoundError(task_id))
        return results


async def look_at_schedules(connection: Connection, queries: Mapping[str, str], gone: Sequence[Record]) -> None:
    """Have the schedules looked at whose runs have left the queue without starting: the rows of *gone* say which."""
    runs = [row for row in gone if row["run_of"] is not None]
    if runs:
        await connection.execute(
            queries["look_at_schedules"], [row["run_of"] for row in runs], [row["run_at"] for row in runs]
        )
