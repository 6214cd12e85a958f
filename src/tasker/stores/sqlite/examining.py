"""Looks at a database file, whether a server has it open or not. Changes nothing, and takes no lock but SQLite's own.

One SQLite library may have a file open in a process, and closing any descriptor of it there ends SQLite's
locks: so this is for a process that has no store open on it, and it looks at locks before it opens anything.
"""

import fcntl
import os
import pwd
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from tasker.errors import DatabaseTooNewError, NotADatabaseError
from tasker.model import number_words
from tasker.model.diagnosis import Finding, fine
from tasker.model.gate import status_at
from tasker.model.instants import Instant
from tasker.model.store_meter import Space
from tasker.stores import invariants, queries
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
from tasker.stores.sqlite import schema
from tasker.stores.sqlite.ailments import DAMAGED, File, Surroundings, judge
from tasker.stores.sqlite.connection import MEMORY, Queries, store_error
from tasker.stores.sqlite.copies import read_only
from tasker.stores.sqlite.keys import read_key_state
from tasker.stores.sqlite.lock import misplaced
from tasker.stores.sqlite.marks import read_mark
from tasker.stores.sqlite.mounts import mount_of, read_mounts
from tasker.stores.sqlite.reader import Reader
from tasker.stores.sqlite.space import space_of

LONGEST_LOOK: Final = 2.0
"""Seconds for which the structure of a file is looked at. A larger file is looked at in part."""

_STEPS: Final = 5_000
"""How often it is looked whether that time is over: steps of SQLite's machine."""

_SAMPLE: Final = 500
"""Tasks that are looked at, all over the file."""

_LOCKS_OF_READERS: Final = (0x4000_0002, 510)
"""The bytes of a database file, from which and how many, one of which every connection with a write-ahead
log keeps locked while it is open. Source: https://www.sqlite.org/lockingv3.html, and SQLite's os_unix.c."""

_FLOCK: Final = "hhqqi4x"
"""``struct flock`` of Linux on machines of 64 bits: what, from where, first byte, length, process."""

_SEES_LOCKS: Final = sys.platform == "linux" and sys.maxsize > 1 << 32
"""Whether that is what this machine has."""

_FAULTS_SHOWN: Final = 3


def examine(location: str, context: StoreContext, *, patience: float = LONGEST_LOOK) -> Examined:
    """Return what the database at *location*, a path or ``:memory:``, is like.

    Args:
        patience: seconds for which its structure is looked at.
    """
    engine = f"SQLite {apsw.sqlite_lib_version()}"
    if location == MEMORY:
        return Examined(engine=engine, findings=[fine("database", "in memory: it ends with its server")], is_new=True)
    named = Path(location)
    path = Path(os.path.realpath(location))
    seen = look_around(named, path)
    around = judge(seen)
    if seen.file is None or not path.is_file():
        is_new = seen.file is None
        missing = [fine("database", "it is not there yet: a server makes it when it starts")] if is_new else []
        return Examined(engine=engine, findings=[*missing, *around], is_new=is_new)
    if not os.access(path, os.R_OK):
        unread = NOT_READ.found(
            f"{path} belongs to {seen.file.owner}, and {seen.user} may not read it",
            mend=f"sudo -u {seen.file.owner} tasker doctor",
        )
        return Examined(engine=engine, findings=[unread, *around], holder=seen.holder)
    opened = _open(path, seen, context, patience)
    if seen.is_idle and (now := look_around(named, path)).holder is not None:
        opened = _open(path, seen := now, context, patience)  # a server has started meanwhile, and written
    return Examined(
        engine=engine,
        findings=[*opened.findings, *around],
        holder=seen.holder,
        sees_holder=_SEES_LOCKS,
        is_new=opened.is_new,
        contents=opened.contents,
    )


def look_around(named: Path, path: Path) -> Surroundings:
    """Return what there is to see without opening the database.

    Args:
        named: as the URL names it.
        path: where that leads.
    """
    file = _file(path)
    return Surroundings(
        named=named,
        path=path,
        user=_name_of(os.geteuid()),
        folder=_file(path.parent),
        file=file,
        companions=[found for end in ("-wal", "-shm", ".lock") if (found := _file(Path(f"{path}{end}"))) is not None],
        misplaced=misplaced(path),
        mount=mount_of(path, read_mounts()),
        space=Space() if not path.parent.is_dir() else space_of(path),
        holder=_holder(path) if file is not None and path.is_file() else None,
        sees_holder=_SEES_LOCKS,
    )


def _file(path: Path) -> File | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return File(path=path, mode=found.st_mode, owner=_name_of(found.st_uid), is_writable=os.access(path, os.W_OK))


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _holder(path: Path) -> str | None:
    """Return which process has the database open. The kernel is asked; no lock is taken."""
    if not _SEES_LOCKS:
        return None
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, *_LOCKS_OF_READERS, 0)
    with suppress(OSError, struct.error):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        finally:
            os.close(descriptor)
        if kind != fcntl.F_UNLCK:
            return f"process {process}" if process > 0 else "a process elsewhere, such as in a container"
    return None


class _Opened(NamedTuple):
    """What there is to see in a database."""

    findings: Sequence[Finding]
    """What is wrong, or what was looked at."""
    contents: Contents | None = None
    is_new: bool = False


def _open(path: Path, seen: Surroundings, context: StoreContext, patience: float) -> _Opened:
    try:
        with closing(read_only(path, is_still=seen.is_idle)) as connection:
            version, earlier = schema.version_of(connection, path, context.pools)
            faults, is_whole = _faults(connection, patience)
            if faults:
                return _Opened([_damaged(path, "; ".join(faults))])
            if earlier or version != schema.known():
                return _Opened([fine("database", _outdated(version, earlier))], is_new=not (version or earlier))
            return _read(connection, path, context, f"what was looked at in {patience:g} s" if not is_whole else "")
    except NotADatabaseError as error:
        return _Opened([refused(CANNOT_OPEN, error)])
    except DatabaseTooNewError as error:
        return _Opened([refused(TABLES_TOO_NEW, error)])
    except apsw.NotADBError:
        return _Opened([refused(CANNOT_OPEN, NotADatabaseError(str(path)))])
    except apsw.CorruptError as error:
        return _Opened([_damaged(path, str(error))])
    except apsw.Error as error:
        what = f"{path} cannot be read: {store_error(error).reason}"
        return _Opened([NOT_READ.found(what, mend="look again, and then at the disk: dmesg")])


def _outdated(version: int, earlier: Sequence[str]) -> str:
    if earlier:
        return "the earlier server wrote it: the next start takes its tasks over"
    if not version:
        return "it has no tables yet: a server makes them when it starts"
    return f"its tables are of version {version}: the next start brings them to {schema.known()}"


def _damaged(path: Path, how: str) -> Finding:
    return DAMAGED.found(f"{path} is damaged: {how}", mend=invariants.DAMAGED.remedy)


def _read(connection: apsw.Connection, path: Path, context: StoreContext, part: str) -> _Opened:
    """Return what is in the tables.

    Args:
        part: how much of the structure was looked at, in words; empty: all of it.
    """
    sql = Queries(connection, queries.load("tasker.stores.sqlite"))
    found = [*_sample(connection)]
    if any(found):
        return _Opened([_damaged(path, next(filter(None, found)))])
    tasks = "" if not found else f", and {number_words.many(len(found), 'task')} of it"
    whole = f"{path}: its structure is sound{tasks}"
    well = f"{path}: {part} is sound{tasks}; tasker db check looks at all of it" if part else whole
    contents = _contents(sql, context.clock.now())
    return _Opened(judge_mark(str(path), contents.mark) or [fine("database", well)], contents)


def _faults(connection: apsw.Connection, patience: float) -> tuple[Sequence[str], bool]:
    """Return what SQLite finds wrong with the structure of the file, and whether it has looked at all of it in time."""
    until = time.monotonic() + patience
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    found = []
    try:
        for (line,) in connection.execute(f"PRAGMA quick_check({_FAULTS_SHOWN})"):
            if line != "ok":
                found.append(" ".join(line.replace("***", "").split()))
    except apsw.InterruptError:
        return found, False
    finally:
        connection.set_progress_handler(None)
    return found, True


def _sample(connection: apsw.Connection, rand: Callable[[], float] = random.random) -> Iterator[str]:
    """Look at tasks all over the file: return for each what is wrong with it; nothing, if it is well."""
    last = connection.execute("SELECT max(seq) FROM task").get or 0
    looked_at = 0
    for number in range(min(_SAMPLE, last)):
        beyond = int((number + rand()) * last / _SAMPLE) if last > _SAMPLE else number
        row = connection.execute(
            "SELECT task.seq, payload.seq, (SELECT seq FROM task AS same WHERE same.id = task.id)"
            "  FROM task LEFT JOIN payload USING (seq) WHERE task.seq > ? ORDER BY task.seq LIMIT 1",
            (beyond,),
        ).fetchone()
        if row is None or row[0] <= looked_at:
            continue
        looked_at = row[0]
        yield (
            "" if row[0] == row[1] == row[2] else f"the task in row {row[0]} has no body, or its index does not find it"
        )


def _contents(sql: Queries, now: Instant) -> Contents:
    reader = Reader(sql)
    paused_at = sql.first("paused_at")
    return Contents(
        at=now,
        overdue=reader.overdue(free_pools=(), now=now),
        gates=[status_at(gate, now) for gate in reader.troubled_gates(now, limit=GATES_SHOWN)],
        keys=read_key_state(sql),
        paused_at=None if paused_at is None else paused_at[0],
        nodes=(),
        inbox=None,
        looked_at=sql.number("last_look"),
        mark=read_mark(sql),
    )
