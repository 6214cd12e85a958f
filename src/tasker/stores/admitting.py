"""How a store decides whether runs of schedules start: what both stores do alike."""

from datetime import timedelta
from typing import Final, NamedTuple

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

    def values(self) -> dict[str, int | None]:
        """The same by name."""
        return self._asdict()


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


def admission_of(stored: int | None) -> Admission | None:
    """Return what is stored of a decision."""
    return None if stored is None else Admission(stored)
