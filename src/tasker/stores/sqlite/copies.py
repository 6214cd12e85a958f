"""A database that is written anew into a file of its own, and put in place: what backups and restores share.

The file has a name of its own until it is whole, on stable storage and read back. Killed at any
moment, nothing half written has the name that counts.
"""

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import apsw

from tasker.errors import InTheWayError, MaintenanceError
from tasker.model.instants import SECOND, Instant
from tasker.stores.maintenance import Tell
from tasker.stores.mark import State
from tasker.stores.sqlite.schema import APPLICATION_ID

_PAGES: Final = 512
"""Pages that are copied at a time: 2 MiB."""

_SYNC_BYTES: Final = 16 << 20
"""The copy is brought onto the medium each time so much has been written. The server's own writes wait
for what the system has collected before them: that must never be much."""

_STEPS: Final = 1_000_000
"""Instructions of SQLite between two looks whether somebody has pressed Ctrl-C: some milliseconds."""

_MAGIC: Final = b"SQLite format 3\0"
_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_RENAME_EXCHANGE: Final = 2
"""Source: renameat2(2)."""
_AT_FDCWD: Final = -100


class Part:
    """A file that a database is written into, before it is put in place. A context; in the end it is gone.

    One process at a time has it; what one that was killed has left there is written anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._companions = [Path(f"{path}{end}") for end in _COMPANIONS]
        """What SQLite writes beside it. That is done before it is renamed: these keep the first name."""
        self.file = -1
        """A descriptor: it is open until the end, for closing it would end SQLite's own locks."""

    def __enter__(self) -> Self:
        with said(self.path):
            self.file = self._take()
            os.ftruncate(self.file, 0)
            os.fchmod(self.file, 0o600)  # it may hold secrets
            self._drop_companions()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):
            if self._is_there():  # else it has its place
                self.path.unlink()
        self._drop_companions()
        os.close(self.file)

    def sync(self) -> None:
        """Bring what was written onto stable storage."""
        with said(self.path):
            os.fsync(self.file)

    def take_owner_of(self, path: Path) -> None:
        """Let it belong to whom the file at *path* belongs, as far as the system lets us: root may do that.

        Else the server, which runs as that user, could not open what root has put in place.
        """
        with suppress(OSError):
            found = path.stat()
            os.fchown(self.file, found.st_uid, found.st_gid)

    def rename(self, path: Path) -> None:
        """Give it another name, which nothing has. In the end it is gone all the same, unless it has its place."""
        with said(path):
            self.path.rename(path)
            self.path = path

    def put_in_place(self, path: Path) -> None:
        """Give it the name that counts, in place of what has it. It is synced before."""
        with said(path):
            self.path.replace(path)
        sync_folder(path)

    def exchange(self, path: Path) -> None:
        """Exchange it for the file at *path*, at one moment. It is synced before. Afterwards it is what was there."""
        with said(path):
            exchange(self.path, path)
        sync_folder(path)

    def _take(self) -> int:
        while True:
            try:
                file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.EISDIR):
                    raise InTheWayError(f"{self.path} is in the way: it is no ordinary file; move it away") from None
                raise
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._check(file)
            except BaseException as error:
                os.close(file)
                if isinstance(error, BlockingIOError):
                    raise InTheWayError(f"another process is writing {self.path}; wait for its end") from None
                raise
            self.file = file
            if self._is_there():
                return file
            os.close(file)  # another process had it, and has just put it in place

    def _check(self, file: int) -> None:
        """Refuse what no earlier run has left."""
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or (found.st_size and os.pread(file, len(_MAGIC), 0) != _MAGIC):
            raise InTheWayError(f"{self.path} is in the way: no tasker has made it; move it away")

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self.file), self.path.lstat())
        except OSError:
            return False

    def _drop_companions(self) -> None:
        for companion in self._companions:
            with suppress(OSError):
                companion.unlink()


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Say what goes wrong in this block with what is written at *path*.

    Raises:
        MaintenanceError: an error of SQLite or of the system, in words.
    """
    try:
        yield
    except (apsw.FullError, OSError) as error:
        if isinstance(error, apsw.FullError) or error.errno in _NO_SPACE:
            raise MaintenanceError(f"no space is left for {path}; make some, or choose another folder") from error
        if error.errno == errno.ENOENT:
            raise MaintenanceError(
                f"cannot write {path}: the folder {path.parent} does not exist; make it first"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise MaintenanceError(
                f"cannot write {path} ({error.strerror}); its folder must be writable for this user"
            ) from error
        raise MaintenanceError(f"cannot write {path}: {error.strerror or type(error).__name__}") from error
    except apsw.CorruptError:  # what is read is, not what is written
        raise
    except apsw.Error as error:
        raise MaintenanceError(f"cannot write {path}: {error}") from error


def read_only(path: Path, *, is_still: bool) -> apsw.Connection:
    """Return a connection that changes nothing.

    Args:
        is_still: that nobody writes the file meanwhile, and that it has no log: then it may be on a
            medium that cannot be written.
    """
    address = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if is_still else ''}"
    connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(5_000)
    return connection


def pin(connection: apsw.Connection) -> None:
    """Begin to read: until ``ROLLBACK``, the connection sees the database as it is now."""
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def copy_pages(source: apsw.Connection, part: Part, tell: Tell) -> None:
    """Copy the database that *source* sees, page by page: a file alone, without a log.

    Where *source* has begun to read, it is that of this moment, whatever others write meanwhile.
    They can go on; but the log cannot begin anew before *source* has stopped to read.
    """
    target = apsw.Connection(str(part.path))
    try:
        for setting in ("journal_mode", "synchronous"):  # until it is whole, nobody needs it
            target.pragma(setting, "off")
        size = source.pragma("page_size")
        unsynced = 0
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(_PAGES)
                tell("copying", backup.page_count - backup.remaining, backup.page_count)
                unsynced += _PAGES * size
                if unsynced >= _SYNC_BYTES:
                    _settle(part.file)
                    unsynced = 0
    finally:
        target.close()
    alone = apsw.Connection(str(part.path))
    try:
        alone.pragma("synchronous", "off")
        alone.pragma("journal_mode", "delete")  # else a copy on a medium that cannot be written could not be read
    finally:
        alone.close()


def expect_log(connection: apsw.Connection) -> None:
    """Have a database that is about to be put in place expect a write-ahead log, as servers have it.

    A server that has to change this waits for whoever reads it.
    """
    connection.pragma("journal_mode", "wal")


def _settle(file: int) -> None:
    """Bring what was written onto the medium, and out of the system's cache: what others use stays there."""
    os.fdatasync(file)
    with suppress(OSError, AttributeError):  # another system
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def counts_of(connection: apsw.Connection) -> Mapping[str, int]:
    """Return how many rows each table has, but for the mark: a copy has one of its own."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').get  # noqa: S608 - names of tables
        for name in names
        if name != "mark" and not name.startswith("sqlite_")
    }


def read_back(part: Part, counts: Mapping[str, int], tell: Tell) -> str | None:
    """Read a file that was written and synced, from the medium. Return what is wrong with it, in a few words.

    None: it is whole, and has as many rows as *counts* says.
    """
    _settle(part.file)
    with said(part.path):
        connection = read_only(part.path, is_still=True)
        try:
            damage = damage_of(connection, tell)
            found = counts if damage is not None else counts_of(connection)
        finally:
            connection.close()
    differing = sorted(name for name in {**counts, **found} if counts.get(name) != found.get(name))
    return damage or (f"another number of rows in {', '.join(differing)}" if differing else None)


def damage_of(connection: apsw.Connection, tell: Tell) -> str | None:
    """Return what SQLite finds wrong in the file, in its words; None: it is whole."""
    try:
        with telling(connection, tell, "checking"):
            found: str = connection.execute("PRAGMA integrity_check(1)").get
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return str(error)
    return None if found == "ok" else " ".join(found.split())


@contextmanager
def telling(connection: apsw.Connection, tell: Tell, step: str) -> Iterator[None]:
    """Tell that a statement that takes long is at work, and let it be broken off."""
    done = 0

    def told() -> bool:
        nonlocal done
        done += 1
        tell(step, done, None)
        return False

    connection.set_progress_handler(told, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None)


def is_copy(path: Path) -> bool:
    """Return whether a file is a copy that tasker has made, and on which no server was started."""
    try:
        connection = read_only(path, is_still=True)
        try:
            if connection.pragma("application_id") != APPLICATION_ID:
                return False
            return bool(connection.execute("SELECT count(*) FROM mark WHERE state = ?", (State.BACKUP.value,)).get)
        finally:
            connection.close()
    except apsw.Error:
        return False


def stamp(moment: Instant) -> str:
    """Return a moment, to the second, as names of files have it: these are in the order of time."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")


def exchange(one: Path, other: Path) -> None:
    """Have two files change their names, at one moment. They are in one folder.

    Where the system or the file system cannot do that, the first takes the name of the second, and
    the second gets the name of the first afterwards: if the process is killed in between, it has two names,
    and tasker does not start on it until one is removed.
    """
    with suppress(AttributeError):  # another system, or another C library
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        names = os.fsencode(one), os.fsencode(other)
        if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise OSError(number, os.strerror(number), str(other))
    aside = Path(f"{one}.aside")
    os.link(other, aside)
    one.replace(other)
    aside.replace(one)


def sync_folder(path: Path) -> None:
    """Bring the name of a file onto stable storage."""
    with said(path):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
