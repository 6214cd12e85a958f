"""Notes that this node looks for due tasks, and finds the spans in which it did not."""

from collections.abc import Callable
from datetime import timedelta

from tasker.model.instants import Instant, after
from tasker.model.lateness import DOWN_AFTER, DOWN_KEPT
from tasker.stores.looks import Looks
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.pauses import Pauses
from tasker.stores.sqlite.transactions import Transactions


class Looker:
    """Notes looks and keeps the spans between them that are too long."""

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        looks: Looks,
        pauses: Pauses,
        now: Callable[[], Instant],
    ) -> None:
        self._queries = queries
        self._pauses = pauses
        self._transactions = transactions
        self._looks = looks
        self._now = now

    @property
    def down_until(self) -> Instant:
        """See ``Looks``."""
        return self._looks.down_until

    def look(self, now: Instant) -> None:
        """Note a look at *now* if one is due. Not synced: it costs no wait for the disk.

        A power loss may take the latest ones with it: the span seems to have begun a little
        earlier.
        """
        if self._looks.is_due(now):
            down_until = self._transactions.run(lambda: self._note(now), synced=False)
            self._looks.noted(now, down_until=down_until)

    def prune(self) -> int:
        """Delete the spans and the pauses that ended long ago. Return how many."""
        before = after(self._now(), -DOWN_KEPT)
        return len(self._queries.all("prune_down", before=before)) + self._pauses.prune(before)

    def _note(self, now: Instant) -> Instant:
        """Return the end of the latest span."""
        last = self._queries.number("last_look") or 0
        end_at = after(now, -self._looks.hung)
        if last > now:  # the clock was set back: what lies ahead of it has yet to come
            self._queries.all("forget_down_ahead", now=now)
        elif timedelta(microseconds=end_at - last) > DOWN_AFTER:
            self._queries.all("insert_down", begin_at=last, end_at=end_at)
        self._queries.all("note_look", now=now)
        return self._queries.number("down_until") or 0
