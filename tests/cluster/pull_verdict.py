"""Did every promise hold about jobs that workers pull?"""

import itertools
from collections import Counter, defaultdict

from evidence import Evidence, Row, Sort
from pulled_jobs import LIMIT, LIMITED, Handed, Plan, PullLoad
from report_verdict import ReportVerdict, stands_until, told_end
from reporting import Report, Told, by_token

from tasker.model.instants import Instant
from tasker.model.lifecycle import MAX_CRASHES
from tasker.model.task import State


class PullVerdict:
    """Each attribute but the first two is a list of what broke one promise, empty if none did."""

    def __init__(self, evidence: Evidence, load: PullLoad):
        self.jobs, self.handed, self.claims, self.hang_ups = load.jobs, load.handed, load.claims, load.hang_ups
        self.plans = Counter(each.plan for each in load.handed)
        self._evidence = evidence
        self._rows = evidence.of(Sort.JOB)
        self._told = by_token(load.reporter.reports)
        self._of_task: dict[str, list[Report]] = defaultdict(list)
        for report in load.reporter.reports:
            self._of_task[report.task_id].append(report)
        self._leases_ended = Counter(each.task_id for each in evidence.audited("lease ended"))
        by_token_ = {each.token: each for each in load.handed}
        self.reports = ReportVerdict(
            evidence,
            load.reporter.reports,
            held_until={token: each.lease_until for token, each in by_token_.items()},
            may_be_lost=lambda token, told: self._may_be_undone(by_token_[token], told),
        )
        self.lost = [job for job in self.jobs if job.created.status == 201 and job.task_id not in self._rows]
        self.early = [each for each in self.handed if each.claimed_at < each.due_at]
        self.unfinished = [(task_id, row) for task_id, row in self._rows.items() if not self._has_ended(task_id, row)]
        self.held_by_two = self._held_by_two()
        self.over_limit = self._over_limit()
        self.sent = [each for task_id, each in evidence.deliveries.items() if task_id in self._rows]
        self.odd_claims = [each for each in self.claims if each.status not in (0, 200, 503)]

    @property
    def broken(self) -> dict[str, list]:
        """What broke, by the promise."""
        names = ("lost", "early", "unfinished", "held_by_two", "over_limit", "sent", "odd_claims")
        return {**{f"jobs: {name}": getattr(self, name) for name in names}, **self.reports.broken("jobs")}

    @property
    def counts(self) -> dict[str, int]:
        """How much there was of everything."""
        crashed = [row for row in self._rows.values() if row.error == "crashed_worker"]
        return {
            "jobs accepted": sum(job.created.status == 201 for job in self.jobs),
            "claims that were answered": sum(each.status == 200 for each in self.claims),
            "claims whose worker hung up": self.hang_ups,
            "jobs handed out": len(self.handed),
            **{f"of these {plan}": self.plans[plan] for plan in Plan},
            "leases that ended": self._leases_ended.total(),
            f"jobs failed with `crashed_worker`: {MAX_CRASHES} leases in a row ended": len(crashed),
            **self.reports.counts("jobs"),
            "jobs handed out early": len(self.early),
            "jobs held by two workers at once": len(self.held_by_two),
            "more jobs held than the limit of their queue": len(self.over_limit),
        }

    def _held_by_two(self):
        """Jobs that somebody was given while another had them."""
        of_task: dict[str, list[Handed]] = defaultdict(list)
        for each in self.handed:
            of_task[each.task_id].append(each)
        found = []
        for handed in of_task.values():
            handed.sort(key=lambda each: each.claimed_at)
            for before, after in itertools.pairwise(handed):
                if after.claimed_at < self._had_until(before, after.claimed_at):
                    found.append((before, after, self._told[before.token]))
        return found

    def _had_until(self, handed: Handed, at: Instant) -> Instant:
        """Until when a worker surely had a job that another was given *at* this moment."""
        told = self._told[handed.token]
        if any(each.told.is_end and each.status == 200 for each in told):
            return max(handed.lease_until, at + 1)
        failed = [each.sent_at for each in told if each.told is Told.FAIL and each.may_have_ended]
        if failed or self._may_be_undone(handed, told):
            return min(failed, default=handed.claimed_at)
        return stands_until(handed.lease_until, told, before=at)

    def _may_be_undone(self, handed: Handed, told: list[Report]) -> bool:
        """Whether the database may have lost a claim, or a heartbeat: neither waits for its disk."""
        beats = [each.answered_at for each in told if each.told is Told.HEARTBEAT and each.status == 200]
        return self._evidence.may_be_undone(handed.claimed_at, *beats)

    def _has_ended(self, task_id: str, row: Row) -> bool:
        is_crashed = row.state is State.FAILED and row.error == "crashed_worker"
        return told_end(row, self._of_task[task_id]) or (is_crashed and self._leases_ended[task_id] >= MAX_CRASHES)

    def _over_limit(self):
        """Moments at which workers had more jobs of the limited queue than they may."""
        had: set[str] = set()
        found = []
        for each in self._evidence.audited("pulled", "let go"):
            if each.about != LIMITED:
                continue
            if each.what == "let go":
                had.discard(each.task_id)
                continue
            had.add(each.task_id)
            if len(had) > LIMIT:
                found.append((each, set(had)))
        return found
