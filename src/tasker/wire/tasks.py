"""What answers and callbacks show of a task."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model.task import Fault
from tasker.wire.callers import By
from tasker.wire.fields import Length, LocalTime, TaskFields, TimeZone
from tasker.wire.lateness import LatenessByCauseView

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
