"""Finds out why a task is where it is: a pure rule. ``wire/explanations.py`` has the words."""

from typing import Literal, TypeAlias, assert_never

from msgspec import Struct

from tasker.model.circuit import CircuitState
from tasker.model.gate import GateStatus, status_at
from tasker.model.instants import Instant
from tasker.model.standing import Standing
from tasker.model.task import State, Task

WaitReason: TypeAlias = Literal["waiting", "retrying", "paused", "circuit_open", "full", "due", "no_slot"]
"""Why a task that is ``todo`` does not run yet."""

Reason: TypeAlias = Literal[WaitReason, "running", "done", "failed", "cancelled"]


class Finding(Struct, frozen=True, kw_only=True):
    """Why a task is where it is at one moment, and what comes next."""

    reason: Reason
    task: Task
    destination: GateStatus | None
    """Where it goes; None: it has no gate. ``paused``, ``circuit_open`` and ``full``
    are about it."""
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
    is_kept_back: bool
    """Whether it is due, and its gate lets it wait."""


def explain(standing: Standing, *, now: Instant, max_attempts: int, has_free_slot: bool) -> Finding:
    """Return why a task stands where it does at *now*, and what comes next.

    Args:
        max_attempts: by the retry policy of the task.
        has_free_slot: whether this node could start a task of its pool.
    """
    task = standing.task
    destination = None if standing.gate is None else status_at(standing.gate, now)
    is_due = task.state is State.TODO and task.due_at <= now
    barrier = _barrier(destination, is_held=standing.is_held) if is_due and destination is not None else None
    return Finding(
        reason=barrier or _reason(task, now, has_free_slot=has_free_slot),
        task=task,
        destination=destination,
        due_in=max(task.due_at - now, 0),
        retry=task.attempts - task.retried_after,
        max_attempts=max_attempts,
        can_retry=task.state in (State.FAILED, State.CANCELLED) and (task.expires_at is None or task.expires_at > now),
        is_kept_back=barrier is not None,
    )


def _reason(task: Task, now: Instant, *, has_free_slot: bool) -> Reason:
    """Why a task stands where it does, if it is not for its gate."""
    match task.state:
        case State.TODO if task.due_at > now:
            return "waiting" if task.attempts == task.retried_after else "retrying"
        case State.TODO:
            return "due" if has_free_slot else "no_slot"
        case State.IN_PROGRESS:
            return "running"
        case State.DONE:
            return "done"
        case State.FAILED:
            return "failed"
        case State.CANCELLED:
            return "cancelled"
        case _:
            assert_never(task.state)


def _barrier(destination: GateStatus, *, is_held: bool) -> Reason | None:
    """Why the gate of a due task lets it wait; None: it does not."""
    if destination.record.gate.paused:
        return "paused"
    if destination.circuit is not CircuitState.CLOSED:
        return "circuit_open"
    return "full" if is_held else None
