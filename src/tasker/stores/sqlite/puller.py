"""Pulling: what queues hand out to callers, and what is taken back of that."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from tasker.interfaces.pulling import LEASE_LIMIT, LeasesEnded, Pulled
from tasker.interfaces.queue import TakenBack
from tasker.interfaces.reports import Report
from tasker.model.gate import Destination
from tasker.model.instants import LAST, Instant, after, microseconds
from tasker.model.lifecycle import CRASHED, MAX_CRASHES
from tasker.model.task import State, Task
from tasker.stores.faults import fault_text
from tasker.stores.pulling import Queue, Turn, turn
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.gates import Gates
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.looker import Looker
from tasker.stores.sqlite.pauses import Pauses
from tasker.stores.sqlite.rows import READING
from tasker.stores.sqlite.transactions import Transactions


class Puller:
    """Gives callers what queues hold. As ``Claimer``, it begins its transaction itself: mostly it needs none."""

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        inserter: Inserter,
        gates: Gates,
        looker: Looker,
        pauses: Pauses,
        now: Callable[[], Instant],
        node: bytes,
    ) -> None:
        self._queries = queries
        self._transactions = transactions
        self._inserter = inserter
        self._gates = gates
        self._looker = looker
        self._pauses = pauses
        self._now = now
        self._node = node

    def pull(self, queue: Destination, *, most: int, lease: timedelta) -> Pulled:
        """Take what is due of a queue: see ``Store.pull``. Not synced, as a claim."""
        now = self._now()
        if self._pauses.look() is not None:
            return Pulled()
        row = self._queries.first("queue", name=queue.name, now=now)
        if row is None:
            return Pulled()
        running, wake_at, due_at = row[READING.gate.width :]
        room_since = None if wake_at is None or wake_at > now else wake_at
        found = turn(Queue(READING.gate.read(row), running, room_since, due_at), most=most, now=now)
        if found.wanted == 0:
            return Pulled(next_at=found.next_at)
        return self._transactions.run(lambda: self._pull(found, lease, now), synced=False)

    def _pull(self, found: Turn, lease: timedelta, now: Instant) -> Pulled:
        gate, rows = found.gate.id, READING.attempt
        taken = [
            (attempt.due_at, row[rows.width], attempt)  # behind the columns of the attempt: seq
            for row in self._queries.all(
                "pull",
                gate=gate,
                limit=found.wanted,
                now=now,
                fence=secrets.randbits(63),
                node=self._node,
                lease=microseconds(lease),
                down_until=self._looker.down_until,
                let_go_at=found.let_go_at,
                paused_until=self._pauses.until,
            )
            if (attempt := rows.read(row))
        ]
        changed = found.started(len(taken), now)
        if changed.next_at != found.gate.next_at:
            self._queries.all("set_started", gate=gate, next_at=changed.next_at, let_in=changed.let_in)
        if found.is_used_up and len(taken) == found.wanted:
            self._queries.all("room_at", gate=gate, at=LAST)
        return Pulled([attempt for _, _, attempt in sorted(taken)], now, after(now, lease), now)

    def end_leases(self) -> tuple[LeasesEnded, Report]:
        """End a batch of leases: see ``Store.end_leases``."""
        now = self._now()
        next_at = self._queries.number("next_lease")
        if next_at is None or next_at > now:
            return LeasesEnded(TakenBack(todo=0, failed=0), next_at), Report()
        rows = self._queries.all(
            "end_leases", now=now, max_crashes=MAX_CRASHES, last_fault=fault_text(CRASHED), limit=LEASE_LIMIT
        )
        followed_by: list[Task] = []
        ended, back = [], []
        for row in rows:
            state, gate = row[READING.ending.width :]
            task_id = READING.ending.read(row).task_id
            if state == State.FAILED:
                followed_by += self._inserter.insert_what_follows(READING.failed(row, CRASHED), now)
                ended.append(task_id)
            else:
                back.append(task_id)
            self._gates.settled(gate, None, None, now)
        taken = TakenBack(todo=len(back), failed=len(ended))
        report = Report(ended=ended, taken_back=back, followed_by=followed_by)
        return LeasesEnded(taken, self._queries.number("next_lease")), report
