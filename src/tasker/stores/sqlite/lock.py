"""One tasker per database: a lock that the kernel frees when the process ends, however it ends."""

import fcntl
import os
from pathlib import Path

from tasker.errors import DatabaseError, DatabaseInUseError


class DatabaseLock:
    """Holds ``<database>.lock`` for life. The file is never unlinked: two processes could then each lock one of their own."""

    def __init__(self, database: Path) -> None:
        """Take the lock of *database*, a resolved path.

        Raises:
            DatabaseInUseError: another process holds it.
            DatabaseError: the lock's file cannot be made.
        """
        path = f"{database}.lock"
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if not database.parent.exists():
                raise DatabaseError(str(database), f"the folder {database.parent} does not exist; make it first") from None
            raise DatabaseError(
                str(database),
                f"cannot write {path} ({error.strerror}); the folder must be writable for the user that tasker runs as",
            ) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise DatabaseInUseError(str(database)) from None

    def release(self) -> None:
        """Let another process take it. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
