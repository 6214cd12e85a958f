"""Ends what could not start in time, or was held for too long."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from tasker.interfaces.queue import EXPIRE_LIMIT, GIVE_UP_LIMIT, Expired
from tasker.interfaces.reports import Report
from tasker.model.circuit import THRESHOLD
from tasker.model.instants import Instant, microseconds
from tasker.model.lifecycle import expired, given_up
from tasker.model.task import Fault, Task, TaskId
from tasker.stores.faults import fault_of, fault_text
from tasker.stores.sqlite.changer import look_at_schedule
from tasker.stores.sqlite.connection import Queries, Row
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import READING


class Expirer:
    """Ends tasks whose ``expires_at`` has come, or that a circuit has kept for too long, in batches."""

    def __init__(self, queries: Queries, inserter: Inserter, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._inserter = inserter
        self._now = now

    def expire(self) -> tuple[Expired, Report]:
        """End a batch of what has expired, and store what follows."""
        now = self._now()
        rows = self._queries.all("expired", now=now, limit=EXPIRE_LIMIT)
        report = self._end(rows, expired, now)
        return Expired(len(rows), self._queries.number("next_expiry")), report

    def give_up(self, least: timedelta) -> Report:
        """End a batch of what circuits have kept for too long, and store what follows."""
        now = self._now()
        rows = self._queries.all(
            "given_up", now=now, least=microseconds(least), threshold=THRESHOLD, limit=GIVE_UP_LIMIT
        )
        return self._end(rows, given_up, now)

    def _end(self, rows: Sequence[Row], why: Callable[[Fault | None], Fault], now: Instant) -> Report:
        ended: list[TaskId] = []
        followed_by: list[Task] = []
        for row in rows:
            last_fault, seq, *run_gone = row[READING.ending.width :]
            ending = READING.failed(row, why(fault_of(last_fault)))
            self._queries.all("expire", seq=seq, now=now, last_fault=fault_text(ending.fault))
            look_at_schedule(self._queries, run_gone)
            followed_by += self._inserter.insert_what_follows(ending, now)
            ended.append(ending.task_id)
        return Report(ended=ended, followed_by=followed_by)
