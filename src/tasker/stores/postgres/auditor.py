"""The audit log: writes its rows with what they tell of, and prunes them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tasker.ids import parse_id
from tasker.interfaces.audit import AuditPage
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.audit import AuditQuery, Entry
from tasker.model.task import TaskId
from tasker.stores.audits import bounds, entry_values, look, page_of
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.rows import Reading


class Auditor:
    """Writes rows in the transaction of a change.

    A change that is a statement of its own takes ``values`` instead, and has the row written by a
    part of that statement: see ``run_now``. That saves round trips.
    """

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        """Make it.

        Args:
            link: for ``prune`` and ``note``.
        """
        self._link = link
        self._sql = queries

    async def write(self, connection: Connection, entry: Entry | None) -> None:
        """Write a row: a part of the transaction of what it tells of. None: nobody asks for one."""
        if entry is not None:
            await connection.execute(self._sql["insert_audit"], values(entry))

    async def note(self, entry: Entry) -> None:
        """Write a row by itself."""
        await self._link.run(lambda connection: self.write(connection, entry))

    async def point(self, connection: Connection, task_ids: Sequence[TaskId], operation_id: TaskId) -> None:
        """Have tasks point to the operation that has changed them."""
        if task_ids:
            await connection.execute(self._sql["insert_operation_tasks"], task_ids, operation_id)

    async def prune(self, older_than: timedelta) -> int:
        """Delete a batch of what is old: see ``Store.prune_audit``."""

        async def prune(connection: Connection) -> int:
            rows: int = await connection.fetchval(self._sql["prune_audit"], older_than, PRUNE_LIMIT)
            pointers: int = await connection.fetchval(self._sql["prune_operation_tasks"], older_than, PRUNE_LIMIT)
            return rows + pointers

        return await self._link.run(prune)


def values(entry: Entry | None) -> Sequence[str | None] | None:
    """Return the row of an entry as statements take it, in the order of ``ENTRY``; None: they write none."""
    return None if entry is None else entry_values(entry)


async def read_audit(
    connection: Connection,
    queries: Mapping[str, str],
    reading: Reading,
    query: AuditQuery,
    after: str | None,
    limit: int,
) -> AuditPage:
    """Return a page of the audit log: see ``Store.audit``."""
    where = (*bounds(query, after), look(query, limit))
    if query.subject is None:
        rows = await connection.fetch(queries["audit"], *where)
    else:
        rows = await connection.fetch(queries["audit_of_subject"], *where, query.subject, _task(query.subject))
    return page_of([*map(reading.audit.read, rows)], query, limit)


def _task(subject: str) -> TaskId | None:
    try:
        return parse_id(subject)
    except ValueError:
        return None
