"""Takes rows from the inbox, in the transactions in which their tasks are created."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from tasker.errors import InboxRowNotFoundError, InvalidTaskError, StoreBusyError, TaskerError
from tasker.model.audit import Entry
from tasker.model.inbox import INBOX_COUNTED_TO, InboxCount, InboxRow
from tasker.model.new_task import Made, NewTask, Outcome
from tasker.model.task import TaskId
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.maker import ChangedError, Maker
from tasker.timing.clock import Clock

BYTES_AT_ONCE: Final = 4 * 1024 * 1024
"""Of requests that are read at a time, but for the first."""

_TRIES: Final = 5
"""How often rows are taken again because what their tasks met changed meanwhile."""

_NOWHERE: Final = UUID(int=2**128 - 1)
"""The last of all ids."""

_AT_FAULT: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""What one task may be the cause of. Others must not suffer from it."""


class Inbox:
    """Reads and takes rows on one link. Any number of nodes may do so at once.

    Nothing that others need is locked while a row is read, and no row is waited for: not that of a
    transaction which is still open, and not one that another node is taking.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        inserter: Inserter,
        maker: Maker,
        auditor: Auditor,
        clock: Clock,
        *,
        schema: int,
    ) -> None:
        """Make it.

        Args:
            inserter: stores tasks, on the same link.
            maker: makes them, on the same link.
            schema: the version of the tables that this node knows.
        """
        self._link = link
        self._sql = queries
        self._inserter = inserter
        self._maker = maker
        self._auditor = auditor
        self._clock = clock
        self._schema = schema

    async def waiting(self, after: TaskId | None, limit: int, largest: int) -> Sequence[InboxRow]:
        """Return rows that are to be taken: see ``Store.waiting_rows``."""
        rows = await self._link.run(
            lambda connection: connection.fetch(
                self._sql["waiting_rows"], _behind(after), limit, largest, BYTES_AT_ONCE, self._schema
            )
        )
        return [*map(_row, rows)]

    async def take(
        self, rows: Sequence[InboxRow], verdicts: Sequence[NewTask | TaskerError]
    ) -> Sequence[Made | TaskerError | None]:
        """Create the tasks of rows, or refuse them: see ``Store.take``."""
        given = {row.id: (row, verdict) for row, verdict in zip(rows, verdicts, strict=True)}
        came: dict[TaskId, Made | TaskerError] = {}
        try:
            came = await self._taken(given)
        except _FaultError:
            for row_id, (row, verdict) in given.items():
                try:
                    came |= await self._taken({row_id: (row, verdict)})
                except _FaultError as error:
                    came |= await self._taken({row_id: (row, error.meaning)})
        return [came.get(row.id) for row in rows]

    async def _taken(
        self, given: Mapping[TaskId, tuple[InboxRow, NewTask | TaskerError]]
    ) -> dict[TaskId, Made | TaskerError]:
        return await self._link.run(lambda connection: self._try(connection, given))

    async def _try(
        self, connection: Connection, given: Mapping[TaskId, tuple[InboxRow, NewTask | TaskerError]]
    ) -> dict[TaskId, Made | TaskerError]:
        for _ in range(_TRIES):
            try:
                # Before the transaction, in which others would wait for a gate that they name, too.
                await self._inserter.make_what_is_named(
                    connection, [verdict.task for _, verdict in given.values() if isinstance(verdict, NewTask)]
                )
                async with self._inserter.transaction(connection):
                    return await self._take(connection, given)
            except (ChangedError, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                continue
            except _AT_FAULT as error:
                raise _FaultError(error) from None
        raise StoreBusyError

    async def _take(
        self, connection: Connection, given: Mapping[TaskId, tuple[InboxRow, NewTask | TaskerError]]
    ) -> dict[TaskId, Made | TaskerError]:
        locked = await connection.fetch(self._sql["lock_waiting_rows"], [*given])
        ours = {
            row_id: given[row_id][1]
            for row_id, version in ((TaskId(str(row["id"])), row["version"]) for row in locked)
            if given[row_id][0].version == version  # else it was read before somebody changed it
        }
        new = [verdict for verdict in ours.values() if isinstance(verdict, NewTask)]
        made = iter(await self._maker.make_each(connection, new) if new else ())
        came = {row_id: next(made) if isinstance(verdict, NewTask) else verdict for row_id, verdict in ours.items()}
        if done := [row_id for row_id, each in came.items() if isinstance(each, Made)]:
            await connection.execute(self._sql["delete_inbox_rows"], done)
        if refused := {row_id: str(each) for row_id, each in came.items() if isinstance(each, TaskerError)}:
            await connection.execute(self._sql["refuse_inbox_rows"], [*refused], [*refused.values()])
        now = self._clock.now()
        late = [
            each.id
            for each in came.values()
            if isinstance(each, Made) and each.outcome is Outcome.CREATED and each.execution_at < now
        ]
        if late:
            await connection.execute(self._sql["note_held_in_inbox"], late)
        return came

    async def rows(self, after: TaskId | None, limit: int) -> Sequence[InboxRow]:
        """Return rows: see ``Store.inbox_rows``."""
        rows = await self._link.run(
            lambda connection: connection.fetch(self._sql["inbox_rows"], _behind(after), limit, BYTES_AT_ONCE)
        )
        return [*map(_row, rows)]

    async def retry(self, row_id: TaskId, entry: Entry | None) -> None:
        """Have a row be taken again: see ``Store.retry_inbox_row``."""

        async def retry(connection: Connection) -> None:
            async with connection.transaction():
                was_refused = await connection.fetchval(self._sql["retry_inbox_row"], row_id)
                if was_refused is None:
                    raise InboxRowNotFoundError(row_id)
                await self._auditor.write(connection, entry if was_refused else None)

        await self._link.run(retry)

    async def delete(self, row_id: TaskId, entry: Entry | None) -> None:
        """Delete a row: see ``Store.delete_inbox_row``."""

        async def delete(connection: Connection) -> None:
            async with connection.transaction():
                if await connection.fetchval(self._sql["delete_inbox_row"], row_id) is None:
                    raise InboxRowNotFoundError(row_id)
                await self._auditor.write(connection, entry)

        await self._link.run(delete)

    async def count(self) -> InboxCount:
        """Return how many rows there are: see ``Store.count_inbox``."""
        row = await self._link.run(lambda connection: connection.fetchrow(self._sql["count_inbox"], INBOX_COUNTED_TO))
        return InboxCount(waiting=row["waiting"], refused=row["refused"])


class _FaultError(Exception):
    """PostgreSQL refuses what was to be written. Nothing was."""

    def __init__(self, error: asyncpg.PostgresError) -> None:
        self.meaning = InvalidTaskError("", f"expected what PostgreSQL can store, got its error {error.sqlstate}")
        super().__init__()


def _behind(after: TaskId | None) -> UUID:
    """Return the first id behind *after*, of all that there can be."""
    return UUID(int=0) if after is None else UUID(int=min(UUID(after).int + 1, _NOWHERE.int))


def _row(row: Record) -> InboxRow:
    request: str | None = row["request"]
    return InboxRow(
        id=TaskId(str(row["id"])),
        request=None if request is None else request.encode(),
        inserted_at=row["inserted_at"],
        error=row["error"],
        version=row["version"],
    )
