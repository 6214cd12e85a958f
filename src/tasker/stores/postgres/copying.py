"""A PostgreSQL database at one end of a copy: see ``stores/copying.py``."""

# ruff: noqa: S608 - the names are those of tables.py

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import asyncpg

from tasker.errors import CopyStoppedError, DatabaseError, DatabaseInUseError
from tasker.model.instants import Instant
from tasker.stores import queries
from tasker.stores.copying import (
    AT_ONCE,
    BYTES,
    ROWS,
    Batch,
    CopyEnd,
    Progress,
    Row,
    Sum,
    checksum,
    decoded,
    encoded,
    identity_of,
    size_of,
)
from tasker.stores.kind import StoreContext
from tasker.stores.mark import Mark, State
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import TROUBLE, Connection, Connector, store_error
from tasker.stores.postgres.marks import read_mark, write_mark
from tasker.stores.tables import TABLES, Column, Form, Table

_HELD: Final = tuple(table for table in TABLES if table.only in ("", "postgres"))

_LOCK: Final = 0x7461736C
"""The advisory lock of whoever copies: next to that of migrations."""

_LONG: Final = 7 * 24 * 3_600.0
"""Seconds that a statement may take."""

_BEGIN: Final = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
"""A transaction that may take its time. Behind a pooler, sessions have the settings of the role."""

_DAY: Final = 86_400_000_000

_USED: Final = """
    SELECT concat_ws(' ', (SELECT max(looked_at) FROM node), (SELECT max(started_at) FROM node),
                     (SELECT max(id) FROM audit), (SELECT version FROM access))
"""
_RUNNING: Final = "SELECT DISTINCT node FROM task WHERE state = 1 AND node IS NOT NULL"

_DEAD_NODE: Final = """
    INSERT INTO node (id, address, version, started_at, lease_until, schema, looked_at, has_ended)
    SELECT id, '', '', tasker_now(), tasker_now(), $2, $3, true FROM unnest($1::uuid[]) AS gone (id)
        ON CONFLICT (id) DO UPDATE SET looked_at = excluded.looked_at
"""
"""A node whose lease has ended: the first server takes back what it was running, and sees since when nobody looked."""

_CLOSED: Final = "this_database_has_moved"
"""The constraint that refuses what applications write to the inbox of a database that has moved."""


@contextlib.asynccontextmanager
async def copying(url: str, context: StoreContext) -> AsyncIterator[CopyEnd]:
    """Open a database for a copy: see ``StoreKind.copying``."""
    connector = Connector(url, is_pooled=context.no_listen, schema=context.schema)
    await schema.prepare(connector, migrates=not context.no_migrate)
    end = PostgresCopying(connector)
    try:
        await end.open(migrates=not context.no_migrate)
        yield end
    except TROUBLE as error:
        raise CopyStoppedError(connector.place, getattr(store_error(error), "reason", "unknown reason")) from error
    finally:
        end.close()


class PostgresCopying(CopyEnd):
    """See ``CopyEnd``. One connection keeps others away, in a transaction that lasts; FROM is read on it.

    Another one writes to TO.
    """

    name = "postgres"

    def __init__(self, connector: Connector) -> None:
        """Make it. It is not connected yet."""
        self.place = connector.place
        self._connector = connector
        self._sql = queries.load("tasker.stores.postgres")
        self._guard: Connection
        self._writing: Connection
        self._open: list[Connection] = []
        self._is_held = False

    async def open(self, *, migrates: bool) -> None:
        """Connect, and keep other copies away.

        Raises:
            DatabaseInUseError: another copy uses it.
            DatabaseError: an earlier version has left work there.
        """
        self._guard, self._writing = await self._connect(), await self._connect()
        if not await schema.finish(self._writing, migrates=migrates):
            raise DatabaseError(
                self.place,
                "a server of the version before has left work there; start one of this version once, or run: "
                "tasker db migrate",
            )
        await self._guard.execute(_BEGIN)
        if not await self._guard.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))", _LOCK):
            raise DatabaseInUseError(self.place)

    def close(self) -> None:
        """Disconnect. What is not committed is undone."""
        for connection in self._open:
            connection.terminate()

    async def now(self) -> Instant:
        """See ``CopyEnd``."""
        now: Instant = await self._writing.fetchval("SELECT tasker_now()")
        return now

    async def mark(self) -> Mark | None:
        """See ``CopyEnd``."""
        return await read_mark(self._writing, self._sql)

    async def unmark(self) -> None:
        """See ``CopyEnd``."""
        await self.finish(None)

    async def hold(self) -> None:
        """See ``CopyEnd``."""
        await self._refuse_servers(self._guard)
        self._is_held = True

    async def identity(self) -> str:
        """See ``CopyEnd``."""
        return identity_of(await self._writing.fetchval("SELECT key FROM completion_key"))

    async def used(self) -> str:
        """See ``CopyEnd``."""
        return str(await self._writing.fetchval(_USED))

    async def sum(self, table: Table, told: Callable[[int], None]) -> Sum:
        """See ``CopyEnd``."""
        rows = total = 0
        async with contextlib.aclosing(self.read(table, None)) as batches:
            async for batch in batches:
                rows += len(batch.rows)
                total += checksum(batch.rows)
                told(len(batch.rows))
        return Sum(rows, total)

    async def count(self, table: Table) -> int:
        """See ``CopyEnd``."""
        sql = f"SELECT count(*) FROM {table.name}"
        if self._is_held:
            return int(await self._guard.fetchval(sql, timeout=_LONG))
        async with self._transaction():
            return int(await self._writing.fetchval(sql, timeout=_LONG))

    async def read(self, table: Table, after: str | None) -> AsyncGenerator[Batch]:
        """See ``CopyEnd``."""
        names = [column.name for column in table.columns]
        places = [names.index(name) for name in table.key]
        values = () if after is None else decoded(after)
        connection, is_held = self._reading, self._is_held
        # What is read last can be changed only once its cursor is closed: the end of what it was opened in does that.
        await connection.execute("SAVEPOINT reading" if is_held else _BEGIN)
        try:
            cursor = await connection.cursor(_select(table, is_after=after is not None), *values, timeout=_LONG)
            while rows := await _batch(cursor, table):
                yield Batch(rows, encoded([rows[-1][place] for place in places]))
        finally:
            if not connection.is_closed():
                await connection.execute("ROLLBACK TO SAVEPOINT reading" if is_held else "ROLLBACK")

    async def running(self) -> Collection[bytes]:
        """See ``CopyEnd``."""
        return [row["node"] for row in await self._reading.fetch(_RUNNING, timeout=_LONG)]

    async def looked_at(self) -> Instant | None:
        """See ``CopyEnd``."""
        looked_at: Instant | None = await self._reading.fetchval(self._sql["latest_look"])
        return looked_at

    async def close_inbox(self) -> None:
        """See ``CopyEnd``."""
        await self._guard.execute("LOCK TABLE tasker_inbox IN ACCESS EXCLUSIVE MODE", timeout=_LONG)

    async def mark_moved(self, at: Instant, other: str) -> None:
        """See ``CopyEnd``: the end of the transaction in which all was read."""
        await write_mark(self._guard, self._sql, Mark(state=State.MOVED, at=at, other=other))
        await self._guard.execute(
            f"ALTER TABLE tasker_inbox ADD CONSTRAINT {_CLOSED} CHECK (false) NOT VALID", timeout=_LONG
        )
        await self._guard.execute("COMMIT", timeout=_LONG)
        self._is_held = False

    async def filled(self) -> Sequence[str]:
        """See ``CopyEnd``."""
        many = [table.name for table in _HELD if not table.is_single]
        return [name for name in many if await self._writing.fetchval(f"SELECT EXISTS (SELECT FROM {name})")]

    async def progress(self) -> Progress | None:
        """See ``CopyEnd``."""
        if await self._writing.fetchval("SELECT to_regclass('copying')") is None:
            return None
        return Progress.of(await self._writing.fetchval("SELECT progress FROM copying"))

    async def begin(self, progress: Progress, mark: Mark) -> None:
        """See ``CopyEnd``."""
        async with self._transaction():
            await self._refuse_servers(self._writing)
            await write_mark(self._writing, self._sql, mark)
            await self._writing.execute("CREATE TABLE copying (progress text NOT NULL)")
            await self._writing.execute("INSERT INTO copying VALUES ($1)", progress.text())

    async def empty(self, progress: Progress) -> None:
        """See ``CopyEnd``."""
        names = [table.name for table in _HELD if not table.is_single]
        async with self._transaction():
            await self._writing.execute(f"TRUNCATE {', '.join(names)}", timeout=_LONG)
            await self._note(progress)

    async def write(self, table: Table, rows: Sequence[Row], progress: Progress) -> None:
        """See ``CopyEnd``."""
        filled = tuple(table.filled.values())
        async with self._transaction():
            if table.is_single and rows:
                await self._writing.execute(f"DELETE FROM {table.name}")
            if rows:
                try:
                    await self._writing.copy_records_to_table(
                        table.name,
                        records=[row + filled for row in rows] if filled else rows,
                        columns=[column.name for column in table.columns] + [*table.filled],
                        timeout=_LONG,
                    )
                except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                    raise CopyStoppedError(self.place, f"it does not take a row of {table.name}: {error}") from None
            await self._note(progress)

    async def settle(self, progress: Progress, running: Collection[bytes], looked_at: Instant | None) -> None:
        """See ``CopyEnd``."""
        nodes = running or [UUID(progress.origin).bytes]  # any, that says when somebody looked
        async with self._transaction():
            await self._writing.execute(_DEAD_NODE, nodes, schema.known(), looked_at)
            for table in _HELD:
                if table.is_numbered:
                    await self._writing.execute(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), coalesce(max(id), 1), "
                        f"max(id) IS NOT NULL) FROM {table.name}",
                        timeout=_LONG,
                    )
            await self._writing.execute(f"ANALYZE {', '.join(table.name for table in _HELD)}", timeout=_LONG)
            await self._note(progress)

    async def finish(self, mark: Mark | None) -> None:
        """See ``CopyEnd``."""
        async with self._transaction():
            await write_mark(self._writing, self._sql, mark)
            await self._writing.execute("DROP TABLE IF EXISTS copying")
            await self._writing.execute(f"ALTER TABLE tasker_inbox DROP CONSTRAINT IF EXISTS {_CLOSED}")

    @property
    def _reading(self) -> Connection:
        """The connection that sees what is there now: of FROM, that which keeps others away."""
        return self._guard if self._is_held else self._writing

    async def _connect(self) -> Connection:
        """Return a connection whose values are those of ``tables.py``, and which may take its time."""
        connection = await self._connector.connect()
        self._open.append(connection)
        for name, encoder, decoder in (
            ("uuid", bytes, bytes),
            ("bool", (b"\0", b"\1").__getitem__, itemgetter(0)),
        ):
            await connection.set_type_codec(
                name, schema="pg_catalog", format="binary", encoder=encoder, decoder=decoder
            )
        await connection.set_type_codec(
            "interval", schema="pg_catalog", format="tuple", encoder=_to_interval, decoder=_from_interval
        )
        return connection

    async def _refuse_servers(self, connection: Connection) -> None:
        """Let no node join before the transaction ends."""
        await connection.execute("SET LOCAL lock_timeout = '5s'")
        try:
            await connection.execute("LOCK TABLE node IN SHARE ROW EXCLUSIVE MODE", timeout=_LONG)
        except asyncpg.LockNotAvailableError:
            raise DatabaseInUseError(self.place) from None
        await connection.execute("SET LOCAL lock_timeout = 0")
        if await connection.fetchval(self._sql["any_node"]):
            raise DatabaseInUseError(self.place)

    async def _note(self, progress: Progress) -> None:
        await self._writing.execute("UPDATE copying SET progress = $1", progress.text())

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """A transaction that may take its time to commit."""
        await self._writing.execute(_BEGIN)
        try:
            yield
            await self._writing.execute("COMMIT", timeout=_LONG)
        except BaseException:
            if not self._writing.is_closed():
                with contextlib.suppress(*TROUBLE):
                    await self._writing.execute("ROLLBACK", timeout=_LONG)
            raise


async def _batch(cursor: "asyncpg.cursor.Cursor[Any]", table: Table) -> list[Row]:
    """Return the next rows."""
    if not table.is_long:
        return [*map(tuple, await cursor.fetch(ROWS, timeout=_LONG))]
    rows: list[Row] = []
    size = 0
    while len(rows) < ROWS and size < BYTES:
        some = [tuple(row) for row in await cursor.fetch(AT_ONCE, timeout=_LONG)]
        rows += some
        size += sum(map(size_of, some))
        if len(some) < AT_ONCE:
            break
    return rows


def _select(table: Table, *, is_after: bool) -> str:
    """Return the statement that reads a table in the order of its key; *is_after*: from behind a key on."""
    key = ", ".join(table.key)
    after = f" WHERE ({key}) > ({', '.join(f'${n}' for n, _ in enumerate(table.key, 1))})" if is_after else ""
    return f"SELECT {', '.join(map(_read, table.columns))} FROM {table.name}{after} ORDER BY {key}"


def _read(column: Column) -> str:
    if column.form is not Form.POSITION:
        return column.name
    return (
        f"split_part({column.name}, '.', 1) || '.' || coalesce((SELECT id::text FROM task "
        f"WHERE id <= split_part({column.name}, '.', 2)::uuid ORDER BY id DESC LIMIT 1), '{UUID(int=0)}')"
    )


def _to_interval(microseconds: int) -> tuple[int, int, int]:
    return 0, 0, microseconds


def _from_interval(stored: tuple[int, int, int]) -> int:
    months, days, microseconds = stored
    return (months * 30 + days) * _DAY + microseconds
