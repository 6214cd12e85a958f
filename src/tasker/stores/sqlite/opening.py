"""Opens the database of a store: made if it is missing, refused if it is something else, brought up to date."""

import stat
from pathlib import Path

import apsw

from tasker.errors import DatabaseError, NotADatabaseError
from tasker.model.instants import Instant
from tasker.stores.sqlite import schema
from tasker.stores.sqlite.connection import connect
from tasker.stores.sqlite.lock import DatabaseLock
from tasker.stores.sqlite.take_over import NewPool, TakenOver


def open_database(
    location: Path | str, lock: DatabaseLock | None, pools: NewPool, now: Instant, *, vfs: str | None
) -> tuple[apsw.Connection, TakenOver | None]:
    """Return a writing connection, and what was taken over from the earlier server. *lock* is that of a file.

    Raises:
        DatabaseTooNewError, NotADatabaseError, TakeOverError, DatabaseError: nothing was changed.
    """
    try:
        connection = connect(location, vfs=vfs)
        taken = schema.bring_up_to_date(connection, location, pools, now)
        if isinstance(location, Path):
            if lock is not None:
                lock.make_private()
            if connection.pragma("journal_mode", "wal") != "wal":
                raise DatabaseError(str(location), "SQLite cannot keep a write-ahead log there; use a local disk")
    except apsw.NotADBError:
        raise NotADatabaseError(str(location)) from None
    except apsw.Error as error:
        raise DatabaseError(str(location), f"{error}") from error
    except OSError as error:
        raise DatabaseError(str(location), error.strerror or "unknown reason") from error
    return connection, taken


def check_ordinary(path: Path) -> None:
    """Refuse folders and devices before anything is made beside them, or their mode is changed."""
    try:
        mode = path.stat().st_mode
    except OSError:  # it is missing, or out of reach: whatever is tried next says why
        return
    if not stat.S_ISREG(mode):
        raise DatabaseError(str(path), "it is no ordinary file; choose another with --database-url")
