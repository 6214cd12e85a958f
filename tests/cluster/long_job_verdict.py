"""Did every promise hold about long jobs?"""

from collections import Counter, defaultdict

from evidence import Evidence, Row, Sort
from long_jobs import DEADLINE, LongJobLoad, Plan
from report_verdict import ReportVerdict, stands_until, told_end
from reporting import Report, Told, by_token

from tasker.model.instants import SECOND, Instant
from tasker.model.task import State
from tasker.testing.webhook_receiver import Delivery


class LongJobVerdict:
    """Each attribute but the first two is a list of what broke one promise, empty if none did."""

    def __init__(self, evidence: Evidence, load: LongJobLoad):
        self.jobs = load.jobs
        self.plans = Counter(load.plans.values())
        self._evidence = evidence
        self._plan_of = load.plans
        self._rows = evidence.of(Sort.LONG)
        self._told = by_token(load.reporter.reports)
        self._of_task: dict[str, list[Report]] = defaultdict(list)
        for report in load.reporter.reports:
            self._of_task[report.task_id].append(report)
        self._sent = {_token(each): each for each in load.receiver.deliveries()}
        self.reports = ReportVerdict(
            evidence,
            load.reporter.reports,
            held_until={token: _held_until(each) for token, each in self._sent.items()},
            may_be_lost=lambda token, _: self._may_be_caught(self._sent[token]),
        )
        self.lost = [job for job in self.jobs if job.created.status == 201 and job.task_id not in self._rows]
        self.early = [
            (job, each)
            for job in self.jobs
            for each in evidence.deliveries.get(job.task_id, ())
            if each.arrived_at < job.due_at
        ]
        self._cancels = {job.task_id: job for job in self.jobs if job.cancelled is not None}
        self.unfinished = [(task_id, row) for task_id, row in self._rows.items() if not self._has_ended(task_id, row)]
        self.cancelled_but_ended = [
            (job, self._rows[job.task_id])
            for job in self._cancels.values()
            if job.cancelled.status == 200 and self._rows[job.task_id].state is not State.CANCELLED
        ]
        self.sent_again = evidence.unexplained_repeats({Sort.LONG}, self._is_asked_for)

    @property
    def broken(self) -> dict[str, list]:
        """What broke, by the promise."""
        names = ("lost", "early", "unfinished", "cancelled_but_ended", "sent_again")
        return {**{f"long jobs: {name}": getattr(self, name) for name in names}, **self.reports.broken("long jobs")}

    @property
    def counts(self) -> dict[str, int]:
        """How much there was of everything."""
        return {
            "long jobs accepted": sum(job.created.status == 201 for job in self.jobs),
            "their requests": len(self._sent),
            **{f"of these {plan}": self.plans[plan] for plan in Plan},
            "long jobs cancelled: answered with 200": sum(
                job.cancelled.status == 200 for job in self._cancels.values()
            ),
            **self.reports.counts("long jobs"),
        }

    def _may_be_caught(self, delivery: Delivery) -> bool:
        return any(self._evidence.may_repeat(fault, [delivery]) for fault in self._evidence.faults)

    def _is_asked_for(self, earlier: list[Delivery], next_: Delivery) -> bool:
        """Whether one of the attempts before has failed, so that the request was to be made again."""
        told = [report for each in earlier for report in self._told[_token(each)]]
        has_ended = any(
            each.told.is_end and each.status == 200 and each.answered_at < next_.arrived_at for each in told
        )
        if has_ended or any(self._plan_of[_token(each)] is Plan.AT_ONCE for each in earlier):
            return False
        return any(self._has_failed(each, next_.arrived_at) for each in earlier)

    def _has_failed(self, delivery: Delivery, before: Instant) -> bool:
        told = self._told[_token(delivery)]
        if any(each.told is Told.FAIL and each.may_have_ended and each.sent_at < before for each in told):
            return True
        return stands_until(_held_until(delivery), told, before=before) < before

    def _has_ended(self, task_id: str, row: Row) -> bool:
        told, arrived = self._of_task[task_id], self._evidence.deliveries.get(task_id, [])
        if row.state is State.DONE and not row.result:
            return any(self._plan_of[_token(each)] is Plan.AT_ONCE for each in arrived)
        if row.state is State.CANCELLED:
            return task_id in self._cancels
        return told_end(row, told) or self._evidence.is_quarantined(task_id)


def _token(delivery: Delivery) -> str:
    return delivery.headers["tasker-completion-token"]


def _held_until(delivery: Delivery) -> Instant:
    """Until when its end is waited for, at least: the deadline counts from the answer."""
    return delivery.arrived_at + DEADLINE * SECOND
