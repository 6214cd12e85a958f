"""What of a copy may have run since it was made: see ``stores/maintenance.py``."""

import apsw

from tasker.model.instants import Instant
from tasker.stores import queries
from tasker.stores.maintenance import Due, DueCount
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import id_text


def due_since(connection: apsw.Connection, copied_at: Instant, now: Instant, *, with_ids: bool) -> Due:
    """Return what has not ended and was due by *now*, in a database whose tables are up to date."""
    asked = Queries(connection, queries.load("tasker.stores.sqlite", "maintenance.sql"))
    counts = [
        DueCount(type=type_, destination=destination, since=since, before=before)
        for type_, destination, since, before in asked.all("due", copied_at=copied_at, now=now)
    ]
    ids = [id_text(row[0]) for row in asked.all("due_ids", now=now)] if with_ids else ()
    schedules = asked.number("due_schedules", now=now) or 0
    return Due(copied_at=copied_at, counts=counts, schedules=schedules, ids=ids)
