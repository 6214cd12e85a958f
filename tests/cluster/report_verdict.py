"""Did every promise hold about what was told of attempts? For long jobs and for jobs that are pulled alike."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from evidence import Evidence
from reporting import Report, Told, by_token

from tasker.model.instants import Instant
from tasker.model.task import State


class ReportVerdict:
    """Each attribute but the first is a list of what broke one promise, empty if none did."""

    def __init__(
        self,
        evidence: Evidence,
        reports: list[Report],
        *,
        held_until: Mapping[str, Instant],
        may_be_lost: Callable[[str, list[Report]], bool],
    ):
        """Judge.

        Args:
            held_until: by the token of an attempt, until when it surely stands if no end is told and no
                fault takes it.
            may_be_lost: says of the token of an attempt, and of what was told of it, whether a fault may
                have taken it from whoever had it.
        """
        self.reports = reports
        self._evidence = evidence
        self.lost = [report for report in reports if self._is_lost(report)]
        ends: dict[str, list[Report]] = defaultdict(list)
        told: dict[str, list[Report]] = defaultdict(list)
        for report in reports:
            if report.status == 200 and report.told is not Told.HEARTBEAT:
                told[report.token].append(report)
                if report.told.is_end:
                    ends[report.task_id].append(report)
        self.ended_twice = [each for each in (*ends.values(), *told.values()) if len(each) > 1]
        self.late_too_soon = [
            (report, held_until[token])
            for token, told in by_token(reports).items()
            for report in told
            if report.code == "completion_late"
            and report.answered_at < stands_until(held_until[token], told, before=report.answered_at)
            and not may_be_lost(token, told)
        ]
        known = (None, "completed_before", "completion_late", "cancelled", "store_unavailable", "store_busy")
        self.odd_answers = [
            report
            for token, told in by_token(reports).items()
            for report in told
            if (report.status not in (0, 200, 409, 503) or report.code not in known)
            # As of deliveries of no task: its create was not answered, and is undone.
            and not (report.status == 404 and report.task_id not in evidence.rows and may_be_lost(token, told))
        ]
        self.completed_before_once = [
            report for report in reports if report.code == "completed_before" and report.times_sent == 1
        ]

    def broken(self, of: str) -> dict[str, list]:
        """What broke, by the promise."""
        names = ("lost", "ended_twice", "late_too_soon", "odd_answers", "completed_before_once")
        return {f"reports of {of}: {name}": getattr(self, name) for name in names}

    def counts(self, of: str) -> dict[str, int]:
        """How much there was of everything."""
        heard = [report for report in self.reports if report.status == 200]
        ends = [report for report in heard if report.told is not Told.HEARTBEAT]
        codes = [report.code for report in self.reports]
        return {
            f"ends of {of} reported, and answered with 200": len(ends),
            f"heartbeats of {of} answered with 200": len(heard) - len(ends),
            "reports sent again": sum(report.times_sent > 1 for report in self.reports),
            "reports refused as `completed_before`": codes.count("completed_before"),
            "reports refused as `completion_late`": codes.count("completion_late"),
            "reports refused as `cancelled`": codes.count("cancelled"),
            f"ends of {of} lost after a 200": len(self.lost),
            f"{of} that were ended twice": len(self.ended_twice),
        }

    def _is_lost(self, report: Report) -> bool:
        """Whether what was answered with 200 is not so in the end."""
        if report.status != 200 or report.told is Told.HEARTBEAT:
            return False
        row = self._evidence.rows.get(report.task_id)
        if row is None:
            return True
        match report.told:
            case Told.COMPLETE:
                return (row.state, row.result) != (State.DONE, f'"{report.word}"')
            case Told.FAIL_FOR_GOOD:
                return (row.state, row.error) != (State.FAILED, report.word)
            case _:
                return report.word not in self._evidence.faults_told[report.task_id]


def stands_until(first: Instant, told: list[Report], *, before: Instant) -> Instant:
    """Until when an attempt stands: as long as its heartbeats say that were answered *before*, at least."""
    moved = [each.deadline for each in told if each.deadline is not None and each.answered_at <= before]
    return max([first, *moved])


def told_end(row: Any, told: list[Report]) -> bool:
    """Whether a task has ended as one of these reports says."""
    for report in told:
        if report.told is Told.COMPLETE and (row.state, row.result) == (State.DONE, f'"{report.word}"'):
            return True
        if report.told is Told.FAIL_FOR_GOOD and (row.state, row.error) == (State.FAILED, report.word):
            return True
    return False
