"""What a store says of a database that it only looks at: see ``StoreKind.examine``."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tasker.errors import DatabaseBeingCopiedError, DatabaseMovedError, StartError
from tasker.model import instants
from tasker.model.api_key import KeyState
from tasker.model.diagnosis import Finding, Level, Problem
from tasker.model.gate import GateStatus
from tasker.model.inbox import InboxCount
from tasker.model.instants import Instant
from tasker.model.node import NodeRecord
from tasker.model.overdue import Overdue
from tasker.stores.mark import Mark, State

GATES_SHOWN: Final = 100
"""Gates in trouble that are read, at most."""


class Contents(Struct, frozen=True, kw_only=True):
    """What is in a database, at one moment."""

    at: Instant
    """By the clock that decides."""
    overdue: Overdue
    """Where it depends on a node, as if one had no free slot for anything."""
    gates: Sequence[GateStatus]
    """Those that are paused or fail, ``GATES_SHOWN`` at most."""
    keys: KeyState
    paused_at: Instant | None
    """Since when everything is paused; None: it is not."""
    nodes: Sequence[NodeRecord]
    """Those that share it, or did so lately; empty, where nobody shares it."""
    inbox: InboxCount | None
    """None: there is no inbox."""
    looked_at: Instant | None
    """When a server last looked for due tasks, as it was written down; None: that is not known."""
    mark: Mark | None


class Examined(Struct, frozen=True, kw_only=True):
    """A database, as it was found."""

    engine: str
    """What keeps it, with its version, such as ``SQLite 3.54.0``."""
    findings: Sequence[Finding]
    holder: str | None = None
    """Who has it open, such as ``process 17``; None: nobody has, or that cannot be seen from outside."""
    sees_holder: bool = False
    """Whether it can be seen who has it open."""
    is_shared: bool = False
    """Whether any number of servers may use it, so that ``Contents.nodes`` says who does."""
    clock_offset: float | None = None
    """How many seconds its clock is ahead of this machine's, as near as could be measured; None: it is this
    machine's, or that could not be measured."""
    is_new: bool = False
    """Whether there is nothing in it yet: a server makes its tables when it starts."""
    contents: Contents | None = None
    """None: it is new, or they could not be read, and a finding says why."""


CANNOT_OPEN: Final = Problem(
    "database", "cannot_open", Level.FAULT, "no server can start on it, and one that runs on it takes no tasks"
)
TABLES_TOO_NEW: Final = Problem("database", "tables_too_new", Level.FAULT, "this version cannot start on it")
NOT_READ: Final = Problem("database", "not_read", Level.WARNING, "what is in it was not looked at")
BEING_COPIED: Final = Problem("database", "being_copied", Level.FAULT, "no server starts on it")
MOVED: Final = Problem("database", "moved", Level.FAULT, "no server starts on it, since tasks would run twice")
IS_BACKUP: Final = Problem(
    "database",
    "is_backup",
    Level.WARNING,
    "the next server on it starts paused: what has come due since the copy may have run already",
)

PROBLEMS: Final = (CANNOT_OPEN, TABLES_TOO_NEW, NOT_READ, BEING_COPIED, MOVED, IS_BACKUP)
"""What may be wrong with the database of any store."""


def judge_mark(place: str, mark: Mark | None) -> Sequence[Finding]:
    """Return what the mark of a database says; nothing, if it has none.

    Args:
        place: the database, as it may be shown.
    """
    match mark:
        case None:
            return []
        case Mark(state=State.COPYING):
            return [refused(BEING_COPIED, DatabaseBeingCopiedError(place, mark.other))]
        case Mark(state=State.MOVED):
            return [refused(MOVED, DatabaseMovedError(place, mark.other))]
        case _:
            what = f"{place} is a copy that was made at {instants.text(mark.at)}"
            return [IS_BACKUP.found(what, mend="start a server, look at what is due, and then: tasker resume")]


def refused(problem: Problem, error: StartError) -> Finding:
    """Return that a server could not start for *error*: its message says what to do after a semicolon."""
    what, _, mend = str(error).partition("; ")
    return problem.found(what, mend=mend.removesuffix(" and start again"))
