"""Schedules: keeps them, and makes their runs."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tasker.errors import RevisionPassedError, StoreError
from tasker.ids import new_id
from tasker.interfaces.queue import Follow
from tasker.interfaces.schedules import Admitted, Advanced, Released, Rescheduled
from tasker.model.attempt import Attempt
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.lateness import Span
from tasker.model.schedule import Advance, Schedule
from tasker.model.task import Admission, RunKind, Task, TaskId
from tasker.stores.admitting import LONG_REACH, RELEASE_LIMIT, Asking, asking_of
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.gates import Gates
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.kept_answers import KeptAnswers
from tasker.stores.rows import Reading, schedule_values

_ROWS: Final = 200
_BYTES: Final = 1 << 20
"""What of many runs one statement stores: it must not take as long as one may."""

_VALUES: Final = ("name", "revision", "type", "plan", "is_paused", "put_by")


class Schedules:
    """Writes schedules, and with them the runs that they make, on one link.

    Whoever writes a schedule has locked its row first: nobody else makes its regular runs meanwhile.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        inserter: Inserter,
        kept_answers: KeptAnswers,
        gates: Gates,
        auditor: Auditor,
        reading: Reading,
        follow: Follow,
    ) -> None:
        """Make it.

        Args:
            inserter: stores the runs, on the same link.
        """
        self._link = link
        self._sql = queries
        self._inserter = inserter
        self._kept_answers = kept_answers
        self._gates = gates
        self._reading = reading
        self._follow = follow
        self._auditor = auditor

    async def put(
        self, schedule: Schedule, run: Task | None, seen: Schedule | None, reach: timedelta, entry: Entry | None
    ) -> Rescheduled:
        """Store a schedule and its next run: see ``Store.put_schedule``.

        Raises:
            RevisionPassedError: nothing was written.
        """
        runs = [] if run is None else [run]

        async def put(connection: Connection) -> Rescheduled:
            await self._inserter.make_what_is_named(connection, runs)  # before the row is locked
            async with self._inserter.transaction(connection):
                kept = schedule_values(schedule)
                values = [*(kept[name] for name in _VALUES), schedule.next_at, schedule.look_at]
                if seen is None:
                    written = await connection.fetchval(self._sql["create_schedule"], *values)
                else:
                    fence = (seen.revision, seen.next_at)
                    written = await connection.fetchval(self._sql["change_schedule"], *values, *fence)
                if written is None:
                    raise RevisionPassedError(schedule.name, "schedule")
                template = msgspec.json.encode(schedule.template)
                await connection.execute(self._sql["keep_template"], schedule.name, template)
                removed = [] if seen is None else await self._remove(connection, schedule.name, reach)
                missing = await self._without_those_there(connection, runs)
                if len(missing) < len(runs):
                    await connection.execute(self._sql["look_at_schedules"], [schedule.name], [schedule.next_at])
                await self._inserter.insert(connection, missing)
                await self._auditor.write(connection, entry)
            return Rescheduled(removed, missing[0] if missing else None)

        return await self._link.run(put)

    async def delete(self, seen: Schedule, reach: timedelta, entry: Entry | None) -> Sequence[TaskId]:
        """Delete a schedule: see ``Store.delete_schedule``.

        Raises:
            RevisionPassedError: nothing was written.
        """

        async def delete(connection: Connection) -> Sequence[TaskId]:
            async with connection.transaction():
                gone = await connection.fetchval(self._sql["delete_schedule"], seen.name, seen.revision, seen.next_at)
                if gone is None:
                    raise RevisionPassedError(seen.name, "schedule")
                await connection.execute(self._sql["delete_template"], seen.name)
                removed = await self._remove(connection, seen.name, reach)
                await self._auditor.write(connection, entry)
            return removed

        return await self._link.run(delete)

    async def add(
        self,
        seen: Schedule,
        runs: Sequence[Task],
        repeatable: Repeatable[Sequence[Task]] | None,
        entry: Entry | None,
    ) -> KeptAnswer | Sequence[Task]:
        """Store runs that somebody asked for: see ``Store.add_runs``.

        Raises:
            RevisionPassedError: nothing was written.
        """

        async def add(connection: Connection) -> KeptAnswer | Sequence[Task]:
            async def make() -> tuple[Sequence[Task], Instant]:
                if await connection.fetchval(self._sql["schedule_revision"], seen.name) != seen.revision:
                    raise RevisionPassedError(seen.name, "schedule")
                for part in _parts(runs):
                    await self._inserter.insert(connection, part)
                await self._auditor.write(connection, entry)
                return runs, 0

            await self._inserter.make_what_is_named(connection, runs)
            async with self._inserter.transaction(connection):
                return await self._kept_answers.once(connection, repeatable, make)

        return await self._link.run(add)

    async def advance(self, advances: Sequence[Advance]) -> Advanced:
        """Have schedules go on: see ``Store.advance_schedules``."""

        async def advance(connection: Connection) -> Advanced:
            named = [run for each in advances for run in (*each.runs, *(other.run for other in each.stand_ins))]
            await self._inserter.make_what_is_named(connection, named)
            async with self._inserter.transaction(connection):
                seen = [each.seen for each in advances]
                rows = await connection.fetch(
                    self._sql["lock_schedules"],
                    [each.name for each in seen],
                    [each.revision for each in seen],
                    [each.next_at for each in seen],
                )
                locked = {row["name"] for row in rows}
                going = [each for each in advances if each.seen.name in locked]
                standing = await self._stand_in(connection, going)
                runs = [*standing, *(run for each in going for run in each.runs)]
                missing = await self._without_those_there(connection, runs)
                await self._inserter.insert(connection, missing)
                await self._note_missed(connection, missing)
                made = {run.id for run in missing}
                await connection.execute(
                    self._sql["advance_schedules"],
                    [each.seen.name for each in going],
                    [each.next_at for each in going],
                    [each.look_at for each in going],
                    [bool(each.runs) and each.runs[-1].id not in made for each in going],
                )
            return Advanced(len(going), missing)

        return await self._link.run(advance)

    async def _stand_in(self, connection: Connection, advances: Sequence[Advance]) -> Sequence[Task]:
        """Have runs that are there stand for what was missed, count that, and return what is to be made for it."""
        missed = [each for each in advances if each.missed_times or each.stand_ins]
        if not missed:
            return []
        await connection.execute(self._sql["lock_counts"], [each.seen.name for each in missed])
        stand_ins = [(each.seen.name, stand_in) for each in missed for stand_in in each.stand_ins]
        found: dict[int, TaskId] = {}
        if stand_ins:
            places = [_place(name, each.span, each.since, each.until) for name, each in stand_ins]
            rows = await connection.fetch(self._sql["stand_ins"], *zip(*places, strict=True))
            found = {row["place"] - 1: row["id"] for row in rows}
        await connection.execute(
            self._sql["stand_for"],
            [*found.values()],
            [stand_ins[place][1].run.missed for place in found],
            [stand_ins[place][1].run.expires_at for place in found],
        )
        merged = Counter(stand_ins[place][0] for place in found)
        nothing = [0] * len(missed)
        await connection.execute(
            self._sql["count_runs"],
            [each.seen.name for each in missed],
            nothing,
            nothing,
            [each.missed_times + merged[each.seen.name] for each in missed],
        )
        return [each.run for place, (_, each) in enumerate(stand_ins) if place not in found]

    async def _note_missed(self, connection: Connection, made: Sequence[Task]) -> None:
        """Write down for how many times that were missed runs stand that were made just now."""
        missed = [(run.id, run.missed) for run in made if run.missed is not None]
        if missed:
            await connection.execute(self._sql["set_missed"], *zip(*missed, strict=True))

    async def admit_batch(self, batch: Sequence[Sequence[Attempt]]) -> Sequence[Sequence[Admitted]]:
        """Decide for several callers whether runs start: see ``Store.admit``.

        In one transaction: alone, each would wait for the disk, and for all that was handed in before.
        """
        asking = {(each.task_id, each.fence): each for asked in batch for each in asked}
        attempts = sorted(asking.values(), key=lambda each: (each.due_at, each.task_id))
        admitted, gates = await self._link.run(lambda connection: self._admit(connection, attempts))
        if gates:
            with suppress(StoreError):  # then it is looked at when its time comes
                await self._link.run(lambda connection: self._gates.wake(connection, gates))
        by_claim = {(each.task_id, each.fence): came_of for each, came_of in zip(attempts, admitted, strict=True)}
        return [[by_claim[each.task_id, each.fence] for each in asked] for asked in batch]

    async def _admit(self, connection: Connection, attempts: Sequence[Attempt]) -> tuple[Sequence[Admitted], set[int]]:
        """Return what was decided, and the gates that may have room."""
        names = sorted({attempt.schedule for attempt in attempts if attempt.schedule is not None})
        admissions: dict[TaskId, Admission] = {}
        removed: dict[TaskId, Sequence[TaskId]] = {}
        async with self._inserter.transaction(connection):
            rows = await connection.fetch(self._sql["schedules_to_admit"], names)
            before = {each.name: each for each in map(self._reading.schedule.read, rows)}
            schedules = dict(before)
            looked_at: dict[str, bool] = {}
            rows = await connection.fetch(self._sql["going_on"], names)
            going = {row["name"]: {TaskId(str(id_)) for id_ in row["going"] or ()} for row in rows}
            waits = {row["name"]: row["waits"] for row in rows}
            rows = await connection.fetch(
                self._sql["asking"],
                [attempt.task_id for attempt in attempts],
                [attempt.fence for attempt in attempts],
            )
            stand = {TaskId(str(row["id"])): row for row in rows}
            late = {attempt.task_id for attempt in attempts if attempt.late_down} & stand.keys()
            missed = await self._missed(connection, [stand[task_id] for task_id in late], schedules)
            for task_id in [attempt.task_id for attempt in attempts if attempt.task_id in stand]:
                row = stand[task_id]
                name, schedule = row["schedule"], schedules.get(row["schedule"])
                asked = asking_of(row)
                decided = asked.decide(
                    schedule,
                    goes_on=bool(going[name] - {task_id}),
                    waits=waits[name],
                    span=missed.spans.get(task_id),
                    merges=missed.merges(task_id),
                )
                missed.decided(task_id, asked, decided)
                admissions[task_id] = decided
                if decided is Admission.STARTED:
                    going[name].add(task_id)
                waits[name] |= decided is Admission.BEHIND and asked.kind is RunKind.REGULAR
                counts = asked.counts(schedule, decided)
                if counts is not None and schedule is not None:
                    schedules[name] = replace(
                        schedule,
                        started=schedule.started + counts.started,
                        skipped=schedule.skipped + counts.skipped,
                        missed_times=schedule.missed_times + counts.missed_times,
                    )
                    if counts.is_spent:
                        removed[task_id] = await self._remove(connection, name, LONG_REACH)
                    if counts.is_spent or counts.gone == schedule.next_at is not None:
                        looked_at[name] = counts.is_spent
            await self._count(connection, before, schedules, looked_at)
            started = [task_id for task_id, decided in admissions.items() if decided is Admission.STARTED]
            if started:
                await connection.execute(self._sql["start_runs"], started, [*missed.spans])
            back = {task_id: decided for task_id, decided in admissions.items() if decided is not Admission.STARTED}
            followers, gates = await self._keep_back(connection, back, missed.spans.keys())
            if missed.merged:
                merged = [*missed.merged.items()]
                await connection.execute(self._sql["stand_for"], *zip(*merged, strict=True), [None] * len(merged))
        return [
            Admitted(admissions.get(each.task_id), followers.get(each.task_id, ()), removed.get(each.task_id, ()))
            for each in attempts
        ], gates

    async def _keep_back(
        self, connection: Connection, admissions: Mapping[TaskId, Admission], missed: Collection[TaskId]
    ) -> tuple[Mapping[TaskId, Sequence[Task]], set[int]]:
        """Have runs wait or end. Return what follows the ends, and the gates that may have room."""
        followers: dict[TaskId, Sequence[Task]] = {}
        gates: set[int] = set()
        if not admissions:
            return followers, gates
        rows = await connection.fetch(
            self._sql["keep_runs_back"],
            [*admissions],
            [int(decided) for decided in admissions.values()],
            [task_id in missed for task_id in admissions],
        )
        for row in rows:
            gates |= {gate for gate in (row["gate"], row["host_gate"]) if gate is not None}
            ending = self._reading.cancelled(row)
            if admissions[ending.task_id].is_left_out:
                followers[ending.task_id] = self._follow(ending, now=row["now"], new_id=new_id)
        await self._inserter.insert(connection, [task for each in followers.values() for task in each])
        return followers, gates

    async def _count(
        self,
        connection: Connection,
        before: Mapping[str, Schedule],
        now: Mapping[str, Schedule],
        looked_at: Mapping[str, bool],
    ) -> None:
        """Write in the rows of schedules what was decided: in each once.

        Args:
            looked_at: those that are to be looked at now; True: at none of their times any more.
        """
        await connection.execute(
            self._sql["count_runs"],
            [*before],
            [now[name].started - each.started for name, each in before.items()],
            [now[name].skipped - each.skipped for name, each in before.items()],
            [now[name].missed_times - each.missed_times for name, each in before.items()],
        )
        if looked_at:
            await connection.execute(self._sql["look_after_runs"], [*looked_at], [*looked_at.values()])

    async def _missed(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], schedules: Mapping[str, Schedule]
    ) -> "_MissedRuns":
        """Return which of some runs that would start were missed, and what they merge into."""
        asking = [row for row in rows if asking_of(row).may_be_missed and row["schedule"] in schedules]
        if not asking:
            return _MissedRuns()
        found = await connection.fetch(self._sql["spans_of"], [row["due_at"] for row in asking])
        span_of = {moment: Span(begin_at, end_at) for moment, begin_at, end_at in found}
        spans = {TaskId(str(row["id"])): span_of[row["due_at"]] for row in asking if row["due_at"] in span_of}
        groups: dict[TaskId, tuple[str, Span]] = {}
        places = []
        for row in asking:
            task_id, plan = TaskId(str(row["id"])), schedules[row["schedule"]].plan
            span = spans.get(task_id)
            if span is not None and plan.merges(row["scheduled_for"], span):
                groups[task_id] = row["schedule"], span
                places.append((*_place(row["schedule"], span, *plan.runs_of(span)), task_id))
        others = {}
        if places:
            rows = await connection.fetch(self._sql["other_stand_ins"], *zip(*places, strict=True))
            others = {groups[TaskId(str(id_))]: TaskId(str(other)) for id_, other in rows}
        return _MissedRuns(spans, groups, others)

    async def release(self) -> Released:
        """Let runs go that wait for no other any more: see ``Store.release_runs``."""
        rows = await self._link.run(lambda connection: connection.fetch(self._sql["release_runs"], RELEASE_LIMIT))
        return Released(len(rows))

    async def _remove(self, connection: Connection, name: str, reach: timedelta) -> Sequence[TaskId]:
        rows = await connection.fetch(self._sql["remove_queued_runs"], name, reach)
        return [TaskId(str(row["id"])) for row in rows]

    async def _without_those_there(self, connection: Connection, runs: Sequence[Task]) -> Sequence[Task]:
        """Return those of *runs* for whose times there are none."""
        if not runs:
            return runs
        rows = await connection.fetch(
            self._sql["runs_for"], [run.schedule for run in runs], [run.scheduled_for for run in runs]
        )
        there: set[tuple[str, Instant]] = {(row["schedule"], row["scheduled_for"]) for row in rows}
        return [run for run in runs if (run.schedule, run.scheduled_for) not in there]


def _parts(runs: Sequence[Task]) -> Iterator[Sequence[Task]]:
    """Return *runs* in parts, as many as one statement stores."""
    start = size = 0
    for place, run in enumerate(runs, 1):
        size += len(run.payload)
        if size >= _BYTES or place - start == _ROWS or place == len(runs):
            yield runs[start:place]
            start, size = place, 0


class _MissedRuns:
    """The runs that came due while no node looked, among those of which is decided one after the other."""

    def __init__(
        self,
        spans: Mapping[TaskId, Span] | None = None,
        groups: Mapping[TaskId, tuple[str, Span]] | None = None,
        stand_ins: Mapping[tuple[str, Span], TaskId] | None = None,
    ) -> None:
        """Make it.

        Args:
            spans: in which each was missed.
            groups: of those that may merge into another, their schedules and spans.
            stand_ins: the runs that stand for what was missed, by schedule and span.
        """
        self.spans = spans or {}
        self.merged: Counter[TaskId] = Counter()
        """How many times more runs stand for, because others merge into them."""
        self._groups = groups or {}
        self._stand_ins = dict(stand_ins or {})

    def merges(self, task_id: TaskId) -> bool:
        """Whether a run merges into another."""
        return self._stand_ins.get(self._groups.get(task_id, _NOWHERE), task_id) != task_id

    def decided(self, task_id: TaskId, asked: Asking, admission: Admission) -> None:
        """Say what becomes of a run."""
        group = self._groups.get(task_id)
        if group is None:
            return
        if admission is Admission.MISSED:
            self.merged[self._stand_ins[group]] += asked.missed or 1
        elif not admission.is_left_out:
            self._stand_ins.setdefault(group, task_id)


_NOWHERE: Final = ("", Span(0, 0))


def _place(name: str, span: Span, since: Instant, until: Instant) -> tuple[str, Instant, Instant, Instant, Instant]:
    """Return where a run of a schedule is looked for that stands for what was missed in *span*."""
    return name, since, until, span.begin_at, span.end_at
