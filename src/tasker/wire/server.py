"""What the server says about itself, and how it refuses."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.node import NodeRecord
from tasker.model.stats import CauseLateness, Lateness, ServerStats, Totals
from tasker.model.task import STATES
from tasker.wire.tasks import StateWord


class Refusal(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why one of several new tasks is refused."""

    index: Annotated[int, Meta(ge=0, description="Its place in the request, from 0.")]
    code: str
    msg: str
    field: Annotated[str, Meta(description="Where in the task the problem is.")] | UnsetType = UNSET
    holder: Annotated[str, Meta(extra_json_schema={"format": "uuid"})] | UnsetType = UNSET


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
    field: (
        Annotated[str, Meta(description="Where in the request the problem is.", examples=["webhook.url"])] | UnsetType
    ) = UNSET
    holder: (
        Annotated[
            str, Meta(description="Of key_in_use: the task that holds the key.", extra_json_schema={"format": "uuid"})
        ]
        | UnsetType
    ) = UNSET
    refusals: (
        Annotated[list[Refusal], Meta(description="Of a batch: which of its tasks are refused; the first 100.")]
        | UnsetType
    ) = UNSET


class Beginning(Struct, frozen=True, kw_only=True):
    """Where to begin."""

    ui: Annotated[str, Meta(description="The path of the dashboard. Missing: this server has none.")] | UnsetType = (
        UNSET
    )
    openapi: Annotated[str, Meta(description="The path of the description of all calls, in OpenAPI 3.1.")]
    calls: Annotated[Sequence[str], Meta(description="All calls, each as its method and path.")]
    note: Annotated[str, Meta(description="Of a server that is there for tests: that it is.")] | UnsetType = UNSET


class Health(Struct, frozen=True, omit_defaults=True):
    """The answer of ``/healthz`` and ``/readyz``."""

    status: Literal["ok", "unavailable"]
    reason: str | UnsetType = UNSET
    note: Annotated[str, Meta(description="Of a server that is ready: that everything is paused.")] | UnsetType = UNSET


class PauseView(Struct, frozen=True, kw_only=True):
    """The answer of ``/pause`` and ``/resume``."""

    paused: Annotated[bool, Meta(description="Whether everything is: no task starts, on any node.")]
    paused_at: Annotated[str, Meta(description="Since when.", extra_json_schema={"format": "date-time"})] | None


class PoolView(Struct, frozen=True):
    """The worker slots of one kind."""

    slots: int
    running: int


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
                description="When others take its tasks back unless it is heard of again. "
                "null: it has the database alone.",
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
    lateness_by_cause_seconds: Annotated[
        dict[Literal["down", "held", "own"], CauseLateness],
        Meta(description="The same by cause: down, no server looked for due tasks; held, by a destination; own."),
    ]
    tasks: Annotated[
        dict[StateWord, int], Meta(description="Stored tasks by state; counting stops at tasks_counted_to.")
    ]
    tasks_counted_to: int
    clock_offset_seconds: Annotated[
        float,
        Meta(description="How far the database's clock, which decides, is ahead of this machine's; 0 with SQLite."),
    ]
    paused_at: (
        Annotated[
            str,
            Meta(
                description="Since when everything is paused. null: it is not.",
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | None
    )
    pools: dict[str, PoolView]
    totals: Totals


def pause_view(paused_at: Instant | None) -> PauseView:
    """Return what answers show of whether everything is paused."""
    return PauseView(paused=paused_at is not None, paused_at=_text(paused_at))


def _text(moment: Instant | None) -> str | None:
    return None if moment is None else instants.text(moment)


def node_view(record: NodeRecord) -> NodeView:
    """Return *record* as answers show it."""
    return NodeView(
        id=record.id,
        address=record.address,
        version=record.version,
        started_at=instants.text(record.started_at),
        lease_until=_text(record.lease_until),
        running=record.running,
    )


def stats_view(stats: ServerStats) -> Stats:
    """Return *stats* as answers show them."""
    return Stats(
        version=stats.version,
        started_at=instants.text(stats.started_at),
        lateness_seconds=stats.lateness,
        lateness_by_cause_seconds=stats.lateness_by_cause,  # type: ignore[arg-type]  # the words are its members; a test compares them
        tasks={state.word: stats.tasks.get(state, 0) for state in STATES},  # type: ignore[misc]  # as in task_json
        tasks_counted_to=stats.tasks_counted_to,
        clock_offset_seconds=stats.clock_offset,
        paused_at=_text(stats.paused_at),
        pools={name: PoolView(slots=count.total, running=count.running) for name, count in stats.slots.items()},
        totals=stats.totals,
    )
