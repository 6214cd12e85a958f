"""Moves committed pages from the write-ahead log into the database file, without holding up the writer."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import apsw

LOG_PAGES: Final = 4_000
"""Pages in the log at which a checkpoint begins: 16 MiB. A shorter log copies pages that many tasks
share more often."""


class Checkpointer:
    """Checkpoints in two steps.

    A thread of its own copies the bulk, then the writer the few pages that were added meanwhile.
    Only a log that has been copied whole can begin anew, and while the writer writes, a thread
    beside it never finds it so. A failed checkpoint loses nothing: the pages stay in the log, and
    the next one copies them.
    """

    def __init__(self, writing: apsw.Connection, connect: Callable[[], apsw.Connection]) -> None:
        """Replace SQLite's own checkpoints on the connection *writing*.

        Args:
            connect: makes a connection for the thread.
        """
        self._writing = writing
        self._connect = connect
        self._pages = 0
        self._next_at = LOG_PAGES
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tasker-checkpointer")
        self._bulk: Future[None] | None = None
        writing.set_wal_hook(self._committed)

    def advance(self) -> None:
        """Take the next step if one is due. Called on the writer's thread, between transactions."""
        if self._bulk is None:
            if self._pages >= self._next_at:
                self._bulk = self._thread.submit(self._copy_bulk)
        elif self._bulk.done():
            self._bulk = None
            with suppress(apsw.Error):
                self._writing.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._next_at = self._pages + LOG_PAGES  # a reader may keep the log from beginning anew for now

    def close(self) -> None:
        """Wait for the thread to end."""
        self._thread.shutdown()

    def _committed(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        """SQLite says after each commit how long the log is."""
        if pages < self._pages:  # it has begun anew
            self._next_at = LOG_PAGES
        self._pages = pages
        return apsw.SQLITE_OK

    def _copy_bulk(self) -> None:
        with suppress(apsw.Error):
            connection = self._connect()
            try:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                connection.close()
