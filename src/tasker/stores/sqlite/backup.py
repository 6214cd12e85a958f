"""Copies the database, whether a server uses it or not: see ``Maintenance.back_up``."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import apsw

from tasker.errors import DatabaseError, InTheWayError, MaintenanceError, NotADatabaseError
from tasker.model.instants import Instant
from tasker.stores import queries
from tasker.stores.maintenance import Backup, Tell
from tasker.stores.mark import Mark, State, check_servable
from tasker.stores.sqlite import copies, schema
from tasker.stores.sqlite.connection import Queries, store_error
from tasker.stores.sqlite.copies import Part, said
from tasker.stores.sqlite.marks import read_mark, write_mark

_NEEDED: Final = 1.02
"""How much room there must be: so many times what the database takes."""


def back_up(database: Path, path: Path, *, keep: int | None, now: Callable[[], Instant], tell: Tell) -> Backup:
    """Copy the database at a resolved path: see ``Maintenance.back_up``."""
    path = Path(os.path.realpath(path))
    _check_name(path, database)
    if keep is None:
        _check_free(path)
    with Part(path.with_name(f"{path.name}.part")) as part:
        copied_at, tasks = _copy(database, part, now, tell)
        target = path if keep is None else _dated(path, copied_at)
        _check_free(target)
        part.put_in_place(target)
        removed = [] if keep is None else _remove_older(path, target, keep)
        return Backup(path=target, copied_at=copied_at, bytes=target.stat().st_size, tasks=tasks, removed=removed)


def _copy(database: Path, part: Part, now: Callable[[], Instant], tell: Tell) -> tuple[Instant, int]:
    """Copy the database, mark the copy, and read it back. Return its moment, and how many tasks it has."""
    source = open_to_read(database)
    try:
        copied_at = now()
        copies.pin(source)
        has_marks = _check(source, database)
        _check_room(source, part.path)
        with said(part.path):
            copies.copy_pages(source, part, tell)
        counts = copies.counts_of(source)
    except apsw.Error as error:
        raise DatabaseError(str(database), store_error(error).reason) from error
    finally:
        source.close()
    if has_marks:
        _mark(part, copied_at)
    part.sync()
    problem = copies.read_back(part, counts, tell)
    if problem is not None:
        raise MaintenanceError(
            f"the copy is not whole ({problem}), and was removed; see whether the database is: tasker db check"
        )
    return copied_at, counts["task"]


def open_to_read(database: Path) -> apsw.Connection:
    """Return a connection that only reads, while others may write.

    Raises:
        DatabaseError: it cannot be opened, or is not a database of tasker.
    """
    try:
        connection = copies.read_only(database, is_still=False)
        try:
            schema.check_identity(connection, database)
        except BaseException:
            connection.close()
            raise
    except apsw.NotADBError:
        raise NotADatabaseError(str(database)) from None
    except apsw.CantOpenError:
        reason = "it cannot be read; do this as the user that tasker runs as"
        raise DatabaseError(str(database), reason) from None
    except apsw.Error as error:
        raise DatabaseError(str(database), store_error(error).reason) from error
    return connection


def _check(source: apsw.Connection, database: Path) -> bool:
    """Refuse what is no database of its own servers. Return whether its tables are of a tasker that knows marks."""
    if not source.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'mark'").get:
        return False
    check_servable(str(database), read_mark(Queries(source, queries.load("tasker.stores.sqlite"))))
    return True


def _check_room(source: apsw.Connection, path: Path) -> None:
    needed = int(source.pragma("page_count") * source.pragma("page_size") * _NEEDED)
    with said(path):
        medium = os.statvfs(path.parent)
    free = medium.f_bavail * medium.f_frsize
    if free < needed:
        raise MaintenanceError(
            f"no space is left for {path}: {needed / 1e6:,.0f} MB are needed, and {free / 1e6:,.0f} MB are free; "
            "make some, or choose another folder"
        )


def _mark(part: Part, copied_at: Instant) -> None:
    with said(part.path):
        connection = apsw.Connection(str(part.path))
        try:
            connection.pragma("journal_mode", "memory")
            connection.pragma("synchronous", "off")
            with connection:
                texts = queries.load("tasker.stores.sqlite")
                write_mark(Queries(connection, texts), Mark(state=State.BACKUP, at=copied_at))
        finally:
            connection.close()


def _check_name(path: Path, database: Path) -> None:
    """Refuse a name that no copy can have."""
    if path.is_dir():
        raise MaintenanceError(f"{path} is a folder; name the file, such as {path / database.name}")
    if path == database or path in (Path(f"{database}{end}") for end in ("-wal", "-shm", ".lock")):
        raise InTheWayError(f"{path} belongs to the database itself; choose another name for the copy")
    if not path.parent.is_dir():
        raise MaintenanceError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")


def _check_free(target: Path) -> None:
    """Refuse a name that something else has."""
    if target.exists() and not (target.is_file() and copies.is_copy(target)):
        raise InTheWayError(
            f"{target} is already there, and is not a copy that tasker has made; move it away, or choose another name"
        )


def _dated(path: Path, moment: Instant) -> Path:
    """Return the name of a copy of *moment*."""
    return path.with_name(f"{path.stem}-{copies.stamp(moment)}{path.suffix}")


def _remove_older(path: Path, newest: Path, keep: int) -> Sequence[Path]:
    """Remove the copies whose names begin as *path* says, but for the *keep* newest ones. Return those."""
    pattern = re.compile(rf"{re.escape(path.stem)}-\d{{8}}T\d{{6}}Z{re.escape(path.suffix)}")
    found = sorted(each for each in path.parent.iterdir() if pattern.fullmatch(each.name) and each != newest)
    older = [each for each in found if each.is_file() and not each.is_symlink() and copies.is_copy(each)]
    removed = older[: max(len(older) - (keep - 1), 0)]
    for each in removed:
        with said(each):
            each.unlink()
    return removed
