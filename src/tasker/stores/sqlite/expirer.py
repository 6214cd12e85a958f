"""Ends what could not start in time."""

from collections.abc import Callable

from tasker.interfaces.queue import EXPIRE_LIMIT, Expired
from tasker.model.instants import Instant
from tasker.model.lifecycle import expired
from tasker.stores.faults import fault_of, fault_text
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import READING


class Expirer:
    """Ends tasks whose ``expires_at`` has come, in batches."""

    def __init__(self, queries: Queries, inserter: Inserter, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._inserter = inserter
        self._now = now

    def expire(self) -> Expired:
        """End a batch, and store what follows."""
        now = self._now()
        rows = self._queries.all("expired", now=now, limit=EXPIRE_LIMIT)
        for row in rows:
            last_fault, seq = row[READING.ending.width :]
            fault = expired(fault_of(last_fault))
            self._queries.all("expire", seq=seq, now=now, last_fault=fault_text(fault))
            self._inserter.insert_what_follows(READING.failed(row, fault), now)
        return Expired(len(rows), self._queries.number("next_expiry"))
