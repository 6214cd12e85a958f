"""A schedule: what is to be done again and again, and when. Pure rules.

The times that it has are those of its recurrence (``model/recurrence.py``) between its start and its
end. For each time there is one regular run: a task that stands in the queue before. ``next_at`` is
the time of the run that was made last. It only goes forward, unless somebody says other times.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tasker.errors import TimeZoneUnknownError
from tasker.model import recurrence, zones
from tasker.model.gate import Destination
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.recurrence import Calendar, Interval, Occurrence
from tasker.model.task import Admission, Pool, RunKind, State, Task, TaskId
from tasker.model.zones import Wall

MOST_RUNS: Final = 1_000_000_000
"""The largest ``max_runs``."""

LONGEST_JITTER: Final = timedelta(days=1)

CATCH_UP: Final = 86_400 * SECOND
"""Microseconds. Times that passed longer ago without a run get none any more."""

LONGEST_SHIFT: Final = 86_400 * SECOND
"""Microseconds by which newer time zones move a time, at most."""

RUNS_AT_ONCE: Final = 20
"""Runs of one schedule that a step makes, at most."""

BACKFILL_LIMIT: Final = 1_000
"""Runs that one backfill makes, at most."""


class Overlap(StrEnum):
    """What becomes of a regular run while another run of the schedule goes on: from its start until it has ended."""

    SKIP = "skip"
    """It is left out."""
    QUEUE = "queue"
    """It waits, if no other regular one does; else it is left out."""
    ALLOW = "allow"
    """It starts."""


NewId: TypeAlias = Callable[[Instant], TaskId]


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a schedule runs, and what is common to its runs: what its caller has said, checked. Kept as JSON."""

    cron: str | None = None
    """An expression, as it was sent; None: ``every`` says when."""
    every: int | None = None
    """Microseconds between two times."""
    anchor: Instant = 0
    """With ``every``: the moment that its times are counted from."""
    time_zone: str | None = None
    """None: UTC."""
    starts_at: Instant | None = None
    """No time is earlier."""
    ends_at: Instant | None = None
    """No time is at this moment or later."""
    jitter: int = 0
    """Microseconds by which runs are put off, at most."""
    overlap: Overlap = Overlap.SKIP
    max_runs: int | None = None
    """Once so many regular runs have started, no more are made; None: there is no such number."""
    tags: tuple[str, ...] = ()
    """Each run has them, too."""

    @property
    def recurrence(self) -> Calendar | Interval:
        """What its times are, without a start and an end.

        Raises:
            TimeZoneUnknownError: its zone is not known here.
        """
        if not self.is_known:
            raise TimeZoneUnknownError(str(self.time_zone), zones.VERSION)
        return _recurrence(self.cron, self.every, self.anchor, self.time_zone)

    @property
    def words(self) -> str:
        """The same in plain words, which are those of any zone."""
        return _recurrence(self.cron, self.every, self.anchor, None).words

    @property
    def is_known(self) -> bool:
        """Whether this node knows its zone: other nodes may have newer ones."""
        return self.time_zone is None or self.time_zone in zones.names()

    def following(self, after: Instant) -> Occurrence | None:
        """Return its first time later than *after*; None: there is none.

        Raises:
            TimeZoneUnknownError: its zone is not known here.
        """
        if self.starts_at is not None:
            after = max(after, self.starts_at - 1)
        found = _following(self.recurrence, after)
        if found is None or (self.ends_at is not None and found.scheduled_for >= self.ends_at):
            return None
        return found

    def times(self, since: Instant, until: Instant) -> Iterator[Instant]:
        """Give its times from *since* on, before *until*. Raises what ``following`` does."""
        found = self.following(since - 1)
        while found is not None and found.scheduled_for < until:
            yield found.scheduled_for
            found = self.following(found.scheduled_for)

    def due_at(self, name: str, scheduled_for: Instant) -> Instant:
        """Return when the run of the schedule *name* for a time is due: a little later, if it has jitter."""
        if not self.jitter:
            return scheduled_for
        longest = timedelta(microseconds=self.jitter)
        return min(scheduled_for + recurrence.jitter(name, scheduled_for, longest) // timedelta(microseconds=1), LAST)

    def has_times_of(self, other: "Plan") -> bool:
        """Whether its times are those of *other*."""
        return _times(self) == _times(other)


def _times(plan: Plan) -> Plan:
    return replace(plan, jitter=0, tags=(), overlap=Overlap.SKIP, max_runs=None)


@lru_cache(maxsize=4_096)
def _recurrence(cron: str | None, every: int | None, anchor: Instant, time_zone: str | None) -> Calendar | Interval:
    zone = zones.zone_named("UTC" if time_zone is None else time_zone)
    if cron is not None:
        return Calendar(recurrence.read_expression(cron), zone)
    assert every is not None  # noqa: S101 - a plan has one of the two
    return Interval(timedelta(microseconds=every), anchor, zone)


@lru_cache(maxsize=4_096)  # many schedules have the same times
def _following(recurrence: Calendar | Interval, after: Instant) -> Occurrence | None:
    return recurrence.following(after)


class Template(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The task that each run is: what a create would have made of it. Kept as JSON."""

    type: str
    pool: Pool
    payload: Raw
    """See ``Task``, as for what follows."""
    destination: Destination | None = None
    host: Destination | None = None
    patience: int = 0
    keep: int | None = None
    tags: tuple[str, ...] = ()
    expires_after: int | None = None
    """Microseconds from the moment at which a run is due to its ``expires_at``; None: it has none."""


class Schedule(Struct, frozen=True, kw_only=True):
    """A schedule as it is stored."""

    name: str
    revision: int
    """Another one after each change by a caller. That of one that is made anew under its name is another, too."""
    type: str
    """The task type of its runs."""
    plan: Plan
    template: Template | None = None
    """None: it was not read."""
    is_paused: bool = False
    """Whether no runs are made."""
    created_at: Instant = 0
    """By the store's clock, as is ``changed_at``. What is set before is not looked at."""
    changed_at: Instant = 0
    put_by: str | None = None
    """Who has said last what it is, as ``Task.created_by``: so do its runs."""
    next_at: Instant | None = None
    """The time of the run that was made last: of the one that stands in the queue, if one does."""
    started: int = 0
    """Regular runs that have started."""
    skipped: int = 0
    """Regular runs that were left out because another was going on."""
    look_at: Instant | None = None
    """When the next run is to be made: once ``next_at`` passes, or as soon as the run left the queue without
    starting. None: none is."""

    @property
    def is_spent(self) -> bool:
        """Whether as many regular runs have started as were wanted."""
        return self.plan.max_runs is not None and self.started >= self.plan.max_runs

    def run(self, scheduled_for: Instant, task_id: TaskId) -> Task:
        """Return the regular run for a time."""
        return self._run(scheduled_for, task_id, RunKind.REGULAR, self.plan.due_at(self.name, scheduled_for))

    def asked_run(self, scheduled_for: Instant, task_id: TaskId, kind: RunKind, *, now: Instant) -> Task:
        """Return a run for a time that somebody wants *now*: in UTC, where the schedule's zone is not known."""
        return self._run(scheduled_for, task_id, kind, now)

    def _run(self, scheduled_for: Instant, task_id: TaskId, kind: RunKind, due_at: Instant) -> Task:
        template, plan = self.template, self.plan
        assert template is not None  # noqa: S101 - it was read
        zone = zones.zone_named(plan.time_zone if plan.time_zone is not None and plan.is_known else "UTC")
        tags = tuple(dict.fromkeys((*template.tags, *plan.tags)))
        return Task(
            id=task_id,
            type=template.type,
            pool=template.pool,
            payload=bytes(template.payload) if tags == template.tags else _tagged(template.payload, tags),
            execution_time=zones.text_with_offset(due_at, zone),
            execution_at=due_at,
            due_at=due_at,
            destination=template.destination,
            host=template.host,
            expires_at=None if template.expires_after is None else min(due_at + template.expires_after, LAST),
            patience=template.patience,
            keep=template.keep,
            tags=tags,
            created_by=self.put_by,
            schedule=self.name,
            scheduled_for=scheduled_for,
            run_kind=kind,
        )


def _tagged(payload: Raw, tags: Sequence[str]) -> bytes:
    """Return *payload*, a JSON object, with other tags."""
    members = msgspec.json.decode(payload, type=dict[str, Raw])
    members["tags"] = Raw(msgspec.json.encode(tags))
    return msgspec.json.encode(members)


def admission(
    schedule: Schedule | None, kind: RunKind, before: Admission | None, *, goes_on: bool, waits: bool
) -> Admission:
    """Return what becomes of a run that would start now.

    Regular ones are as many as the plan says. What somebody asked for is never left out: it waits.

    Args:
        schedule: None: it is gone, and with it what it said.
        before: what was decided of the run before.
        goes_on: whether another run of the schedule does.
        waits: whether another regular run of the schedule waits for that.
    """
    if before is Admission.STARTED or schedule is None:
        return Admission.STARTED
    is_asked = kind is not RunKind.REGULAR or (before is not None and before.is_left_out)  # then by a retry
    if not is_asked and schedule.is_spent and before is not Admission.NOT_BEGUN:
        return Admission.MAX_RUNS
    if not goes_on or schedule.plan.overlap is Overlap.ALLOW:
        return Admission.STARTED
    may_wait = is_asked or before is Admission.BEHIND or (schedule.plan.overlap is Overlap.QUEUE and not waits)
    return Admission.BEHIND if may_wait else Admission.OVERLAP


class Run(Struct, frozen=True, kw_only=True):
    """A run, in short."""

    id: TaskId
    kind: RunKind
    scheduled_for: Instant
    state: State
    due_at: Instant
    started_at: Instant | None
    ended_at: Instant | None


class Advance(Struct, frozen=True, kw_only=True):
    """How a schedule goes on."""

    seen: Schedule
    """As it was: if it is not any more, nothing is written."""
    runs: Sequence[Task]
    """To be made, the earliest first."""
    next_at: Instant | None
    look_at: Instant | None


def advance(schedule: Schedule, *, now: Instant, new_id: NewId) -> Advance:
    """Return how *schedule*, which is to be looked at, goes on: a run for each time that has passed, and the next.

    If there are many, the first of them: it is looked at again at once.

    Raises:
        TimeZoneUnknownError: its zone is not known here. So for the rules below.
    """
    assert schedule.next_at is not None  # noqa: S101 - it has a run, or would not be looked at
    next_at, look_at = schedule.next_at, schedule.look_at
    runs: list[Task] = []
    while len(runs) < RUNS_AT_ONCE and (next_at <= now or not runs):
        found = None if schedule.is_spent else schedule.plan.following(max(next_at, now - CATCH_UP))
        if found is None:
            look_at = None
            break
        next_at = look_at = found.scheduled_for
        runs.append(schedule.run(next_at, new_id(now + len(runs))))  # so that their ids are in order, too
    return Advance(seen=schedule, runs=runs, next_at=next_at, look_at=look_at)


def begun(schedule: Schedule, *, after: Instant, now: Instant, new_id: NewId) -> tuple[Schedule, Task | None]:
    """Return *schedule* with its first run later than *after* in the queue, and that run; None: it has none."""
    found = None if schedule.is_paused or schedule.is_spent else schedule.plan.following(after)
    if found is None:
        return replace(schedule, look_at=None), None
    next_at = found.scheduled_for
    return replace(schedule, next_at=next_at, look_at=next_at), schedule.run(next_at, new_id(now))


def is_misplaced(schedule: Schedule) -> bool:
    """Whether the time of the run that was made last is none by the zones of this node."""
    if schedule.look_at is None or schedule.next_at is None:
        return False
    found = schedule.plan.following(schedule.next_at - 1)
    return found is None or found.scheduled_for != schedule.next_at


def shown_at(schedule: Schedule, run: Task) -> Wall | None:
    """Return what the clocks were to show at ``next_at``, by the zones that this *run* for it was made with.

    None: it cannot be told, such as of a run that somebody has moved.
    """
    plan, next_at = schedule.plan, schedule.next_at
    if plan.cron is None or next_at is None or run.execution_at != plan.due_at(schedule.name, next_at):
        return None
    try:
        shown = next_at + zones.parse(run.execution_time[: -len("+00:00")]) - run.execution_at
    except ValueError:
        return None
    return shown if recurrence.read_expression(plan.cron).matches(shown) else None


def replaced(schedule: Schedule, shown: Wall | None, *, now: Instant, new_id: NewId) -> tuple[Schedule, Task | None]:
    """Return *schedule*, which is misplaced, as it goes on by the zones of this node, and the run that it makes now.

    For what the clocks show once there is one run. If it stands in the queue, it is due when they show
    that by these zones, or now. If it is due already, they may show it later again, but that is no
    time any more.

    Args:
        shown: see ``shown_at``.
    """
    next_at = schedule.next_at
    assert next_at is not None  # noqa: S101 - as ``is_misplaced`` says
    moment = None if shown is None else zones.place(shown, zones.zone_named(schedule.plan.time_zone or "UTC")).first
    if next_at > now:
        after = max(now, next_at - LONGEST_SHIFT) if moment is None else moment - 1
        return begun(schedule, after=after, now=now, new_id=new_id)
    if moment is None or moment <= next_at:
        return schedule, None
    return replace(schedule, next_at=moment, look_at=moment), None


def changed(before: Schedule, after: Schedule, *, now: Instant, new_id: NewId) -> tuple[Schedule, Task | None]:
    """Return what *before* is to become, with its run: *after*, but for when it goes on.

    As long as its times are the same, ``next_at`` stays: a time whose run was called off does not
    come again.
    """
    goes_on = not before.is_paused and before.next_at is not None and after.plan.has_times_of(before.plan)
    if not goes_on:
        return begun(replace(after, next_at=before.next_at), after=now, now=now, new_id=new_id)
    assert before.next_at is not None  # noqa: S101 - as above
    stands = before.look_at is not None
    since = before.next_at - 1 if stands else before.next_at
    return begun(replace(after, next_at=before.next_at), after=max(since, now), now=now, new_id=new_id)
