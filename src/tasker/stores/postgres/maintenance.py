"""What can be done to a database on PostgreSQL without serving it: see ``stores/maintenance.py``."""

import asyncio
from pathlib import Path
from typing import Final

from typing_extensions import override

from tasker.errors import DatabaseError, DatabaseInUseError, OwnToolsError
from tasker.model.instants import Instant
from tasker.model.task import TaskId
from tasker.stores import queries
from tasker.stores.invariants import INVARIANTS
from tasker.stores.kind import StoreContext
from tasker.stores.maintenance import Backup, Checked, Due, DueCount, Finding, Maintenance, Restored, Tell, Vacuumed
from tasker.stores.mark import Mark, State, check_servable
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import TROUBLE, Connection, Connector
from tasker.stores.postgres.marks import read_mark, write_mark

_LONG: Final = 3_600.0
"""Seconds that a look at all tasks may take."""

_WALKING: Final = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "enable_seqscan": "on",
    "enable_bitmapscan": "on",
    "enable_hashjoin": "on",
    "enable_mergejoin": "on",
    "seq_page_cost": "1",
    "random_page_cost": "4",
    "plan_cache_mode": "auto",
}
"""For statements that look at all tasks: they are no queries of a server."""


class PostgresMaintenance(Maintenance):
    """See ``Maintenance``. Copies are made, and put in place, by PostgreSQL's own tools."""

    def __init__(self, url: str, context: StoreContext) -> None:
        self._connector: Final = Connector(url, is_pooled=context.no_listen, schema=context.schema)
        self._migrates = not context.no_migrate
        self._sql: Final = queries.load("tasker.stores.postgres")
        self._asking: Final = queries.load("tasker.stores.postgres", "maintenance.sql")

    @override
    def back_up(self, path: Path, *, keep: int | None, tell: Tell) -> Backup:
        place = self._connector.place
        raise OwnToolsError(
            f"{place} is copied by PostgreSQL's own tools, while servers use it: pg_dump --format=custom --file={path} "
            f"{place} for this moment, or pg_basebackup and the write-ahead log for any; "
            "after a restore, run: tasker db restored"
        )

    @override
    def restore(self, copy: Path, *, paused: bool, with_ids: bool, tell: Tell) -> Restored:
        place = self._connector.place
        raise OwnToolsError(
            f"{place} is restored by PostgreSQL's own tools, while no server uses it: into an empty database, "
            f"pg_restore --dbname={place} {copy}; before a server starts, run: tasker db restored"
        )

    @override
    def vacuum(self, tell: Tell) -> Vacuumed:
        raise OwnToolsError(
            f"{self._connector.place} is vacuumed by PostgreSQL itself, and what is free is used again; to give it "
            "back to the system, stop the servers, and run there: VACUUM (FULL, ANALYZE)"
        )

    @override
    def note_restored(self, copied_at: Instant | None, *, paused: bool, with_ids: bool) -> Due:
        return asyncio.run(self._note_restored(copied_at, paused=paused, with_ids=with_ids))

    async def _note_restored(self, copied_at: Instant | None, *, paused: bool, with_ids: bool) -> Due:
        await schema.prepare(self._connector, migrates=self._migrates)
        connection = await self._connect()
        try:
            async with connection.transaction():
                # Nobody joins before this is committed.
                await connection.execute("LOCK TABLE node IN SHARE MODE")
                if await connection.fetchval(self._sql["any_node"]):
                    raise DatabaseInUseError(self._connector.place)
                found = await read_mark(connection, self._sql)
                check_servable(self._connector.place, found)
                moment = copied_at or await self._moment(connection, found)
                await write_mark(connection, self._sql, Mark(state=State.BACKUP, at=moment) if paused else None)
                return await self._due(connection, moment, with_ids=with_ids)
        except TROUBLE as error:
            raise DatabaseError(self._connector.place, schema.why_not(error, self._connector)) from error
        finally:
            connection.terminate()

    async def _moment(self, connection: Connection, found: Mark | None) -> Instant:
        """Return when the copy was made, as far as it says."""
        if found is not None:
            return found.at
        looked_at: Instant | None = await connection.fetchval(self._sql["latest_look"])
        return looked_at or 0

    async def _due(self, connection: Connection, copied_at: Instant, *, with_ids: bool) -> Due:
        rows = await connection.fetch(self._asking["due"], copied_at, timeout=_LONG)
        ids = await connection.fetch(self._asking["due_ids"], timeout=_LONG) if with_ids else ()
        return Due(
            copied_at=copied_at,
            counts=[DueCount(type=row[0], destination=row[1], since=row[2], before=row[3]) for row in rows],
            schedules=await connection.fetchval(self._asking["due_schedules"], timeout=_LONG),
            ids=[TaskId(str(row["id"])) for row in ids],
        )

    @override
    def check(self, tell: Tell) -> Checked:
        return asyncio.run(self._check(tell))

    async def _check(self, tell: Tell) -> Checked:
        await schema.prepare(self._connector, migrates=False)
        connection = await self._connect()
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                tasks = await connection.fetchval(self._asking["tasks"], timeout=_LONG)
                findings = [
                    finding
                    for number, name in enumerate(INVARIANTS)
                    if (finding := await self._broken(connection, name, number, tell)) is not None
                ]
                return Checked(tasks=tasks, findings=findings)
        except TROUBLE as error:
            raise DatabaseError(self._connector.place, schema.why_not(error, self._connector)) from error
        finally:
            connection.terminate()

    async def _broken(self, connection: Connection, name: str, number: int, tell: Tell) -> Finding | None:
        tell("looking", number, len(INVARIANTS))
        row = await connection.fetchrow(self._asking[name], timeout=_LONG)
        if row is None or not row[0]:
            return None
        return INVARIANTS[name].broken(name, row[0], row[1])

    async def _connect(self) -> Connection:
        try:
            return await self._connector.connect(**_WALKING)
        except TROUBLE as error:
            raise DatabaseError(self._connector.place, schema.why_not(error, self._connector)) from error
