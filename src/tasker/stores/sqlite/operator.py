"""Operations: keeps them, and makes their moves of batches of tasks."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from tasker.errors import OperationNotFoundError, TaskerError
from tasker.filters import Query
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant, after
from tasker.model.operation import Action, Batch, Operation, OperationState, Rewrite, Worked, postponed
from tasker.model.task import Pool, State, TaskId
from tasker.stores.finding import Places, Walker
from tasker.stores.rows import operation_values
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.changer import Changer
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.kept_answers import KeptAnswers
from tasker.stores.sqlite.rows import READING, id_bytes

_BATCH_TIME: Final = timedelta(milliseconds=5)
"""After so long a batch ends: a claim may be waiting."""


class Operator:
    """Writes operations, and what they do."""

    def __init__(
        self,
        queries: Queries,
        changer: Changer,
        auditor: Auditor,
        kept_answers: KeptAnswers,
        now: Callable[[], Instant],
    ) -> None:
        self._queries = queries
        self._changer = changer
        self._auditor = auditor
        self._kept_answers = kept_answers
        self._now = now

    def create(
        self, operation: Operation, repeatable: Repeatable[Operation] | None, entry: Entry | None
    ) -> KeptAnswer | Operation:
        """Store a new operation: see ``Store.create_operation``."""

        def make() -> tuple[Operation, Instant]:
            now = self._now()
            stored = replace(operation, created_at=now, ended_at=None if operation.is_running else now)
            self._queries.all("create_operation", id=id_bytes(stored.id), created_at=now, **operation_values(stored))
            self._auditor.write(entry)
            return stored, 0

        return self._kept_answers.once(repeatable, make)

    def cancel(self, operation_id: TaskId, entry: Entry | None = None) -> Operation:
        """Have an operation go no further, and return it.

        Raises:
            OperationNotFoundError: there is none with this id.
        """
        if self._queries.all("cancel_operation", id=id_bytes(operation_id), now=self._now()):
            self._auditor.write(entry)
        return read_operation(self._queries, operation_id)

    def operate(
        self,
        operation: Operation,
        batch: Batch,
        query: Query | None,
        free_pools: Collection[Pool],
        rewrite: Rewrite | None,
    ) -> Worked | None:
        """Make the moves of a batch, as many as a few milliseconds let it: see ``Store.operate``."""
        if not self._is_at(operation, operation.cursor):
            return None
        passes = self._filter(query, free_pools)
        ends_at = after(self._now(), _BATCH_TIME)
        seen, cursor, cancelled = operation, batch.cursor, 0
        ids: list[TaskId] = []
        for match in batch.matches:
            if passes is None or passes(match.id):
                outcome, is_cancelled = self._move(seen, match.id, rewrite)
                seen = seen.met(match.id, outcome)
                if outcome is True:
                    ids.append(match.id)
                cancelled += is_cancelled
            if self._now() >= ends_at and match is not batch.matches[-1]:
                cursor = match.position
                break
        stands = replace(seen, cursor=cursor)
        if cursor is None:
            stands = replace(stands, state=OperationState.DONE, ended_at=self._now())
        self._auditor.point(ids, operation.id)
        self._advance(stands)
        return Worked(stands, cancelled, ids)

    def record(self, operation: Operation, seen: str | None) -> bool:
        """Write how far an operation has come: see ``Store.record``."""
        if not self._is_at(operation, seen):
            return False
        self._advance(operation if operation.is_running else replace(operation, ended_at=self._now()))
        return True

    def prune(self, older_than: timedelta) -> int:
        """Delete a batch of what ended long ago. Return how many went."""
        return len(self._queries.all("prune_operations", before=after(self._now(), -older_than), limit=PRUNE_LIMIT))

    def _is_at(self, operation: Operation, cursor: str | None) -> bool:
        return bool(self._queries.all("operation_at", id=id_bytes(operation.id), seen=cursor))

    def _advance(self, operation: Operation) -> None:
        values = operation_values(operation)
        for name in ("action", "is_dry_run", "asked"):
            del values[name]
        self._queries.all("advance_operation", id=id_bytes(operation.id), **values)

    def _filter(self, query: Query | None, free_pools: Collection[Pool]) -> Callable[[TaskId], bool] | None:
        """Return what says of a task whether it passes the filters; None: all do."""
        if query is None:
            return None
        places = Places(":v{}".format, id_bytes)
        fits = Walker(self._queries.texts, places, query, free_pools).fits
        text = self._queries.texts["still_passes"].format(fits=fits)
        values = {"now": self._now()} | {f"v{number}": value for number, value in enumerate(places.values, 1)}
        execute = self._queries.connection.execute
        return lambda task_id: bool(execute(text, {**values, "id": id_bytes(task_id)}).fetchall())

    def _move(self, operation: Operation, task_id: TaskId, rewrite: Rewrite | None) -> tuple[TaskerError | bool, bool]:
        """Make a move. Return what it came to, and whether the task has become cancelled by it."""
        now = self._now()
        try:
            match operation.action:
                case Action.RUN:
                    self._changer.run_now(task_id, at=operation.starts_at(now))
                case Action.RETRY:
                    self._changer.retry(task_id, at=operation.starts_at(now))
                case Action.POSTPONE:
                    assert operation.asked.by is not None  # noqa: S101 - it says by how much
                    by = operation.asked.by
                    self._changer.postpone(task_id, lambda due_at: postponed(due_at, by, now))
                case Action.DELETE:
                    self._changer.delete(task_id)
                case Action.CHANGE:
                    assert rewrite is not None  # noqa: S101 - it says what is changed
                    return self._changer.rewrite(task_id, lambda task: rewrite(task, now)), False
                case Action.CANCEL:
                    cancelled = self._changer.cancel(task_id)
                    return cancelled.is_new or cancelled.state is State.IN_PROGRESS, cancelled.is_new
        except TaskerError as error:
            return error, False
        return True, False


def read_operation(queries: Queries, operation_id: TaskId) -> Operation:
    """Return an operation, or raise ``OperationNotFoundError``."""
    row = queries.first("operation", id=id_bytes(operation_id))
    if row is None:
        raise OperationNotFoundError(operation_id)
    return READING.operation.read(row)


def read_operations(queries: Queries, before: TaskId | None, limit: int) -> Sequence[Operation]:
    """Return operations, those with the greatest ids first."""
    bound = b"\xff" * 17 if before is None else id_bytes(before)
    return [READING.operation.read(row) for row in queries.all("operations", before=bound, limit=limit)]
