"""Operations: keeps them, and makes their moves of batches of tasks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from tasker.errors import OperationNotFoundError, TaskerError
from tasker.filters import Query
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.operation import Action, Batch, Operation, OperationState, Rewrite, Worked
from tasker.model.task import Pool, State, TaskId
from tasker.stores.finding import Places, Walker
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.changer import Changer
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.kept_answers import KeptAnswers
from tasker.stores.rows import Reading, operation_values

_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_CREATED: Final = (
    "action", "state", "is_dry_run", "asked", "cursor", "matched", "changed", "refused", "reasons", "refusals",
)  # fmt: skip
_ADVANCED: Final = ("state", "cursor", "matched", "changed", "refused", "reasons", "refusals")


class Operator:
    """Writes operations, and what they do, on one link. One node at a time is at work on an operation."""

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        inserter: Inserter,
        changer: Changer,
        auditor: Auditor,
        kept_answers: KeptAnswers,
        node: str,
    ) -> None:
        """Make it.

        Args:
            inserter, changer: on the same link.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._inserter = inserter
        self._changer = changer
        self._auditor = auditor
        self._kept_answers = kept_answers
        self._node = node

    async def create(
        self, operation: Operation, repeatable: Repeatable[Operation] | None, entry: Entry | None
    ) -> KeptAnswer | Operation:
        """Store a new operation: see ``Store.create_operation``. Safe to repeat after an ambiguous commit."""

        async def create(connection: Connection) -> KeptAnswer | Operation:
            async def make() -> tuple[Operation, Instant]:
                values = operation_values(operation)
                created = await connection.fetchval(
                    self._sql["create_operation"], operation.id, *(values[name] for name in _CREATED)
                )
                await self._auditor.write(connection, entry if created is not None else None)
                return await self._read(connection, operation.id), 0

            async with connection.transaction():
                return await self._kept_answers.once(connection, repeatable, make)

        return await self._link.run(create)

    async def cancel(self, operation_id: TaskId, entry: Entry | None = None) -> Operation:
        """Have an operation go no further, and return it: see ``Store.cancel_operation``."""

        async def cancel(connection: Connection) -> Operation:
            async with connection.transaction():
                if await connection.fetchval(self._sql["cancel_operation"], operation_id) is not None:
                    await self._auditor.write(connection, entry)
            return await self._read(connection, operation_id)

        return await self._link.run(cancel)

    async def operation(self, operation_id: TaskId) -> Operation:
        """Return an operation: see ``Store.operation``."""
        return await self._link.run(lambda connection: self._read(connection, operation_id))

    async def operations(self, before: TaskId | None, limit: int) -> Sequence[Operation]:
        """Return operations: see ``Store.operations``."""
        rows = await self._link.run(
            lambda connection: connection.fetch(self._sql["operations"], before or _LAST_ID, limit)
        )
        return [*map(self._reading.operation.read, rows)]

    async def next(self) -> Operation | None:
        """Return an operation for this node to work on: see ``Store.next_operation``."""

        async def look(connection: Connection) -> Operation | None:
            row = await connection.fetchrow(self._sql["next_operation"], self._node)
            if row is None:
                return None
            operation = self._reading.operation.read(row)
            if not row["is_ours"]:
                taken = await connection.fetchval(self._sql["take_operation"], operation.id, self._node)
                if taken is None:
                    return None
                operation = await self._read(connection, operation.id)  # it may have gone on in between
            return operation if operation.is_running else None

        return await self._link.run(look)

    async def operate(
        self,
        operation: Operation,
        batch: Batch,
        query: Query | None,
        free_pools: Collection[Pool],
        rewrite: Rewrite | None,
    ) -> Worked | None:
        """Make the moves of a batch: see ``Store.operate``."""

        async def operate(connection: Connection) -> Worked | None:
            async with self._inserter.transaction(connection):
                if not await self._is_at(connection, operation, operation.cursor):
                    return None
                passing = await self._passing(connection, batch, query, free_pools)
                seen, cancelled = operation, 0
                ids: list[TaskId] = []
                for match in batch.matches:
                    if match.id in passing:
                        outcome, is_cancelled = await self._move(connection, seen, match.id, rewrite)
                        seen = seen.met(match.id, outcome)
                        if outcome is True:
                            ids.append(match.id)
                        cancelled += is_cancelled
                await self._auditor.point(connection, ids, operation.id)
                state = OperationState.DONE if batch.cursor is None else OperationState.RUNNING
                stands = await self._advance(connection, replace(seen, cursor=batch.cursor, state=state))
            return Worked(stands, cancelled, ids)

        return await self._link.run(operate)

    async def record(self, operation: Operation, seen: str | None) -> bool:
        """Write how far an operation has come: see ``Store.record``."""

        async def record(connection: Connection) -> bool:
            async with connection.transaction():
                if not await self._is_at(connection, operation, seen):
                    return False
                await self._advance(connection, operation)
                return True

        return await self._link.run(record)

    async def prune(self, older_than: timedelta) -> int:
        """Delete a batch of what ended long ago: see ``Store.prune_operations``."""
        count: int = await self._link.run(
            lambda connection: connection.fetchval(self._sql["prune_operations"], older_than, PRUNE_LIMIT)
        )
        return count

    async def _read(self, connection: Connection, operation_id: TaskId) -> Operation:
        row = await connection.fetchrow(self._sql["operation"], operation_id)
        if row is None:
            raise OperationNotFoundError(operation_id)
        return self._reading.operation.read(row)

    async def _is_at(self, connection: Connection, operation: Operation, cursor: str | None) -> bool:
        rows = await connection.fetch(self._sql["operation_at"], operation.id, self._node, cursor)
        return bool(rows)

    async def _advance(self, connection: Connection, operation: Operation) -> Operation:
        values = operation_values(operation)
        row = await connection.fetchrow(
            self._sql["advance_operation"], operation.id, *(values[name] for name in _ADVANCED)
        )
        return self._reading.operation.read(row)

    async def _passing(
        self, connection: Connection, batch: Batch, query: Query | None, free_pools: Collection[Pool]
    ) -> Collection[TaskId]:
        """Return which tasks of a batch pass the filters still, and see to it that they go on to do so."""
        ids = [match.id for match in batch.matches]
        if query is None:
            await connection.fetch(self._sql["still_passing"].format(fits="true"), ids)
            return ids
        places = Places(lambda number: f"${1 + number}", str)
        fits = Walker(self._sql, places, query, free_pools).fits
        rows = await connection.fetch(self._sql["still_passing"].format(fits=fits), ids, *places.values)
        return {TaskId(str(row["id"])) for row in rows}

    async def _move(
        self, connection: Connection, operation: Operation, task_id: TaskId, rewrite: Rewrite | None
    ) -> tuple[TaskerError | bool, bool]:
        """Make a move. Return what it came to, and whether the task has become cancelled by it."""
        at = operation.starts_at(0) if operation.asked.per_second is not None else None
        try:
            match operation.action:
                case Action.RUN:
                    await self._changer.run_now_on(connection, task_id, at=at)
                case Action.RETRY:
                    await self._changer.retry_on(connection, task_id, at=at)
                case Action.POSTPONE:
                    assert operation.asked.by is not None  # noqa: S101 - it says by how much
                    by = timedelta(microseconds=operation.asked.by)
                    await self._changer.postpone_on(connection, task_id, by)
                case Action.DELETE:
                    await self._changer.delete_on(connection, task_id)
                case Action.CHANGE:
                    assert rewrite is not None  # noqa: S101 - it says what is changed
                    return await self._changer.rewrite_on(connection, task_id, rewrite), False
                case Action.CANCEL:
                    cancelled = await self._changer.cancel_on(connection, task_id)
                    return cancelled.is_new or cancelled.state is State.IN_PROGRESS, cancelled.is_new
        except TaskerError as error:
            return error, False
        return True, False
