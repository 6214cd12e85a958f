"""Keeps what was counted, minute by minute and hour by hour."""

import uuid
from collections.abc import Callable, Sequence

from tasker.interfaces.statistics import PRUNE_HISTORY_LIMIT
from tasker.model.history import KEPT, HistoryRow, Kept
from tasker.model.instants import Instant, after
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import id_text


class Historian:
    """Writes rows of the history, and deletes old ones."""

    def __init__(self, queries: Queries, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._now = now

    def write(self, rows: Sequence[HistoryRow]) -> None:
        """Write rows, in place of those that were written of the same spans."""
        for row in rows:
            self._queries.all(
                "write_history",
                length=row.length,
                at=row.at,
                run=uuid.UUID(row.run).bytes,
                counts=row.counts.decode(),
                failures=None if row.failures is None else row.failures.decode(),
            )

    def prune(self) -> int:
        """Delete some of the old ones. Return how many."""
        pruned = 0
        for length, kept in KEPT.items():
            before = after(self._now(), -kept) - length
            pruned += len(
                self._queries.all("prune_history", length=length, before=before, limit=PRUNE_HISTORY_LIMIT - pruned)
            )
        return pruned


def read_history(
    queries: Queries,
    query: str,
    length: int,
    first: Instant,
    until: Instant,
    beyond: tuple[Instant, str] | None,
    limit: int,
) -> Sequence[Kept]:
    """Read a part of the history: see ``Store.history``."""
    at, run = (first, b"") if beyond is None else (beyond[0], uuid.UUID(beyond[1]).bytes)
    rows = queries.all(query, length=length, at=at, run=run, until=until, limit=limit)
    return [Kept(at, id_text(run), text.encode()) for at, run, text in rows]
