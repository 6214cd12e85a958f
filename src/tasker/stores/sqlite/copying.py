"""A file at one end of a copy: see ``stores/copying.py``. Its connection is used on one thread at a time."""

# ruff: noqa: S608 - the names are those of tables.py

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import apsw

from tasker.errors import CopyStoppedError
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
from tasker.stores.sqlite.connection import Queries, store_error
from tasker.stores.sqlite.lock import DatabaseLock
from tasker.stores.sqlite.marks import read_mark, write_mark
from tasker.stores.sqlite.opening import check_ordinary, open_database
from tasker.stores.tables import TABLES, Column, Form, Table
from tasker.timing.clock import Clock

T = TypeVar("T")

_HELD: Final = tuple(table for table in TABLES if table.only in ("", "sqlite"))
_NONE: Final = str(UUID(int=0))
"""Before all ids."""

_USED: Final = """
    SELECT concat_ws(' ', (SELECT at FROM look), (SELECT max(id) FROM audit), (SELECT max(seq) FROM task),
                     (SELECT version FROM access))
"""


@contextlib.asynccontextmanager
async def copying(path: Path, place: str, context: StoreContext) -> AsyncIterator[CopyEnd]:
    """Open a file for a copy, made if it is missing: see ``StoreKind.copying``. *path* is resolved."""
    check_ordinary(path)
    lock = DatabaseLock(path)
    try:
        connection, _ = open_database(path, lock, context.pools, context.clock.now(), vfs=None)
        try:
            yield SqliteCopying(connection, place, context.clock)
        except apsw.Error as error:
            raise CopyStoppedError(place, store_error(error).reason) from error
        finally:
            connection.close()
    finally:
        lock.release()


class SqliteCopying(CopyEnd):
    """See ``CopyEnd``. What takes long is done in a thread."""

    name = "sqlite"

    def __init__(self, connection: apsw.Connection, place: str, clock: Clock) -> None:
        """Make it of a writing connection to a database that is locked."""
        self.place = place
        self._clock = clock
        self._connection = connection
        self._queries = Queries(connection, queries.load("tasker.stores.sqlite"))
        connection.create_scalar_function("uuid_text", _uuid_text, 1, deterministic=True)
        connection.create_scalar_function("uuid_bytes", _uuid_bytes, 1, deterministic=True)

    async def now(self) -> Instant:
        """See ``CopyEnd``."""
        return self._clock.now()

    async def mark(self) -> Mark | None:
        """See ``CopyEnd``."""
        return read_mark(self._queries)

    async def unmark(self) -> None:
        """See ``CopyEnd``."""
        await self.finish(None)

    async def hold(self) -> None:
        """See ``CopyEnd``: the lock does so."""

    async def identity(self) -> str:
        """See ``CopyEnd``."""
        return identity_of(self._get("SELECT key FROM completion_key"))

    async def used(self) -> str:
        """See ``CopyEnd``."""
        return str(self._get(_USED))

    async def sum(self, table: Table, told: Callable[[int], None]) -> Sum:
        """See ``CopyEnd``."""
        rows = total = 0
        cursor = self._connection.execute(_select(table, with_key=False, is_after=False))
        while batch := await _in_thread(_batch, cursor, table):
            rows += len(batch)
            total += await _in_thread(checksum, batch)
            told(len(batch))
        return Sum(rows, total)

    async def count(self, table: Table) -> int:
        """See ``CopyEnd``."""
        return int(await _in_thread(self._get, f"SELECT count(*) FROM {_from(table)}"))

    async def read(self, table: Table, after: str | None) -> AsyncGenerator[Batch]:
        """See ``CopyEnd``."""
        values = () if after is None else decoded(after)
        cursor = self._connection.execute(_select(table, with_key=True, is_after=after is not None), values)
        width = len(table.columns)
        while rows := await _in_thread(_batch, cursor, table):
            yield Batch([row[:width] for row in rows], encoded(rows[-1][width:]))

    async def running(self) -> Collection[bytes]:
        """See ``CopyEnd``: an index of what is running by its type finds them."""
        sql = "SELECT DISTINCT node FROM task WHERE type IN (SELECT type FROM type_pool) AND state = 1 AND state <> 0"
        return [node for (node,) in self._connection.execute(sql)]

    async def looked_at(self) -> Instant | None:
        """See ``CopyEnd``."""
        return self._queries.number("last_look") or None

    async def close_inbox(self) -> None:
        """See ``CopyEnd``: there is none."""

    async def mark_moved(self, at: Instant, other: str) -> None:
        """See ``CopyEnd``."""
        with self._transaction():
            write_mark(self._queries, Mark(state=State.MOVED, at=at, other=other))

    async def filled(self) -> Sequence[str]:
        """See ``CopyEnd``."""
        many = [table.name for table in _HELD if not table.is_single]
        return [name for name in many if self._get(f"SELECT EXISTS (SELECT 1 FROM {name})")]

    async def progress(self) -> Progress | None:
        """See ``CopyEnd``."""
        if not self._get("SELECT count(*) FROM sqlite_schema WHERE name = 'copying'"):
            return None
        return Progress.of(self._get("SELECT progress FROM copying"))

    async def begin(self, progress: Progress, mark: Mark) -> None:
        """See ``CopyEnd``."""
        with self._transaction():
            write_mark(self._queries, mark)
            self._connection.execute("CREATE TABLE copying (progress TEXT NOT NULL) STRICT")
            self._connection.execute("INSERT INTO copying VALUES (?)", (progress.text(),))

    async def empty(self, progress: Progress) -> None:
        """See ``CopyEnd``."""

        def delete() -> None:
            with self._transaction():
                for table in _HELD:
                    if not table.is_single:
                        self._connection.execute(f"DELETE FROM {table.name}")
                self._note(progress)

        await _in_thread(delete)

    async def write(self, table: Table, rows: Sequence[Row], progress: Progress) -> None:
        """See ``CopyEnd``."""

        def insert() -> None:
            with self._transaction():
                if table.is_single and rows:
                    self._connection.execute(f"DELETE FROM {table.name}")
                self._connection.executemany(_insert(table), rows)
                self._note(progress)

        await _in_thread(insert)

    async def settle(self, progress: Progress, running: Collection[bytes], looked_at: Instant | None) -> None:
        """See ``CopyEnd``: the next server takes back what is running, whose it ever was."""
        del running
        with self._transaction():
            self._connection.execute("UPDATE look SET at = ?", (looked_at or 0,))
            self._note(progress)

    async def finish(self, mark: Mark | None) -> None:
        """See ``CopyEnd``."""
        with self._transaction():
            write_mark(self._queries, mark)
            self._connection.execute("DROP TABLE IF EXISTS copying")

    def _get(self, sql: str) -> Any:  # noqa: ANN401 - a value of SQLite
        return self._connection.execute(sql).get

    def _note(self, progress: Progress) -> None:
        self._connection.execute("UPDATE copying SET progress = ?", (progress.text(),))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


async def _in_thread(work: Callable[..., T], *values: Any) -> T:  # noqa: ANN401 - those of the work
    """Return what *work* returns. If whoever waits for it is cancelled, it ends first: the connection is its own."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *values))
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait({working})


def _uuid_text(*values: Any) -> str:  # noqa: ANN401 - one value of SQLite
    return str(UUID(bytes=values[0]))


def _uuid_bytes(*values: Any) -> bytes:  # noqa: ANN401 - as above
    return UUID(values[0]).bytes


def _batch(cursor: apsw.Cursor, table: Table) -> list[Row]:
    """Return the next rows."""
    if not table.is_long:
        return list(itertools.islice(cursor, ROWS))
    rows: list[Row] = []
    size = 0
    while len(rows) < ROWS and size < BYTES:
        some = list(itertools.islice(cursor, AT_ONCE))
        rows += some
        size += sum(map(size_of, some))
        if len(some) < AT_ONCE:
            break
    return rows


def _name(column: Column) -> str:
    return column.sqlite or column.name


def _from(table: Table) -> str:
    """Return the table, and the one of tasks beside it where that knows an id. What has lost its task is left out."""
    for column in table.columns:
        if column.form is Form.TASK:
            return f"{table.name} CROSS JOIN task ON task.seq = {table.name}.{_name(column)}"
    return table.name


def _select(table: Table, *, with_key: bool, is_after: bool) -> str:
    """Return the statement that reads a table in the order of its key.

    Args:
        with_key: whether the values of the key follow, as SQLite has them.
        is_after: whether to begin after a key.
    """
    names = {column.name: _name(column) for column in table.columns}
    key = [f"{table.name}.{name}" for name in table.sqlite_key or [names[name] for name in table.key]]
    read = [_read(table, column) for column in table.columns] + (key if with_key else [])
    after = f" WHERE ({', '.join(key)}) > ({', '.join('?' * len(key))})" if is_after else ""
    return f"SELECT {', '.join(read)} FROM {_from(table)}{after} ORDER BY {', '.join(key)}"


def _read(table: Table, column: Column) -> str:
    stored = f"{table.name}.{_name(column)}"
    match column.form:
        case Form.TASK:
            return "task.id"
        case Form.UUID:
            return f"uuid_bytes({stored})"
        case Form.POSITION:
            dot = f"instr({stored}, '.')"
            nearest = (
                f"SELECT uuid_text(id) FROM task WHERE seq <= CAST(substr({stored}, {dot} + 1) AS INTEGER) "
                "ORDER BY seq DESC LIMIT 1"
            )
            return f"substr({stored}, 1, {dot}) || coalesce(iif({stored} IS NULL, NULL, ({nearest})), '{_NONE}')"
    return stored


def _insert(table: Table) -> str:
    values = [_write(column, f"?{number}") for number, column in enumerate(table.columns, 1)]
    return f"INSERT INTO {table.name} ({', '.join(map(_name, table.columns))}) VALUES ({', '.join(values)})"


def _write(column: Column, value: str) -> str:
    match column.form:
        case Form.TASK:
            return f"(SELECT seq FROM task WHERE id = {value})"
        case Form.UUID:
            return f"uuid_text({value})"
        case Form.POSITION:
            dot = f"instr({value}, '.')"
            seq = f"SELECT seq FROM task WHERE id = uuid_bytes(substr({value}, {dot} + 1))"
            return f"substr({value}, 1, {dot}) || iif({value} IS NULL, NULL, coalesce(({seq}), 0))"
    return value
