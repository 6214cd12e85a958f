"""What condition the file is in: damaged, or no longer where it was. Neither mends itself."""

from pathlib import Path

import apsw
import structlog

from tasker.errors import StoreError, StoreUnavailableError
from tasker.model.store_meter import StoreMeter
from tasker.stores.sqlite.connection import store_error
from tasker.stores.sqlite.lock import DatabaseLock

_log = structlog.get_logger()


class Condition:
    """Remembers what was found, and logs each finding once. Used on every thread."""

    def __init__(self, meter: StoreMeter, path: Path | None = None, lock: DatabaseLock | None = None) -> None:
        """Make it. Without *path* and *lock*: of a database in memory, which is always where it was.

        Args:
            meter: told of errors.
        """
        self._meter = meter
        self._path = path
        self._lock = lock
        self._damage: StoreError | None = None
        self._is_away = False

    @property
    def ailment(self) -> StoreError | None:
        """What is wrong with the file now; None: nothing that is known."""
        try:
            self.check_place()
        except StoreUnavailableError as error:
            return error
        return self._damage

    def error(self, error: apsw.Error) -> StoreError:
        """Return what *error* means to its caller. Damage is not forgotten: only some pages of the file may have it."""
        meaning = store_error(error)
        self._meter.failed(meaning)
        if isinstance(error, apsw.CorruptError | apsw.NotADBError) and self._damage is None:
            self._damage = meaning
            _log.error("the database is damaged; stop the server, and restore a backup", file=str(self._path))
        return meaning

    def met(self, error: StoreError) -> None:
        """Count an error that ``check_place`` raised for a write."""
        self._meter.failed(error)

    def check_place(self) -> None:
        """Raise ``StoreUnavailableError`` if the file is not where it was: nobody would find what is written to it."""
        if self._lock is None or self._lock.is_in_place():
            self._is_away = False
            return
        if not self._is_away:
            self._is_away = True
            _log.error("the database was moved or removed; put it back, or stop the server", file=str(self._path))
        raise StoreUnavailableError("its file was moved or removed")
