"""Keeping schedules, and the runs that they make."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from tasker.model.attempt import Attempt
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.lateness import Span
from tasker.model.schedule import Advance, Run, Schedule
from tasker.model.task import Admission, Task, TaskId


class DueSchedules(Struct, frozen=True):
    """Schedules that are to be looked at."""

    schedules: Sequence[Schedule]
    """The earliest first, with their templates."""
    has_waiting: bool
    """Whether runs wait for others: see ``ScheduleStore.release_runs``."""
    next_at: Instant | None
    """When to look next, which may have passed already; None: none is to be looked at."""


class DownSpans(Struct, frozen=True):
    """The spans in which no node looked for due tasks."""

    known_until: Instant
    """Up to this moment. Since then, none may have looked either."""
    spans: Sequence[Span]
    """The earliest first."""


class Rescheduled(Struct, frozen=True):
    """What a change of a schedule has done to the queue."""

    removed: Sequence[TaskId]
    """Runs that were taken out of it."""
    run: Task | None
    """The one that was made; None: none was."""


class Advanced(Struct, frozen=True):
    """What a step of schedules has done."""

    count: int
    """Schedules that have gone on; of the others, another node was quicker, or they were changed."""
    runs: Sequence[Task]
    """The runs that were made."""


class Admitted(Struct, frozen=True):
    """What was decided of the start of a run."""

    admission: Admission | None
    """None: the claim is lost."""
    followed_by: Sequence[Task] = ()
    """The tasks that were stored with its end, because they follow it."""
    removed: Sequence[TaskId] = ()
    """Later runs that were taken out of the queue: as many have started as were wanted."""


class Released(Struct, frozen=True):
    """Runs that wait no longer for another."""

    count: int


class ScheduleStore(Protocol):
    """Keeps schedules. See ``Store`` for what holds for every method.

    A schedule's row drives: it says which run was made last (``next_at``) and when it is to be
    looked at again (``look_at``). What becomes of a run does not matter for the next. But once a
    regular run that stands for ``next_at`` leaves the queue without starting, whatever the reason,
    ``look_at`` has passed; unless another node is writing the schedule at that moment. Of a
    schedule there is one regular run for each time, ended ones included as long as they are kept.
    """

    async def put_schedule(
        self,
        schedule: Schedule,
        run: Task | None,
        *,
        seen: Schedule | None,
        reach: timedelta = timedelta(0),
        entry: Entry | None = None,
    ) -> Rescheduled:
        """Store *schedule* and its next *run*, all or nothing, in place of *seen*.

        The regular runs of *seen* that stand in the queue for later times than now minus *reach*,
        and are not due, are removed. One that has just been claimed runs. If there is a run for the
        time of *run* already, none is made, and the schedule is to be looked at now.

        Args:
            seen: as it was read; None: there was none with this name.

        Raises:
            RevisionPassedError: it is not as *seen* says any more. Nothing was written.
        """

    async def delete_schedule(
        self, seen: Schedule, *, reach: timedelta = timedelta(0), entry: Entry | None = None
    ) -> Sequence[TaskId]:
        """Delete a schedule, and its runs as ``put_schedule`` removes them; return which.

        Raises:
            RevisionPassedError: as for ``put_schedule``.
        """

    async def add_runs(
        self,
        seen: Schedule,
        runs: Sequence[Task],
        repeatable: Repeatable[Sequence[Task]] | None = None,
        *,
        entry: Entry | None = None,
    ) -> KeptAnswer | Sequence[Task]:
        """Store *runs* that somebody asked for, all or nothing, and return them. There may be others for their times.

        Args:
            seen: their schedule. Its ``next_at`` may be another one since.
            repeatable: the request, as for ``create_once``; None: it has no idempotency key.

        Raises:
            RevisionPassedError: as for ``put_schedule``.
            IdempotencyInFlightError: as for ``create_once``.
        """

    async def schedule(self, name: str) -> Schedule:
        """Return a schedule, with its template.

        Raises:
            ScheduleNotFoundError: there is none with this name.
        """

    async def schedules(self, *, after: str | None, limit: int) -> Sequence[Schedule]:
        """Return up to *limit* schedules by name, without their templates.

        Args:
            after: only those whose names come later; None: all.
        """

    async def runs(self, name: str, *, limit: int) -> Sequence[Run]:
        """Return the latest runs of a schedule that have started or whose time has come, the latest first.

        Also of one that has been deleted.
        """

    async def queued_run(self, name: str, scheduled_for: Instant) -> TaskId | None:
        """Return the regular run for a time, if it is ``todo`` and has not started; else None."""

    async def due_schedules(self, *, limit: int, without: Collection[str] = ()) -> DueSchedules:
        """Return up to *limit* schedules whose ``look_at`` has come.

        Args:
            without: time zones whose schedules are left to other nodes.
        """

    async def down_spans(self, *, since: Instant) -> DownSpans:
        """Return the spans in which no node looked that ended after *since*, up to ninety days back."""

    async def admit(self, attempts: Sequence[Attempt]) -> Sequence[Admitted]:
        """Decide of claimed attempts that ask to start, one after the other, whether they do: ``schedule.admission``.

        Most do not ask: they start with their claim, which is as certain, but not durable. This is one
        write, which is durable, and of each schedule by one node at a time. A run that is left
        out ends ``cancelled``, and what follows is stored with it; if another stands for what was missed in
        the same span, the ``missed`` of that one grows. One that waits is ``todo`` again,
        and is not claimed before ``release_runs`` has let it go. Neither has used up an attempt.
        What has started is counted in the schedule, and what was left out. A run that was admitted
        with the same claim before starts.
        """

    async def release_runs(self) -> Released:
        """Let some of the runs go that wait and whose schedules have none that goes on: of each the first.

        They are due as before. Whether one starts is decided by ``admit`` again.
        """

    async def advance_schedules(self, advances: Sequence[Advance]) -> Advanced:
        """Have schedules go on, each if it is as it was seen: make their runs, all or nothing.

        A run that is to stand for what was missed in a span is not made if there is one already that
        does, or that was missed in it and has not started: then its ``missed`` grows, and it may
        start as long as the last of those times.

        A run for whose time there is one is not made; if that is the last one, the schedule is to
        be looked at now.
        """
