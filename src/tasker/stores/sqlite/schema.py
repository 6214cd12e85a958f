"""Whose database is it, and is it up to date? Looked at once, when the store opens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import apsw
import structlog

from tasker.errors import DatabaseTooNewError, NotADatabaseError
from tasker.model.instants import Instant
from tasker.stores import migrate
from tasker.stores.sqlite import take_over
from tasker.stores.sqlite.take_over import NewPool, TakenOver

APPLICATION_ID: Final = 0x7461736B
"""``task``, in the file's header: tells a tasker database from others."""


_log = structlog.get_logger()


def known() -> int:
    """Return the version of the tables that this tasker knows."""
    return len(migrate.load("tasker.stores.sqlite"))


def version_of(connection: apsw.Connection, path: Path | str, pools: NewPool) -> tuple[int, Sequence[str]]:
    """Return the version of the tables, and which tables of the earlier server are there. Changes nothing.

    Raises:
        DatabaseTooNewError, NotADatabaseError: it is no database for this tasker.
    """
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    earlier = take_over.tables_in(tables, pools)
    if application != APPLICATION_ID and (application != 0 or (tables and not earlier)):
        raise NotADatabaseError(str(path))
    if version > known():
        raise DatabaseTooNewError(str(path), found=version, known=known())
    return version, earlier


def check_identity(connection: apsw.Connection, path: Path | str) -> None:
    """Return if the database is one of tasker, and not of a newer one. It may lack tables of this version.

    Raises:
        DatabaseTooNewError, NotADatabaseError: it is not.
    """
    if connection.pragma("application_id") != APPLICATION_ID:
        raise NotADatabaseError(str(path))
    version_of(connection, path, {})


def bring_up_to_date(connection: apsw.Connection, path: Path | str, pools: NewPool, now: Instant) -> TakenOver | None:
    """Make the tables, or what is missing of them, in one transaction; take over what the earlier server left.

    Returns:
        how many rows of the earlier server were taken over; None if it was not its database.

    Raises:
        DatabaseTooNewError, NotADatabaseError, TakeOverError: nothing was changed.
    """
    migrations = migrate.load("tasker.stores.sqlite")
    version, earlier = version_of(connection, path, pools)
    if version == len(migrations):
        return None
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in migrations[version:]:
            connection.execute(migration.sql)
        taken = take_over.run(connection, earlier, pools, now) if earlier and version == 0 else None
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", len(migrations))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if isinstance(path, Path):
        for migration in migrations[version:]:
            _log.info("migrated the database", number=migration.number, name=migration.name)
    return taken
