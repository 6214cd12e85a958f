"""An operation: one move, made of many tasks in the background."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Annotated, Final, TypeAlias, assert_never

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import replace

from tasker.errors import (
    TaskEndedError,
    TaskerError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotWaitingError,
    TaskRunningError,
)
from tasker.model.change import Change
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.task import State, Task, TaskId

REFUSALS_KEPT: Final = 100
"""Of so many tasks it is kept why they were refused."""


class Action(StrEnum):
    """What is done to each task: as the call for one task does it."""

    RUN = "run"
    RETRY = "retry"
    CANCEL = "cancel"
    DELETE = "delete"
    POSTPONE = "postpone"
    CHANGE = "change"


Rewrite: TypeAlias = Callable[[Task, Instant], Change | None]
"""Says how a task, as the store has it, is to be changed; None: not at all. Pure: a store may call it
on a thread of its own. Raises a ``TaskerError`` if the task cannot be changed so."""

SCATTERED: Final = frozenset({Action.RUN, Action.RETRY})
"""The actions that may let tasks start one after the other."""


class OperationState(IntEnum):
    """How far an operation has come. The numbers are what stores keep."""

    RUNNING = 0
    DONE = 1
    CANCELLED = 2

    @property
    def word(self) -> str:
        """The state as callers read it."""
        return self.name.lower()


class RefusedTask(Struct, frozen=True):
    """Why a task was not changed."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    code: Annotated[str, Meta(description="As the call for this task alone would be refused.")]
    msg: str


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked for: kept as JSON."""

    filter: Mapping[str, Sequence[str]] = {}
    """The words of a query, as ``filters.query_of`` takes them; empty, without *ids*: all tasks."""
    ids: Sequence[TaskId] = []
    """The tasks, if they are named."""
    by: int | None = None
    """Microseconds to postpone by."""
    change: Raw | UnsetType = UNSET
    """What each task is given anew, as the body of a ``PATCH``."""
    per_second: float | None = None
    """How many of the tasks come due in a second; None: all at once."""


class Operation(Struct, frozen=True, kw_only=True):
    """An operation as it is stored."""

    id: TaskId
    """A UUID version 7, as a task's."""
    action: Action
    asked: Asked
    is_dry_run: bool = False
    """Whether it only says what it would do."""
    state: OperationState = OperationState.RUNNING
    created_at: Instant = 0
    """By the store's clock. It meets tasks that were stored before. What is set before is not looked at."""
    ended_at: Instant | None = None
    cursor: str | None = None
    """Where it has come to, in a form that only the store understands; None: at the beginning."""
    matched: int = 0
    """Tasks that it has met."""
    changed: int = 0
    refused: int = 0
    reasons: Mapping[str, int] = {}
    """How many were refused for each reason."""
    refusals: Sequence[RefusedTask] = ()
    """The first of them."""

    @property
    def is_running(self) -> bool:
        """Whether there may be more to do."""
        return self.state is OperationState.RUNNING

    def met(self, task_id: TaskId, outcome: "TaskerError | bool") -> "Operation":
        """Return the operation after it has met one task more.

        Args:
            outcome: why the move could not be made; or whether it has changed anything.
        """
        if not isinstance(outcome, TaskerError):
            return replace(self, matched=self.matched + 1, changed=self.changed + outcome)
        code = outcome.code
        kept = len(self.refusals) < REFUSALS_KEPT
        return replace(
            self,
            matched=self.matched + 1,
            refused=self.refused + 1,
            reasons={**self.reasons, code: self.reasons.get(code, 0) + 1},
            refusals=(*self.refusals, RefusedTask(task_id, code, str(outcome))) if kept else self.refusals,
        )

    def starts_at(self, now: Instant) -> Instant:
        """Return when the next task that it runs or retries is to start: now, or a little after the one before."""
        per_second = self.asked.per_second
        if per_second is None:
            return now
        return max(now, self.created_at + int(self.changed * SECOND / per_second))


class Match(Struct, frozen=True):
    """A task that an operation is to meet."""

    id: TaskId
    position: str
    """The operation's ``cursor`` once it has met this one."""


class Batch(Struct, frozen=True):
    """What an operation is to meet next."""

    matches: Sequence[Match]
    cursor: str | None
    """The operation's ``cursor`` behind them; None: nothing comes behind them."""


class Worked(Struct, frozen=True):
    """What a batch came to."""

    operation: Operation
    """As it stands now."""
    cancelled: int = 0
    """Tasks that it has ended as cancelled."""
    ids: Sequence[TaskId] = ()
    """The tasks that it has changed."""


def verdict(operation: Operation, task: Task, now: Instant, rewrite: Rewrite | None = None) -> TaskerError | bool:
    """Return what the move of *operation* would come to of *task*, as it is at *now*: see ``Operation.met``.

    Whether somebody else holds the key of a task that is run again is not looked at.

    Args:
        rewrite: for ``CHANGE``.
    """
    has_expired = task.expires_at is not None and task.expires_at <= now
    match operation.action:
        case Action.RUN | Action.POSTPONE if task.state is not State.TODO:
            return TaskNotWaitingError(task.id, task.state.word)
        case Action.RETRY if task.state not in (State.FAILED, State.CANCELLED):
            return TaskNotFailedError(task.id, task.state.word)
        case Action.RUN | Action.RETRY:
            return TaskExpiredError(task.id) if has_expired else True
        case Action.POSTPONE:
            assert operation.asked.by is not None  # noqa: S101 - it says by how much
            due_at = postponed(task.due_at, operation.asked.by, now)
            return TaskExpiredError(task.id) if task.expires_at is not None and task.expires_at <= due_at else True
        case Action.CANCEL if task.state in (State.DONE, State.FAILED):
            return TaskEndedError(task.id, task.state.word)
        case Action.CANCEL:
            return task.state is not State.CANCELLED
        case Action.CHANGE:
            assert rewrite is not None  # noqa: S101 - it says what is changed
            try:
                return rewrite(task, now) is not None
            except TaskerError as error:
                return error
        case Action.DELETE:
            return TaskRunningError(task.id) if task.state is State.IN_PROGRESS else True
        case _:
            assert_never(operation.action)


def postponed(due_at: Instant, by: int, now: Instant) -> Instant:
    """Return when a task is due once it is postponed *by* so many microseconds.

    They count from its due time, or from now if that has passed.
    """
    return min(max(due_at, now) + by, LAST)
