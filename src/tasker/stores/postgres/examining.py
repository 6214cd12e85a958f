"""Looks at a PostgreSQL database, beside the servers that use it or without one. It is only read.

All is read in transactions that are read-only, on connections without settings of their own: a pooler
may give them to others.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from enum import Enum
from typing import Final, Literal

import asyncpg

from tasker.errors import DatabaseError, DatabaseTooNewError, SchemaOutdatedError, StoreError, StoreUnavailableError
from tasker.model import instants
from tasker.model.diagnosis import Finding, fine
from tasker.model.gate import status_at
from tasker.model.inbox import INBOX_COUNTED_TO, InboxCount
from tasker.model.store_meter import StoreMeter, Upkeep
from tasker.stores import migrate, queries
from tasker.stores.examining import (
    CANNOT_OPEN,
    GATES_SHOWN,
    NOT_READ,
    TABLES_TOO_NEW,
    Contents,
    Examined,
    judge_mark,
    refused,
)
from tasker.stores.kind import StoreContext
from tasker.stores.postgres import schema
from tasker.stores.postgres.ailments import TABLES_OUTDATED, UNREACHABLE, WAYS, Blocked, Seen, Sessions, judge
from tasker.stores.postgres.connection import SESSION, TROUBLE, Connection, Connector, Link, store_error
from tasker.stores.postgres.keys import read_key_state
from tasker.stores.postgres.marks import look_at_mark
from tasker.stores.postgres.reader import Reader
from tasker.stores.rows import Reading
from tasker.timing.clock import Clock

_LONGEST_READ: Final = 20.0
"""Seconds that reading all of it may take."""

_RIGHTS: Final = "give this command the user of the servers, in DATABASE_URL"

_ASKED: Final = 3
"""How often the clock of the database is asked: the quickest answer tells most."""

_SET_FOR_NOW: Final = (
    "SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS setting (name, value)"
)
"""Until the transaction ends."""

_SESSIONS: Final = """
    SELECT current_setting('max_connections')::int AS most,
           CASE WHEN rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
             + coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int END AS kept,
           count(*) FILTER (WHERE is_other)::int AS used,
           rolconnlimit AS of_role,
           count(*) FILTER (WHERE is_other AND usename = current_user)::int AS used_by_role,
           datconnlimit AS of_database,
           count(*) FILTER (WHERE is_other AND activity.datname = current_database())::int AS used_in_database
      FROM pg_roles
      JOIN pg_database ON pg_database.datname = current_database()
     CROSS JOIN (SELECT *, pid <> pg_backend_pid() AND backend_type = 'client backend' AS is_other
                   FROM pg_stat_activity) AS activity
     WHERE rolname = current_user
     GROUP BY rolsuper, rolconnlimit, datconnlimit
"""

_BLOCKED: Final = """
    SELECT count(*) OVER () AS count, extract(epoch FROM clock_timestamp() - query_start)::float8 AS longest,
           (pg_blocking_pids(pid))[1] AS by
      FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND cardinality(pg_blocking_pids(pid)) > 0
     ORDER BY query_start LIMIT 1
"""

_OLDEST: Final = """
    SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
      FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
       AND xact_start IS NOT NULL
     ORDER BY xact_start LIMIT 1
"""


async def examine(url: str, context: StoreContext, *, needed: int) -> Examined:
    """Return what the database at *url* is like.

    Args:
        needed: connections that a server takes.
    """
    connector = Connector(url, is_pooled=True)
    async with AsyncExitStack() as closing:
        try:
            connection = await _connect(connector, context.schema, closing)
            engine = f"PostgreSQL {(await connection.fetchval('SHOW server_version')).partition(' ')[0]}"
        except (*TROUBLE, ValueError) as error:
            return Examined(engine="PostgreSQL", findings=[_unreachable(error, connector)], is_shared=True)
        try:
            found, standing = await _tables(connection, connector.place, context)
            offset = await _offset(connection, context.clock)
            contents = None
            if standing is _Tables.CURRENT:
                try:
                    contents = await _contents(connector, context, closing)
                    found = judge_mark(connector.place, contents.mark) or found
                except StoreError as error:
                    found = [NOT_READ.found(f"{connector.place}: its tables cannot be read: {error}", mend=_RIGHTS)]
            seen = await _seen(connection, connector, context, closing, contents, needed)
        except DatabaseError as error:
            return Examined(engine=engine, findings=[refused(CANNOT_OPEN, error)], is_shared=True)
        except TROUBLE as error:
            what = f"{connector.place}: {schema.why_not(error, connector)}"
            return Examined(engine=engine, findings=[NOT_READ.found(what, mend="look again")], is_shared=True)
    return Examined(
        engine=engine,
        findings=[*found, *judge(seen)],
        is_shared=True,
        clock_offset=offset,
        is_new=standing is _Tables.MISSING,
        contents=contents,
    )


async def _connect(connector: Connector, name: str | None, closing: AsyncExitStack) -> Connection:
    """Return a connection in a transaction that only reads, which ends with the block of *closing*."""
    connection = await connector.connect()
    closing.callback(connection.terminate)
    await connection.transaction(readonly=True).start()
    settings = {**SESSION, "idle_in_transaction_session_timeout": "60s"} | (
        {} if name is None else {"search_path": name}
    )
    await connection.execute(_SET_FOR_NOW, list(settings), list(settings.values()))
    return connection


def _unreachable(error: Exception, connector: Connector) -> Finding:
    what, _, way = schema.why_not(error, connector).partition(": ")
    reason = getattr(store_error(error), "reason", "")
    return UNREACHABLE.found(f"{connector.place}: {what}", mend=way or WAYS.get(reason, "see to that, and look again"))


class _Tables(Enum):
    """How the tables stand."""

    MISSING = "missing"
    CURRENT = "current"
    OTHERS = "others"
    """They are of another version, or cannot be read."""


async def _tables(connection: Connection, place: str, context: StoreContext) -> tuple[Sequence[Finding], _Tables]:
    """Return what is wrong with the tables, or that they are well, and how they stand.

    Raises:
        DatabaseError: a server could not use the database.
    """
    await schema.check_server(connection, place)
    await schema.check_search_path(connection, place, context.schema)
    migrations = migrate.load("tasker.stores.postgres")
    known = len(migrations)
    try:
        async with connection.transaction():
            version, least = await schema.versions(connection)
    except asyncpg.InsufficientPrivilegeError as error:
        return [NOT_READ.found(f"{place}: its tables cannot be read: {error}", mend=_RIGHTS)], _Tables.OTHERS
    if least > known:
        return [refused(TABLES_TOO_NEW, DatabaseTooNewError(place, found=version, known=known))], _Tables.OTHERS
    if version >= schema.needed(migrations):
        left = "" if version >= known else "; some are as they were, for servers of the version before"
        return [fine("database", f"{place}: its tables are those of this version{left}")], _Tables.CURRENT
    standing = _Tables.OTHERS if version else _Tables.MISSING
    if context.no_migrate:
        return [refused(TABLES_OUTDATED, SchemaOutdatedError(place, found=version, known=known))], standing
    if version:
        how = f"its tables are of version {version}: the next start brings them up to date"
    else:
        how = "it has no tables yet: a server makes them when it starts"
    return [fine("database", f"{place}: {how}")], standing


async def _offset(connection: Connection, clock: Clock) -> float:
    """Return how many seconds the clock of the database is ahead of this machine's."""
    answers = []
    for _ in range(_ASKED):
        began, before = clock.monotonic(), clock.now()
        there = await connection.fetchval("SELECT clock_timestamp()")
        took = clock.monotonic() - began
        answers.append((took, instants.seconds(there - before) - took / 2))
    return min(answers)[1]


async def _seen(
    connection: Connection,
    connector: Connector,
    context: StoreContext,
    closing: AsyncExitStack,
    contents: Contents | None,
    needed: int,
) -> Seen:
    sessions = await connection.fetchrow(_SESSIONS)
    blocked = await connection.fetchrow(_BLOCKED)
    oldest = await connection.fetchrow(_OLDEST)
    risks = await schema.risks(connection)
    upkeep = Upkeep()
    if contents is not None:
        row = await connection.fetchrow(queries.load("tasker.stores.postgres")["upkeep"])
        upkeep = Upkeep() if row is None else Upkeep(dead_rows=row["dead_rows"])
    assert sessions is not None  # noqa: S101 - there is always one role and one database
    return Seen(
        risks=risks,
        sessions=Sessions(**dict(sessions)),
        needed=needed,
        nodes=None if contents is None else sum(_is_there(node.lease_until, contents.at) for node in contents.nodes),
        pooler=await _pooler(connection, connector, closing),
        no_listen=context.no_listen,
        blocked=None if blocked is None else Blocked(**dict(blocked)),
        oldest=None if oldest is None else (oldest["pid"], oldest["seconds"]),
        upkeep=upkeep,
    )


def _is_there(lease_until: int | None, now: int) -> bool:
    return lease_until is not None and lease_until > now


async def _pooler(
    connection: Connection, connector: Connector, closing: AsyncExitStack
) -> Literal["session", "transaction"] | None:
    """Return what stands between, by what it gives a connection for.

    A pooler names a process of its own making for a connection. One that gives each transaction another
    gives the session of a client that rests to the next one. The transaction of *connection* is ended.
    """
    process = await connection.fetchval("SELECT pg_backend_pid()")
    if process == connection.get_server_pid():
        return None
    await connection.execute("ROLLBACK")
    other = await connector.connect()
    closing.callback(other.terminate)
    return "transaction" if await other.fetchval("SELECT pg_backend_pid()") == process else "session"


async def _contents(connector: Connector, context: StoreContext, closing: AsyncExitStack) -> Contents:
    """Return what is in the tables.

    Raises:
        StoreError: it cannot be read.
    """
    sql, reading, clock = queries.load("tasker.stores.postgres"), Reading(str), context.clock
    link = Link(lambda: _connect(connector, context.schema, closing), clock.monotonic, StoreMeter(()))
    reader = Reader([link], sql, reading, clock.monotonic)
    try:
        async with asyncio.timeout(_LONGEST_READ):
            at = await link.run(lambda connection: connection.fetchval("SELECT tasker_now()"))
            paused_at = await link.run(lambda connection: connection.fetchval(sql["paused_at"]))
            inbox = await link.run(lambda connection: connection.fetchrow(sql["count_inbox"], INBOX_COUNTED_TO))
            gates = await reader.troubled_gates(limit=GATES_SHOWN)
            return Contents(
                at=at,
                overdue=await reader.overdue(free_pools=(), now=lambda: at),
                gates=[status_at(gate, at) for gate in gates],
                keys=await link.run(lambda connection: read_key_state(connection, sql, reading)),
                paused_at=paused_at,
                nodes=await reader.nodes(),
                inbox=InboxCount(waiting=inbox["waiting"], refused=inbox["refused"]),
                looked_at=None,
                mark=await link.run(lambda connection: look_at_mark(connection, sql)),
            )
    except TimeoutError:
        raise StoreUnavailableError("it does not answer in time") from None
