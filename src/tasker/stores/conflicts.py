"""What becomes of a new task that meets a stored one by its id or its key: the rules, for every store."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tasker.errors import IdInUseError, InvalidTaskError, KeyInUseError, TaskerError, TaskRunningError
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.new_task import Made, NewTask, OnConflict, Outcome
from tasker.model.task import State, Task, TaskId

IN_THE_WAY: Final[tuple[type[TaskerError], ...]] = (IdInUseError, KeyInUseError, TaskRunningError, InvalidTaskError)
"""What a ``ConflictsError`` tells of."""


class Holder(Struct, frozen=True):
    """The task that holds a key."""

    id: TaskId
    type: str
    state: State
    execution_at: Instant
    created_at: Instant


def latest(made: Sequence[Made]) -> Instant:
    """Return the latest execution time of what was made; 0 of nothing."""
    return max((each.execution_at for each in made), default=0)


def kept_by_id(task: Task, content: bytes | None, execution_at: Instant) -> Made:
    """Return what becomes of *task* if its id is stored already, with *content*.

    Raises:
        IdInUseError: the stored one was asked for in other words.
    """
    if content is None or content != task.content:
        raise IdInUseError(task.id)
    return Made(task.id, Outcome.KEPT, execution_at)


def met(new: NewTask, holder: Holder, *, now: Instant) -> Made | Task:
    """Return what becomes of a new task whose key *holder* holds: the end of the matter, or what is to be stored.

    What is to be stored has the holder's id if it replaces it, else takes the key over from it.

    Raises:
        KeyInUseError: it holds the key, and is not to be replaced, or cannot be.
        TaskRunningError: it cannot be replaced now.
    """
    task = new.task
    assert task.key is not None  # noqa: S101 - it met another by it
    if new.on_conflict is OnConflict.KEEP:
        return Made(holder.id, Outcome.KEPT, holder.execution_at)
    if new.on_conflict is OnConflict.REJECT:
        raise KeyInUseError(task.key, holder.id)
    if holder.state is State.IN_PROGRESS:
        if new.on_conflict is OnConflict.REPLACE:
            raise TaskRunningError(holder.id, "replaced")
        return timed(new, counted_from=now, now=now)
    if holder.type != task.type:
        raise KeyInUseError(task.key, holder.id, f"and is a {holder.type}, which a {task.type} cannot replace")
    return replace(timed(new, counted_from=holder.created_at, now=now), id=holder.id)


def timed(new: NewTask, *, counted_from: Instant, now: Instant) -> Task:
    """Return the task of *new*, due when its longest wait is over at the latest."""
    task = new.task
    if new.max_wait is None:
        return task
    latest = max(counted_from + new.max_wait, now)
    if latest >= task.execution_at:
        return task
    return replace(
        task,
        execution_at=latest,
        due_at=latest,
        execution_time=instants.text(latest),
        local_time=None,
        time_zone=None,
        zones=None,
    )
