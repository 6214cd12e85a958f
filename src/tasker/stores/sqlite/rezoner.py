"""Moves what waits by newer time zones."""

from collections.abc import Callable

from tasker.interfaces.queue import REZONE_LIMIT, Rezoned
from tasker.model.instants import Instant
from tasker.model.task import TaskId
from tasker.stores.rezoning import Moved, moved
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import id_text


class Rezoner:
    """Finds the moments of tasks with a local time anew, in batches."""

    def __init__(self, queries: Queries, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._now = now

    def note(self, version: str) -> None:
        """Note a version: see ``Store.note_zones``."""
        self._queries.all("note_zones", version=version)

    def rezone(self, version: str, place: Callable[[str, str], Instant | None]) -> Rezoned:
        """Look at a batch: see ``Store.rezone``."""
        now = self._now()
        rows = self._queries.all("outdated", version=version, limit=REZONE_LIMIT)
        moved_ids: list[TaskId] = []
        for seq, id_, *times in rows:
            verdict = moved(*times, place=place, now=now)
            if isinstance(verdict, Moved):
                self._queries.all("move_by_zones", seq=seq, version=version, at=verdict.at, text=verdict.text)
                moved_ids.append(id_text(id_))
            else:
                self._queries.all("keep_by_zones", seq=seq, version=version)
        return Rezoned(looked_at=len(rows), moved=moved_ids)
