"""The JSON shapes that the server writes and the client reads.

A task in JSON is an object with one member, named for its task type. Inside stand what the type was given
(its *fields*: a subclass of ``TaskFields``), beside ``execution_time`` in a request and beside the
members of ``TaskView`` in an answer.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import instants
from tasker.model.attempt import AttemptRecord, Phases
from tasker.model.retry import STANDARD, RetryPolicy
from tasker.model.task import State, Task

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
    max_age: (
        Annotated[float, Meta(ge=0, le=_YEAR, description="No retry is due later than so many seconds after execution_time.")]
        | UnsetType
    ) = UNSET

    def policy(self) -> RetryPolicy:
        """The same as a rule."""
        return RetryPolicy(
            max_attempts=self.max_attempts,
            initial_delay=timedelta(seconds=self.initial_delay),
            factor=self.factor,
            max_delay=timedelta(seconds=self.max_delay),
            jitter=self.jitter,
            max_age=None if self.max_age is UNSET else timedelta(seconds=self.max_age),
        )


Retry: TypeAlias = Annotated[
    RetryFields | Literal["standard"],
    Meta(description='When failed attempts are followed by others; "standard": after 5 s, 5 min, 30 min, ... 24 h, some 75 h.'),
]
"""A policy of one's own, or the schedule of Standard Webhooks."""

Url = Annotated[
    NonEmptyText,
    Meta(description="http or https; without a scheme, http:// is put before it.", examples=["http://localhost:9000/hook"]),
]
Headers = Annotated[dict[str, str], Meta(max_length=50, description="Sent with the request. Lists do not show their values.")]
Timeout = Annotated[
    float, Meta(ge=0.1, le=3600, description="Seconds that an attempt may take, from the lookup to the end of the answer.")
]
Success = Annotated[
    list[int | str],
    Meta(min_length=1, max_length=50, description='Statuses that mean success: numbers, or classes such as "2xx".'),
]


class CallbackFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook that tells of a task's end. Its body is made by tasker."""

    url: Url
    method: Literal["POST", "PUT", "PATCH"] | UnsetType = UNSET
    headers: Headers | UnsetType = UNSET
    timeout: Timeout | UnsetType = UNSET
    success: Success | UnsetType = UNSET
    retry: Retry | UnsetType = UNSET


Callback: TypeAlias = Annotated[
    Url | CallbackFields, Meta(description="Where the end of the task is told: a URL, or more of a webhook.")
]
"""Where a task's end is told: a URL, or a whole webhook."""


class TaskFields(Struct, frozen=True, kw_only=True):
    """What every task type takes."""

    retry: Retry | UnsetType = UNSET
    expires_at: (
        Annotated[
            str,
            Meta(description="No attempt starts at this moment or later.", extra_json_schema={"format": "date-time"}),
        ]
        | UnsetType
    ) = UNSET
    on_success: Callback | UnsetType = UNSET
    on_failure: Callback | UnsetType = UNSET


class WebhookFields(TaskFields, frozen=True, kw_only=True):
    """A webhook: a request to ``url``."""

    url: Url
    method: (
        Annotated[
            Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], Meta(description="POST, if none is named.")
        ]
        | UnsetType
    ) = UNSET
    headers: Headers | UnsetType = UNSET
    body: (
        Annotated[
            NonEmptyText,
            Meta(description="Sent as it is, in UTF-8. POST, PUT and PATCH need a body or json.", examples=['{"order": 17}']),
        ]
        | UnsetType
    ) = UNSET
    json: Annotated[Raw, Meta(description="Any JSON value, in place of body. Sent as it is.")] | UnsetType = UNSET
    timeout: Timeout | UnsetType = UNSET
    success: Success | UnsetType = UNSET


class HashFields(TaskFields, frozen=True, kw_only=True):
    """A hash: PBKDF2-HMAC-SHA256 of ``secret``."""

    secret: Annotated[NonEmptyText, Meta(description="At most 4 KiB of UTF-8.", examples=["correct-horse-battery-staple"])]


class Fault(Struct, frozen=True):
    """Why an attempt failed."""

    code: Annotated[str, Meta(description="A stable word for programs.", examples=["connect_refused", "status_500"])]
    msg: Annotated[str, Meta(description="One line for people.")]


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
        last_error=None if task.last_error is None else Fault(task.last_error.code, task.last_error.msg),
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
    return b"".join((msgspec.json.encode(view)[:-1], b",", task.fields[1:-1], result, b"}"))


def wrapped_task_json(task: Task) -> bytes:
    """Return *task* as a JSON object under the name of its type: ``{"webhook": {...}}``."""
    return b'{"%b":%b}' % (task.type.encode(), task_json(task))


def masked(task: Task) -> Task:
    """Return *task* as lists show it: without the values of the headers that it sends."""
    if b'"headers":' not in task.fields:
        return task
    fields: dict[str, Any] = msgspec.json.decode(task.fields, type=dict[str, Raw])
    for name in ("on_success", "on_failure"):
        if name in fields and bytes(fields[name]).startswith(b"{"):
            fields[name] = _masked(msgspec.json.decode(fields[name], type=dict[str, Raw]))
    return msgspec.structs.replace(task, fields=msgspec.json.encode(_masked(fields)))


def _masked(fields: dict[str, Any]) -> dict[str, Any]:
    if "headers" in fields:
        fields["headers"] = dict.fromkeys(msgspec.json.decode(fields["headers"], type=dict[str, str]), MASK)
    return fields


class EndFields(Struct, frozen=True):
    """Those of a stored task's fields that say what follows an attempt."""

    retry: Retry | UnsetType = UNSET
    on_success: Callback | UnsetType = UNSET
    on_failure: Callback | UnsetType = UNSET

    @property
    def policy(self) -> RetryPolicy:
        """The retry policy; the default one where none is named."""
        match self.retry:
            case RetryFields():
                return self.retry.policy()
            case "standard":
                return STANDARD
            case _:
                return _DEFAULT_RETRY


decode_end_fields: Final = msgspec.json.Decoder(EndFields).decode
"""Reads what a task type was given."""


class CallbackSummary(Struct, frozen=True, kw_only=True):
    """The body of a callback: how a task ended."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    type: str
    state: Literal["done", "failed"]
    attempts: int
    status: Annotated[int, Meta(description="The HTTP status of the latest attempt's answer.")] | None
    error: Annotated[Fault, Meta(description="Of a failed task: why.")] | None
    result: Annotated[Raw, Meta(description="What was computed.")] | None


class PhasesView(Struct, frozen=True, kw_only=True):
    """How long the parts of a call took, in seconds. null: it did not come to that, or a connection was open already."""

    dns: float | None
    connect: Annotated[float | None, Meta(description="TLS included.")]
    first_byte: Annotated[float | None, Meta(description="From the request to the first byte of the answer.")]
    total: float | None


class CircuitView(Struct, frozen=True, kw_only=True):
    """Whether a destination is left alone because it fails."""

    state: Annotated[
        Literal["closed", "open", "half_open"],
        Meta(description="closed: calls go out; open: none does; half_open: one at a time does, as a probe."),
    ]
    failures: Annotated[int, Meta(description="In a row, each the destination's own fault.")]
    open_until: (
        Annotated[str, Meta(description="When the next probe starts.", extra_json_schema={"format": "date-time"})] | None
    )


class DestinationView(Struct, frozen=True, kw_only=True):
    """Where tasks go: a scheme, host and port, or a task type other than webhook."""

    id: int
    name: Annotated[str, Meta(examples=["https://example.org:443", "hash"])]
    kind: Literal["host", "type"]
    paused: bool
    max_running: (
        Annotated[int, Meta(description="How many of its tasks may run at once. null: as many as the settings say.")] | None
    )
    running: int
    held: Annotated[int, Meta(description="Tasks that are due and set aside; counting stops at 10,000.")]
    circuit: CircuitView


class DestinationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a destination."""

    max_running: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(description="How many of its tasks may run at once, on all nodes together. null: as many as the settings say."),
    ]


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
    phases_seconds: Annotated[PhasesView, Meta(description="How long the parts of the call took.")] | UnsetType = UNSET
    response_headers: Annotated[dict[str, str], Meta(description="Some of the answer's headers.")] | UnsetType = UNSET
    response_body: Annotated[str, Meta(description="The first KiB of the answer's body.")] | UnsetType = UNSET


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
        error=None if record.fault is None else Fault(record.fault.code, record.fault.msg),
        status=UNSET if exchange is None or exchange.status is None else exchange.status,
        phases_seconds=UNSET if exchange is None else _phases_view(exchange.phases),
        response_headers=UNSET if exchange is None or exchange.status is None else dict(exchange.headers),
        response_body=UNSET if exchange is None or exchange.status is None else exchange.body,
    )


def _phases_view(phases: Phases) -> PhasesView:
    return PhasesView(dns=phases.dns, connect=phases.connect, first_byte=phases.first_byte, total=phases.total)


def count_by_word(counts: Mapping[State, int]) -> dict[StateWord, int]:
    """Return *counts* keyed by the words that users see."""
    return {state.word: counts.get(state, 0) for state in State}  # type: ignore[misc]  # as in task_json
