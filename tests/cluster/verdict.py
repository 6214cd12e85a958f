"""Did every promise hold? Compares what was answered, what arrived, and what the database has and has counted."""

from evidence import Evidence, Sort
from faults import Fault
from long_job_verdict import LongJobVerdict
from pull_verdict import PullVerdict
from schedule_verdict import ScheduleVerdict
from task_verdict import TaskVerdict

from cluster import Cluster
from load import Load


class Verdict:
    """Made once all has ended."""

    def __init__(self, cluster: Cluster, load: Load, faults: list[Fault]):
        self.faults = faults
        deliveries = [*load.receiver.deliveries(), *load.long_jobs.receiver.deliveries()]
        self.evidence = evidence = Evidence(cluster, deliveries, faults)
        self.tasks = TaskVerdict(evidence, load.tasks.calls)
        shown = cluster.nodes[0].server.call("GET", "/schedules?limit=1000")
        self.schedules = ScheduleVerdict(evidence, load.schedules, shown["schedules"])
        self.long_jobs = LongJobVerdict(evidence, load.long_jobs)
        self.pulled = PullVerdict(evidence, load.pulled)
        self._unexplained_repeats = evidence.unexplained_repeats({Sort.PLAIN, Sort.RUN})

    @property
    def broken(self) -> dict[str, list]:
        """What broke, by the promise; empty if all held. The first few of each."""
        evidence = self.evidence
        found = {
            "of_no_task": evidence.of_no_task,
            "unexplained_repeats": self._unexplained_repeats,
            "too_many_repeats": [fault for fault in self.faults if evidence.repeats[fault] > fault.most_repeats],
            "complaints": evidence.complaints,
        }
        for each in (self.tasks, self.schedules, self.long_jobs, self.pulled):
            found |= each.broken
        return {name: [len(those), *those[:5]] for name, those in found.items() if those}
