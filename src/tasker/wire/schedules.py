"""What answers show of schedules."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import instants, lengths
from tasker.model.instants import Instant
from tasker.model.recurrence import Occurrence
from tasker.model.schedule import Plan, Run, Schedule, Template
from tasker.model.task import Task, TaskId
from tasker.wire.callers import By, creator_view
from tasker.wire.masking import masked_members
from tasker.wire.tasks import MISSED, RunKindWord, StateWord

OverlapWord = Literal["skip", "queue", "allow"]
MissedWord = Literal["once", "all", "none"]
NoteWord = Literal["normal", "moved_by_gap", "first_of_two", "second_of_two"]

_DATE_TIME: Final = {"format": "date-time"}


class NextRunView(Struct, frozen=True, kw_only=True):
    """A time to come."""

    scheduled_for: Annotated[str, Meta(extra_json_schema=_DATE_TIME, description="In UTC.")]
    local_time: Annotated[str, Meta(description="What the clocks show then.", examples=["2027-03-29T09:00:00"])]
    note: Annotated[NoteWord, Meta(description="What is special about it.")]
    due_at: (
        Annotated[str, Meta(extra_json_schema=_DATE_TIME, description="With a jitter: when the run is due, in UTC.")]
        | UnsetType
    ) = UNSET
    task_id: (
        Annotated[
            str,
            Meta(extra_json_schema={"format": "uuid"}, description="Of the run that stands in the queue: its id."),
        ]
        | UnsetType
    ) = UNSET


class PreviewedRun(Struct, frozen=True):
    """A time of a schedule that is not stored."""

    scheduled_for: Annotated[str, Meta(extra_json_schema=_DATE_TIME, description="In UTC.")]
    local_time: Annotated[str, Meta(description="What the clocks show then.", examples=["2027-03-29T09:00:00"])]
    note: Annotated[NoteWord, Meta(description="What is special about it.")]


class PreviewView(Struct, frozen=True):
    """When a schedule would run."""

    words: Annotated[str, Meta(description="When it runs, in plain words.")]
    runs: Annotated[Sequence[PreviewedRun], Meta(description="The next 10 times.")]


class RunView(Struct, frozen=True, kw_only=True):
    """A run that has started, or whose time has come."""

    id: Annotated[str, Meta(description="Of its task.", extra_json_schema={"format": "uuid"})]
    kind: RunKindWord
    scheduled_for: Annotated[str, Meta(extra_json_schema=_DATE_TIME)]
    state: StateWord
    started_at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)] | None
    ended_at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)] | None
    missed: Annotated[int, Meta(ge=1, description=MISSED)] | UnsetType = UNSET


class RunMade(Struct, frozen=True):
    """A run that somebody asked for."""

    id: Annotated[str, Meta(description="Of its task.", extra_json_schema={"format": "uuid"})]
    scheduled_for: Annotated[str, Meta(extra_json_schema=_DATE_TIME, description="The time that it stands for.")]


class RunsMade(Struct, frozen=True):
    """The runs that somebody asked for, the earliest time first."""

    runs: Sequence[RunMade]


class ScheduleSummary(Struct, frozen=True, kw_only=True):
    """A schedule in a list."""

    name: str
    type: Annotated[str, Meta(description="The task type of its runs.")]
    words: Annotated[str, Meta(description="When it runs, in plain words.")]
    paused: bool
    next_run: (
        Annotated[str, Meta(extra_json_schema=_DATE_TIME, description="The time of the next run. null: none comes.")]
        | None
    )
    created_at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)]
    changed_at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)]
    put_by: Annotated[By, Meta(description="Who has put it last, if a key was asked for.")] | UnsetType = UNSET
    cron: str | UnsetType = UNSET
    every: Annotated[str, Meta(description="Between two times.", examples=["15m"])] | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    starts_at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)] | UnsetType = UNSET
    ends_at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)] | UnsetType = UNSET
    jitter: Annotated[str | float, Meta(description="By how much runs are put off, at most.")] | UnsetType = UNSET
    overlap: Annotated[OverlapWord, Meta(description="What becomes of a run while another one goes on.")]
    missed: Annotated[MissedWord, Meta(description="What becomes of the times at which no server was up.")]
    missed_within: Annotated[
        str | float, Meta(description="How long before a server was up again they may lie to have runs.")
    ]
    max_runs: int | UnsetType = UNSET
    tags: Sequence[str] | UnsetType = UNSET
    started: Annotated[int, Meta(ge=0, description="Regular runs that have started.")]
    skipped: Annotated[int, Meta(ge=0, description="Regular runs that were left out because another one was going on.")]
    missed_times: Annotated[
        int, Meta(ge=0, description="Times at which no server was up, and that have had no run of their own.")
    ]


class ScheduleView(ScheduleSummary, frozen=True, kw_only=True):
    """A schedule."""

    task: Annotated[
        Raw, Meta(description="What each run is, as it was put; without secrets, unless the caller may see them.")
    ]
    next_runs: Annotated[Sequence[NextRunView], Meta(description="The next 10 times.")]
    last_runs: Annotated[Sequence[RunView], Meta(description="The latest 10 runs that are kept, the latest first.")]


class SchedulePage(Struct, frozen=True):
    """Some schedules, by name."""

    schedules: Sequence[ScheduleSummary]
    next: Annotated[str, Meta(description="The path of the next page.")] | None


def schedule_summary(schedule: Schedule) -> ScheduleSummary:
    """Return *schedule* as lists show it."""
    return ScheduleSummary(**_members(schedule))


def schedule_view(
    schedule: Schedule,
    *,
    next_runs: Sequence[Occurrence],
    queued: TaskId | None,
    last_runs: Sequence[Run],
    has_secrets: bool,
) -> ScheduleView:
    """Return *schedule*, which has its template, as answers show it.

    Args:
        queued: the run for its ``next_at``, if it stands in the queue.
        has_secrets: whether the secrets of its task are shown.
    """
    assert schedule.template is not None  # noqa: S101 - as the docstring says
    shown = [_next_run(schedule, each, queued) for each in next_runs]
    members = _members(schedule) | {"next_run": shown[0].scheduled_for if shown else None}
    return ScheduleView(
        **members,
        task=Raw(msgspec.json.encode(template_members(schedule.template, has_secrets=has_secrets))),
        next_runs=shown,
        last_runs=[_run(each) for each in last_runs],
    )


def preview_view(plan: Plan, runs: Sequence[Occurrence]) -> PreviewView:
    """Return the times of a schedule with *plan* as answers show them."""
    return PreviewView(
        words=plan.words,
        runs=[PreviewedRun(instants.text(each.scheduled_for), each.local_time, each.note.value) for each in runs],
    )


def template_members(template: Template, *, has_secrets: bool) -> Mapping[str, Mapping[str, Raw]]:
    """Return the task of a schedule as a request says it: its members, under the name of its type."""
    payload = bytes(template.payload) if has_secrets else masked_members(bytes(template.payload))
    members = msgspec.json.decode(payload, type=dict[str, Raw])
    if template.expires_after is not None:
        members["expires_at"] = Raw(msgspec.json.encode(_length(template.expires_after)))
    return {template.type: members}


def plan_members(schedule: Schedule) -> Mapping[str, Any]:
    """Return what a schedule says of its times and its runs, as a request says it, without its task."""
    plan = schedule.plan
    said = {
        "cron": plan.cron,
        "every": None if plan.every is None else _length(plan.every),
        "time_zone": plan.time_zone,
        "starts_at": _text(plan.starts_at),
        "ends_at": _text(plan.ends_at),
        "jitter": _length(plan.jitter) if plan.jitter else None,
        "overlap": plan.overlap.value,
        "missed": plan.missed.value,
        "missed_within": _length(plan.missed_within),
        "max_runs": plan.max_runs,
        "tags": plan.tags or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def runs_made(runs: Sequence[Task]) -> RunsMade:
    """Return what is said of *runs* that somebody asked for."""
    return RunsMade([RunMade(run.id, _text(run.scheduled_for) or "") for run in runs])


def _members(schedule: Schedule) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "type": schedule.type,
        "words": schedule.plan.words,
        "paused": schedule.is_paused,
        "next_run": None if schedule.look_at is None else _text(schedule.next_at),
        "created_at": instants.text(schedule.created_at),
        "changed_at": instants.text(schedule.changed_at),
        "put_by": creator_view(schedule.put_by),
        "started": schedule.started,
        "skipped": schedule.skipped,
        "missed_times": schedule.missed_times,
        **plan_members(schedule),
    }


def _next_run(schedule: Schedule, occurrence: Occurrence, queued: TaskId | None) -> NextRunView:
    scheduled_for = occurrence.scheduled_for
    is_queued = queued is not None and scheduled_for == schedule.next_at
    due_at = schedule.plan.due_at(schedule.name, scheduled_for)
    return NextRunView(
        scheduled_for=instants.text(scheduled_for),
        local_time=occurrence.local_time,
        note=occurrence.note.value,
        due_at=instants.text(due_at) if schedule.plan.jitter else UNSET,
        task_id=queued if is_queued and queued is not None else UNSET,
    )


def _run(run: Run) -> RunView:
    return RunView(
        id=run.id,
        kind=run.kind.word,  # type: ignore[arg-type]  # the words are the names of RunKind
        scheduled_for=instants.text(run.scheduled_for),
        state=run.state.word,  # type: ignore[arg-type]  # the words are the names of State
        started_at=_text(run.started_at),
        ended_at=_text(run.ended_at),
        missed=UNSET if run.missed is None else run.missed,
    )


def _length(length: int) -> str | float:
    """Return a length in microseconds as a request says it."""
    whole = timedelta(microseconds=length)
    return instants.seconds(length) if whole % timedelta(seconds=1) else lengths.shown(whole)


def _text(moment: Instant | None) -> str | None:
    return None if moment is None else instants.text(moment)
