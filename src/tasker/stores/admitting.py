"""How a store decides whether runs of schedules start: what both stores do alike."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from tasker.model.instants import Instant
from tasker.model.lateness import Span
from tasker.model.schedule import Schedule, admission
from tasker.model.task import Admission, RunKind

RELEASE_LIMIT: Final = 200
"""Runs that one call of ``Store.release_runs`` lets go, at most."""

LONG_REACH: Final = timedelta(days=366)
"""As far back as the times of runs lie that are not due yet: further than any jitter."""


class Counts(NamedTuple):
    """What is written of a run in the row of its schedule."""

    started: int
    skipped: int
    missed_times: int
    is_spent: bool
    """Whether no more are made."""
    gone: Instant | None
    """The time of a run that does not start; None: it does, or waits."""


class Asking(NamedTuple):
    """A run that would start."""

    kind: RunKind
    scheduled_for: Instant
    before: Admission | None
    """What was decided of it before."""
    due_at: Instant
    missed: int | None
    """How many missed times it stands for already."""

    @property
    def may_be_missed(self) -> bool:
        """Whether it matters that no node looked when it came due."""
        return self.kind is RunKind.REGULAR and self.before is None

    def decide(
        self,
        schedule: Schedule | None,
        *,
        goes_on: bool,
        waits: bool,
        span: Span | None = None,
        merges: bool = False,
    ) -> Admission:
        """Return what becomes of it: see ``schedule.admission``.

        Args:
            span: in which it was missed; None: it was not.
            merges: whether it merges into another run, which stands for what was missed in that.
        """
        is_missed = span is not None and schedule is not None
        is_dropped = merges or (
            span is not None and schedule is not None and not schedule.plan.may_still_run(self.scheduled_for, span)
        )
        return admission(
            schedule,
            self.kind,
            self.before,
            goes_on=goes_on,
            waits=waits,
            is_missed=is_missed,
            is_dropped=is_dropped,
        )

    def counts(self, schedule: Schedule | None, decided: Admission) -> Counts | None:
        """Return what is written in the row of its schedule; None: nothing."""
        if schedule is None or self.kind is not RunKind.REGULAR or decided is Admission.BEHIND:
            return None
        if decided is Admission.STARTED:
            if self.before in (Admission.STARTED, Admission.NOT_BEGUN):
                return None
            most = schedule.plan.max_runs
            return Counts(1, 0, 0, most is not None and schedule.started + 1 >= most, None)
        is_skipped, is_missed = decided is Admission.OVERLAP, decided is Admission.MISSED
        return Counts(0, int(is_skipped), int(is_missed), schedule.is_spent, self.scheduled_for)


K = TypeVar("K")
"""What a store knows a run by."""


class StartedRun(NamedTuple):
    """A run that starts."""

    schedule: str
    counted: int
    """1: it is one more that has started; 0: it is not counted, or was before."""


class AtOnce(Generic[K]):
    """Which of the runs that a claim has taken start with it, so that ``Store.admit`` need not be asked.

    Like a claim, this need not be durable: if it is lost with the power, all is as it was before, and is
    decided anew. So it is only for runs whose start leaves nothing else behind: one more has started. Of a
    schedule of which this cannot be said, the rest of the runs is left to ``Store.admit``, too.
    """

    def __init__(self) -> None:
        self.started: dict[K, StartedRun] = {}
        """Those that start."""
        self.counted: dict[str, int] = {}
        """How many have, by schedule."""
        self._left: set[str] = set()

    def ask(self, run: K, asking: Asking, schedule: Schedule, *, goes_on: bool, was_down: bool) -> None:
        """Take a run. Those that are due earlier come first.

        Args:
            schedule: as it was before the claim.
            goes_on: whether a run of it did before the claim.
            was_down: whether no node looked for a while since it was due: it may have been missed.
        """
        name, counted = schedule.name, self.counted.get(schedule.name)
        if counted is not None:
            schedule, goes_on = replace(schedule, started=schedule.started + counted), True
        decided = asking.decide(schedule, goes_on=goes_on, waits=True)
        counts = asking.counts(schedule, decided)
        is_unsure = name in self._left or (was_down and asking.may_be_missed)
        if is_unsure or decided is not Admission.STARTED or (counts is not None and counts.is_spent):
            self._left.add(name)
            return
        self.started[run] = started = StartedRun(name, 0 if counts is None else counts.started)
        self.counted[name] = (counted or 0) + started.counted


def asking_of(row: Mapping[str, Any]) -> Asking:
    """Return the run in a row that has the names of the columns."""
    return Asking(
        RunKind(row["run_kind"]), row["scheduled_for"], admission_of(row["admission"]), row["due_at"], row["missed"]
    )


def admission_of(stored: int | None) -> Admission | None:
    """Return what is stored of a decision."""
    return None if stored is None else Admission(stored)
