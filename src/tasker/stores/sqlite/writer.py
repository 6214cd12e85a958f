"""The writing side: how writes become transactions. Runs on one thread."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import apsw
import msgspec

from tasker.errors import StoreError, StoreUnavailableError, TaskerError, TaskExistsError
from tasker.model.attempt import Attempt
from tasker.model.lifecycle import Settlement
from tasker.model.task import Task
from tasker.stores.sqlite.condition import Condition
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.moves import Moves
from tasker.stores.sqlite.transactions import Transactions


class Create(msgspec.Struct, frozen=True):
    """Store new tasks, together with those of other callers."""

    tasks: Sequence[Task]


class Settle(msgspec.Struct, frozen=True):
    """Write how an attempt ended, together with those of other callers."""

    attempt: Attempt
    settlement: Settlement


Move: TypeAlias = Callable[[Moves], object]
"""Writes something, and returns what its caller gets."""


class Preparation(msgspec.Struct, frozen=True):
    """A move that only prepares a later one: it may be lost with the power until that is written."""

    move: Move


Write: TypeAlias = Create | Settle | Preparation | Move
"""What a caller wants written."""


class Writer:
    """Runs writes on the one writing connection; a ``group_commit.Commit``."""

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        moves: Moves,
        condition: Condition,
        *,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a writer.

        Args:
            condition: looked at after each commit, before its callers are told, and before each
                claim.
            after_commit: called after each group.
        """
        self._queries = queries
        self._transactions = transactions
        self._moves = moves
        self._condition = condition
        self._after_commit = after_commit
        self.ailment: StoreError | None = None
        """What the latest write failed with; None if it succeeded. While it is set, nothing is
        claimed."""

    def run_urgent(self, write: Write) -> object:
        """Run a claim. It has a transaction of its own, if it needs one."""
        try:
            self._condition.check_place()
            if self.ailment is not None:
                self._probe()
            return self._run(write)
        except StoreUnavailableError as error:
            self._condition.met(error)
            self.ailment = error
            return error
        except apsw.Error as error:
            self.ailment = self._condition.error(error)
            return self.ailment

    def run_group(self, writes: Sequence[Write]) -> Sequence[object]:
        """Run *writes* in one transaction; one that breaks a constraint fails alone.

        It is synced, unless they only prepare others: what is synced later has all before it synced.
        """
        synced = self.ailment is not None or not all(isinstance(write, Preparation) for write in writes)
        try:
            try:
                results = self._transactions.run(lambda: self._run_together(writes), synced=synced)
            except apsw.ConstraintError:
                results = self._transactions.run(lambda: [self._run_alone(write) for write in writes], synced=synced)
            self._condition.check_place()
        except StoreUnavailableError as error:
            self._condition.met(error)
            self.ailment = error
            return [error] * len(writes)
        except apsw.Error as error:
            self.ailment = self._condition.error(error)
            return [self.ailment] * len(writes)
        self.ailment = None
        self._after_commit()
        return results

    def warm(self) -> None:
        """Write something durably: the first write of a process makes the log, and is slower by far than the others.

        What an earlier process left half written is removed. If it fails, the store is ailing.
        Called once, before the others, on any thread.
        """
        try:
            self._transactions.run(self._moves.stager.sweep)
            self._probe()
        except apsw.Error as error:
            self.ailment = self._condition.error(error)

    def _run_together(self, writes: Sequence[Write]) -> Sequence[object]:
        """Run *writes*, those that create first, as one, and those that settle next, as one."""
        self._moves.inserter.insert([task for write in writes if isinstance(write, Create) for task in write.tasks])
        settles = [write for write in writes if isinstance(write, Settle)]
        settled = iter(self._settle(settles))
        return [
            None if isinstance(write, Create) else next(settled) if isinstance(write, Settle) else self._run(write)
            for write in writes
        ]

    def _settle(self, settles: Sequence[Settle]) -> Sequence[object]:
        return self._moves.settler.settle([(each.attempt, each.settlement) for each in settles])

    def _run_alone(self, write: Write) -> object:
        try:
            return self._transactions.run_part(lambda: self._run(write))
        except apsw.ConstraintError:
            assert isinstance(write, Create)  # noqa: S101 - only ids are constrained
            return TaskExistsError(self._moves.inserter.existing(write.tasks))

    def _run(self, write: Write) -> object:
        """Run one write. An error that it raises is its caller's alone: nothing of it was written."""
        if isinstance(write, Create):
            self._moves.inserter.insert(write.tasks)
            return None
        if isinstance(write, Settle):
            return self._settle([write])[0]
        try:
            return write.move(self._moves) if isinstance(write, Preparation) else write(self._moves)
        except TaskerError as error:
            return error

    def _probe(self) -> None:
        """Write something durably; the store is well again if that works."""
        self._transactions.run(lambda: self._queries.all("probe"))
        self.ailment = None
