"""What answers show of schedules."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.wire.callers import By
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
