"""The mark of a database: what whoever starts a server on it has to know first.

It is one row, written in the transaction of what it tells of. Every ``Store.open`` looks at it
before anything else is done: see ``obey``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from tasker.errors import DatabaseBeingCopiedError, DatabaseMovedError
from tasker.model import instants
from tasker.model.audit import TASKER, Action, Entry, Kind
from tasker.model.instants import Instant

_log = structlog.get_logger()

PAUSED: Final = Entry(by=TASKER, action=Action.PAUSE, kind=Kind.SERVER)
"""What the audit log says of the pause with which a server starts on a copy."""


class State(StrEnum):
    """What a database is, if it is not simply that of its servers."""

    BACKUP = "backup"
    """A copy that was made of another at the moment of the mark. What came due since may have run
    there: the first server on it starts paused, which takes the mark away."""
    COPYING = "copying"
    """Tasks are being copied into it: no server starts."""
    MOVED = "moved"
    """Its tasks are in another database now: no server starts."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What is written of a database. A database has one, or none."""

    state: State
    at: Instant
    """When the copy was made, the copying has begun, or the tasks have moved."""
    other: str | None = None
    """The database that the tasks come from or have moved to, as it may be shown: without a password. None:
    nobody knows."""


def check_servable(place: str, mark: Mark | None) -> None:
    """Return if a server may start on the database: it has no mark, or is a backup.

    Args:
        place: the database, as it may be shown.

    Raises:
        DatabaseBeingCopiedError, DatabaseMovedError: no server may start on it.
    """
    match mark:
        case Mark(state=State.COPYING):
            raise DatabaseBeingCopiedError(place, mark.other)
        case Mark(state=State.MOVED):
            raise DatabaseMovedError(place, mark.other)


def obey(place: str, mark: Mark | None) -> bool:
    """Return whether a server must pause everything, and take the mark away, before it does anything else.

    A log line says why it is paused.

    Raises:
        DatabaseBeingCopiedError, DatabaseMovedError: see ``check_servable``.
    """
    check_servable(place, mark)
    if mark is None:
        return False
    _log.warning(
        "this database is a copy, so everything is paused: what came due since it was made may have run already; "
        "look at it with tasker ls --reason paused_all, and then run: tasker resume",
        copied_at=instants.text(mark.at),
    )
    return True
