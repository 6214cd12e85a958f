"""Did every promise hold about the runs of schedules?"""

from collections import Counter, defaultdict

from evidence import Evidence, Row, Sort
from recurring import INTERVALS, Kind, ScheduleLoad

from tasker.model.instants import SECOND, Instant
from tasker.model.schedule import Missed, Overlap
from tasker.model.task import Admission, State


class ScheduleVerdict:
    """Each attribute but the first is a list of what broke one promise, empty if none did."""

    def __init__(self, evidence: Evidence, load: ScheduleLoad, shown: list[dict]):
        """Judge.

        Args:
            shown: the schedules, as a node lists them.
        """
        self.schedules = schedules = load.schedules
        self._evidence = evidence
        self._rows = evidence.of(Sort.RUN)
        self._kinds = {schedule.name: schedule.kind for schedule in schedules}
        self._runs: dict[tuple[str, Instant], list[str]] = defaultdict(list)
        """By schedule and time the ids of the regular runs."""
        for task_id, row in self._rows.items():
            if row.is_regular:
                self._runs[row.schedule, row.scheduled_for].append(task_id)

        self.twice = [(time, ids) for time, ids in self._runs.items() if len(ids) > 1]
        self.missing = [
            (schedule, at) for schedule in schedules for at in schedule.times() if (schedule.name, at) not in self._runs
        ]
        self.at_other_times = self._at_other_times()
        self.early = self._early()
        self.unfinished = [(task_id, row) for task_id, row in self._rows.items() if not self._has_ended(task_id, row)]
        self.not_delivered = [
            (task_id, row)
            for task_id, row in self._rows.items()
            if row.state is State.DONE and task_id not in evidence.deliveries
        ]
        self.left_out_but_delivered = [
            (task_id, row)
            for task_id, row in self._rows.items()
            if row.state is State.CANCELLED and task_id in evidence.deliveries
        ]
        self.asked_for_and_lost = [
            (schedule.name, task_id)
            for schedule in schedules
            for task_id in schedule.asked_runs
            if task_id not in self._rows
        ]
        self.overlaps, self.met = self._overlaps()
        self.miscounted = self._miscounted(shown)
        self.odd_answers = [(what, each) for what, each in load.answers if each.status not in (0, 200, 201, 404, 503)]

    @property
    def broken(self) -> dict[str, list]:
        """What broke, by the promise."""
        names = (
            "twice",
            "missing",
            "at_other_times",
            "early",
            "unfinished",
            "not_delivered",
            "left_out_but_delivered",
            "asked_for_and_lost",
            "overlaps",
            "miscounted",
            "odd_answers",
        )
        return {f"runs: {name}": getattr(self, name) for name in names}

    @property
    def counts(self) -> dict[str, int]:
        """How much there was of everything."""
        regular = [row for row in self._rows.values() if row.is_regular]
        return {
            "schedules": len(self.schedules),
            "of these left alone, because a call was not answered": sum(each.is_left for each in self.schedules),
            "changes, pauses and resumes": sum(len(schedule.spans) for schedule in self.schedules),
            "times that each has to have its run": sum(
                not self._may_be_missed(schedule.kind, at) for schedule in self.schedules for at in schedule.times()
            ),
            "times while no node could look, of which one run may stand for several": sum(
                self._may_be_missed(schedule.kind, at) for schedule in self.schedules for at in schedule.times()
            ),
            "regular runs": len(regular),
            "of these left out, because another went on": sum(row.admission is Admission.OVERLAP for row in regular),
            "runs that somebody asked for": len(self._rows) - len(regular),
            "runs that would have started while another went on, and did not": self.met,
            "regular runs twice": len(self.twice),
            "regular runs missing": len(self.missing),
            "runs early": len(self.early),
            "runs that went on at once, where they must not": len(self.overlaps),
        }

    def _at_other_times(self):
        """Regular runs for times that no interval of their schedule has."""
        begins = {schedule.name: schedule.begin for schedule in self.schedules}
        every = min(INTERVALS) * SECOND
        return [
            (task_id, row)
            for task_id, row in self._rows.items()
            if row.is_regular and (row.scheduled_for - begins[row.schedule]) % every
        ]

    def _early(self):
        found = []
        for task_id, row in self._rows.items():
            due_at = max(row.scheduled_for, row.due_at) if row.is_regular else row.due_at
            arrived = self._evidence.deliveries.get(task_id, ())
            if any(each.arrived_at < due_at for each in arrived) or (arrived and row.began_at < due_at):
                found.append((task_id, row))
        return found

    def _has_ended(self, task_id: str, row: Row) -> bool:
        return row.state is State.DONE or self._is_left_out(row) or self._evidence.is_quarantined(task_id)

    def _is_left_out(self, row: Row) -> bool:
        """Whether a run was cancelled, and may be."""
        if row.state is not State.CANCELLED or not row.is_regular or row.admission is None:
            return False
        kind = self._kinds[row.schedule]
        if row.admission is Admission.OVERLAP:
            return kind.overlap is not Overlap.ALLOW
        return row.admission.is_left_out and self._may_be_missed(kind, row.scheduled_for)

    def _may_be_missed(self, kind: Kind, at: Instant) -> bool:
        """Whether a run for this time may have come due while no node looked, so that one may stand for several."""
        return kind.missed is not Missed.ALL and any(
            begin - kind.jitter * SECOND <= at <= end for begin, end in self._evidence.down
        )

    def _overlaps(self):
        """Moments at which a run began to go on beside another one of its schedule, where that must not be.

        And how often one found another going on.
        """
        going: dict[str, set[str]] = defaultdict(set)
        found = []
        for each in self._evidence.audited("goes on", "goes on no longer"):
            if each.what == "goes on no longer":
                going[each.about].discard(each.task_id)
                continue
            going[each.about].add(each.task_id)
            if len(going[each.about]) > 1 and self._kinds[each.about].overlap is not Overlap.ALLOW:
                found.append((each, set(going[each.about])))
        kept_back = (Admission.OVERLAP, Admission.BEHIND)
        return found, sum(row.admission in kept_back for row in self._rows.values())

    def _miscounted(self, shown: list[dict]):
        """Schedules that have not counted as many regular runs as have started, or were left out."""
        started, skipped = Counter(), Counter()
        for row in self._rows.values():
            if row.is_regular:
                started[row.schedule] += row.admission is Admission.STARTED
                skipped[row.schedule] += row.admission is Admission.OVERLAP
        found = [(each, started[each["name"]], skipped[each["name"]]) for each in shown]
        return [each for each in found if (each[0]["started"], each[0]["skipped"]) != each[1:]]
