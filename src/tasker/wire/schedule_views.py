"""Writes what answers show of schedules, in the shapes of ``schedules.py``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from tasker.model import instants, lengths
from tasker.model.instants import Instant
from tasker.model.recurrence import Occurrence
from tasker.model.schedule import Plan, Run, Schedule, Template
from tasker.model.task import Task, TaskId
from tasker.wire.callers import creator_view
from tasker.wire.masking import masked_members
from tasker.wire.schedules import (
    NextRunView,
    PreviewedRun,
    PreviewView,
    RunMade,
    RunsMade,
    RunView,
    ScheduleSummary,
    ScheduleView,
)


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
