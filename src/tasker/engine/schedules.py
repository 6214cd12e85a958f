"""Makes the runs of schedules."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Protocol

import structlog

from tasker.engine.due_work import Step
from tasker.engine.events import Events
from tasker.engine.telemetry import Telemetry
from tasker.errors import RevisionPassedError, ScheduleNotFoundError, TaskNotFoundError, TimeZoneUnknownError
from tasker.ids import new_id
from tasker.interfaces.store import Store
from tasker.model import zones
from tasker.model.instants import Instant, microseconds
from tasker.model.schedule import RUNS_AT_ONCE, Advance, Schedule, advance, is_misplaced, replaced, shown_at
from tasker.model.task import Pool, RunKind, Task
from tasker.model.walls import Wall

AT_ONCE: Final = 200
"""Schedules that go on in one step, at most."""

_RUNS_AT_ONCE: Final = 200
"""Runs that are made in one step: of schedules with more of them, the rest waits for the next one."""

_TURN: Final = 50
"""Schedules after which others have their turn."""

_LONG_AGO: Final = microseconds(timedelta(days=366))

_log = structlog.get_logger()


class Announce(Protocol):
    """Says that a task has been stored: see ``Engine.announce``."""

    def __call__(self, due_at: Instant, pool: Pool, *, expires_at: Instant | None = None) -> None:
        """Say so."""


class Schedules:
    """Has schedules go on whose time has come: makes the next run of each. The step of a ``DueWork``.

    And has runs go on that wait for others of their schedule, once these have ended.

    It depends on no claim and no end: whatever becomes of a run, the next one stands in the queue.
    """

    def __init__(
        self, store: Store, telemetry: Telemetry, events: Events, *, announce: Announce, ring: Callable[[], None]
    ) -> None:
        """Make the job.

        Args:
            events: told of the runs.
            announce: told of them, so that they start in time.
            ring: called when runs may start that waited for others.
        """
        self._store = store
        self._telemetry = telemetry
        self._events = events
        self._announce = announce
        self._unknown: set[str] = set()
        """Time zones of schedules that are left to other nodes: these have newer zones than this one."""
        self._ring = ring
        self.has_waiting = False
        """Whether runs waited for others of their schedule at the last step, whoever has had them wait."""

    async def step(self) -> Step:
        """Have some schedules go on. Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """
        while True:
            left_out = len(self._unknown)
            due = await self._store.due_schedules(limit=AT_ONCE, without=self._unknown)
            self.has_waiting = due.has_waiting
            if due.has_waiting and (await self._store.release_runs()).count:
                self._ring()
            done = await self.go_on(due.schedules) if due.schedules else 0
            if done or len(self._unknown) == left_out:  # else others may be due behind those
                return Step(done=done, next_at=due.next_at)

    async def go_on(self, schedules: Sequence[Schedule]) -> int:
        """Have *schedules* go on, which are to be looked at, or the first of them. Return how many have.

        What came due while no node looked is known once one has looked again: until then they wait.
        """
        since = min((each.next_at for each in schedules if each.next_at is not None), default=0)
        down = await self._store.down_spans(since=since)
        now = down.known_until
        schedules = [each for each in schedules if each.look_at is not None and each.look_at <= now]
        _warn_if_long_ago(schedules, now)
        advances: list[Advance] = []
        runs = 0
        for place, schedule in enumerate(schedules, 1):
            try:
                each = advance(schedule, now=now, spans=down.spans, new_id=new_id)
            except TimeZoneUnknownError as error:
                self._leave_out(schedule.name, error)
                continue
            advances.append(each)
            runs += len(each.runs) + len(each.stand_ins)
            if runs >= _RUNS_AT_ONCE:
                break
            if place % _TURN == 0:
                await asyncio.sleep(0)
        if not advances:
            return 0
        advanced = await self._store.advance_schedules(advances)
        self.made(advanced.runs)
        return advanced.count

    async def rezone(self) -> int:
        """Replace the queued runs of schedules for times that are none by this node's zones. Return how many.

        Safe to repeat.

        Raises:
            StoreUnavailableError, StoreBusyError: some were replaced.
        """
        after, count = None, 0
        while page := await self._store.schedules(after=after, limit=AT_ONCE):
            for place, each in enumerate(page, 1):
                try:
                    if is_misplaced(each):
                        count += await self._replace(each.name)
                except TimeZoneUnknownError as error:
                    self._leave_out(each.name, error)
                if place % _TURN == 0:
                    await asyncio.sleep(0)
            after = page[-1].name
        return count

    def _leave_out(self, name: str, error: TimeZoneUnknownError) -> None:
        """Leave schedules in a zone to other nodes, as that of this *name*, and say so once."""
        if error.time_zone not in self._unknown:
            self._unknown.add(error.time_zone)
            _log.error(
                "this node does not know the time zone of schedules: other nodes must make their runs; "
                "update the package tzdata",
                time_zone=error.time_zone,
                zones=zones.VERSION,
                first=name,
            )

    async def _replace(self, name: str) -> bool:
        """Have a schedule go on by this node's zones; False: it has been changed or has gone on, and is right."""
        try:
            seen = await self._store.schedule(name)
            if not is_misplaced(seen):
                return False
            shown = await self._shown(seen)
            schedule, run = replaced(seen, shown, now=self._store.clock.now(), new_id=new_id)
            if schedule == seen:
                return False
            done = await self._store.put_schedule(schedule, run, seen=seen)
        except (ScheduleNotFoundError, RevisionPassedError):
            return False
        if self._events.is_on:
            self._events.runs_removed(seen, done.removed)
        self.made([] if done.run is None else [done.run])
        return True

    async def _shown(self, schedule: Schedule) -> Wall | None:
        """Return what the clocks were to show at ``next_at`` by the zones that its run was made with; None: unknown."""
        next_at = schedule.next_at
        assert next_at is not None  # noqa: S101 - it is misplaced
        task_id = await self._store.queued_run(schedule.name, next_at)
        if task_id is None:  # it has started
            latest = await self._store.runs(schedule.name, limit=RUNS_AT_ONCE)
            for_it = (each.id for each in latest if (each.scheduled_for, each.kind) == (next_at, RunKind.REGULAR))
            task_id = next(for_it, None)
        try:
            return None if task_id is None else shown_at(schedule, await self._store.get(task_id))
        except TaskNotFoundError:
            return None

    def made(self, runs: Sequence[Task]) -> None:
        """Say that *runs* were stored."""
        for run in runs:
            self._telemetry.scheduled += 1
            self._announce(run.due_at, run.pool, expires_at=run.expires_at)
            if self._events.is_on:
                self._events.created(run)


def _warn_if_long_ago(schedules: Sequence[Schedule], now: Instant) -> None:
    late = [each.name for each in schedules if each.next_at is not None and now - each.next_at > _LONG_AGO]
    if late:
        _log.warning(
            "the next runs of some schedules were due more than a year ago; if the clock is ahead, "
            "set it right, and resume them: their times only go forward by themselves",
            schedules=len(late),
            first=late[0],
        )
