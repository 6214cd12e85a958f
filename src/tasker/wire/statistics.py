"""What answers show of tasks over time."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tasker.model import instants
from tasker.model.failures import FailureGroup
from tasker.model.gate import Gate
from tasker.model.histogram import LATENESS_BOUNDS
from tasker.model.history import BUCKETS, OTHERS, Tally
from tasker.model.instants import Instant
from tasker.model.stats import AttemptOutcome
from tasker.model.steps import DueCounts, Steps
from tasker.wire.tasks import AtLeast

_TIME: Final = {"format": "date-time"}


class DueStep(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """How many tasks are due in a step of time."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the step begins, in UTC.")]
    due: Annotated[int, Meta(ge=0)] | AtLeast


class DueView(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """How many tasks are due when."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the first step begins, in UTC.")]
    to: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the last step ends, in UTC.")]
    step_seconds: Annotated[float, Meta(ge=1)]
    steps: Annotated[Sequence[DueStep], Meta(description="All of them, also those in which nothing is due.")]


class LatenessCounts(Struct, frozen=True, kw_only=True):
    """How late attempts began, for one cause."""

    counts: Annotated[
        Sequence[int],
        Meta(description="How many lie in each range of lateness_bounds_seconds; the last one is beyond all bounds."),
    ]
    sum_seconds: Annotated[float, Meta(description="Of all of them.")]


class StatsHistoryStep(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What was counted in a step of time."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the step begins, in UTC.")]
    created: Annotated[Mapping[str, int], Meta(description="Tasks that callers created, by type.")]
    attempts: Annotated[
        Mapping[str, Mapping[AttemptOutcome, int]],
        Meta(description="Attempts that ended, by type and by what came of them."),
    ]
    lateness: Annotated[
        Mapping[Literal["down", "held", "own"], LatenessCounts],
        Meta(description="How late attempts began, by cause. Empty: there were none."),
    ]
    destinations: Annotated[
        Mapping[str, Mapping[AttemptOutcome, int]],
        Meta(description="Attempts by the id of their destination; other: of all that are not told apart."),
    ]


class BusyDestination(Struct, frozen=True, kw_only=True):
    """A destination that a history tells apart."""

    id: int
    name: str
    kind: Literal["host", "type", "group", "queue"]


class StatsHistory(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What was counted, in steps of time."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the first step begins, in UTC.")]
    to: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the last step ends, in UTC.")]
    step_seconds: Annotated[float, Meta(ge=1)]
    lateness_bounds_seconds: Annotated[
        Sequence[float], Meta(description="The upper bounds of the ranges that lateness is counted by.")
    ]
    destinations: Annotated[
        Sequence[BusyDestination], Meta(description="The busiest of the whole span, up to 10, by attempts.")
    ]
    steps: Sequence[StatsHistoryStep]


class FailureExample(Struct, frozen=True, kw_only=True):
    """The latest failure of a group."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"}, description="Of the task.")]
    msg: str


class FailureView(Struct, frozen=True, kw_only=True):
    """Attempts that failed alike."""

    fingerprint: Annotated[str, Meta(description="For the filter of GET /tasks and of operations.")] | None
    type: str | None
    code: str
    status: Annotated[int, Meta(description="Of the answers; null: there was none.")] | None
    msg: Annotated[str, Meta(description="What the messages have in common: without numbers, quoted text and ids.")]
    count: Annotated[int, Meta(ge=1)]
    first_at: Annotated[str, Meta(extra_json_schema=_TIME)]
    last_at: Annotated[str, Meta(extra_json_schema=_TIME)]
    example: FailureExample | None


class FailuresView(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What failed, in groups."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the span begins, in UTC.")]
    to: Annotated[str, Meta(extra_json_schema=_TIME, description="Where it ends, in UTC.")]
    others: Annotated[int, Meta(ge=0, description="Failures that are in none of the groups.")]
    failures: Annotated[Sequence[FailureView], Meta(description="The groups, the largest first, up to 100.")]


def due_view(steps: Steps, counted: DueCounts) -> DueView:
    """Return what was *counted* in *steps* as answers show it."""
    return DueView(
        from_=instants.text(steps.start),
        to=instants.text(steps.end),
        step_seconds=instants.seconds(steps.length),
        steps=[
            DueStep(from_=instants.text(start), due=count if is_exact else AtLeast(count))
            for start, count, is_exact in zip(steps.starts, counted.counts, counted.is_exact, strict=True)
        ],
    )


def history_view(steps: Steps, tallies: Sequence[Tally], destinations: Sequence[Gate]) -> StatsHistory:
    """Return what was counted in *steps* as answers show it.

    Args:
        destinations: those that the *tallies* tell apart.
    """
    return StatsHistory(
        from_=instants.text(steps.start),
        to=instants.text(steps.end),
        step_seconds=instants.seconds(steps.length),
        lateness_bounds_seconds=[instants.seconds(bound) for bound in LATENESS_BOUNDS],
        destinations=[
            BusyDestination(id=gate.id, name=gate.name, kind=gate.kind.name.lower())  # type: ignore[arg-type]  # they are its names
            for gate in destinations
        ],
        steps=[_history_step(start, tally) for start, tally in zip(steps.starts, tallies, strict=True)],
    )


def _history_step(start: Instant, tally: Tally) -> StatsHistoryStep:
    attempts: dict[str, dict[str, int]] = {}
    for outcome, by_type in tally.attempts.items():
        for type_, count in by_type.items():
            attempts.setdefault(type_, {})[outcome] = count
    return StatsHistoryStep(
        from_=instants.text(start),
        created=tally.created,
        attempts=attempts,  # type: ignore[arg-type]  # stored words are those of AttemptOutcome
        lateness={
            cause: LatenessCounts(  # type: ignore[misc]  # as above
                counts=[*counts, *[0] * (BUCKETS - len(counts))],
                sum_seconds=instants.seconds(tally.lateness_sum.get(cause, 0)),
            )
            for cause, counts in tally.lateness.items()
        },
        destinations={
            "other" if gate == OTHERS else str(gate): by_outcome  # type: ignore[misc]  # as above
            for gate, by_outcome in tally.destinations.items()
        },
    )


def failures_view(first: Instant, until: Instant, groups: Sequence[FailureGroup], others: int) -> FailuresView:
    """Return what failed as answers show it."""
    return FailuresView(
        from_=instants.text(first),
        to=instants.text(until),
        others=others,
        failures=[
            FailureView(
                fingerprint=group.fingerprint,
                type=group.type,
                code=group.code,
                status=group.status,
                msg=group.msg,
                count=group.count,
                first_at=instants.text(group.first_at),
                last_at=instants.text(group.last_at),
                example=None
                if group.example is None
                else FailureExample(id=group.example.task_id, msg=group.example.msg),
            )
            for group in groups
        ],
    )
