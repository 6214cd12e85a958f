"""Did every promise hold? Compares what was answered, what arrived, and what the database has and has counted."""

import base64
import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass

from faults import Fault

from cluster import HASH_ROUNDS, Cluster
from load import Changing, Creation
from tasker.model import instants
from tasker.model.lifecycle import MAX_CRASHES
from tasker.testing.webhook_receiver import Delivery

IN_FLIGHT = 2 * instants.SECOND
"""Microseconds that a delivery may be under way, from its arrival until its end is written, while
nothing goes wrong."""

_MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"


@dataclass(frozen=True)
class Row:
    """A task as the database has it in the end."""

    state: str
    began_at: int
    due_at: int
    result: str
    error: str


class Verdict:
    """Each attribute but the last few is a list of what broke one promise, empty if none did.

    Made once all has ended.
    """

    def __init__(
        self,
        cluster: Cluster,
        creations: list[Creation],
        changes: list[Changing],
        deliveries: list[Delivery],
        faults: list[Fault],
    ):
        self.creations = creations
        self.changes = {each.key: each for each in changes}
        self.faults = faults
        self._rows = _rows(cluster)
        self._audit = _audit(cluster)
        self._taken_by = self._find_causes()
        self._arrived: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            self._arrived[delivery.body.decode()].append(delivery)
        self._accepted = [each for each in creations if each.status == 201]

        self.quarantined = {task_id for task_id, row in self._rows.items() if self._is_quarantined(task_id, row)}
        """Tasks that ended as failed, and say so, because faults took the node from them as often
        as is tried."""
        self.lost = [each for each in self._accepted if self._is_lost(each)]
        self.unfinished = [
            (task_id, row)
            for task_id, row in self._rows.items()
            if row.state != "2" and task_id not in self.quarantined
        ]
        self.early = self._early()
        self.in_an_old_form = self._in_an_old_form()
        self.recorded_twice = self._recorded_twice()
        self.created_twice = cluster.query("SELECT payload, count(*) FROM payload GROUP BY payload HAVING count(*) > 1")
        self.wrong_ids = self._wrong_ids()
        self.repeats, self.unexplained_repeats = self._explain_repeats()
        self.too_many_repeats = [fault for fault in faults if self.repeats[fault] > fault.most_repeats]
        self.without_retry_after = [each for each in creations if each.status == 503 and each.retry_after is None]
        self.odd_answers = [each for each in creations if each.status not in (0, 201, 400, 503)]
        self.complaints = cluster.complaints()

    @property
    def broken(self) -> dict[str, list]:
        """What broke, by the promise; empty if all held. The first few of each."""
        names = (
            "lost",
            "unfinished",
            "early",
            "in_an_old_form",
            "recorded_twice",
            "created_twice",
            "wrong_ids",
            "unexplained_repeats",
            "too_many_repeats",
            "without_retry_after",
            "odd_answers",
            "complaints",
        )
        return {name: [len(found), *found[:5]] for name in names if (found := getattr(self, name))}

    @property
    def counts(self) -> dict[str, int]:
        """How much there was of everything."""
        statuses = Counter(each.status for each in self.creations)
        return {
            "tasks accepted with 201": statuses[201],
            "of these webhooks": sum(each.kind == "webhook" for each in self._accepted),
            "of these hashes": sum(each.kind == "hash" for each in self._accepted),
            "refused with 503 and Retry-After": statuses[503],
            "without an answer: the connection broke or nothing came for 8 s": statuses[0],
            "refused with 400: due before the call came through": statuses[400],
            "tasks stored": len(self._rows),
            "changed by a PATCH that was answered with 200": sum(each.status == 200 for each in self.changes.values()),
            "deliveries": sum(map(len, self._arrived.values())),
            "deliveries made again": self.repeats.total(),
            f"failed with `crashed_worker`: {MAX_CRASHES} faults in a row took the node from them": len(
                self.quarantined
            ),
            "lost": len(self.lost),
            "early": len(self.early),
            "sent in an old form after the change was answered": len(self.in_an_old_form),
            "results recorded twice": len(self.recorded_twice),
        }

    def recovery_seconds(self, fault: Fault) -> float | None:
        """How long after *fault* the last task that its node left running was done."""
        ends = [at for what, task_id, _, at in self._audit if what == "done" and fault in self._taken_by[task_id]]
        return (max(ends) - fault.began) / instants.SECOND if ends else None

    def resumed_seconds(self, fault: Fault) -> float | None:
        """How long after the database had come back the last of the nodes accepted a task."""
        firsts = [
            min(
                (each.answered_at for each in self._accepted if each.place == place and each.sent_at >= fault.ended),
                default=None,
            )
            for place in fault.places
        ]
        seconds = [(at - fault.ended) / instants.SECOND for at in firsts if at is not None]
        return max(seconds) if fault.is_of_database and seconds else None

    def _is_lost(self, creation: Creation) -> bool:
        row = self._rows.get(creation.task_id)
        if row is None:
            return True
        if creation.kind == "webhook":
            return not self._arrived[creation.key]
        return creation.task_id not in self.quarantined and not _is_hash_of(row.result, creation.key)

    def _is_quarantined(self, task_id: str, row: Row) -> bool:
        return row.state == "3" and row.error == "crashed_worker" and len(self._taken_by[task_id]) == MAX_CRASHES

    def _early(self):
        old = {each.key: each.due_at for each in self.creations}
        new = {each.key: each.due_at for each in self.changes.values()}
        early = [
            each
            for key, arrived in self._arrived.items()
            for each in arrived
            if each.arrived_at < (new if each.headers["x-form"] == "new" else old)[key]
        ]
        return early + [(task_id, row) for task_id, row in self._rows.items() if row.began_at < row.due_at]

    def _in_an_old_form(self):
        return [
            (change, each)
            for change in self.changes.values()
            for each in self._arrived[change.key]
            if change.status == 200 and each.headers["x-form"] == "old" and each.arrived_at > change.answered_at
        ]

    def _recorded_twice(self):
        writes = Counter((what, task_id) for what, task_id, *_ in self._audit if what in ("done", "result"))
        return [write for write, count in writes.items() if count > 1]

    def _wrong_ids(self):
        """Deliveries of one call's task that do not all carry the one id.

        That is the id in the answer, if there was one.
        """
        ids = {each.key: each.task_id for each in self.creations}
        wrong = []
        for key, arrived in self._arrived.items():
            found = {each.headers["webhook-id"] for each in arrived}
            if found != {ids[key] or min(found)}:
                wrong.append((key, ids[key], found))
        return wrong

    def _find_causes(self) -> dict[str, set[Fault]]:
        """For each task that was taken back from a node, the faults that node had just had."""
        causes: dict[str, set[Fault]] = defaultdict(set)
        for what, task_id, node, at in self._audit:
            before = [fault for fault in self.faults if fault.node == node and fault.began <= at]
            if what == "taken back" and before:
                causes[task_id].add(max(before, key=lambda fault: fault.began))
        return causes

    def _explain_repeats(self):
        """Count for each fault the deliveries that were made again because of it."""
        repeats: Counter[Fault] = Counter()
        unexplained = []
        for arrived in self._arrived.values():
            for index in range(1, len(arrived)):
                before = [fault for fault in self.faults if fault.began <= arrived[index].arrived_at]
                causes = [fault for fault in before if self._may_repeat(fault, arrived[:index])]
                if causes:
                    repeats[max(causes, key=lambda fault: fault.began)] += 1
                else:
                    unexplained.append(arrived)
        return repeats, unexplained

    def _may_repeat(self, fault: Fault, earlier: list[Delivery]) -> bool:
        """Whether *fault* may have caught one of the *earlier* deliveries of a task before its end was written."""
        if fault.node is not None:
            return fault in self._taken_by[earlier[0].headers["webhook-id"]]
        during = range(fault.began - IN_FLIGHT, fault.ended + IN_FLIGHT)
        return fault.most_repeats > 0 and any(each.arrived_at in during for each in earlier)


def _rows(cluster: Cluster) -> dict[str, Row]:
    began, due = _MICROSECONDS.format("started_at"), _MICROSECONDS.format("due_at")
    result = "convert_from(coalesce(result, ''), 'UTF8')"
    columns = f"id, state, coalesce({began}, 0), {due}, {result}, last_fault::json->>'code'"
    found = cluster.query(f"SELECT {columns} FROM task JOIN payload USING (id)")
    return {row[0]: Row(row[1], int(row[2]), int(row[3]), *row[4:]) for row in found}


def _audit(cluster: Cluster) -> list[tuple[str, str, str, int]]:
    found = cluster.query(f"SELECT what, id, node, {_MICROSECONDS.format('at')} FROM audit")
    return [(what, task_id, node, int(at)) for what, task_id, node, at in found]


def _is_hash_of(result: str, secret: str) -> bool:
    if not result:
        return False
    _, _, _, salt, digest = result.strip('"').split("$")
    expected = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(f"{salt}=="), HASH_ROUNDS)
    return base64.b64encode(expected).decode().rstrip("=") == digest
