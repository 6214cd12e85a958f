"""Take over a database that the earlier Rust server wrote: its tasks go on where they stood.

Its tables are ``webhooks`` (``id``, ``state``, ``execution_time``, ``url``, ``body``) and
``hashes`` (``id``, ``state``, ``execution_time``, ``secret``). Times are RFC 3339 text, ids are
UUIDs as text or as 16 bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

import apsw
import msgspec

from tasker.errors import TakeOverError
from tasker.model import instants
from tasker.model.gate import GateKind
from tasker.model.instants import Instant
from tasker.model.task import STATES, Pool, State
from tasker.urls import checked, origin, with_scheme

NewPool: TypeAlias = Mapping[str, Pool]
"""The pool of each task type."""


class TakenOver(NamedTuple):
    """How many rows came over from each table."""

    webhooks: int
    hashes: int


class _Table(NamedTuple):
    type: str
    fields: Sequence[str]


_TABLES: Final = {"webhooks": _Table("webhook", ("url", "body")), "hashes": _Table("hash", ("secret",))}
_STATES: Final = {state.word: state for state in STATES}


def tables_in(names: Iterable[str], pools: NewPool) -> Sequence[str]:
    """Return which of *names* are tables of the earlier server whose task type has a pool."""
    return [table for table, (type_, _) in _TABLES.items() if type_ in pools and table in set(names)]


def run(connection: apsw.Connection, tables: Sequence[str], pools: NewPool, now: Instant) -> TakenOver:
    """Make a task of every row, with the same id and state.

    The old tables stay as ``earlier_webhooks``, ``earlier_hashes``. Called within a transaction, on
    fresh tables of tasker's own. Overdue rows are due at once. The tasks count as created *now*: the
    earlier server did not write when they were.

    Raises:
        TakeOverError: a row cannot be read. The caller rolls back.
    """
    counts = dict.fromkeys(_TABLES, 0)
    seen: dict[UUID, str] = {}
    seq = 0
    for table in tables:
        task_type, fields = _TABLES[table]
        connection.execute("INSERT INTO type_pool (type, pool) VALUES (?, ?)", (task_type, pools[task_type]))
        for row in connection.execute(_rows_sql(table, fields)):
            id_, execution_at, state = _read(table, row, seen)
            seq += 1
            given = {name: _as_now(name, value) for name, value in zip(fields, row[3:], strict=True)}
            gate = _gate(connection, task_type, given.get("url"))
            connection.execute(
                "INSERT INTO task (seq, id, type, state, pool, due_at, execution_at, execution_time, gate,"
                " created_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (seq, id_.bytes, task_type, state, pools[task_type], execution_at, execution_at, row[2], gate, now),
            )
            connection.execute("INSERT INTO payload (seq, payload) VALUES (?, ?)", (seq, msgspec.json.encode(given)))
            counts[table] += 1
    for table in tables:
        connection.execute(f"ALTER TABLE {table} RENAME TO earlier_{table}")
    return TakenOver(**counts)


def _as_now(name: str, value: str) -> str:
    """A field as a request of today would be stored: a URL without a scheme gets one."""
    return with_scheme(value) if name == "url" else value


def _gate(connection: apsw.Connection, task_type: str, url: str | None) -> int | None:
    """The gate of a task, made if it is missing. A URL that names no host has none: its task fails by itself."""
    try:
        kind, name = (GateKind.TYPE, task_type) if url is None else (GateKind.HOST, origin(checked(url)))
    except ValueError:
        return None
    connection.execute("INSERT OR IGNORE INTO gate (kind, name) VALUES (?, ?)", (kind, name))
    return int(connection.execute("SELECT id FROM gate WHERE kind = ? AND name = ?", (kind, name)).get)


def _rows_sql(table: str, fields: Sequence[str]) -> str:
    return f"SELECT id, state, execution_time, {', '.join(fields)} FROM {table}"  # noqa: S608 - names of _TABLES


def _read(table: str, row: tuple[Any, ...], seen: dict[UUID, str]) -> tuple[UUID, instants.Instant, State]:
    """Return id, time and state of a row, each checked."""
    raw_id, raw_state, raw_time, *fields = row
    try:
        id_ = UUID(bytes=raw_id) if isinstance(raw_id, bytes) else UUID(raw_id)
    except (ValueError, AttributeError, TypeError):
        raise TakeOverError(table, repr(raw_id), "its id is not a UUID") from None
    if id_ in seen:
        raise TakeOverError(table, str(id_), f"the table {seen[id_]} has a row with the same id")
    seen[id_] = table
    state = _STATES.get(raw_state)
    if state is None:
        raise TakeOverError(table, str(id_), f"expected one of the states {', '.join(_STATES)}, got: {raw_state!r}")
    try:
        execution_at = instants.parse(raw_time)
    except (ValueError, TypeError):
        raise TakeOverError(
            table, str(id_), f"expected its execution_time to be RFC 3339 with an offset, got: {raw_time!r}"
        ) from None
    if not all(isinstance(value, str) for value in fields):
        raise TakeOverError(table, str(id_), "expected text in every column beside the id")
    return id_, execution_at, state
