"""What answers show of why a task is where it is."""

from typing import Annotated, Final, assert_never

from msgspec import Meta, Struct

from tasker.explaining import IN_INBOX, Finding, Reason
from tasker.model import instants
from tasker.model.circuit import CircuitState
from tasker.model.gate import GateKind, GateStatus
from tasker.model.inbox import InboxRow
from tasker.model.task import PULLED, Admission, Fault, State, Task
from tasker.wire.destinations import DestinationView, destination_view
from tasker.wire.tasks import StateWord


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a task is where it is, and what comes next."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    state: StateWord
    reason: Annotated[Reason, Meta(description="A stable word for programs.")]
    msg: Annotated[str, Meta(description="The same for people.")]
    next_attempt: Annotated[int, Meta(description="The number of the next attempt.")] | None
    max_attempts: Annotated[int, Meta(description="By the retry policy, counted from the latest retry by hand.")] | None
    due_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None
    due_in_seconds: Annotated[float, Meta(description="0 if it is due.")] | None
    expected_at: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="For the reason rate: when it may start, if all that come before it do. Else null.",
            ),
        ]
        | None
    )
    node: Annotated[str, Meta(description="The server that runs it.", extra_json_schema={"format": "uuid"})] | None
    running_since: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None
    last_error: Fault | None
    destination: DestinationView | None


def explanation_view(finding: Finding | InboxRow) -> Explanation:
    """Return *finding* as answers show it, with what can be done about it. A row is a task to be: it is todo."""
    if isinstance(finding, InboxRow):
        return _of_row(finding)
    task = finding.task
    is_todo = task.state is State.TODO
    is_running = task.state is State.IN_PROGRESS
    return Explanation(
        id=task.id,
        state=task.state.word,  # type: ignore[arg-type]  # as in task_json
        reason=finding.reason,
        msg=_words(finding),
        next_attempt=task.attempts + 1 if is_todo else None,
        max_attempts=finding.max_attempts,
        due_at=instants.text(task.due_at) if is_todo else None,
        due_in_seconds=instants.seconds(finding.due_in) if is_todo else None,
        expected_at=None if finding.expected_at is None else instants.text(finding.expected_at),
        node=task.node if is_running else None,
        running_since=None if not is_running or task.started_at is None else instants.text(task.started_at),
        last_error=task.last_fault,
        destination=None if finding.destination is None else destination_view(finding.destination),
    )


def _of_row(row: InboxRow) -> Explanation:
    since = instants.text(row.inserted_at)
    return Explanation(
        id=row.id,
        state="todo",
        reason=IN_INBOX,
        msg=f"it stands in the inbox since {since}, and becomes a task as soon as a node takes it"
        if row.error is None
        else f"it stands in the inbox since {since}, and becomes no task, because it was refused: {row.error}; "
        f"POST /inbox/{row.id}/retry tries it again",
        next_attempt=None,
        max_attempts=None,
        due_at=None,
        due_in_seconds=None,
        expected_at=None,
        node=None,
        running_since=None,
        last_error=None,
        destination=None,
    )


def _words(finding: Finding) -> str:
    """Say the reason in a line for people."""
    task = finding.task
    match finding.reason:
        case "waiting":
            return f"it waits for its time: {_until_due(finding)}{_if_paused(finding)}"
        case "retrying":
            why = "" if task.last_fault is None else f" after {task.last_fault.code}"
            retry = f"retry {finding.retry} of {finding.max_attempts - 1}{why}"
            return f"{retry} comes at {_until_due(finding)}{_if_paused(finding)}"
        case "paused" | "circuit_open" | "full" | "rate":
            assert finding.destination is not None  # noqa: S101 - it is what holds the task back
            return _barrier(finding.destination, finding)
        case "due" | "no_slot" | "unclaimed" | "paused_all" | "overlap":
            return f"it has been due since {instants.text(task.due_at)}{_due_for(finding)}"
        case "running":
            since = "" if task.started_at is None else f" since {instants.text(task.started_at)}"
            outlook = "; the task was cancelled and ends with it" if task.is_cancelled else ""
            return f"attempt {task.attempts} is running on node {task.node}{since}{outlook}"
        case "completion":
            return _in_other_hands(task)
        case "done":
            return f"attempt {task.attempts} succeeded"
        case "failed":
            return _failed(task) + _advice(finding)
        case "cancelled":
            return f"it was cancelled{_left_out(task)}{_advice(finding)}"
        case _:
            assert_never(finding.reason)


def _in_other_hands(task: Task) -> str:
    assert task.deadline is not None  # noqa: S101 - it is what the reason means
    until = instants.text(task.deadline)
    if task.pool == PULLED:
        return f"a worker has claimed attempt {task.attempts}, and has it until {until}"
    return f"attempt {task.attempts} was accepted, and waits for its completion until {until}"


def _until_due(finding: Finding) -> str:
    return f"{instants.text(finding.task.due_at)}, in {instants.seconds(finding.due_in):.3f} s"


def _due_for(finding: Finding) -> str:
    match finding.reason:
        case "due":
            return " and is about to be started"
        case "no_slot":
            return " and waits for a free slot"
        case "unclaimed":
            return " and waits for a worker to claim it"
        case "overlap":
            return f" and waits until no other run of the schedule {finding.task.schedule} goes on"
        case _:
            return _if_paused(finding)


def _if_paused(finding: Finding) -> str:
    if finding.paused_at is None:
        return ""
    return f"; everything is paused since {instants.text(finding.paused_at)}, and POST /resume lets tasks start"


def _barrier(destination: GateStatus, finding: Finding) -> str:
    gate = destination.record.gate
    name = f"the {_KINDS.get(gate.kind, 'destination')} {gate.name}"
    if finding.reason == "paused":
        return f"{name} is paused; POST /destinations/{gate.id}/resume lets it go on"
    if finding.reason == "full" and destination.circuit is CircuitState.RECOVERING:
        return f"{name} answers again and is let in by doubling: one task, two in the next second, then four"
    if finding.reason == "full":
        return f"as many tasks of {name} are running as may at once"
    if finding.expected_at is not None:
        turn = instants.text(finding.expected_at)
        return f"{name} lets {gate.max_per_second:g} start in a second; its turn is at {turn}"
    if destination.circuit is CircuitState.HALF_OPEN:
        return f"{name} has failed and is being tried with one task at a time"
    until = instants.text(gate.circuit.open_until)
    return f"{name} has failed {gate.circuit.failures} times in a row and is left alone until {until}"


_KINDS: Final = {GateKind.GROUP: "group", GateKind.QUEUE: "queue"}
"""What people call the gates that are not where something is sent."""


def _left_out(task: Task) -> str:
    """Say why a run was cancelled without having started."""
    match task.admission:
        case Admission.OVERLAP:
            return f", because another run of the schedule {task.schedule} was going on"
        case Admission.MAX_RUNS:
            return f", because as many runs of the schedule {task.schedule} as were wanted had started"
        case Admission.MISSED:
            return f", because no server was up when it was due: see missed of the schedule {task.schedule}"
        case _:
            return ""


def _advice(finding: Finding) -> str:
    return f"; POST /tasks/{finding.task.id}/retry runs it again" if finding.can_retry else ""


def _failed(task: Task) -> str:
    why = "" if task.last_fault is None else f": {task.last_fault.code}, {task.last_fault.msg}"
    times = "1 attempt" if task.attempts == 1 else f"{task.attempts} attempts"
    return f"it failed after {times}{why}"
