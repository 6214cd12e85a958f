"""Deletes what ended long ago."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.instants import Instant, after
from tasker.model.task import State
from tasker.stores.sqlite.changer import delete_rest
from tasker.stores.sqlite.connection import Queries, Row

_PRUNE_TIME: Final = timedelta(milliseconds=10)
"""After so long a batch of deletes ends: a claim may be waiting."""


class Pruner:
    """Deletes tasks in batches."""

    def __init__(self, queries: Queries, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._now = now

    def prune(self, state: State, *, older_than: timedelta) -> int:
        """Delete a batch, as far as it goes in a few milliseconds. Return how many went."""
        before = after(self._now(), -older_than)
        return self._delete(self._queries.all("old", state=state, before=before, limit=PRUNE_LIMIT))

    def prune_kept(self) -> int:
        """Do the same with what was kept for a time of its own."""
        return self._delete(self._queries.all("old_kept", now=self._now(), limit=PRUNE_LIMIT))

    def _delete(self, rows: Sequence[Row]) -> int:
        ends_at = after(self._now(), _PRUNE_TIME)
        pruned = 0
        for (seq,) in rows:
            self._queries.all("prune", seq=seq)
            delete_rest(self._queries, seq)
            pruned += 1
            if self._now() >= ends_at:
                break
        return pruned
