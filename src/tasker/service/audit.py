"""What callers can read of the audit log."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tasker.ids import parse_id
from tasker.interfaces.audit import AuditPage
from tasker.interfaces.store import Store
from tasker.model.attempt import AttemptRecord
from tasker.model.audit import AuditQuery, AuditRecord
from tasker.model.task import Task
from tasker.service.tasks import parsed_id

HISTORY_LIMIT: Final = 1_000
"""So many changes the line of a task shows, at most."""


class History(Struct, frozen=True):
    """What happened to a task."""

    task: Task
    attempts: Sequence[AttemptRecord]
    """Those that are kept, the oldest first."""
    changes: Sequence[AuditRecord]
    """The latest first, at most ``HISTORY_LIMIT``."""
    has_all: bool
    """Whether there are no other changes."""


class AuditService:
    """Reads the audit log. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, query: AuditQuery, *, after: str | None, limit: int) -> AuditPage:
        """Return a page: see ``Store.audit``. A UUID in ``query.subject`` may be in any spelling.

        Raises:
            InvalidQueryError: *after* (as ``cursor``) did not come from such a page.
        """
        if query.subject is not None:
            query = replace(query, subject=_canonical(query.subject))
        return await self._store.audit(query, after=after, limit=limit)

    async def history(self, task_id: str) -> History:
        """Return what happened to a task.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        id_ = parsed_id(task_id)
        task = await self._store.get(id_)
        attempts = await self._store.attempts(id_)
        page = await self._store.audit(AuditQuery(subject=id_), after=None, limit=HISTORY_LIMIT)
        return History(task, attempts, page.records, page.next is None)


def _canonical(subject: str) -> str:
    try:
        return parse_id(subject)
    except ValueError:
        return subject
