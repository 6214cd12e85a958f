"""The audit log: writes its rows with what they tell of, and prunes them."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from tasker.ids import parse_id
from tasker.interfaces.audit import AuditPage
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.audit import AuditQuery, Entry
from tasker.model.instants import Instant, after
from tasker.model.task import TaskId
from tasker.stores.audits import ENTRY, bounds, entry_values, look, page_of
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import READING, id_bytes


class Auditor:
    """Writes rows in the transaction of a change."""

    def __init__(self, queries: Queries, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._now = now

    def write(self, entry: Entry | None) -> None:
        """Write a row: a part of the transaction of what it tells of. None: nobody asks for one."""
        if entry is not None:
            values = dict(zip(ENTRY, entry_values(entry), strict=True))
            self._queries.all("insert_audit", at=self._now(), **values)

    def point(self, task_ids: Iterable[TaskId], operation_id: TaskId) -> None:
        """Have tasks point to the operation that has changed them."""
        now = self._now()
        for task_id in task_ids:
            self._queries.all("insert_operation_task", task=id_bytes(task_id), operation=operation_id, at=now)

    def prune(self, older_than: timedelta) -> int:
        """Delete a batch of what is old: see ``Store.prune_audit``."""
        before = after(self._now(), -older_than)
        gone = self._queries.all("prune_audit", before=before, limit=PRUNE_LIMIT)
        return len(gone) + len(self._queries.all("prune_operation_tasks", before=before, limit=PRUNE_LIMIT))


def read_audit(queries: Queries, query: AuditQuery, after: str | None, limit: int) -> AuditPage:
    """Return a page of the audit log: see ``Store.audit``."""
    since, until, id_ = bounds(query, after)
    where = {"since": since, "until": until, "id": id_, "look": look(query, limit)}
    if query.subject is None:
        rows = queries.all("audit", **where)
    else:
        rows = queries.all("audit_of_subject", subject=query.subject, task=_task(query.subject), **where)
    return page_of([*map(READING.audit.read, rows)], query, limit)


def _task(subject: str) -> bytes | None:
    try:
        return id_bytes(parse_id(subject))
    except ValueError:
        return None
