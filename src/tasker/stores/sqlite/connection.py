"""Connections to the SQLite file, the queries on one, and what SQLite's errors mean to a caller."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import apsw

from tasker.errors import StoreFullError, StoreUnavailableError

MEMORY: Final = ":memory:"

LOG_BYTES: Final = 32 << 20
"""What the write-ahead log shrinks to when it begins anew. A reader that took long may have made it
grow."""

ROWS_AT_ONCE: Final = 64
"""Rows in one statement at most: beyond this a longer one gains nothing."""

_STATEMENTS_KEPT: Final = 512
"""Compiled statements. Those with rows are compiled for each number of rows."""

_OUTSIDER_TIMEOUT: Final = timedelta(seconds=5)
"""How long to wait for a lock: only another program, such as a backup, can hold one."""

Row: TypeAlias = tuple[Any, ...]
"""The values of a row."""

Value: TypeAlias = int | float | str | bytes | None
"""What is bound to a query."""


def connect(location: Path | str, *, vfs: str | None = None, read_only: bool = False) -> apsw.Connection:
    """Open the database at *location* (a path, or ``MEMORY``) with the settings that every connection needs."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(location), flags=flags, vfs=vfs, statementcachesize=_STATEMENTS_KEPT)
    # Plans do not depend on the values bound: otherwise SQLite compiles a statement on a partial
    # index anew at every use.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_timeout(_OUTSIDER_TIMEOUT // timedelta(milliseconds=1))
    connection.pragma("mmap_size", 0)  # an I/O error on a mapped page is a signal, not an error code
    connection.pragma("cache_size", -8_192 if read_only else -32_768)  # KiB
    if not read_only:
        connection.pragma("secure_delete", True)  # deleted secrets leave the file
        connection.pragma("journal_size_limit", LOG_BYTES)
    return connection


class Queries:
    """Runs the queries of ``queries.sql`` on one connection, by name."""

    def __init__(self, connection: apsw.Connection, texts: Mapping[str, str]) -> None:
        self.connection: Final = connection
        self.texts: Final = texts

    def all(self, query: str, /, **bindings: Value) -> list[Any]:
        """Run *query* to its end and return its rows, each a ``Row``."""
        return self.connection.execute(self.texts[query], bindings).fetchall()

    def first(self, query: str, /, **bindings: Value) -> Row | None:
        """Run *query* and return its first row; None if there is none."""
        row: Row | None = self.connection.execute(self.texts[query], bindings).fetchone()
        return row

    def number(self, query: str, /, **bindings: Value) -> int | None:
        """Run *query* to its end and return the only value of its only row; None if there is none, or it is NULL."""
        number: int | None = self.connection.execute(self.texts[query], bindings).get
        return number

    def with_rows(self, query: str, rows: int, values: Sequence[Value]) -> list[Any]:
        """Run *query* with so many *rows* in place of ``{rows}``, and return those that come back.

        Args:
            rows: 1 to ``ROWS_AT_ONCE``.
            values: those of the rows, one row after the other. A row has one for each column of the
                first list in *query*, or for the first of them; then it names no others.
        """
        return self.connection.execute(_with_rows(self.texts[query], rows, len(values) // rows), values).fetchall()

    def with_filled_rows(self, query: str, rows: int, values: list[Value]) -> list[Any]:
        """Run *query* as ``with_rows`` does, with rows of NULLs behind *values* up to a power of two.

        For a query that does nothing for such a row. A statement is compiled for each number of
        rows, which takes as long as some dozens of them.
        """
        full = 1 << (rows - 1).bit_length()
        return self.with_rows(query, full, values + [None] * ((full - rows) * (len(values) // rows)))


@lru_cache(maxsize=_STATEMENTS_KEPT)
def _with_rows(sql: str, rows: int, width: int) -> str:
    """Return *sql* with so many rows of placeholders, each with so many values of its list of columns."""
    before, after = sql.index("(") + 1, sql.index(")")
    columns = ",".join(sql[before:after].split(",")[:width])
    row = f"({','.join('?' * width)})"
    return f"{sql[:before]}{columns}{sql[after:]}".format(rows=",".join([row] * rows))


def store_error(error: apsw.Error) -> StoreUnavailableError:
    """Return what a failed read or write means to its caller. The text names no data."""
    match error:
        case apsw.FullError():
            return StoreFullError("there is no space left for it")
        case apsw.BusyError() | apsw.LockedError():
            return StoreUnavailableError("another program holds it")
        case apsw.IOError() | apsw.CantOpenError():
            return StoreUnavailableError("an input/output error")
        case apsw.ReadOnlyError():
            return StoreUnavailableError("it is read-only")
        case apsw.CorruptError() | apsw.NotADBError():
            return StoreUnavailableError("its file is damaged: restore a backup")
        case _:
            return StoreUnavailableError(f"SQLite's {type(error).__name__}")
