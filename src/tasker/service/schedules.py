"""What callers can do with schedules."""

import contextlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tasker.callers import Caller, Scope
from tasker.engine.engine import Engine
from tasker.errors import InvalidRequestError, RevisionPassedError, ScheduleNotFoundError, StoreUnavailableError
from tasker.ids import new_id
from tasker.interfaces.schedules import Rescheduled
from tasker.interfaces.store import Store
from tasker.model import instants, names
from tasker.model.audit import Action, Changes, Entry, Kind
from tasker.model.audit import changed as changed_member
from tasker.model.event import EventChange, EventKind
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.recurrence import Occurrence
from tasker.model.schedule import BACKFILL_LIMIT, Plan, Run, Schedule, begun, changed
from tasker.model.task import RunKind, Task, TaskId
from tasker.scheduling import AskedSchedule, anchored, build_schedule, check_times_to_come, says_the_same
from tasker.service.upgrading import refuse_if_upgrading
from tasker.task_types.registry import Registry
from tasker.wire.changes import schedule_changes

NEXT_SHOWN: Final = 10
"""Times to come that a schedule shows."""

LAST_SHOWN: Final = 10
"""Runs that it shows."""

_REVISION_BITS: Final = 40

_TRIES: Final = 100
"""So often it is tried to have a schedule go on before it is changed."""


class ScheduleStatus(Struct, frozen=True, kw_only=True):
    """A schedule, and what comes of it."""

    schedule: Schedule
    next_runs: Sequence[Occurrence]
    """The next ``NEXT_SHOWN`` times; none while it is paused. Without one whose run has started early."""
    queued: TaskId | None
    """The run for its ``next_at``, if it stands in the queue and has not started."""
    last_runs: Sequence[Run]
    """See ``Store.runs``."""
    has_secrets: bool
    """Whether the caller may see the secrets of its task."""


class ScheduleService:
    """Puts, reads, lists, pauses, resumes, runs and deletes schedules. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine, registry: Registry) -> None:
        self._store = store
        self._clock = store.clock
        self._engine = engine
        self._events = engine.events
        self._webhooks = registry.webhooks

    async def put(
        self, caller: Caller, name: str, asked: AskedSchedule, *, revisions: frozenset[int] | None = None
    ) -> tuple[ScheduleStatus, bool]:
        """Create a schedule, or change it into what is *asked* for. Return it as it stands then, and whether it is new.

        The run that stands in the queue is replaced, unless nothing has changed: then nothing is
        written. A time whose run was called off or started early does not come again, unless the times have
        changed.

        Args:
            revisions: those at which the schedule may be; None: any, and there may be none.

        Raises:
            InvalidRequestError: its task cannot become one, or no run would come of the times that are asked for.
            RevisionPassedError: it is at another revision, or there is none.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "schedules")
        while True:
            seen = await self._found(name)
            if revisions is not None and (seen is None or seen.revision not in revisions):
                raise RevisionPassedError(name, "schedule")
            now = self._clock.now()
            new = build_schedule(
                name,
                asked,
                before=seen,
                now=now,
                revision=secrets.randbits(_REVISION_BITS),
                put_by=caller.creator,
                webhooks=self._webhooks,
            )
            check_times_to_come(new.plan, before=seen, now=now)
            if seen is None:
                schedule, run = begun(new, after=now, now=now, new_id=new_id)
            elif says_the_same(seen, new):
                await self._store.confirm()
                return await self._status(caller, seen), False
            else:
                schedule, run = changed(await self._without_a_run_that_is_gone(seen), new, now=now, new_id=new_id)
            action = Action.CREATE if seen is None else Action.CHANGE
            with contextlib.suppress(RevisionPassedError):  # then again, from the newest
                await self._write(caller, action, schedule, run, seen, schedule_changes(seen, schedule))
                break
        return await self._status(caller, await self._stored(name)), seen is None

    async def pause(self, caller: Caller, name: str) -> ScheduleStatus:
        """Have a schedule make no runs, and return it. The one that stands in the queue is removed.

        Raises:
            ScheduleNotFoundError: there is none with this name.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "schedules")
        while True:
            seen = await self._caught_up(name)
            if seen.is_paused:
                await self._store.confirm()
                break
            paused = replace(seen, is_paused=True, look_at=None, revision=seen.revision + 1)
            with contextlib.suppress(RevisionPassedError):
                await self._write(caller, Action.PAUSE, paused, None, seen)
                break
        return await self._status(caller, await self._stored(name))

    async def resume(self, caller: Caller, name: str) -> ScheduleStatus:
        """Have a schedule make runs, from its first time after now on, and return it.

        So does one that was not paused: what it knows of its next time is forgotten.

        Raises:
            ScheduleNotFoundError: there is none with this name.
            TimeZoneUnknownError: its zone is not known here.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "schedules")
        while True:
            seen = await self._caught_up(name)
            now = self._clock.now()
            resumed = replace(seen, is_paused=False, revision=seen.revision + 1)
            schedule, run = begun(resumed, after=now, now=now, new_id=new_id)
            with contextlib.suppress(RevisionPassedError):
                await self._write(caller, Action.RESUME, schedule, run, seen)
                break
        return await self._status(caller, await self._stored(name))

    async def run(
        self, caller: Caller, name: str, repeatable: Repeatable[Sequence[Task]] | None
    ) -> KeptAnswer | Sequence[Task]:
        """Make a run now, whatever the schedule's times are and whether it is paused; return it.

        Raises:
            IdempotencyInFlightError: see ``Store.create_once``.
            ScheduleNotFoundError: there is none with this name.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "schedules")
        while True:
            seen, now = await self._stored(name), self._clock.now()
            entry = caller.entry(Action.RUN, Kind.SCHEDULE, name)
            with contextlib.suppress(RevisionPassedError):
                return await self._add(caller, seen, RunKind.MANUAL, [now], repeatable, entry)

    async def backfill(
        self,
        caller: Caller,
        name: str,
        *,
        since: Instant,
        until: Instant,
        repeatable: Repeatable[Sequence[Task]] | None,
    ) -> KeptAnswer | Sequence[Task]:
        """Make a run for each time of a schedule from *since* on and before *until*, the earliest first; return them.

        They are due now. Whether the schedule is paused does not matter, nor whether there are runs
        for these times.

        Raises:
            InvalidRequestError: *until* has not passed, or there are more than ``BACKFILL_LIMIT``.
            IdempotencyInFlightError: see ``Store.create_once``.
            ScheduleNotFoundError: there is none with this name.
            TimeZoneUnknownError: its zone is not known here.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "schedules")
        if until > self._clock.now():
            raise InvalidRequestError("to", f"expected a time that has passed, got: {instants.text(until)}")
        while True:
            seen = await self._stored(name)
            times = list(islice(seen.plan.times(since, until), BACKFILL_LIMIT + 1))
            if len(times) > BACKFILL_LIMIT:
                raise InvalidRequestError(
                    "to",
                    f"expected at most {BACKFILL_LIMIT} times of the schedule since from: "
                    f"{instants.text(times[-1])} is the first too many",
                )
            changes = {
                "from": changed_member(after=instants.text(since)),
                "to": changed_member(after=instants.text(until)),
                "runs": changed_member(after=len(times)),
            }
            entry = caller.entry(Action.BACKFILL, Kind.SCHEDULE, name, changes=changes)
            with contextlib.suppress(RevisionPassedError):
                return await self._add(caller, seen, RunKind.BACKFILL, times, repeatable, entry)

    async def _add(
        self,
        caller: Caller,
        seen: Schedule,
        kind: RunKind,
        times: Sequence[Instant],
        repeatable: Repeatable[Sequence[Task]] | None,
        entry: Entry,
    ) -> KeptAnswer | Sequence[Task]:
        """Store runs for *times*, and return them."""
        now = self._clock.now()
        first = replace(seen.asked_run(now, new_id(now), kind, now=now), created_by=caller.creator)
        runs = [
            replace(first, id=new_id(now + place), scheduled_for=time)  # so that their ids are in order, too
            for place, time in enumerate(times)  # all have one payload, which may be long
        ]
        made = await self._store.add_runs(seen, runs, repeatable, entry=entry)
        if not isinstance(made, KeptAnswer):
            self._engine.schedules.made(made)
        return made

    async def delete(self, caller: Caller, name: str, *, revisions: frozenset[int] | None = None) -> None:
        """Delete a schedule, and its runs that are not due yet. Those that are go on.

        Args:
            revisions: those at which the schedule may be; None: any.

        Raises:
            ScheduleNotFoundError: there is none with this name.
            RevisionPassedError: it is at another revision.
            UpgradeUnfinishedError: nodes of the version before may be running.
        """
        refuse_if_upgrading(self._store, "schedules")
        while True:
            seen = await self._stored(name)
            if revisions is not None and seen.revision not in revisions:
                raise RevisionPassedError(name, "schedule")
            queued = await self._queued(seen)
            entry = caller.entry(Action.DELETE, Kind.SCHEDULE, name, changes=schedule_changes(seen, None))
            with contextlib.suppress(RevisionPassedError):
                removed = await self._store.delete_schedule(seen, reach=_reach(seen), entry=entry)
                break
        self._gone(seen, removed, queued)
        if self._events.is_on:
            self._events.schedule(name, EventChange.DELETED)

    async def get(self, caller: Caller, name: str) -> ScheduleStatus:
        """Return a schedule.

        Raises:
            ScheduleNotFoundError: there is none with this name.
        """
        return await self._status(caller, await self._stored(name))

    def preview(self, plan: Plan) -> tuple[Plan, Sequence[Occurrence]]:
        """Return *plan* with its anchor, and its next ``NEXT_SHOWN`` times, if it were put now as a new schedule.

        Raises:
            InvalidRequestError: no run would come of it.
        """
        now = self._clock.now()
        plan = anchored(plan, before=None, now=now)
        check_times_to_come(plan, before=None, now=now)
        return plan, _following(plan, now)

    async def page(self, *, after: str | None, limit: int) -> Sequence[Schedule]:
        """Return up to *limit* schedules by name, those after a name; None: from the first one on."""
        return await self._store.schedules(after=after, limit=limit)

    async def _stored(self, name: str) -> Schedule:
        if not names.is_name(name):  # which no store has to be asked for, and not every store can be
            raise ScheduleNotFoundError(name)
        return await self._store.schedule(name)

    async def _found(self, name: str) -> Schedule | None:
        try:
            return await self._caught_up(name)
        except ScheduleNotFoundError:
            return None

    async def _caught_up(self, name: str) -> Schedule:
        """Return a schedule once it has made the runs for the times that have passed, if its zone is known here.

        Raises:
            StoreUnavailableError: it has not, again and again: others are at it, or this node does not look for tasks.
        """
        for _ in range(_TRIES):
            schedule = await self._stored(name)
            if schedule.look_at is None or schedule.look_at > self._clock.now() or not schedule.plan.is_known:
                return schedule
            if not await self._engine.schedules.go_on([schedule]):
                await self._store.claim_due({})  # a look: now it is known what was missed
        raise StoreUnavailableError("this node does not look for due tasks, or others make the runs of the schedule")

    async def _without_a_run_that_is_gone(self, schedule: Schedule) -> Schedule:
        """Return *schedule* as one whose run does not stand, if that has started early: its time does not come again.

        What has started may have ended and be deleted since.
        """
        if schedule.next_at is None or await self._store.queued_run(schedule.name, schedule.next_at) is not None:
            return schedule
        return replace(schedule, look_at=None)

    async def _write(
        self,
        caller: Caller,
        action: Action,
        schedule: Schedule,
        run: Task | None,
        seen: Schedule | None,
        changes: Changes | None = None,
    ) -> None:
        entry = caller.entry(action, Kind.SCHEDULE, schedule.name, changes=changes or {})
        queued = None if seen is None else await self._queued(seen)
        reach = timedelta(0) if seen is None or not schedule.is_paused else _reach(seen)
        done: Rescheduled = await self._store.put_schedule(schedule, run, seen=seen, reach=reach, entry=entry)
        if seen is not None:
            self._gone(seen, done.removed, queued)
        self._engine.schedules.made([] if done.run is None else [done.run])
        if schedule.look_at is not None:
            self._engine.announce_schedule(self._clock.now() if done.run is None else schedule.look_at)
        if self._events.is_on:
            self._events.schedule(schedule.name, _EVENTS[action])

    async def _queued(self, schedule: Schedule) -> Task | None:
        """Return the run that stands in the queue, if somebody is to be told of it."""
        if not self._events.is_on or schedule.next_at is None:
            return None
        task_id = await self._store.queued_run(schedule.name, schedule.next_at)
        tasks = await self._events.read([] if task_id is None else [task_id])
        return tasks[0] if tasks else None

    def _gone(self, seen: Schedule, removed: Sequence[TaskId], queued: Task | None) -> None:
        """Say that runs were removed, perhaps the one that was read before."""
        for task_id in removed:
            self._engine.waiters.tell(task_id)
        if not self._events.is_on:
            return
        if queued is not None and queued.id in removed:
            self._events.moved(EventKind.DELETED, queued)
        self._events.runs_removed(seen, [task_id for task_id in removed if queued is None or task_id != queued.id])

    async def _status(self, caller: Caller, schedule: Schedule) -> ScheduleStatus:
        queued = None
        if schedule.next_at is not None:
            queued = await self._store.queued_run(schedule.name, schedule.next_at)
        return ScheduleStatus(
            schedule=schedule,
            next_runs=self._next_runs(schedule, queued),
            queued=queued,
            last_runs=await self._store.runs(schedule.name, limit=LAST_SHOWN),
            has_secrets=caller.may(Scope.SECRETS_READ),
        )

    def _next_runs(self, schedule: Schedule, queued: TaskId | None) -> Sequence[Occurrence]:
        if schedule.next_at is None or schedule.look_at is None or not schedule.plan.is_known:
            return []
        after = schedule.next_at if queued is None else schedule.next_at - 1
        return _following(schedule.plan, max(after, self._clock.now()))


def _following(plan: Plan, after: Instant) -> Sequence[Occurrence]:
    """Return the first ``NEXT_SHOWN`` times of *plan* later than *after*."""
    found: list[Occurrence] = []
    while len(found) < NEXT_SHOWN and (each := plan.following(after)) is not None:
        found.append(each)
        after = each.scheduled_for
    return found


_EVENTS: Final = {
    Action.CREATE: EventChange.CREATED,
    Action.CHANGE: EventChange.PATCHED,
    Action.PAUSE: EventChange.PAUSED,
    Action.RESUME: EventChange.RESUMED,
}


def _reach(schedule: Schedule) -> timedelta:
    """Return how long before now the times may lie whose runs are not due yet."""
    return timedelta(microseconds=schedule.plan.jitter)
