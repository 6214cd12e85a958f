"""What callers have done to a task: run it now or again, change, cancel and delete it."""

from collections.abc import Callable, Sequence

from tasker.errors import (
    KeyInUseError,
    RevisionPassedError,
    TaskEndedError,
    TaskerError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskNotWaitingError,
    TaskRunningError,
)
from tasker.interfaces.tasks import Cancelled
from tasker.model import instants
from tasker.model.audit import Entry, changed
from tasker.model.change import Change
from tasker.model.instants import Instant
from tasker.model.task import State, Task, TaskId
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.connection import Queries, Value
from tasker.stores.sqlite.gates import Gates
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import READING, id_bytes, id_text


class Changer:
    """Runs, changes, cancels, retries and deletes tasks by their ids."""

    def __init__(
        self, queries: Queries, inserter: Inserter, gates: Gates, auditor: Auditor, now: Callable[[], Instant]
    ) -> None:
        self._queries = queries
        self._inserter = inserter
        self._gates = gates
        self._auditor = auditor
        self._now = now

    def cancel(self, task_id: TaskId, entry: Entry | None = None) -> Cancelled:
        """End a task as cancelled, or note that it is to end so.

        Raises:
            TaskNotFoundError, TaskEndedError: nothing was written.
        """
        now = self._now()
        row = self._queries.first("cancel", id=id_bytes(task_id), now=now)
        if row is not None:
            look_at_schedule(self._queries, row[-2:])
            followed_by = self._inserter.insert_what_follows(READING.cancelled(row), now)
            self._auditor.write(entry)
            return Cancelled(State.CANCELLED, is_new=True, followed_by=followed_by)
        if (cancelled := self._cancel_waiting(task_id, now)) is not None:
            self._auditor.write(entry)
            return cancelled
        if self._queries.number("cancel_running", id=id_bytes(task_id)) is not None:
            self._auditor.write(entry)
            return Cancelled(State.IN_PROGRESS)
        state = self._state(task_id)
        if state in (State.CANCELLED, State.IN_PROGRESS):
            return Cancelled(state)
        raise TaskEndedError(task_id, state.word)

    def _cancel_waiting(self, task_id: TaskId, now: Instant) -> Cancelled | None:
        """End a task as cancelled whose attempt is in other hands; None: it is not."""
        row = self._queries.first("cancel_waiting", id=id_bytes(task_id), now=now)
        if row is None:
            return None
        followed_by = self._inserter.insert_what_follows(READING.cancelled(row), now)
        gate, host_gate = row[READING.ending.width :]
        self._gates.settled(gate, host_gate, None, now)
        return Cancelled(State.CANCELLED, is_new=True, followed_by=followed_by)

    def run_now(self, task_id: TaskId, *, at: Instant | None = None, entry: Entry | None = None) -> None:
        """Have a task become due now, or a little later, *at* a moment.

        Raises:
            TaskNotFoundError, TaskNotWaitingError, TaskExpiredError: nothing was written.
        """
        moment = self._now() if at is None else at
        is_moved = self._queries.number("run_now", id=id_bytes(task_id), at=moment, text=instants.text(moment))
        if is_moved is None:
            raise self._does_not_wait(task_id)
        self._auditor.write(entry if is_moved else None)

    def postpone(self, task_id: TaskId, postponed: Callable[[Instant], Instant]) -> None:
        """Have a task become due later: *postponed* says when, by when it is due.

        Raises:
            TaskNotFoundError, TaskNotWaitingError, TaskExpiredError: nothing was written.
        """
        due_at = self._queries.number("due_at", id=id_bytes(task_id))
        if due_at is None:
            raise TaskNotFoundError(task_id)
        moment = postponed(due_at)
        if self._queries.number("postpone", id=id_bytes(task_id), due_at=moment, text=instants.text(moment)) is None:
            raise self._does_not_wait(task_id)

    def _does_not_wait(self, task_id: TaskId) -> TaskerError:
        state = self._state(task_id)
        return TaskExpiredError(task_id) if state is State.TODO else TaskNotWaitingError(task_id, state.word)

    def retry(self, task_id: TaskId, *, at: Instant | None = None, entry: Entry | None = None) -> None:
        """Have a failed or cancelled task run again, now or a little later, *at* a moment.

        Raises:
            TaskNotFoundError, TaskNotFailedError, TaskExpiredError, KeyInUseError: nothing was
                written.
        """
        now = self._now()
        holder = self._queries.first("other_holder", id=id_bytes(task_id), now=now)
        if holder is not None:
            raise KeyInUseError(holder[1], id_text(holder[0]))
        if self._queries.number("retry", id=id_bytes(task_id), at=now if at is None else at) is not None:
            self._auditor.write(entry)
            return
        state = self._state(task_id)
        if state in (State.FAILED, State.CANCELLED):
            raise TaskExpiredError(task_id)
        raise TaskNotFailedError(task_id, state.word)

    def change(self, change: Change, entry: Entry | None = None) -> None:
        """Write what a task is given anew: see ``Store.change``.

        Raises:
            TaskNotFoundError, RevisionPassedError: nothing of the task was written.
        """
        task = change.task
        row = self._queries.first(
            "change",
            id=id_bytes(task.id),
            revision=change.revision,
            due_at=task.due_at,
            execution_at=task.execution_at,
            execution_time=task.execution_time,
            local_time=task.local_time,
            time_zone=task.time_zone,
            zones=task.zones,
            gate=self._inserter.gate_of(task.destination),
            host_gate=self._inserter.gate_of(task.host),
            expires_at=task.expires_at,
            keep=task.keep,
            patience=task.patience,
            waited=change.waited,
            has_new_payload=change.has_new_payload,
        )
        if row is None:
            self._state(task.id)
            raise RevisionPassedError(task.id)
        if change.has_new_payload:
            seq, revision = row
            self._queries.all("change_payload", seq=seq, payload=task.payload, revision=revision)
            self._inserter.replace_tags(seq, task)
        self._auditor.write(entry)

    def rewrite(self, task_id: TaskId, rewrite: Callable[[Task], Change | None]) -> bool:
        """Change a task as *rewrite* says. Return whether there was anything to change.

        Raises:
            TaskNotFoundError: nothing was written, nor if *rewrite* raises.
        """
        row = self._queries.first("get", id=id_bytes(task_id))
        if row is None:
            raise TaskNotFoundError(task_id)
        change = rewrite(READING.task.read(row))
        if change is None:
            return False
        self.change(change)
        return True

    def delete(self, task_id: TaskId, entry: Entry | None = None) -> None:
        """Delete a task that is not running.

        Raises:
            TaskNotFoundError, TaskRunningError: nothing was written.
        """
        row = self._queries.first("delete", id=id_bytes(task_id))
        if row is None:
            self._state(task_id)
            raise TaskRunningError(task_id)
        seq, *members = row[:-2]
        delete_rest(self._queries, seq)
        look_at_schedule(self._queries, row[-2:])
        if entry is not None:
            was = zip(("type", "execution_time", "key"), members, strict=True)
            entry = entry.saying({name: changed(before=value) for name, value in was if value is not None})
        self._auditor.write(entry)

    def _state(self, task_id: TaskId) -> State:
        """Return the state of a task of which a move could not be made."""
        state = self._queries.number("state", id=id_bytes(task_id))
        if state is None:
            raise TaskNotFoundError(task_id)
        return State(state).shown


def look_at_schedule(queries: Queries, run_gone: Sequence[Value]) -> None:
    """Have a schedule looked at whose run has left the queue without starting: *run_gone* says which."""
    name, scheduled_for = run_gone
    if name is not None:
        queries.all("look_at_schedule", name=name, scheduled_for=scheduled_for)


def delete_rest(queries: Queries, seq: int) -> None:
    """Delete what belongs to a task that was deleted."""
    queries.all("delete_payload", seq=seq)
    queries.all("delete_attempts", seq=seq)
    queries.all("delete_tags", seq=seq)
