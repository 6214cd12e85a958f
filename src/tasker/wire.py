"""The JSON shapes that the server writes and the client reads.

A task in JSON is an object with one member, named for its task type. Inside stand what the type was given
(its *fields*: a subclass of ``TaskFields``), beside ``execution_time`` in a request and beside the
members of ``TaskView`` in an answer.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.retry import RetryPolicy
from tasker.model.task import State, Task, TaskFault

StateWord = Literal["todo", "in_progress", "done", "failed"]

_YEAR: Final = 365 * 86_400
_DEFAULT_RETRY: Final = RetryPolicy()

NonEmptyText = Annotated[str, Meta(min_length=1)]


class RetryFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a failed attempt is followed by another: exponential backoff with jitter. All waits in seconds."""

    max_attempts: Annotated[int, Meta(ge=1, le=1000, description="Attempts in total; 1 means never retry.")] = 10
    initial_delay: Annotated[float, Meta(ge=0, le=_YEAR, description="Seconds to wait after the first failure.")] = 1.0
    factor: Annotated[float, Meta(ge=1, le=1000, description="What each further wait is multiplied by.")] = 3.0
    max_delay: Annotated[float, Meta(ge=0, le=_YEAR, description="The longest wait in seconds, after jitter too.")] = 21_600.0
    jitter: Annotated[
        float, Meta(ge=0, le=1, description="Each wait is multiplied by a random factor in [1 - jitter, 1 + jitter].")
    ] = 0.1

    def policy(self) -> RetryPolicy:
        """The same as a rule."""
        return RetryPolicy(
            max_attempts=self.max_attempts,
            initial_delay=timedelta(seconds=self.initial_delay),
            factor=self.factor,
            max_delay=timedelta(seconds=self.max_delay),
            jitter=self.jitter,
        )


class TaskFields(Struct, frozen=True, kw_only=True):
    """What every task type takes."""

    retry: RetryFields | UnsetType = UNSET


class WebhookFields(TaskFields, frozen=True, kw_only=True):
    """A webhook: a POST of ``body`` to ``url``."""

    url: Annotated[
        NonEmptyText,
        Meta(
            description="http or https; without a scheme, http:// is put before it.",
            examples=["http://localhost:9000/hook"],
        ),
    ]
    body: Annotated[NonEmptyText, Meta(description="Sent as it is, in UTF-8.", examples=['{"order": 17}'])]


class HashFields(TaskFields, frozen=True, kw_only=True):
    """A hash: PBKDF2-HMAC-SHA256 of ``secret``."""

    secret: Annotated[NonEmptyText, Meta(description="At most 4 KiB of UTF-8.", examples=["correct-horse-battery-staple"])]


class Fault(Struct, frozen=True):
    """Why an attempt failed."""

    code: Annotated[str, Meta(description="A stable word for programs.", examples=["connect_refused", "status_500"])]
    msg: Annotated[str, Meta(description="One line for people.")]


class TaskView(Struct, frozen=True, kw_only=True):
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


class Created(Struct, frozen=True):
    """The answer to a new task."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class Problem(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Every error's body: RFC 9457 (``application/problem+json``), with the text as ``msg``, too."""

    title: Annotated[str, Meta(description="The HTTP status in words.")]
    status: int
    code: Annotated[str, Meta(description="A stable word for programs.", examples=["invalid_task"])]
    detail: str
    msg: Annotated[str, Meta(description="The same as detail.")]
    type: Annotated[str, Meta(description="Always about:blank: code tells problems apart.")] = msgspec.field(
        default="about:blank"
    )
    field: Annotated[str, Meta(description="Where in the request the problem is.", examples=["webhook.url"])] | UnsetType = (
        UNSET
    )


class Health(Struct, frozen=True, omit_defaults=True):
    """The answer of ``/healthz`` and ``/readyz``."""

    status: Literal["ok", "unavailable"]
    reason: str | UnsetType = UNSET


class Lateness(Struct, frozen=True):
    """Lateness of the latest attempts (up to 10,000) in seconds; null while there is none."""

    count: int
    p50: float | None
    p99: float | None
    max: float | None


class PoolView(Struct, frozen=True):
    """The worker slots of one kind."""

    slots: int
    running: int


class Totals(Struct, frozen=True, kw_only=True):
    """What this process has counted since it started."""

    created: int
    deleted: int
    attempts: int
    done: int
    retried: int
    failed: int
    given_back: int
    taken_back: int
    claims_lost: int
    pruned: int


class NodeView(Struct, frozen=True, kw_only=True):
    """A node in the answer of ``/nodes``."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"}, description="New at every start.")]
    address: Annotated[str, Meta(description="Where it listens.", examples=["http://10.0.0.1:8080"])]
    version: str
    started_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    lease_until: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="When others take its tasks back unless it is heard of again. null: it has the database alone.",
            ),
        ]
        | None
    )
    running: Annotated[int, Meta(ge=0, description="Tasks in_progress on it.")]


class Stats(Struct, frozen=True, kw_only=True):
    """The answer of ``/stats``."""

    version: str
    started_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    lateness_seconds: Lateness
    tasks: Annotated[dict[StateWord, int], Meta(description="Stored tasks by state; counting stops at tasks_counted_to.")]
    tasks_counted_to: int
    clock_offset_seconds: Annotated[
        float, Meta(description="How far the database's clock, which decides, is ahead of this machine's; 0 with SQLite.")
    ]
    pools: dict[str, PoolView]
    totals: Totals


def request_type(name: str, fields: type[TaskFields]) -> type[Struct]:
    """Return the shape of a new task of a type: its *fields* and ``execution_time``; anything else is refused."""
    return msgspec.defstruct(
        f"New{name.capitalize()}",
        [
            (
                "execution_time",
                Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2126-02-10T16:30:00+01:00"])],
            )
        ],
        bases=(fields,),
        namespace={"__doc__": fields.__doc__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


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


def task_json(task: Task) -> bytes:
    """Return *task* as a JSON object: the members of ``TaskView``, then its fields, then ``result`` if it has one.

    The fields are spliced in as they are stored, so that a list does not decode and encode every body.
    """
    view = TaskView(
        id=task.id,
        state=task.state.word,  # type: ignore[arg-type]  # the words are the names of State; a test compares them
        execution_time=task.execution_time,
        attempts=task.attempts,
        last_error=None if task.last_error is None else Fault(task.last_error.code, task.last_error.msg),
        started_at=None if task.started_at is None else instants.text(task.started_at),
        ended_at=None if task.ended_at is None else instants.text(task.ended_at),
        lateness_seconds=(
            None
            if task.started_at is None or task.state is State.TODO
            else instants.seconds(max(task.started_at - task.due_at, 0))
        ),
    )
    result = b"" if task.result is None else b',"result":' + task.result
    return b"".join((msgspec.json.encode(view)[:-1], b",", task.fields[1:-1], result, b"}"))


def wrapped_task_json(task: Task) -> bytes:
    """Return *task* as a JSON object under the name of its type: ``{"webhook": {...}}``."""
    return b'{"%b":%b}' % (task.type.encode(), task_json(task))


def retry_policy(fields: bytes) -> RetryPolicy:
    """Return the retry policy in the stored *fields* of a task; the defaults where it names none."""
    retry = msgspec.json.decode(fields, type=_RetryOnly).retry
    return _DEFAULT_RETRY if retry is UNSET else retry.policy()


class _RetryOnly(Struct):
    retry: RetryFields | UnsetType = UNSET


def count_by_word(counts: Mapping[State, int]) -> dict[StateWord, int]:
    """Return *counts* keyed by the words that users see."""
    return {state.word: counts.get(state, 0) for state in State}  # type: ignore[misc]  # as in task_json


__all__ = [
    "Created",
    "Fault",
    "HashFields",
    "Health",
    "Lateness",
    "NodeView",
    "PoolView",
    "Problem",
    "RetryFields",
    "StateWord",
    "Stats",
    "TaskFault",
    "TaskFields",
    "TaskView",
    "Totals",
    "WebhookFields",
    "count_by_word",
    "request_type",
    "retry_policy",
    "task_json",
    "view_type",
    "wrapped_task_json",
]
