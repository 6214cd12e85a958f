"""Keeping operations, and making their moves."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from tasker.filters import Query
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.operation import Batch, Operation, Rewrite, Worked
from tasker.model.task import Pool, TaskId


class OperationStore(Protocol):
    """Keeps operations. See ``Store`` for what holds for every method.

    An operation meets each task at most once. It walks in the order of arrival, which no move
    changes, over tasks that were stored before it.
    """

    async def create_operation(
        self,
        operation: Operation,
        repeatable: Repeatable[Operation] | None = None,
        *,
        entry: Entry | None = None,
    ) -> KeptAnswer | Operation:
        """Store a new operation and return it as it is stored, unless an answer is kept for its request.

        Args:
            repeatable: the request; None: it has no idempotency key.

        Raises:
            IdempotencyInFlightError: see ``IdempotencyStore.create_once``.
        """

    async def operation(self, operation_id: TaskId) -> Operation:
        """Return an operation.

        Raises:
            OperationNotFoundError: there is none with this id.
        """

    async def operations(self, *, before: TaskId | None, limit: int) -> Sequence[Operation]:
        """Return up to *limit* operations, those with the greatest ids first.

        Args:
            before: only those with smaller ids; None: all.
        """

    async def cancel_operation(self, operation_id: TaskId, *, entry: Entry | None = None) -> Operation:
        """Have an operation go no further, and return it. One that has ended stays as it is.

        What it has changed stays changed.

        Raises:
            OperationNotFoundError: there is none with this id.
        """

    async def next_operation(self) -> Operation | None:
        """Return an operation for this node to work on; None: there is none.

        One that this node is at work on already, or else the oldest that nobody is at work on: its
        node's lease has ended. It is this node's from now on.
        """

    async def matches(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool] = ()) -> Batch:
        """Return tasks that pass the filters of *query*, in the order of arrival, as ``find`` does: only their ids."""

    async def operate(
        self,
        operation: Operation,
        batch: Batch,
        query: Query | None,
        *,
        free_pools: Collection[Pool] = (),
        rewrite: Rewrite | None = None,
    ) -> Worked | None:
        """Make the moves of *operation* of the tasks of *batch*, and write how far it has come: all or nothing.

        Each move is that of the call for one task. A task that does not pass the filters any more is
        left alone. May stop before the end of the batch, if that takes long. The operation is done
        once nothing comes behind the batch. It is kept which tasks were changed, for the audit log.

        Args:
            operation: as this node has it.
            query: the filters; None: the tasks were named.
            free_pools: see ``find``.
            rewrite: says how tasks are changed, if they are.

        Returns:
            None if the operation is not as *operation* says any more: it was cancelled, or another
            node is at work on it. Nothing was written.
        """

    async def record(self, operation: Operation, *, seen: str | None) -> bool:
        """Write how far an operation has come that changes no tasks. Return whether it was written: see ``operate``.

        Args:
            seen: its ``cursor`` before.
        """

    async def prune_operations(self, *, older_than: timedelta) -> int:
        """Delete a batch of the operations that ended longer ago than *older_than*, and return how many."""
