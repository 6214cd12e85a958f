"""How a store decides whether runs of schedules start: what both stores do alike."""

from datetime import timedelta
from typing import Final, Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from tasker.model.instants import Instant
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

    def decide(self, schedule: Schedule | None, *, goes_on: bool, waits: bool) -> Admission:
        """Return what becomes of it: see ``schedule.admission``."""
        return admission(schedule, self.kind, self.before, goes_on=goes_on, waits=waits)

    def counts(self, schedule: Schedule | None, decided: Admission) -> Counts | None:
        """Return what is written in the row of its schedule; None: nothing."""
        if schedule is None or self.kind is not RunKind.REGULAR or decided is Admission.BEHIND:
            return None
        if decided is Admission.STARTED:
            if self.before in (Admission.STARTED, Admission.NOT_BEGUN):
                return None
            most = schedule.plan.max_runs
            return Counts(1, 0, most is not None and schedule.started + 1 >= most, None)
        return Counts(0, int(decided is Admission.OVERLAP), schedule.is_spent, self.scheduled_for)


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

    def ask(self, run: K, asking: Asking, schedule: Schedule, *, goes_on: bool) -> None:
        """Take a run. Those that are due earlier come first.

        Args:
            schedule: as it was before the claim.
            goes_on: whether a run of it did before the claim.
        """
        name, counted = schedule.name, self.counted.get(schedule.name)
        if counted is not None:
            schedule, goes_on = replace(schedule, started=schedule.started + counted), True
        decided = asking.decide(schedule, goes_on=goes_on, waits=True)
        counts = asking.counts(schedule, decided)
        if name in self._left or decided is not Admission.STARTED or (counts is not None and counts.is_spent):
            self._left.add(name)
            return
        self.started[run] = started = StartedRun(name, 0 if counts is None else counts.started)
        self.counted[name] = (counted or 0) + started.counted


def admission_of(stored: int | None) -> Admission | None:
    """Return what is stored of a decision."""
    return None if stored is None else Admission(stored)
