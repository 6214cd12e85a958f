"""The audit log, as far as the stores share it: the values of a row, and the pages that are read."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from tasker.errors import InvalidQueryError
from tasker.interfaces.audit import AuditPage
from tasker.model.audit import AuditQuery, AuditRecord, Changes, Entry
from tasker.model.instants import LAST, Instant

LOOKED_AT_ONCE: Final = 1_000
"""So many rows a page looks at, at most."""

ENTRY: Final = ("by_id", "by_name", "action", "kind", "subject", "name", "changes")
"""The columns of a row that an entry says, in the order of ``entry_values``."""

_CURSOR: Final = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
_BEFORE_ALL: Final = -62_135_596_800_000_000
"""The year 1, which every store can say."""


def entry_values(entry: Entry) -> tuple[str | None, ...]:
    """Return the values of ``ENTRY``."""
    return (
        entry.by.id,
        entry.by.name,
        entry.action.value,
        entry.kind.value,
        entry.subject,
        entry.name,
        changes_text(entry.changes),
    )


def changes_text(changes: Changes) -> str | None:
    """Return changes as they are stored; None: there are none."""
    return msgspec.json.encode(changes).decode() if changes else None


def bounds(query: AuditQuery, after: str | None) -> tuple[Instant, Instant, int]:
    """Return the moment from which rows are looked at, and the moment and id before which they stand.

    Raises:
        InvalidQueryError: *after* is no cursor.
    """
    until = (LAST + 1 if query.before is None else query.before, 0)
    if after is not None:
        match = _CURSOR.fullmatch(after)
        if match is None:
            raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it")
        until = min(until, (int(match[1]), int(match[2])))
    return _BEFORE_ALL if query.since is None else query.since, *until


def look(query: AuditQuery, limit: int) -> int:
    """Return how many rows a page looks at."""
    return limit if query.is_passed_by_all else LOOKED_AT_ONCE


def page_of(looked: Sequence[AuditRecord], query: AuditQuery, limit: int) -> AuditPage:
    """Return the page that comes of the rows that were looked at, of which there are no more than ``look``."""
    passing: list[AuditRecord] = []
    is_last = len(looked) < look(query, limit)
    for record in looked:
        if query.passes(record):
            passing.append(record)
            if len(passing) == limit:
                is_last &= record is looked[-1]
                return AuditPage(passing, None if is_last else _cursor(record))
    return AuditPage(passing, None if is_last else _cursor(looked[-1]))


def _cursor(record: AuditRecord) -> str:
    return f"{record.at}.{record.id}"
