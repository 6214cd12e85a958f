"""What answers and callbacks show of a task."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import instants, walls, zones
from tasker.model.lateness import LatenessByCause, by_cause
from tasker.model.new_task import Made
from tasker.model.task import Fault, State, Task
from tasker.wire.callers import By, creator_view
from tasker.wire.fields import BODIES, Length, LocalTime, RequestFields, TaskFields, TimeZone
from tasker.wire.lateness import LatenessByCauseView, lateness_by_cause_view

TimeNoteWord = Literal["normal", "moved_by_gap", "first_of_two"]
StateWord = Literal["todo", "in_progress", "done", "failed", "cancelled"]
RunKindWord = Literal["regular", "manual", "backfill"]
LeftOutWord = Literal["overlap", "max_runs", "missed"]

MISSED: Final = "Of a run that was due while no server was up: how many such times it stands for."


class ProgressView(Struct, frozen=True, kw_only=True):
    """How far the latest attempt has come, as whoever has it in hand has told."""

    at: Annotated[str, Meta(description="When it was told, in UTC.", extra_json_schema={"format": "date-time"})]
    progress: Annotated[float, Meta(ge=0, le=1, description="The part that is done; null: nothing was said.")] | None
    msg: Annotated[str, Meta(description="A line for people; null: nothing was said.")] | None


class TaskView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer shows of every task, beside the fields of its type."""

    id: Annotated[str, Meta(description="A UUID.", extra_json_schema={"format": "uuid"})]
    type: str
    state: StateWord
    created_at: Annotated[
        str, Meta(extra_json_schema={"format": "date-time"}, description="When it was stored, in UTC.")
    ]
    created_by: Annotated[By, Meta(description="Who has, if a key was asked for.")] | UnsetType = UNSET
    execution_time: Annotated[
        str, Meta(description="As it was sent: RFC 3339 with an offset.", extra_json_schema={"format": "date-time"})
    ]
    local_time: Annotated[str, Meta(description="As it was sent, of a task whose time was said so.")] | UnsetType = (
        UNSET
    )
    time_zone: Annotated[str, Meta(description="By whose clocks.")] | UnsetType = UNSET
    time_note: (
        Annotated[
            TimeNoteWord,
            Meta(
                description="Whether the clocks show the local time once; or pass over it, and execution_time is "
                "the first moment after the gap; or show it twice, and it is the first time."
            ),
        ]
        | UnsetType
    ) = UNSET
    attempts: Annotated[
        int, Meta(ge=0, description="Attempts begun so far; those that a crash cut short do not count.")
    ]
    last_error: Fault | None
    started_at: (
        Annotated[
            str, Meta(extra_json_schema={"format": "date-time"}, description="When the latest attempt began, in UTC.")
        ]
        | None
    )
    ended_at: (
        Annotated[
            str,
            Meta(extra_json_schema={"format": "date-time"}, description="When the task ended, in UTC."),
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
    lateness_by_cause_seconds: LatenessByCauseView | UnsetType = UNSET
    """Only with a lateness."""
    expires_at: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="No attempt starts at this moment or later. In UTC.",
            ),
        ]
        | UnsetType
    ) = UNSET
    parent_id: (
        Annotated[
            str, Meta(description="Of a callback: the task that it tells of.", extra_json_schema={"format": "uuid"})
        ]
        | UnsetType
    ) = UNSET
    key: Annotated[str, Meta(description="The caller's own name for it.")] | UnsetType = UNSET
    deadline: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="Of one whose attempt was accepted: until when it waits for its completion. In UTC.",
            ),
        ]
        | UnsetType
    ) = UNSET
    progress: ProgressView | UnsetType = UNSET
    schedule: Annotated[str, Meta(description="Of a run: the name of its schedule, which may be gone.")] | UnsetType = (
        UNSET
    )
    scheduled_for: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="Of a run: the time that it stands for, in UTC, whenever it starts.",
            ),
        ]
        | UnsetType
    ) = UNSET
    run_kind: Annotated[RunKindWord, Meta(description="Of a run: why it was made.")] | UnsetType = UNSET
    missed: Annotated[int, Meta(ge=1, description=MISSED)] | UnsetType = UNSET
    left_out: (
        Annotated[
            LeftOutWord,
            Meta(
                description="Of a run that was cancelled before it could start: another run was going on, as many "
                "as the schedule is to have had started, or no server was up when it was due."
            ),
        ]
        | UnsetType
    ) = UNSET


class Created(Struct, frozen=True, omit_defaults=True):
    """The answer to a new task."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    execution_time: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="Of a task with a delay, a local time, an id or a key: when it is due, in UTC.",
            ),
        ]
        | UnsetType
    ) = UNSET
    time_note: (
        Annotated[TimeNoteWord, Meta(description="Of a task with a local time: what is special about it.")] | UnsetType
    ) = UNSET
    outcome: (
        Annotated[
            Literal["created", "kept", "replaced"],
            Meta(description="Of a task with an id or a key: whether it is new, was there, or is another now."),
        ]
        | UnsetType
    ) = UNSET


class DuplicateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """When another task like one that is stored is to start."""

    execution_time: (
        Annotated[
            str,
            Meta(
                description="It does not start before. RFC 3339 with an offset.",
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | UnsetType
    ) = UNSET
    delay: Annotated[Length, Meta(description="In place of execution_time: from now; 0 is now.")] | UnsetType = UNSET
    local_time: LocalTime | UnsetType = UNSET
    time_zone: TimeZone | UnsetType = UNSET


class CreatedInBatch(Struct, frozen=True, omit_defaults=True):
    """What became of one task of a batch."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    execution_time: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="Of a task with a local time: when it is due, in UTC.",
            ),
        ]
        | UnsetType
    ) = UNSET
    time_note: (
        Annotated[TimeNoteWord, Meta(description="Of a task with a local time: what is special about it.")] | UnsetType
    ) = UNSET
    outcome: (
        Annotated[
            Literal["created", "kept", "replaced"],
            Meta(description="Of a task with an id or a key: whether it is new, was there, or is another now."),
        ]
        | UnsetType
    ) = UNSET


class CreatedTasks(Struct, frozen=True):
    """The answer to a batch: what became of its tasks, in the order of the request."""

    tasks: list[CreatedInBatch]


def created_view(made: Made, when: RequestFields, *, is_named: bool) -> Created:
    """Return what is said of a new task that has a delay or a local time, or is named by its caller."""
    return Created(
        id=made.id,
        execution_time=instants.text(made.execution_at),
        time_note=_made_note(made, when),
        outcome=made.outcome.value if is_named else UNSET,
    )


def created_in_batch_view(made: Made, when: RequestFields, *, is_named: bool) -> CreatedInBatch:
    """Return what is said of one of many new tasks that has a local time, or is named by its caller."""
    has_local_time = when.local_time is not UNSET
    return CreatedInBatch(
        id=made.id,
        execution_time=instants.text(made.execution_at) if has_local_time else UNSET,
        time_note=_made_note(made, when),
        outcome=made.outcome.value if is_named else UNSET,
    )


def _made_note(made: Made, when: RequestFields) -> TimeNoteWord | UnsetType:
    """Return what is special about the local time that was asked for; ``UNSET`` if the task there has another time."""
    if when.local_time is UNSET or when.time_zone is UNSET:
        return UNSET
    moment, note = walls.moment_of(when.local_time, zones.zone_named(when.time_zone))
    return note.value if moment == made.execution_at else UNSET  # type: ignore[return-value]  # a test compares them


def _note_of(local_time: str | None, time_zone: str | None) -> TimeNoteWord | UnsetType:
    """Return what is special about a local time; ``UNSET`` if there is none, or it is not known here."""
    if local_time is None or time_zone is None:
        return UNSET
    note = zones.note_of(local_time, time_zone)
    return UNSET if note is None else note.value  # type: ignore[return-value]  # a test compares the words


def view_type(name: str, fields: type[TaskFields]) -> type[Struct]:
    """Return the shape of a stored task of a type: what ``task_json`` writes."""
    own = [
        (f.encode_name, f.type, f.default) if not f.required else (f.encode_name, f.type)
        for f in msgspec.structs.fields(fields)
        if f.name not in TaskView.__struct_fields__
    ]
    return msgspec.defstruct(
        f"{name.capitalize()}Task",
        [*own, ("result", Any, UNSET)],
        bases=(TaskView,),
        namespace={"__doc__": f"A {name} task."},
        frozen=True,
        kw_only=True,
    )


def task_json(task: Task) -> bytes:
    """Return *task* as a JSON object: the members of ``TaskView``, then its fields, then ``result`` if it has one.

    The fields are spliced in as they are stored, so that a list does not decode and encode every
    body.
    """
    lateness = _lateness(task)
    view = TaskView(
        id=task.id,
        type=task.type,
        created_at=instants.text(task.created_at),
        created_by=UNSET if task.created_by is None else creator_view(task.created_by),
        state=task.state.word,  # type: ignore[arg-type]  # the words are the names of State; a test compares them
        execution_time=task.execution_time,
        local_time=UNSET if task.local_time is None else task.local_time,
        time_zone=UNSET if task.time_zone is None else task.time_zone,
        time_note=_note_of(task.local_time, task.time_zone),
        attempts=task.attempts,
        last_error=task.last_fault,
        started_at=None if task.started_at is None else instants.text(task.started_at),
        ended_at=None if task.ended_at is None else instants.text(task.ended_at),
        lateness_seconds=None if lateness is None else instants.seconds(lateness.total),
        lateness_by_cause_seconds=UNSET if lateness is None else lateness_by_cause_view(lateness),
        expires_at=UNSET if task.expires_at is None else instants.text(task.expires_at),
        parent_id=UNSET if task.parent_id is None else task.parent_id,
        key=UNSET if task.key is None else task.key,
        deadline=UNSET if task.deadline is None else instants.text(task.deadline),
        progress=_progress(task),
        schedule=UNSET if task.schedule is None else task.schedule,
        scheduled_for=UNSET if task.scheduled_for is None else instants.text(task.scheduled_for),
        run_kind=UNSET if task.run_kind is None else task.run_kind.word,  # type: ignore[arg-type]  # as for the state
        missed=UNSET if task.missed is None else task.missed,
        left_out=_left_out(task),
    )
    members = [msgspec.json.encode(view)[1:-1], task.payload[1:-1]]
    if task.result is not None:
        members.append(b'"result":' + task.result)
    return b"{%b}" % b",".join(filter(None, members))


def _left_out(task: Task) -> LeftOutWord | UnsetType:
    if task.state is not State.CANCELLED or task.admission is None or not task.admission.is_left_out:
        return UNSET
    return task.admission.word  # type: ignore[return-value]  # the words are the names of Admission


def _progress(task: Task) -> ProgressView | UnsetType:
    """Return how far the latest attempt has come; UNSET: nothing was told of that."""
    told = task.progress
    if told is None or told.attempt != task.attempts:
        return UNSET
    return ProgressView(at=instants.text(told.at), progress=told.progress, msg=told.msg)


def _lateness(task: Task) -> LatenessByCause | None:
    """Return how late the latest attempt of *task* began; None if the task waits for the next, or the first."""
    if task.started_at is None or task.state is State.TODO:
        return None
    return by_cause(due_at=task.due_at, started_at=task.started_at, down=task.late_down, held=task.late_held)


def wrapped_task_json(task: Task) -> bytes:
    """Return *task* as a JSON object under the name of its type: ``{"webhook": {...}}``."""
    return b'{"%b":%b}' % (task.type.encode(), task_json(task))


def wrapped_summary_json(task: Task) -> bytes:
    """Return *task* as ``wrapped_task_json`` does, without its body, its result and the details of its error."""
    payload = task.payload
    if any(begin in payload for begin in _BODIES_BEGIN):
        members = _decode_members(payload)
        kept = {name: value for name, value in members.items() if name not in BODIES}
        payload = msgspec.json.encode(kept)
    fault = task.last_fault
    if fault is not None and fault.details is not UNSET:
        fault = msgspec.structs.replace(fault, details=UNSET)
    return wrapped_task_json(msgspec.structs.replace(task, payload=payload, result=None, last_fault=fault))


_BODIES_BEGIN: Final = tuple(f'"{name}":'.encode() for name in BODIES)
"""How they begin in JSON. A quick look, which is wrong now and then: a body may contain it, too."""

_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class AtLeast(Struct, frozen=True):
    """A number that counting stopped at."""

    at_least: int


class CallbackSummary(Struct, frozen=True, kw_only=True):
    """The body of a callback: how a task ended."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    type: str
    state: Literal["done", "failed", "cancelled"]
    attempts: int
    status: Annotated[int, Meta(description="The HTTP status of the latest attempt's answer.")] | None
    error: Annotated[Fault, Meta(description="Of a failed task: why.")] | None
    result: Annotated[Raw, Meta(description="What was computed.")] | None
