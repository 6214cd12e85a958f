"""One tasker per database: locks that the kernel frees when the process ends, however it ends."""

import fcntl
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from tasker.errors import DatabaseError, DatabaseInUseError
from tasker.stores.sqlite.mounts import read_mounts

_log = structlog.get_logger()


class DatabaseLock:
    """Holds a database for life: the file ``<database>.lock``, and the database itself, by whatever name it goes.

    ``<database>.lock`` is never unlinked: two processes could then each lock one of their own. If
    somebody removes it, the lock on the database's own file is left. It is one of flock(2), which
    on Linux does not meet those of fcntl(2), which SQLite takes; elsewhere they may, and it is not
    taken.
    """

    def __init__(self, database: Path) -> None:
        """Take the locks of *database*, a resolved path. A missing file is made, for its owner alone.

        Raises:
            DatabaseInUseError: another process holds one.
            DatabaseError: the files cannot be made, or the database cannot be kept in this one.
        """
        self._database = str(database)
        self._log_path = f"{database}-wal"
        self._fds: list[int] = []
        self._log: os.stat_result | None = None
        try:
            self._take(Path(f"{database}.lock"), f"cannot write {database}.lock")
            # Never closed while SQLite has the file open: closing it would end SQLite's own locks.
            self._file = self._take(database, "cannot write it", is_database=True)
            self._stat = os.fstat(self._file)
        except BaseException:
            self.release()
            raise

    def make_private(self) -> None:
        """Let nobody but its owner read the database; warn if that cannot be done. It may belong to somebody else."""
        if stat.S_IMODE(os.fstat(self._file).st_mode) == 0o600:
            return
        try:
            os.fchmod(self._file, 0o600)
        except OSError as error:
            if os.fstat(self._file).st_mode & 0o077:
                _log.warning("others can read the database", file=self._database, reason=error.strerror)

    def is_in_place(self) -> bool:
        """Return whether the database and its log are still where SQLite opened them.

        What is written elsewhere is lost. The log counts from the first call on that finds one.
        """
        if not self._fds:  # it is released
            return True
        if not _is_at(self._database, self._stat):
            return False
        if self._log is None:
            with suppress(OSError):
                self._log = os.stat(self._log_path)  # noqa: PTH116 - each commit looks: a Path takes longer than the system
        return self._log is None or _is_at(self._log_path, self._log)

    def release(self) -> None:
        """Let another process take it. May be called twice. No connection to the database may be open any more."""
        while self._fds:
            os.close(self._fds.pop())

    def _take(self, path: Path, problem: str, *, is_database: bool = False) -> int:
        """Open *path* and lock it."""
        if is_database and (problem_of_place := misplaced(path)) is not None:
            raise DatabaseError(self._database, problem_of_place)
        try:
            self._fds.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            folder = path.parent
            if not folder.exists():
                raise DatabaseError(self._database, f"the folder {folder} does not exist; make it first") from None
            reason = (
                f"{problem} ({error.strerror}); "
                "the folder and its files must be writable for the user that tasker runs as"
            )
            raise DatabaseError(self._database, reason) from None
        if not is_database or sys.platform == "linux":
            try:
                fcntl.flock(self._fds[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DatabaseInUseError(self._database) from None
            except OSError as error:
                problem = f"cannot lock {path} ({error.strerror}); use a local disk"
                raise DatabaseError(self._database, problem) from None
        return self._fds[-1]


def misplaced(database: Path) -> str | None:
    """Return why SQLite would not find its log again next to a file, and what to do; None if it would. Opens nothing.

    Args:
        database: a resolved path. A missing file is none of the kind.
    """
    try:
        found = database.stat()
    except OSError:  # it is missing, or whatever is tried next says what is wrong
        return None
    if found.st_nlink > 1:
        return (
            "it is a hard link, one of several names of a file, and its log is found under one name only; "
            "remove the other names, or use a symbolic link"
        )
    if any(mount.point == str(database) for mount in read_mounts()):
        return (
            "it is mounted as a single file, so its log would stay outside of the volume, and be lost; "
            "mount the folder that it is in"
        )
    return None


def _is_at(path: str, file: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), file)  # noqa: PTH116 - as above
    except OSError:
        return False
