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
from tasker.model import recurrence, walls, zones
from tasker.model.gate import Destination
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.lateness import Span
from tasker.model.recurrence import DAY, Calendar, Interval, Occurrence
from tasker.model.task import Admission, Pool, RunKind, State, Task, TaskId
from tasker.model.walls import Wall

MOST_RUNS: Final = 1_000_000_000
"""The largest ``max_runs``."""

LONGEST_JITTER: Final = timedelta(days=1)

CATCH_UP: Final = DAY
"""Microseconds. Times that passed longer ago without a run get none any more, although a node was up."""

MOST_LATE: Final = 1_000
"""Of such times of a short interval that passed more lately, the latest so many get runs."""

MOST_MISSED: Final = 1_000
"""Runs that ``Missed.ALL`` makes for the times of one span, at most."""

LONGEST_MISSED_WITHIN: Final = timedelta(days=366)

LONGEST_SHIFT: Final = 86_400 * SECOND
"""Microseconds by which newer time zones move a time, at most."""

RUNS_AT_ONCE: Final = 200
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


class Missed(StrEnum):
    """What becomes of the times that were missed: whose runs came due while no node looked for due tasks."""

    ONCE = "once"
    """One run stands for all of a span."""
    ALL = "all"
    """Each has its run, the oldest ``MOST_MISSED`` of a span."""
    NONE = "none"
    """They have none."""


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
    missed: Missed = Missed.ONCE
    missed_within: int = DAY
    """Microseconds. What was missed longer than this before the node was up again has no run."""
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

    def count(self, since: Instant, until: Instant) -> int:
        """Return how many times it has from *since* on, before *until*. Takes no longer for more of them."""
        if self.starts_at is not None:
            since = max(since, self.starts_at)
        if self.ends_at is not None:
            until = min(until, self.ends_at)
        return self.recurrence.count(since, until)

    def latest(self, since: Instant, until: Instant) -> Instant:
        """Return its last time before *until*. *since* is one of its times."""
        low, high = since, until - 1
        while low < high:
            middle = (low + high) // 2
            found = self.following(middle)
            if found is None or found.scheduled_for >= until:
                high = middle
            else:
                low = found.scheduled_for
        return low

    def may_still_run(self, scheduled_for: Instant, span: Span) -> bool:
        """Whether a time that was missed in *span* was so a short while before its end."""
        return self.missed is not Missed.NONE and span.end_at - scheduled_for <= self.missed_within

    def merges(self, scheduled_for: Instant, span: Span) -> bool:
        """Whether the run for a time that was missed in *span* merges into another one, if that stands for it."""
        return self.missed is Missed.ONCE and self.may_still_run(scheduled_for, span)

    def runs_of(self, span: Span) -> tuple[Instant, Instant]:
        """Return since when and until when the times lie whose runs came due in *span* and may still run."""
        return max(span.begin_at + 1 - self.jitter, span.end_at - self.missed_within), span.end_at

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
    return replace(plan, jitter=0, tags=(), overlap=Overlap.SKIP, missed=Missed.ONCE, missed_within=DAY, max_runs=None)


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
    missed_times: int = 0
    """Times that were missed, and have had no run of their own."""
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
            execution_time=walls.text_with_offset(due_at, zone),
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
    schedule: Schedule | None,
    kind: RunKind,
    before: Admission | None,
    *,
    goes_on: bool,
    waits: bool,
    is_missed: bool = False,
    is_dropped: bool = False,
) -> Admission:
    """Return what becomes of a run that would start now.

    Regular ones are as many as the plan says. What somebody asked for is never left out: it waits.
    So do the runs for times that were missed, if each is to have one.

    Args:
        schedule: None: it is gone, and with it what it said.
        before: what was decided of the run before.
        goes_on: whether another run of the schedule does.
        waits: whether another regular run of the schedule waits for that.
        is_missed: whether it came due while no node looked.
        is_dropped: whether, because of that, it does not start: see ``Plan.may_still_run``, or it merges into another.
    """
    if before is Admission.STARTED or schedule is None:
        return Admission.STARTED
    plan = schedule.plan
    is_asked = kind is not RunKind.REGULAR or (before is not None and before.is_left_out)  # then by a retry
    if not is_asked and schedule.is_spent and before is not Admission.NOT_BEGUN:
        return Admission.MAX_RUNS
    if is_dropped:
        return Admission.MISSED
    if not goes_on or plan.overlap is Overlap.ALLOW:
        return Admission.STARTED
    is_one_of_all = is_missed and plan.missed is Missed.ALL
    may_wait = is_asked or is_one_of_all or before is Admission.BEHIND or (plan.overlap is Overlap.QUEUE and not waits)
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
    missed: int | None = None
    """See ``Task``."""


class StandIn(Struct, frozen=True):
    """One run for several times that were missed."""

    span: Span
    """In which they were."""
    since: Instant
    until: Instant
    """From when on, and before when, the times lie whose runs may be the one."""
    run: Task
    """The run to be made, for the first of them, if there is none yet. How many they are is its ``missed``."""


class Advance(Struct, frozen=True, kw_only=True):
    """How a schedule goes on."""

    seen: Schedule
    """As it was: if it is not any more, nothing is written."""
    runs: Sequence[Task]
    """To be made, the earliest first."""
    stand_ins: Sequence[StandIn]
    missed_times: int
    """How many times more were missed and have no run of their own; of those for which one run stands, all but one."""
    next_at: Instant | None
    look_at: Instant | None


def advance(schedule: Schedule, *, now: Instant, spans: Sequence[Span] = (), new_id: NewId) -> Advance:
    """Return how *schedule*, which is to be looked at, goes on: the runs for the times that have passed, and the next.

    A time whose run would have been due in one of *spans*, in which no node looked, was missed:
    ``Plan.missed`` says what becomes of it. Each other time that has passed has its run.

    If there are many, the first of them: it is looked at again at once.

    Args:
        now: up to when it is known in which spans no node looked.

    Raises:
        TimeZoneUnknownError: its zone is not known here. So for the rules below.
    """
    assert schedule.next_at is not None  # noqa: S101 - it has a run, or would not be looked at
    way = _Way(schedule, now, spans, new_id)
    while len(way.runs) < RUNS_AT_ONCE:
        found = None if schedule.is_spent else schedule.plan.following(way.at)
        if found is None:
            return way.advance(look_at=None)
        if found.scheduled_for > now:
            way.make(found.scheduled_for)
            break
        way.pass_by(found.scheduled_for)
    return way.advance(look_at=way.at)


class _Way:
    """The times of a schedule that have passed, one after the other."""

    def __init__(self, schedule: Schedule, now: Instant, spans: Sequence[Span], new_id: NewId) -> None:
        assert schedule.next_at is not None  # noqa: S101 - see ``advance``
        self.at: Instant = schedule.next_at
        """Up to here all is done."""
        self.runs: list[Task] = []
        self._schedule = schedule
        self._plan = schedule.plan
        self._now = now
        self._spans = spans
        every = self._plan.every
        self._late_since = now - (CATCH_UP if every is None else min(CATCH_UP, MOST_LATE * every))
        """From when on times that have passed, although a node was up, have their runs."""
        self._new_id = new_id
        self._stand_ins: dict[Span, StandIn] = {}
        self._missed_times = 0

    def advance(self, *, look_at: Instant | None) -> Advance:
        """Return what has come of it."""
        return Advance(
            seen=self._schedule,
            runs=self.runs,
            stand_ins=tuple(self._stand_ins.values()),
            missed_times=self._missed_times,
            next_at=self.at,
            look_at=look_at,
        )

    def make(self, time: Instant, *, missed: int | None = None) -> None:
        """Make a run for *time*."""
        self.runs.append(replace(self._run(time), missed=missed))
        self.at = time

    def pass_by(self, time: Instant) -> None:
        """Do what there is to do for *time*, which has passed, and perhaps for others that follow."""
        due_at = self._plan.due_at(self._schedule.name, time)
        span = next((each for each in self._spans if each.begin_at < due_at < each.end_at), None)
        if span is not None:
            self._miss(time, span)
        elif due_at > self._now or time >= self._late_since:
            self.make(time)
        else:
            later = [each.begin_at - self._plan.jitter for each in self._spans if each.end_at > time]
            self.at = max(time, min([self._late_since, *later]) - 1)

    def _miss(self, time: Instant, span: Span) -> None:
        plan = self._plan
        since, _ = plan.runs_of(span)
        if time >= since and plan.missed is Missed.ALL and plan.count(since, time) < MOST_MISSED:
            self.make(time, missed=1)
            return
        # What lies so far from its end is due in it, whatever the jitter.
        last = max(time, min(span.end_at - max(plan.jitter, 1), self._now)) if time > span.begin_at else time
        if plan.missed is Missed.ALL and time < since:
            last = min(last, since - 1)
        self.at = last
        self._missed_times += plan.count(time, last + 1)
        if plan.missed is Missed.ONCE and (count := plan.count(max(time, since), last + 1)):
            self._stand_in(span, max(time, since), last + 1, count)

    def _stand_in(self, span: Span, since: Instant, until: Instant, count: int) -> None:
        """Have one run stand for *count* times more."""
        known = self._stand_ins.get(span)
        found = self._plan.following(since - 1)
        assert found is not None  # noqa: S101 - it was counted
        run = self._run(found.scheduled_for) if known is None else known.run
        if run.expires_at is not None:  # it may start as long as the last of them
            latest = self._run(self._plan.latest(found.scheduled_for, until))
            run = replace(run, expires_at=latest.expires_at)
        self._missed_times -= known is None
        run = replace(run, missed=(run.missed or 0) + count)
        self._stand_ins[span] = StandIn(span, *self._plan.runs_of(span), run)

    def _run(self, time: Instant) -> Task:
        place = len(self.runs) + len(self._stand_ins)  # so that their ids are in order, too
        return self._schedule.run(time, self._new_id(self._now + place))


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
        shown = next_at + walls.parse(run.execution_time[: -len("+00:00")]) - run.execution_at
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
    moment = None if shown is None else walls.place(shown, zones.zone_named(schedule.plan.time_zone or "UTC")).first
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
