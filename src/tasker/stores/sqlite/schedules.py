"""Schedules: keeps them, and makes their runs."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from tasker.errors import RevisionPassedError, ScheduleNotFoundError
from tasker.interfaces.schedules import Admitted, Advanced, DownSpans, DueSchedules, Released, Rescheduled
from tasker.model.attempt import Attempt
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant, after
from tasker.model.lateness import Span, known_until
from tasker.model.schedule import Advance, Run, Schedule
from tasker.model.task import Admission, RunKind, State, Task, TaskId
from tasker.stores.admitting import LONG_REACH, RELEASE_LIMIT, Asking, admission_of
from tasker.stores.rows import run_of, schedule_values
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.changer import delete_rest
from tasker.stores.sqlite.connection import ROWS_AT_ONCE, Queries, Value
from tasker.stores.sqlite.gates import Gates, as_json
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.kept_answers import KeptAnswers
from tasker.stores.sqlite.rows import READING, id_bytes, id_text
from tasker.stores.sqlite.stager import Staged, Stager

T = TypeVar("T")


class Schedules:
    """Writes schedules, and with them the runs that they make."""

    def __init__(
        self,
        queries: Queries,
        inserter: Inserter,
        stager: Stager,
        kept_answers: KeptAnswers,
        gates: Gates,
        auditor: Auditor,
        now: Callable[[], Instant],
    ) -> None:
        self._queries = queries
        self._inserter = inserter
        self._stager = stager
        self._kept_answers = kept_answers
        self._gates = gates
        self._auditor = auditor
        self._now = now

    def put(
        self, schedule: Schedule, run: Task | None, seen: Schedule | None, reach: timedelta, entry: Entry | None
    ) -> Rescheduled:
        """Store a schedule and its next run: see ``Store.put_schedule``.

        Raises:
            RevisionPassedError: nothing was written.
        """
        now = self._now()
        values = {**schedule_values(schedule), "now": now, "next_at": schedule.next_at, "look_at": schedule.look_at}
        if seen is None:
            written = self._queries.all("create_schedule", **values)
        else:
            written = self._queries.all("change_schedule", **values, seen=seen.revision, seen_next_at=seen.next_at)
        if not written:
            raise RevisionPassedError(schedule.name, "schedule")
        if seen is None:
            self._queries.all("create_run_count", schedule=schedule.name)
        template = msgspec.json.encode(schedule.template)
        self._queries.all("keep_template", schedule=schedule.name, template=template)
        removed = [] if seen is None else self._remove(schedule.name, reach, now)
        if run is not None and self._runs_for([run]):
            self._queries.all("look_at_schedule", name=schedule.name, scheduled_for=run.scheduled_for)
            run = None
        self._inserter.insert([] if run is None else [run])
        self._auditor.write(entry)
        return Rescheduled(removed, run)

    def delete(self, seen: Schedule, reach: timedelta, entry: Entry | None) -> Sequence[TaskId]:
        """Delete a schedule: see ``Store.delete_schedule``.

        Raises:
            RevisionPassedError: nothing was written.
        """
        if not self._queries.all("delete_schedule", name=seen.name, seen=seen.revision, seen_next_at=seen.next_at):
            raise RevisionPassedError(seen.name, "schedule")
        self._queries.all("delete_template", schedule=seen.name)
        self._queries.all("delete_run_count", schedule=seen.name)
        removed = self._remove(seen.name, reach, self._now())
        self._auditor.write(entry)
        return removed

    def add(
        self,
        seen: Schedule,
        runs: Sequence[Task],
        repeatable: Repeatable[Sequence[Task]] | None,
        entry: Entry | None,
        staged: Staged | None = None,
    ) -> KeptAnswer | Sequence[Task]:
        """Store runs that somebody asked for: see ``Store.add_runs``.

        Args:
            staged: the runs whose payloads are stored already; None: they are not.

        Raises:
            RevisionPassedError: nothing was written.
        """

        def make() -> tuple[Sequence[Task], Instant]:
            if self._queries.number("schedule_revision", name=seen.name) != seen.revision:
                raise RevisionPassedError(seen.name, "schedule")
            if staged is None:
                self._inserter.insert(runs)
            else:
                self._inserter.insert_rows(staged.rows)
                self._stager.unstage(staged.seqs, ())
            self._auditor.write(entry)
            return runs, 0

        return self._kept_answers.once(repeatable, make)

    def advance(self, advances: Sequence[Advance]) -> Advanced:
        """Have schedules go on: see ``Store.advance_schedules``."""
        now = self._now()
        gone_on: set[str] = set()
        for part in _parts(advances):
            values: list[Value] = []
            for each in part:
                seen = each.seen
                values += (seen.name, seen.revision, seen.next_at, each.next_at, each.look_at, now)
            gone_on.update(name for (name,) in self._queries.with_rows("advance_schedules", len(part), values))
        going = [each for each in advances if each.seen.name in gone_on]
        runs = [run for each in going for run in (*self._stand_in(each, now), *each.runs)]
        there = self._runs_for(runs)
        if there:
            runs = [run for run in runs if (run.schedule, run.scheduled_for) not in there]
            for name, scheduled_for in there:  # if it is the last one
                self._queries.all("look_at_schedule", name=name, scheduled_for=scheduled_for)
        self._inserter.insert(runs)
        for run in runs:
            if run.missed is not None:
                self._queries.all(
                    "set_missed", schedule=run.schedule, scheduled_for=run.scheduled_for, missed=run.missed
                )
        return Advanced(len(gone_on), runs)

    def _stand_in(self, advance: Advance, now: Instant) -> Sequence[Task]:
        """Have runs that are there stand for what was missed, count that, and return what is to be made for it."""
        missing, missed_times = [], advance.missed_times
        for each in advance.stand_ins:
            place = _place(advance.seen.name, each.span, each.since, each.until)
            seq = self._queries.number("stand_in", **place, now=now)
            if seq is None:
                missing.append(each.run)
            else:
                missed_times += 1
                self._queries.all("stand_for", seq=seq, count=each.run.missed, expires_at=each.run.expires_at)
        if missed_times:
            self._queries.all("count_runs", name=advance.seen.name, started=0, skipped=0, missed_times=missed_times)
        return missing

    def admit(self, attempts: Sequence[Attempt]) -> Sequence[Admitted]:
        """Decide whether runs start: see ``Store.admit``."""
        now = self._now()
        return [self._admit(attempt, now) for attempt in attempts]

    def _admit(self, attempt: Attempt, now: Instant) -> Admitted:
        row = self._queries.first("asking", id=id_bytes(attempt.task_id), fence=attempt.fence)
        if row is None:
            return Admitted(None)
        seq, kind, scheduled_for, before, *rest = row
        name = attempt.schedule
        found = self._queries.first("schedule_to_admit", name=name)
        schedule = None if found is None else READING.schedule.read(found)
        asked = Asking(RunKind(kind), scheduled_for, admission_of(before), *rest)
        is_late = attempt.late_down > 0 and schedule is not None and asked.may_be_missed
        span = self._span_of(asked.due_at) if is_late else None
        other = None
        if span is not None and schedule is not None and schedule.plan.merges(scheduled_for, span):
            other = self._other_stand_in(schedule, span, seq)
        admission = asked.decide(
            schedule,
            goes_on=self._queries.first("goes_on", schedule=name, seq=seq) is not None,
            waits=self._queries.first("waits_behind", schedule=name) is not None,
            span=span,
            merges=other is not None,
        )
        if other is not None and admission is Admission.MISSED:
            self._queries.all("stand_for", seq=other, count=asked.missed or 1, expires_at=None)
        counts = asked.counts(schedule, admission)
        if counts is not None:
            self._queries.all(
                "count_runs",
                name=name,
                started=counts.started,
                skipped=counts.skipped,
                missed_times=counts.missed_times,
            )
            self._queries.all("look_after_runs", name=name, is_spent=counts.is_spent, gone=counts.gone)
        removed = self._remove(str(name), LONG_REACH, now) if counts is not None and counts.is_spent else []
        missed = None if span is None else 1
        if admission is Admission.STARTED:
            self._queries.all("start_runs", seqs=as_json([seq]), missed=missed)
            return Admitted(admission, removed=removed)
        (kept,) = self._queries.all("keep_run_back", seq=seq, admission=int(admission), missed=missed, now=now)
        gate, host_gate = kept[READING.ending.width :]
        self._gates.settled(gate, host_gate, None, now)
        if admission is Admission.BEHIND:
            return Admitted(admission)
        return Admitted(admission, self._inserter.insert_what_follows(READING.cancelled(kept), now))

    def _span_of(self, moment: Instant) -> Span | None:
        row = self._queries.first("span_of", moment=moment)
        return None if row is None else Span(*row)

    def _other_stand_in(self, schedule: Schedule, span: Span, seq: int) -> int | None:
        """Return the run that stands for what was missed in *span*, if another than that of a number does."""
        since, until = schedule.plan.runs_of(span)
        return self._queries.number("other_stand_in", **_place(schedule.name, span, since, until), seq=seq)

    def release(self) -> Released:
        """Let runs go that wait for no other any more: see ``Store.release_runs``."""
        return Released(len(self._queries.all("release_runs", now=self._now(), limit=RELEASE_LIMIT)))

    def _remove(self, name: str, reach: timedelta, now: Instant) -> Sequence[TaskId]:
        """Take the runs out of the queue that stand there for times after now minus *reach*, and are not due."""
        rows = self._queries.all("remove_queued_runs", schedule=name, since=after(now, -reach), now=now)
        for seq, _ in rows:
            delete_rest(self._queries, seq)
        return [id_text(id_) for _, id_ in rows]

    def _runs_for(self, runs: Sequence[Task]) -> set[tuple[str | None, Instant | None]]:
        """Return the schedules and times, of those of *runs*, that have regular runs already."""
        there: set[tuple[str | None, Instant | None]] = set()
        for part in _parts(runs):
            values: list[Value] = []
            for run in part:
                values += (run.schedule, run.scheduled_for)
            there.update(self._queries.with_rows("runs_for", len(part), values))
        return there


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Give *items* in parts, each as many as one statement takes."""
    return (items[start : start + ROWS_AT_ONCE] for start in range(0, len(items), ROWS_AT_ONCE))


def _place(name: str, span: Span, since: Instant, until: Instant) -> dict[str, Any]:
    """Return where a run of a schedule is looked for that stands for what was missed in *span*."""
    return {"schedule": name, "since": since, "until": until, "begin_at": span.begin_at, "end_at": span.end_at}


def read_schedule(queries: Queries, name: str) -> Schedule:
    """Return a schedule, or raise ``ScheduleNotFoundError``."""
    row = queries.first("schedule", name=name)
    if row is None:
        raise ScheduleNotFoundError(name)
    return READING.whole_schedule(row)


def read_schedules(queries: Queries, after_name: str | None, limit: int) -> Sequence[Schedule]:
    """Return schedules by name: see ``Store.schedules``."""
    return [READING.schedule.read(row) for row in queries.all("schedules", after=after_name or "", limit=limit)]


def read_due_schedules(queries: Queries, limit: int, without: Collection[str], now: Instant) -> DueSchedules:
    """Return schedules that are to be looked at: see ``Store.due_schedules``."""
    zones = msgspec.json.encode([*without]).decode()
    rows = queries.all("due_schedules", now=now, limit=limit, without=zones)
    found = [READING.whole_schedule(row) for row in rows]
    has_waiting = bool(queries.number("has_waiting_runs"))
    return DueSchedules(found, has_waiting, queries.number("next_schedule", without=zones))


def read_down_spans(queries: Queries, since: Instant, now: Instant) -> DownSpans:
    """Return the spans in which no node looked: see ``Store.down_spans``."""
    looked_at = queries.number("last_look") or 0
    return DownSpans(known_until(looked_at, now), [Span(*row) for row in queries.all("spans", since=since)])


def read_runs(queries: Queries, name: str, limit: int, now: Instant) -> Sequence[Run]:
    """Return the latest runs of a schedule: see ``Store.runs``."""
    rows = queries.all("runs", schedule=name, limit=limit, now=now)
    return [run_of(id_text(id_), *rest) for id_, *rest in rows]


def read_queued_run(queries: Queries, name: str, scheduled_for: Instant) -> TaskId | None:
    """Return the run that stands in the queue for a time: see ``Store.queued_run``."""
    row = queries.first("run_for", schedule=name, scheduled_for=scheduled_for)
    if row is None:
        return None
    id_, state, attempts = row
    return id_text(id_) if state == State.TODO and not attempts else None
