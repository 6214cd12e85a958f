"""The audit log: who has changed what, when."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from tasker.model.audit import AuditQuery, AuditRecord, Entry


class AuditPage(Struct, frozen=True):
    """A part of the audit log."""

    records: Sequence[AuditRecord]
    next: str | None
    """Where the next page begins, in a form only the store understands; None: this is the last page."""


class AuditStore(Protocol):
    """Keeps the audit log. See ``Store`` for what holds for every method.

    Rows are written by the changes themselves: a method that takes an ``Entry`` writes it in the
    transaction of what it changes, and only if it changes something. Besides, a row is written when
    a circuit is opened, stays open after a probe, or is closed, and by ``note_change``.
    """

    async def note_change(self, entry: Entry) -> None:
        """Write a row for a change of something that the store does not keep."""

    async def audit(self, query: AuditQuery, *, after: str | None, limit: int) -> AuditPage:
        """Return up to *limit* rows that pass the filters of *query*, the latest first.

        Looks at a bounded number of rows: a page may be shorter than *limit*, or empty, before the
        last one.

        Args:
            after: the ``next`` of the page before; None for the first page.
            limit: at least 1.

        Raises:
            InvalidQueryError: *after* (as ``cursor``) did not come from such a page.
        """

    async def prune_audit(self, *, older_than: timedelta) -> int:
        """Delete a batch of the rows that are older, and of the pointers of tasks to them; return how many.

        Nodes may prune at the same time.
        """
