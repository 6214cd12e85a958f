"""Finds out why a task is where it is: a pure rule. ``wire/explanations.py`` has the words."""

from typing import Final, Literal, NamedTuple, TypeAlias, assert_never, get_args

from msgspec import Struct

from tasker.model.circuit import CircuitState
from tasker.model.gate import BEHIND_OTHERS, GateKind, GateRecord, GateStatus, status_at
from tasker.model.instants import Instant
from tasker.model.standing import Standing
from tasker.model.task import PULLED, State, Task

WaitReason: TypeAlias = Literal[
    "waiting",
    "retrying",
    "paused_all",
    "paused",
    "circuit_open",
    "full",
    "rate",
    "overlap",
    "due",
    "no_slot",
    "unclaimed",
]
"""Why a task that is ``todo`` does not run yet."""

DUE_REASONS: Final[tuple[str, ...]] = tuple(
    reason for reason in get_args(WaitReason) if reason not in ("waiting", "retrying")
)
"""Why a task that is due does not run yet."""

IN_INBOX: Final = "inbox"
"""Why what was asked for is no task yet: it stands in the inbox."""

OVERDUE_REASONS: Final[tuple[str, ...]] = (*DUE_REASONS, IN_INBOX)
"""Why something has not begun that is due: a task, or a row of the inbox that is to be taken."""

TaskReason: TypeAlias = Literal[WaitReason, "running", "completion", "done", "failed", "cancelled"]
"""Why a task is where it is."""

Reason: TypeAlias = Literal[TaskReason, "inbox"]


class Finding(Struct, frozen=True, kw_only=True):
    """Why a task is where it is at one moment, and what comes next."""

    reason: TaskReason
    task: Task
    destination: GateStatus | None
    """What holds it back, which ``paused``, ``circuit_open``, ``full`` and ``rate`` are about; else its
    group, or where it goes. None: it has no gate."""
    due_in: int
    """Microseconds until the task is due; 0 if it is due."""
    retry: int
    """Attempts made since it was created, or since it was last run again by hand: the number of the
    retry that comes next."""
    max_attempts: int
    """How many attempts there are in total by its retry policy, counted from the same moment."""
    can_retry: bool
    """Whether it has failed or was cancelled, and can be run again by hand: its ``expires_at`` has
    not passed."""
    expected_at: Instant | None
    """For ``rate``: when it may start, if all that come before it do; else None."""
    paused_at: Instant | None
    """Since when everything is paused; None: it is not."""
    is_kept_back: bool
    """Whether it is due, and its gate lets it wait, or everything is paused."""


def explain(
    standing: Standing, *, now: Instant, max_attempts: int, has_free_slot: bool, looks_ahead: bool = False
) -> Finding:
    """Return why a task stands where it does at *now*, and what comes next.

    Args:
        max_attempts: by the retry policy of the task.
        has_free_slot: whether this node could start a task of its pool.
        looks_ahead: whether a gate counts that is about to hold the task, by a limit or rate of its
            own.
    """
    task = standing.task
    is_due = task.state is State.TODO and task.due_at <= now
    is_stopped = is_due and standing.paused_at is not None
    barrier = _barrier(standing, now, looks_ahead=looks_ahead) if is_due and not is_stopped else None
    destination = barrier.destination if barrier is not None else _status(standing.gate, now)
    if is_stopped:
        reason: TaskReason = "paused_all"
    else:
        is_behind = standing.held_by == BEHIND_OTHERS
        own = _reason(task, now, is_behind=is_behind, has_free_slot=has_free_slot)
        reason = own if barrier is None else barrier.reason
    return Finding(
        reason=reason,
        task=task,
        destination=destination,
        due_in=max(task.due_at - now, 0),
        retry=task.attempts - task.retried_after,
        max_attempts=max_attempts,
        can_retry=task.state in (State.FAILED, State.CANCELLED) and (task.expires_at is None or task.expires_at > now),
        expected_at=None if barrier is None else barrier.expected_at,
        paused_at=standing.paused_at,
        is_kept_back=is_stopped or barrier is not None,
    )


def _reason(task: Task, now: Instant, *, is_behind: bool, has_free_slot: bool) -> TaskReason:
    """Why a task stands where it does, if it is not for its gate."""
    match task.state:
        case State.TODO if task.due_at > now:
            return "waiting" if task.attempts == task.retried_after else "retrying"
        case State.TODO if is_behind:
            return "overlap"
        case State.TODO:
            if task.pool == PULLED:
                return "unclaimed"
            return "due" if has_free_slot else "no_slot"
        case State.IN_PROGRESS | State.WAITING:
            return "running" if task.deadline is None else "completion"
        case State.DONE:
            return "done"
        case State.FAILED:
            return "failed"
        case State.CANCELLED:
            return "cancelled"
        case _:
            assert_never(task.state)


class _Barrier(NamedTuple):
    """A gate that lets a due task wait."""

    reason: TaskReason
    destination: GateStatus
    expected_at: Instant | None = None


def _barrier(standing: Standing, now: Instant, *, looks_ahead: bool) -> _Barrier | None:
    """Return which gate of a due task lets it wait, and why; None: none does.

    What is shut comes before what is full: its room is of no use then.
    """
    statuses = [status for record in (standing.gate, standing.host) if (status := _status(record, now)) is not None]
    for status in statuses:
        if status.record.gate.paused:
            return _Barrier("paused", status)
        if status.circuit in (CircuitState.OPEN, CircuitState.HALF_OPEN):
            return _Barrier("circuit_open", status)
    for status in statuses:
        if status.record.gate.kind is GateKind.QUEUE:  # which also holds what it lets go
            return _limited(status, now, ahead=standing.ahead) if _is_spent(status, now) else None
        if status.record.gate.id == standing.held_by:
            return _limited(status, now, ahead=standing.ahead)
    own = _status(standing.gate, now)
    if looks_ahead and own is not None and standing.held_by is None and _is_spent(own, now):
        return _limited(own, now, ahead=own.record.held)
    return None


def _is_spent(status: GateStatus, now: Instant) -> bool:
    """Whether a gate that is not shut lets nothing start now by a limit or rate of its own."""
    gate = status.record.gate
    return _is_full(status) or (gate.rate is not None and gate.rate.permits(gate.next_at, now) == 0)


def _is_full(status: GateStatus) -> bool:
    limit = status.record.gate.max_running
    return limit is not None and status.record.running >= limit


def _limited(status: GateStatus, now: Instant, *, ahead: int) -> _Barrier:
    """Return why a gate that is not shut holds a task."""
    gate = status.record.gate
    if gate.rate is None or _is_full(status):
        return _Barrier("full", status)
    return _Barrier("rate", status, gate.rate.expected_at(gate.next_at, now, ahead=ahead))


def _status(record: GateRecord | None, now: Instant) -> GateStatus | None:
    return None if record is None else status_at(record, now)
