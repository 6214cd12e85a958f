"""Says why a task is where it is, in fields and in words: a pure rule."""

from typing import assert_never

from tasker.interfaces import GateRecord, Standing
from tasker.model import instants
from tasker.model.circuit import CircuitState
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import Instant
from tasker.model.task import State, Task
from tasker.wire.destinations import CircuitView, DestinationView
from tasker.wire.fields import decode_end_fields
from tasker.wire.tasks import Explanation, Reason


def explain(standing: Standing, *, now: Instant, has_free_slot: bool) -> Explanation:
    """Return why a task stands where it does at *now*, and what comes next.

    Args:
        has_free_slot: whether this node could start a task of its pool.
    """
    task = standing.task
    policy = decode_end_fields(task.payload).policy
    reason, msg = _reason(standing, now, max_attempts=policy.max_attempts, has_free_slot=has_free_slot)
    is_todo = task.state is State.TODO
    is_running = task.state is State.IN_PROGRESS
    return Explanation(
        id=task.id,
        state=task.state.word,  # type: ignore[arg-type]  # the words are the names of State
        reason=reason,
        msg=msg,
        next_attempt=task.attempts + 1 if is_todo else None,
        max_attempts=policy.max_attempts,
        due_at=instants.text(task.due_at) if is_todo else None,
        due_in_seconds=instants.seconds(max(task.due_at - now, 0)) if is_todo else None,
        node=task.node if is_running else None,
        running_since=None if not is_running or task.started_at is None else instants.text(task.started_at),
        last_error=task.last_fault,
        destination=None if standing.gate is None else destination_view(standing.gate, now),
    )


def destination_view(record: GateRecord, now: Instant) -> DestinationView:
    """Return a gate as answers show it at *now*."""
    gate = record.gate
    state = gate.circuit.state(now)
    return DestinationView(
        id=gate.id,
        name=gate.name,
        kind="host" if gate.kind is GateKind.HOST else "type",
        paused=gate.paused,
        max_running=gate.max_running,
        running=record.running,
        held=record.held,
        circuit=CircuitView(
            state=state.value,
            failures=gate.circuit.failures,
            open_until=instants.text(gate.circuit.open_until) if state is CircuitState.OPEN else None,
        ),
    )


def _reason(standing: Standing, now: Instant, *, max_attempts: int, has_free_slot: bool) -> tuple[Reason, str]:
    task = standing.task
    match task.state:
        case State.TODO if task.due_at > now:
            return _waiting(task, now, max_attempts=max_attempts)
        case State.TODO if standing.gate is not None and (barrier := _barrier(standing.gate.gate, now, standing.is_held)):
            return barrier
        case State.TODO if has_free_slot:
            return "due", f"it has been due since {instants.text(task.due_at)} and is about to be started"
        case State.TODO:
            return "no_free_slot", f"it has been due since {instants.text(task.due_at)} and waits for a free slot"
        case State.IN_PROGRESS:
            since = "" if task.started_at is None else f" since {instants.text(task.started_at)}"
            return "running", f"attempt {task.attempts} is running on node {task.node}{since}"
        case State.DONE:
            return "done", f"attempt {task.attempts} succeeded"
        case State.FAILED:
            why = "" if task.last_fault is None else f": {task.last_fault.code}, {task.last_fault.msg}"
            can_start = task.expires_at is None or task.expires_at > now
            advice = f"; POST /tasks/{task.id}/retry runs it again" if can_start else ""
            return "failed", f"it failed after {_times(task.attempts, 'attempt')}{why}{advice}"
        case _:
            assert_never(task.state)


def _waiting(task: Task, now: Instant, *, max_attempts: int) -> tuple[Reason, str]:
    until = f"{instants.text(task.due_at)}, in {instants.seconds(task.due_at - now):.3f} s"
    made = task.attempts - task.retried_after
    if made == 0:
        return "waiting", f"it waits for its time: {until}"
    why = "" if task.last_fault is None else f" after {task.last_fault.code}"
    return "retrying", f"retry {made} of {max_attempts - 1}{why} comes at {until}"


def _barrier(gate: Gate, now: Instant, is_held: bool) -> tuple[Reason, str] | None:
    """Why the gate of a due task lets it wait; None: it does not."""
    if gate.paused:
        return "paused", f"the destination {gate.name} is paused; POST /destinations/{gate.id}/resume lets it go on"
    if gate.circuit.state(now) is CircuitState.OPEN:
        until = instants.text(gate.circuit.open_until)
        return (
            "circuit_open",
            f"the destination {gate.name} has failed {gate.circuit.failures} times in a row and is left alone until {until}",
        )
    if gate.circuit.state(now) is CircuitState.HALF_OPEN:
        return "circuit_open", f"the destination {gate.name} has failed and is being tried with one task at a time"
    if is_held:
        return "destination_full", f"as many tasks of the destination {gate.name} are running as may at once"
    return None


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
