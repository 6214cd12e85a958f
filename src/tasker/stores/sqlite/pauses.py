"""When everything is paused, and was."""

from collections.abc import Callable

from tasker.model.audit import Entry
from tasker.model.instants import Instant
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.connection import Queries


class Pauses:
    """What the writer knows of the latest pause. Nobody else writes it, so a claim need not read it again."""

    def __init__(self, queries: Queries, auditor: Auditor, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._auditor = auditor
        self._now = now
        self._is_known = False
        self.at: Instant | None = None
        """Since when everything is paused, as it was last seen; None: it is not."""
        self.until: Instant = 0
        """The end of the latest pause: what is due later was not due in any."""

    def look(self) -> Instant | None:
        """Return since when everything is paused; None: it is not."""
        if not self._is_known:
            self._read()
        return self.at

    def pause(self, entry: Entry | None) -> None:
        """Begin a pause, unless one lasts."""
        now = self._now()
        self._queries.all("forget_pauses_ahead", now=now)
        self._queries.all("cut_pauses_ahead", now=now)
        if self._queries.all("begin_pause", now=now):
            self._auditor.write(entry)
        self._read()

    def resume(self, entry: Entry | None) -> None:
        """End the pause that lasts, if one does."""
        now = self._now()
        if self._queries.all("forget_pause", now=now) or self._queries.all("end_pause", now=now):
            self._auditor.write(entry)
        self._read()

    def forget(self) -> None:
        """Read it again before the next claim: what was written was undone."""
        self._is_known = False

    def prune(self, before: Instant) -> int:
        """Delete the pauses that ended before a moment. Return how many."""
        return len(self._queries.all("prune_pauses", before=before))

    def _read(self) -> None:
        begin_at, end_at = self._queries.first("last_pause") or (None, None)
        self.at = begin_at if end_at is None else None
        self.until = end_at or 0
        self._is_known = True
