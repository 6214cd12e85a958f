"""What there is to judge by: what the database has and has counted, what arrived, and what had been broken."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from faults import Fault

from cluster import Cluster
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.lifecycle import MAX_CRASHES
from tasker.model.task import Admission, State
from tasker.testing.webhook_receiver import Delivery

IN_FLIGHT = 2 * instants.SECOND
"""Microseconds that a delivery may be under way, from its arrival until its end is written, while
nothing goes wrong."""

UNREAD = instants.SECOND
"""Microseconds after which a delivery that arrives was sent for sure: what is sent on this machine is
in the receiver's socket at once, but its clock is read by a thread that shares its process with the
load, and the processors with all else."""

_MICROSECONDS = "coalesce((extract(epoch FROM {}) * 1000000)::bigint, 0)"


class Sort(StrEnum):
    """What a task is here."""

    PLAIN = "plain"
    RUN = "run"
    """Of a schedule."""
    LONG = "long"
    """It has a completion."""
    JOB = "job"
    """It is pulled."""


@dataclass(frozen=True)
class Row:
    """A task as the database has it in the end."""

    sort: Sort
    state: State
    began_at: Instant
    due_at: Instant
    result: str
    error: str
    schedule: str
    """Empty: it is no run."""
    scheduled_for: Instant
    is_regular: bool
    admission: Admission | None


@dataclass(frozen=True)
class Audited:
    """What the database has counted, once: see ``cluster``."""

    what: str
    task_id: str
    node: str
    """That it was taken from; empty if there is none."""
    at: Instant
    about: str
    """A text, a key, a schedule or a queue."""


class Evidence:
    """What all verdicts look at. Made once all has ended."""

    def __init__(self, cluster: Cluster, deliveries: Iterable[Delivery], faults: list[Fault]):
        self.faults = faults
        self.rows = _rows(cluster)
        self.audit = _audit(cluster)
        self.faults_told = _faults_told(cluster)
        """By the id of a task the codes of the faults of its attempts."""
        self.down = _down(cluster)
        """From when to when no node looked for due tasks, as the database has noted."""
        self.complaints = cluster.complaints()
        self.taken_by = self._find_causes()
        self.deliveries: dict[str, list[Delivery]] = defaultdict(list)
        """By the id of the task."""
        for delivery in sorted(deliveries, key=lambda each: each.arrived_at):
            self.deliveries[delivery.headers["webhook-id"]].append(delivery)
        self.of_no_task = [
            each
            for task_id, each in self.deliveries.items()
            if task_id not in self.rows and not self.may_be_undone(each[0].arrived_at)
        ]
        """Deliveries of tasks that the database does not have, although it cannot have lost their creates.

        A create that nobody was answered for may be seen by others, and be undone by a failover.
        """
        self.repeats: Counter[Fault] = Counter()
        """Deliveries that were made again because of a fault, as far as verdicts have explained them."""

    def of(self, sort: Sort) -> dict[str, Row]:
        """The tasks of a sort, by their ids."""
        return {task_id: row for task_id, row in self.rows.items() if row.sort is sort}

    def audited(self, *what: str) -> list[Audited]:
        """What the database has counted of a kind, in order."""
        return sorted((each for each in self.audit if each.what in what), key=lambda each: each.at)

    def is_quarantined(self, task_id: str) -> bool:
        """Whether a task ended as failed, and says so, because faults took the node from it as often as is tried."""
        row = self.rows[task_id]
        is_so_often = len(self.taken_by[task_id]) == MAX_CRASHES
        return row.state is State.FAILED and row.error == "crashed_worker" and is_so_often

    def may_repeat(self, fault: Fault, earlier: list[Delivery]) -> bool:
        """Whether *fault* may have caught one of the *earlier* deliveries of a task before its end was written."""
        if fault.node is not None:
            return fault in self.taken_by[earlier[0].headers["webhook-id"]]
        return fault.most_repeats > 0 and any(self.is_about(fault, each.arrived_at) for each in earlier)

    def is_about(self, fault: Fault, at: Instant) -> bool:
        """Whether something that was begun at *at* may have been under way when *fault* happened."""
        return at in range(fault.began - IN_FLIGHT, fault.ended + IN_FLIGHT)

    def may_be_undone(self, *moments: Instant) -> bool:
        """Whether the database may have lost what did not wait for its disk at one of these *moments*."""
        return any(fault.is_of_database and self.is_about(fault, at) for fault in self.faults for at in moments)

    def unexplained_repeats(
        self, sorts: set[Sort], is_asked_for: Callable[[list[Delivery], Delivery], bool] = lambda earlier, next_: False
    ) -> list[list[Delivery]]:
        """Deliveries of tasks of these *sorts* that were made again, and not because of a fault.

        Args:
            is_asked_for: says of one, and of those before it, whether the receiver had it made.
        """
        unexplained = []
        for task_id, arrived in self.deliveries.items():
            if task_id not in self.rows or self.rows[task_id].sort not in sorts:
                continue
            for index in range(1, len(arrived)):
                if is_asked_for(arrived[:index], arrived[index]):
                    continue
                before = [fault for fault in self.faults if fault.began <= arrived[index].arrived_at]
                causes = [fault for fault in before if self.may_repeat(fault, arrived[:index])]
                if causes:
                    self.repeats[max(causes, key=lambda fault: fault.began)] += 1
                else:
                    unexplained.append(arrived)
        return unexplained

    def recovery_seconds(self, fault: Fault) -> float | None:
        """How long after *fault* the last task that its node left running was done."""
        ends = [each.at for each in self.audit if each.what == "done" and fault in self.taken_by[each.task_id]]
        return (max(ends) - fault.began) / instants.SECOND if ends else None

    def _find_causes(self) -> dict[str, set[Fault]]:
        """For each task that was taken back from a node, the faults that node had just had."""
        causes: dict[str, set[Fault]] = defaultdict(set)
        for each in self.audit:
            before = [fault for fault in self.faults if fault.node == each.node and fault.began <= each.at]
            if each.what == "taken back" and before:
                causes[each.task_id].add(max(before, key=lambda fault: fault.began))
        return causes


def _rows(cluster: Cluster) -> dict[str, Row]:
    began, due, time = (_MICROSECONDS.format(column) for column in ("started_at", "due_at", "scheduled_for"))
    sort = """CASE WHEN schedule IS NOT NULL THEN 'run' WHEN pool = 3 THEN 'job'
                   WHEN convert_from(payload, 'UTF8')::json->'completion' IS NOT NULL THEN 'long' ELSE 'plain' END"""
    result = "convert_from(coalesce(result, ''), 'UTF8')"
    columns = f"id, {sort}, state, {began}, {due}, {result}, last_fault::json->>'code'"
    of_runs = f"schedule, {time}, coalesce(run_kind = 0, false), coalesce(admission, 0)"
    found = cluster.query(f"SELECT {columns}, {of_runs} FROM task JOIN payload USING (id)")
    return {
        row[0]: Row(
            Sort(row[1]),
            State(int(row[2])),
            int(row[3]),
            int(row[4]),
            *row[5:8],
            int(row[8]),
            row[9] == "t",
            Admission(int(row[10])) if row[10] != "0" else None,
        )
        for row in found
    }


def _audit(cluster: Cluster) -> list[Audited]:
    found = cluster.query(f"SELECT what, id, node, {_MICROSECONDS.format('at')}, about FROM witnessed")
    return [Audited(what, task_id, node, int(at), about) for what, task_id, node, at, about in found]


def _down(cluster: Cluster) -> list[tuple[Instant, Instant]]:
    begin, end = (_MICROSECONDS.format(column) for column in ("begin_at", "end_at"))
    return [(int(since), int(until)) for since, until in cluster.query(f"SELECT {begin}, {end} FROM down")]


def _faults_told(cluster: Cluster) -> dict[str, set[str]]:
    codes: dict[str, set[str]] = defaultdict(set)
    for task_id, code in cluster.query("SELECT task, record::json->'fault'->>'code' FROM attempt"):
        codes[task_id].add(code)
    return codes
