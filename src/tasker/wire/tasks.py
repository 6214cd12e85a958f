"""What answers show of a task: itself, how it stands, and its attempts."""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import instants
from tasker.model.attempt import AttemptRecord, Phases
from tasker.model.task import Fault, State, Task
from tasker.wire.destinations import DestinationView
from tasker.wire.fields import TaskFields

StateWord = Literal["todo", "in_progress", "done", "failed"]


class TaskView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer shows of every task, beside the fields of its type."""

    id: Annotated[str, Meta(description="A UUID.", extra_json_schema={"format": "uuid"})]
    state: StateWord
    execution_time: Annotated[
        str, Meta(description="As it was sent: RFC 3339 with an offset.", extra_json_schema={"format": "date-time"})
    ]
    attempts: Annotated[int, Meta(ge=0, description="Attempts begun so far; those that a crash cut short do not count.")]
    last_error: Fault | None
    started_at: (
        Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="When the latest attempt began, in UTC.")]
        | None
    )
    ended_at: (
        Annotated[
            str,
            Meta(extra_json_schema={"format": "date-time"}, description="When the task became done or failed, in UTC."),
        ]
        | None
    )
    lateness_seconds: (
        Annotated[
            float,
            Meta(description="How long after its due time the latest attempt began. null while the task is todo."),
        ]
        | None
    )
    parent_id: (
        Annotated[str, Meta(description="Of a callback: the task that it tells of.", extra_json_schema={"format": "uuid"})]
        | UnsetType
    ) = UNSET


class Created(Struct, frozen=True):
    """The answer to a new task."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


def view_type(name: str, fields: type[TaskFields]) -> type[Struct]:
    """Return the shape of a stored task of a type: what ``task_json`` writes."""
    own = [
        (f.encode_name, f.type, f.default) if not f.required else (f.encode_name, f.type)
        for f in msgspec.structs.fields(fields)
    ]
    return msgspec.defstruct(
        f"{name.capitalize()}Task",
        [*own, ("result", Any, UNSET)],
        bases=(TaskView,),
        namespace={"__doc__": f"A {name} task."},
        frozen=True,
        kw_only=True,
    )


MASK: Final = "***"
"""What lists show in place of a header's value."""


def task_json(task: Task) -> bytes:
    """Return *task* as a JSON object: the members of ``TaskView``, then its fields, then ``result`` if it has one.

    The fields are spliced in as they are stored, so that a list does not decode and encode every body.
    """
    view = TaskView(
        id=task.id,
        state=task.state.word,  # type: ignore[arg-type]  # the words are the names of State; a test compares them
        execution_time=task.execution_time,
        attempts=task.attempts,
        last_error=task.last_fault,
        started_at=None if task.started_at is None else instants.text(task.started_at),
        ended_at=None if task.ended_at is None else instants.text(task.ended_at),
        lateness_seconds=(
            None
            if task.started_at is None or task.state is State.TODO
            else instants.seconds(max(task.started_at - task.due_at, 0))
        ),
        parent_id=UNSET if task.parent_id is None else task.parent_id,
    )
    result = b"" if task.result is None else b',"result":' + task.result
    return b"".join((msgspec.json.encode(view)[:-1], b",", task.payload[1:-1], result, b"}"))


def wrapped_task_json(task: Task) -> bytes:
    """Return *task* as a JSON object under the name of its type: ``{"webhook": {...}}``."""
    return b'{"%b":%b}' % (task.type.encode(), task_json(task))


def masked(task: Task) -> Task:
    """Return *task* as lists show it: without the values of the headers that it sends."""
    if b'"headers":' not in task.payload:
        return task
    fields: dict[str, Any] = msgspec.json.decode(task.payload, type=dict[str, Raw])
    for name in ("on_success", "on_failure"):
        if name in fields and bytes(fields[name]).startswith(b"{"):
            fields[name] = _masked(msgspec.json.decode(fields[name], type=dict[str, Raw]))
    return msgspec.structs.replace(task, payload=msgspec.json.encode(_masked(fields)))


def _masked(fields: dict[str, Any]) -> dict[str, Any]:
    if "headers" in fields:
        fields["headers"] = dict.fromkeys(msgspec.json.decode(fields["headers"], type=dict[str, str]), MASK)
    return fields


class CallbackSummary(Struct, frozen=True, kw_only=True):
    """The body of a callback: how a task ended."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    type: str
    state: Literal["done", "failed"]
    attempts: int
    status: Annotated[int, Meta(description="The HTTP status of the latest attempt's answer.")] | None
    error: Annotated[Fault, Meta(description="Of a failed task: why.")] | None
    result: Annotated[Raw, Meta(description="What was computed.")] | None


class AttemptView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An attempt that has ended."""

    number: Annotated[int, Meta(ge=1)]
    node: Annotated[str, Meta(description="The id of the server that made it.", extra_json_schema={"format": "uuid"})]
    due_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    started_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    ended_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    lateness_seconds: Annotated[float, Meta(description="started_at minus due_at.")]
    outcome: Literal["succeeded", "failed"]
    error: Fault | None
    status: Annotated[int, Meta(description="The HTTP status of the answer.")] | UnsetType = UNSET
    phases_seconds: Annotated[Phases, Meta(description="How long the parts of the call took.")] | UnsetType = UNSET
    response_headers: Annotated[dict[str, str], Meta(description="Some of the answer's headers.")] | UnsetType = UNSET
    response_body: Annotated[str, Meta(description="The first KiB of the answer's body.")] | UnsetType = UNSET
    response_note: Annotated[str, Meta(description="What of the answer could not be read.")] | UnsetType = UNSET


def attempt_view(record: AttemptRecord) -> AttemptView:
    """Return *record* as answers show it."""
    exchange = record.exchange
    return AttemptView(
        number=record.number,
        node=record.node,
        due_at=instants.text(record.due_at),
        started_at=instants.text(record.started_at),
        ended_at=instants.text(record.ended_at),
        lateness_seconds=instants.seconds(max(record.started_at - record.due_at, 0)),
        outcome="succeeded" if record.fault is None else "failed",
        error=record.fault,
        status=UNSET if exchange is None or exchange.status is None else exchange.status,
        phases_seconds=UNSET if exchange is None else exchange.phases,
        response_headers=UNSET if exchange is None or exchange.status is None else dict(exchange.headers),
        response_body=UNSET if exchange is None or exchange.status is None else exchange.body,
        response_note=UNSET if exchange is None or exchange.note is None else exchange.note,
    )


Reason: TypeAlias = Literal[
    "waiting", "retrying", "paused", "circuit_open", "destination_full", "due", "no_free_slot", "running", "done", "failed"
]


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a task is where it is, and what comes next."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    state: StateWord
    reason: Annotated[Reason, Meta(description="A stable word for programs.")]
    msg: Annotated[str, Meta(description="The same for people.")]
    next_attempt: Annotated[int, Meta(description="The number of the next attempt.")] | None
    max_attempts: Annotated[int, Meta(description="By the retry policy, counted from the latest retry by hand.")]
    due_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None
    due_in_seconds: Annotated[float, Meta(description="0 if it is due.")] | None
    node: Annotated[str, Meta(description="The server that runs it.", extra_json_schema={"format": "uuid"})] | None
    running_since: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None
    last_error: Fault | None
    destination: DestinationView | None
