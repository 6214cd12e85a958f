"""Puts a copy in the place of the database: see ``Maintenance.restore``."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from tasker.errors import (
    CopyUnusableError,
    DatabaseError,
    DatabaseInUseError,
    MaintenanceError,
    NotADatabaseError,
    StartError,
)
from tasker.model.instants import Instant
from tasker.stores import queries
from tasker.stores.maintenance import Due, Restored, Tell
from tasker.stores.mark import Mark, State, check_servable
from tasker.stores.sqlite import copies, schema
from tasker.stores.sqlite.connection import Queries, connect, store_error
from tasker.stores.sqlite.copies import Part, said
from tasker.stores.sqlite.due import due_since
from tasker.stores.sqlite.lock import DatabaseLock
from tasker.stores.sqlite.marks import read_mark, write_mark
from tasker.stores.sqlite.opening import check_ordinary


@contextmanager
def held(database: Path, *, makes: bool) -> Iterator[None]:
    """Keep servers from the database, which none may use, while this block lasts.

    Args:
        makes: whether a file that is missing is made, to be replaced. If it is not, it is removed.

    Raises:
        DatabaseInUseError: a server uses it.
        DatabaseError: it is missing, or cannot be locked.
    """
    check_ordinary(database)
    is_new = not database.exists()
    if is_new and not makes:
        raise DatabaseError(str(database), "there is no such file")
    lock = DatabaseLock(database)
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):
                if not database.stat().st_size:
                    database.unlink()
        lock.release()


def restore(
    database: Path, copy: Path, *, paused: bool, with_ids: bool, now: Callable[[], Instant], tell: Tell
) -> Restored:
    """Put *copy* in the place of the database at a resolved path: see ``Maintenance.restore``."""
    copy = Path(os.path.realpath(copy))
    _check_copy(copy, database)
    with held(database, makes=True), Part(Path(f"{database}.restoring")) as part:
        _refuse_if_moved(database)
        counts = _copy(copy, part, tell)
        part.sync()
        problem = copies.read_back(part, counts, tell)
        if problem is not None:
            raise CopyUnusableError(str(copy), f"it is damaged ({problem}); use another copy")
        due = _prepare(part, copy, now, paused=paused, with_ids=with_ids)
        part.sync()
        part.take_owner_of(database)
        aside = _aside(database, now())
        is_damaged = close_log(database)
        replaced = _exchange(part, aside, database, with_log=is_damaged)
        return Restored(tasks=counts["task"], replaced=replaced, due=due)


def note_restored(
    database: Path, copied_at: Instant | None, *, paused: bool, with_ids: bool, now: Callable[[], Instant]
) -> Due:
    """Mark the database as a copy: see ``Maintenance.note_restored``."""
    with held(database, makes=False):
        try:
            connection = connect(database)
            try:
                schema.check_identity(connection, database)
                schema.bring_up_to_date(connection, database, {}, now())
                return _write_mark(connection, database, copied_at, now(), paused=paused, with_ids=with_ids)
            finally:
                connection.close()
        except apsw.NotADBError:
            raise NotADatabaseError(str(database)) from None
        except apsw.Error as error:
            raise DatabaseError(str(database), store_error(error).reason) from error


def _check_copy(copy: Path, database: Path) -> None:
    if not copy.exists():
        raise CopyUnusableError(str(copy), "there is no such file")
    if not copy.is_file():
        raise CopyUnusableError(str(copy), "it is no ordinary file")
    if database.exists() and copy.samefile(database):
        raise CopyUnusableError(str(copy), "it is the database itself")


def _refuse_if_moved(database: Path) -> None:
    """Refuse to put a copy where the tasks have moved away from: they would run there, and here.

    Raises:
        DatabaseBeingCopiedError, DatabaseMovedError: its mark says so.
    """
    try:
        connection = copies.read_only(database, is_still=False)
        try:
            if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'mark'").get:
                check_servable(str(database), read_mark(Queries(connection, queries.load("tasker.stores.sqlite"))))
        finally:
            connection.close()
    except apsw.Error:  # it is damaged: nobody can say
        return


def _copy(copy: Path, part: Part, tell: Tell) -> dict[str, int]:
    """Copy *copy*, and return how many rows each of its tables has."""
    log = Path(f"{copy}-wal")
    try:
        source = copies.read_only(copy, is_still=not (log.exists() and log.stat().st_size))
        try:
            schema.check_identity(source, copy)
            copies.pin(source)
            with said(part.path):
                copies.copy_pages(source, part, tell)
            return dict(copies.counts_of(source))
        finally:
            source.close()
    except apsw.NotADBError:
        raise CopyUnusableError(str(copy), "it is not a database, or only a part of one") from None
    except apsw.CorruptError:
        raise CopyUnusableError(str(copy), "it is damaged; use another copy") from None
    except apsw.CantOpenError:
        raise CopyUnusableError(str(copy), "it cannot be read; see to its rights, and to those of its folder") from None
    except apsw.Error as error:
        raise CopyUnusableError(str(copy), store_error(error).reason) from error
    except StartError as error:
        raise CopyUnusableError(str(copy), str(error).rpartition(": ")[2]) from None


def _prepare(part: Part, copy: Path, now: Callable[[], Instant], *, paused: bool, with_ids: bool) -> Due:
    """Bring the tables up to date, and write the mark. Return what came due since the copy was made."""
    with said(part.path):
        connection = connect(part.path)
        try:
            connection.pragma("journal_mode", "memory")
            connection.pragma("synchronous", "off")
            schema.bring_up_to_date(connection, part.path, {}, now())
            due = _write_mark(connection, copy, None, now(), paused=paused, with_ids=with_ids)
            copies.expect_log(connection)
        finally:
            connection.close()
    return due


def _write_mark(
    connection: apsw.Connection,
    place: Path,
    copied_at: Instant | None,
    now: Instant,
    *,
    paused: bool,
    with_ids: bool,
) -> Due:
    """Mark a database, whose tables are up to date, as a copy; or as none, if it is not to start *paused*."""
    asked = Queries(connection, queries.load("tasker.stores.sqlite"))
    with connection:
        found = read_mark(asked)
        check_servable(str(place), found)
        moment = copied_at or (asked.number("last_look") or 0 if found is None else found.at)
        write_mark(asked, Mark(state=State.BACKUP, at=moment) if paused else None)
    return due_since(connection, moment, now, with_ids=with_ids)


def _aside(database: Path, now: Instant) -> Path:
    """Return the name that the database gets which is replaced."""
    name = f"{database}.replaced-{copies.stamp(now)}"
    aside = Path(name)
    number = 1
    while aside.exists():
        number += 1
        aside = Path(f"{name}-{number}")
    return aside


def close_log(database: Path) -> bool:
    """Have all that is in the log moved into the database, and remove the log: it must not meet another database.

    Returns:
        whether the database is damaged, so that its log has to be kept with it.

    Raises:
        DatabaseInUseError: another program has it open.
        NotADatabaseError: it is a database of another program.
    """
    if not database.stat().st_size:
        return False
    try:
        connection = connect(database)
        try:
            is_ours = connection.pragma("application_id") == schema.APPLICATION_ID
            if not is_ours and connection.execute("SELECT count(*) FROM sqlite_schema").get:
                raise NotADatabaseError(str(database))
            connection.pragma("journal_mode", "delete")
        finally:
            connection.close()
    except (apsw.BusyError, apsw.LockedError):
        raise DatabaseInUseError(str(database)) from None
    except (apsw.CorruptError, apsw.NotADBError, apsw.IOError):
        return True
    except apsw.Error as error:
        raise DatabaseError(str(database), store_error(error).reason) from error
    if any(Path(f"{database}{end}").exists() for end in ("-wal", "-shm")):
        raise DatabaseInUseError(str(database))
    return False


def _exchange(part: Part, aside: Path, database: Path, *, with_log: bool) -> Path | None:
    """Put the new database in place at one moment. Return where the old one is; None: there was none."""
    if with_log:  # no server can start on it as it is
        for end in ("-wal", "-shm"):
            with said(aside), suppress(FileNotFoundError):
                Path(f"{database}{end}").rename(f"{aside}{end}")
    try:
        is_new = not database.stat().st_size
        part.rename(aside)
        part.exchange(database)
        if is_new:
            aside.unlink()
            return None
    except OSError as error:
        raise MaintenanceError(f"cannot put {database} in place: {error.strerror or 'unknown reason'}") from error
    return aside
