"""Is the database fit, and are its tables up to date? Looked at once, when the store opens.

Nodes of two versions may run beside each other during an upgrade, so a migration only adds what
nodes of the version before can live with (*expand*). What only they need is removed by a migration
that begins with the line ``-- contract``. It is made once none of them is running, and from then on
they refuse to start. See ``docs/decisions``.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
import structlog

from tasker.errors import DatabaseError, DatabaseTooNewError, SchemaOutdatedError
from tasker.stores import migrate
from tasker.stores.migrate import Migration
from tasker.stores.postgres.connection import NO_HOST, REFUSED, TROUBLE, Connection, Connector, store_error

LEAST_SERVER: Final = 140_000
"""PostgreSQL 14: the oldest whose answers to ``target_session_attrs`` and whose plans are
tested."""

_LOCK: Final = 0x7461736B
"""``task``: the advisory lock under which tables are changed, so that many nodes may start at
once."""

_LONG: Final = 3_600.0
"""Seconds that a migration may take."""

_MOMENT: Final = 0.3
"""Seconds that nodes which are running may be held up by a migration."""

_ANY_OLDER: Final = """
    SELECT EXISTS (SELECT FROM node
                    WHERE schema < $1
                      AND (lease_until > tasker_now()
                           OR EXISTS (SELECT FROM task WHERE task.node = node.id AND state = 1)))
"""
"""Whether a node is running that does not know a version, or left behind what it was running."""

_RISKS: Final = (
    ("fsync", "a crash of its machine can damage or lose everything"),
    ("full_page_writes", "a crash of its machine can damage it"),
    ("synchronous_commit", "a crash can lose tasks that were answered with 201"),
)
"""Settings that must not be off, and what can happen then."""

_log = structlog.get_logger()


def known() -> int:
    """Return the version of the tables that this tasker knows."""
    return len(migrate.load("tasker.stores.postgres"))


async def prepare(connector: Connector, *, migrates: bool) -> None:
    """Check the server, and bring the tables up to date if *migrates*.

    Raises:
        DatabaseError: the database cannot be used; the message says why and what to do.
        DatabaseTooNewError: a newer tasker has removed what this one needs.
        SchemaOutdatedError: the tables are of an earlier tasker, and this one is not to migrate.
    """
    place = connector.place
    try:
        connection = await connector.connect()
    except (*TROUBLE, ValueError) as error:  # asyncpg reads variables and files, too
        raise DatabaseError(place, f"{why_not(error, connector)}; see to that and start again") from None
    try:
        await check_server(connection, place)
        await check_search_path(connection, place, connector.schema)
        await _bring_up_to_date(
            connection, place, migrate.load("tasker.stores.postgres"), schema=connector.schema, migrates=migrates
        )
        for setting, words in await risks(connection):
            _log.warning(words, setting=setting)
    except (asyncpg.DuplicateTableError, asyncpg.DuplicateFunctionError) as error:
        raise DatabaseError(
            place,
            f"another program has its tables there ({error}); give tasker a database of its own, "
            "or a schema: --database-schema",
        ) from None
    except TROUBLE as error:
        raise DatabaseError(place, f"{why_not(error, connector)}; see to that and start again") from None
    finally:
        connection.terminate()


def why_not(error: Exception, connector: Connector) -> str:
    """Return why a start failed, in our words.

    Those of PostgreSQL, its pooler or the system are added where they say more.
    """
    if isinstance(error, OSError) and (unreadable := connector.unreadable()) is not None:
        return unreadable
    words = connector.without_secrets(" ".join(str(error).split()))
    if isinstance(error, ValueError):
        words = f": {words}" if isinstance(error, asyncpg.ClientConfigurationError) else ""
        return f"its URL, or a variable or file that it depends on, cannot be used{words}"
    reason: str = getattr(store_error(error), "reason", "unknown reason")
    return reason if reason in (REFUSED, NO_HOST) or not words else f"{reason} ({words})"


async def check_server(connection: Connection, place: str) -> None:
    """Return if this PostgreSQL can be used.

    Raises:
        DatabaseError: it cannot.
    """
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number < LEAST_SERVER:
        version = await connection.fetchval("SHOW server_version")
        raise DatabaseError(place, f"tasker needs PostgreSQL {LEAST_SERVER // 10_000} or later, this is {version}")
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            place, f"tasker needs a database in UTF8, this is in {encoding}; make one with ENCODING 'UTF8'"
        )


async def check_search_path(connection: Connection, place: str, schema: str | None) -> None:
    """Return if what sessions use is the schema that is asked for, or nothing yet, since that is missing.

    Raises:
        DatabaseError: they use another one.
    """
    found = await connection.fetchval("SELECT current_schema()")
    if schema is not None and found not in (schema, None):
        role = await connection.fetchval("SELECT quote_ident(current_user)")
        raise DatabaseError(
            place,
            f"its sessions use the schema {found} in place of {schema}, since a pooler keeps what tasker says; "
            f"give the role that schema: ALTER ROLE {role} SET search_path = {schema}",
        )


async def _make_schema(connection: Connection, place: str, schema: str) -> None:
    """Make the schema if it is missing and this user may."""
    role, exists, may = await connection.fetchrow(
        "SELECT quote_ident(current_user), to_regnamespace($1) IS NOT NULL, "
        "has_database_privilege(current_database(), 'CREATE')",
        schema,
    )
    if not exists and not may:
        raise DatabaseError(
            place,
            f"it has no schema {schema}, and this user may not create one; "
            f"have somebody who may run: CREATE SCHEMA {schema} AUTHORIZATION {role}",
        )
    if not exists:
        await connection.execute(f'CREATE SCHEMA "{schema}"')
    if await connection.fetchval("SELECT current_schema()") is None:
        raise DatabaseError(
            place,
            f"this user may not use its schema {schema}; "
            f"have its owner run: GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}",
        )


async def _bring_up_to_date(
    connection: Connection,
    place: str,
    migrations: Sequence[Migration],
    *,
    schema: str | None,
    migrates: bool,
) -> None:
    known, least_known = len(migrations), needed(migrations)
    version, least = await versions(connection)
    if least > known:
        raise DatabaseTooNewError(place, found=version, known=known)
    if version >= known:
        return
    if not migrates:
        if version < least_known:
            raise SchemaOutdatedError(place, found=version, known=known)
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        if not await connection.fetchval(f"SELECT pg_try_advisory_xact_lock({_LOCK})"):
            _log.info("waiting for another process, which is migrating the database")
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=_LONG)
        if schema is not None:
            await _make_schema(connection, place, schema)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS tasker_schema (version integer NOT NULL, least integer NOT NULL)"
        )
        version = await _migrate(connection, migrations)
        if version < least_known:
            raise DatabaseError(
                place, "nodes of a version before the previous one are running; upgrade them first, or stop them"
            )
    if version < known:
        _log.info("nodes of an earlier version are running; what they cannot read is refused until they have ended")


async def finish(connection: Connection, *, migrates: bool) -> bool:
    """Make what is left of the migrations, if no node of an earlier version is running any more, and *migrates*.

    Waits for others a moment at most: then nothing is done.

    Returns:
        whether nothing is left to be made, so that no node of an earlier version can join.
    """
    migrations = migrate.load("tasker.stores.postgres")
    version, _ = await versions(connection)
    if version >= len(migrations) or not migrates:
        return version >= len(migrations)
    if version >= needed(migrations) and await connection.fetchval(_ANY_OLDER, version + 1):
        return False  # without a lock
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_MOMENT:g}s'")
            if not await connection.fetchval(f"SELECT pg_try_advisory_xact_lock({_LOCK})"):
                return False
            return await _migrate(connection, migrations) >= len(migrations)
    except asyncpg.LockNotAvailableError:
        return False


async def _migrate(connection: Connection, migrations: Sequence[Migration]) -> int:
    """Make the migrations that are left, up to one that contracts what somebody needs; return the new version."""
    before, least = await versions(connection)  # another node may have been quicker
    version = before
    for migration in migrations[before:]:
        if migration.contracts:
            # From here on nobody joins before this is committed.
            await connection.execute("LOCK TABLE node IN ACCESS EXCLUSIVE MODE")
            if await connection.fetchval(_ANY_OLDER, migration.number):
                break
            least = migration.number
        await connection.execute(migration.sql, timeout=_LONG)
        version = migration.number
        _log.info("migrated the database", number=migration.number, name=migration.name)
    if version > before:
        await connection.execute("DELETE FROM tasker_schema")
        await connection.execute("INSERT INTO tasker_schema VALUES ($1, $2)", version, least)
    return version


def needed(migrations: Sequence[Migration]) -> int:
    """Return the version below which a node cannot work: what is contracted last need not be made yet."""
    return max((migration.number for migration in migrations if not migration.contracts), default=0)


async def versions(connection: Connection) -> tuple[int, int]:
    """The schema's version, and the least that a node has to know."""
    if await connection.fetchval("SELECT to_regclass('tasker_schema')") is None:
        return 0, 0
    row = await connection.fetchrow("SELECT version, least FROM tasker_schema")
    return (0, 0) if row is None else (row[0], row[1])


async def risks(connection: Connection) -> Sequence[tuple[str, str]]:
    """Return when a 201 would promise too much: for each such setting its name, and the words for it."""
    found = [
        (setting, f"PostgreSQL runs with {setting} = off: {what}")
        for setting, what in _RISKS
        if await connection.fetchval(f"SHOW {setting}") == "off"
    ]
    replicas = await connection.fetchval("SELECT count(*) FROM pg_stat_replication")
    if replicas and not await connection.fetchval("SHOW synchronous_standby_names"):
        standby = "synchronous_standby_names"
        what = f"PostgreSQL has replicas, and {standby} is empty: a failover can lose tasks answered with 201"
        found.append((standby, what))
    return found
