"""Transactions on the writing connection."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import apsw

from tasker.errors import TaskerError
from tasker.timing.clock import stopwatch

T = TypeVar("T")


class Transactions:
    """Runs work in transactions, one at a time."""

    def __init__(self, connection: apsw.Connection, synced: Callable[[float], None]) -> None:
        """Make them.

        Args:
            synced: told how many seconds each synced commit has taken.
        """
        self._connection = connection
        self._synced = synced
        self._is_synced: bool | None = None
        self.on_begin: list[Callable[[], None]] = []
        """Called when a transaction has begun."""
        self.on_undo: list[Callable[[], None]] = []
        """Called when what was written is undone: whoever remembers some of it is to forget
        that."""

    def run(self, work: Callable[[], T], *, synced: bool = True) -> T:
        """Run *work* in a transaction and commit it. Whatever it raises, nothing of it was written.

        Args:
            synced: whether it is on stable storage when this returns.
        """
        if synced is not self._is_synced:
            # Takes effect when the statement is compiled, so that one from the statement cache
            # would do nothing.
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}", can_cache=False)
            self._is_synced = synced
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for call in self.on_begin:
                call()
            result = work()
            begun = stopwatch()
            self._connection.execute("COMMIT")
            if synced:
                self._synced(stopwatch() - begun)
        except BaseException:
            self._roll_back()
            raise
        return result

    def run_part(self, work: Callable[[], T]) -> T:
        """Run a part of a transaction. If it raises, it is undone, and the transaction goes on."""
        self._connection.execute("SAVEPOINT part")
        try:
            return work()
        except (apsw.ConstraintError, TaskerError):
            self._connection.execute("ROLLBACK TO part")
            self._undone()
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE part")

    def _roll_back(self) -> None:
        self._undone()
        # A full disk or an I/O error may have rolled back already.
        if self._connection.in_transaction:
            with suppress(apsw.Error):  # the transaction is void either way: its pages are never marked as committed
                self._connection.execute("ROLLBACK")

    def _undone(self) -> None:
        for call in self.on_undo:
            call()
