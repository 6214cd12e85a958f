"""What is done to a database without serving it: ``tasker db backup``, ``restore``, ``check`` and ``vacuum``.

Each kind of store says what it can do of that. Everything here blocks, and needs no event loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from tasker.model.instants import Instant
from tasker.model.task import TaskId

Tell: TypeAlias = Callable[[str, int, int | None], None]
"""Told how far it has come, often: what it is at, how much of that is done, and of how much in all;
None: nobody knows of how much."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A copy that was made, read back and put in place."""

    path: Path
    copied_at: Instant
    """The moment that it shows."""
    bytes: int
    tasks: int
    removed: Sequence[Path]
    """Older copies that were removed, since the new one is there."""


@dataclass(frozen=True, kw_only=True)
class DueCount:
    """How many tasks of one type and one destination have not ended, and were due by now."""

    type: str
    destination: str | None
    """The host, or the queue; None: such tasks have none."""
    since: int
    """How many came due since the copy was made."""
    before: int
    """How many were due when it was made, or running."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """What starts at once when a server on a copy may start tasks: all of it may have run since the copy was made.

    Each call has the same ``webhook-id`` as then.
    """

    copied_at: Instant
    counts: Sequence[DueCount]
    """Those of most tasks first."""
    schedules: int
    """How many schedules have times that have passed since. They make up for them as their ``missed`` says."""
    ids: Sequence[TaskId] = ()
    """The tasks, in the order of arrival, if they were asked for."""

    @property
    def since(self) -> int:
        """How many tasks came due since the copy was made."""
        return sum(count.since for count in self.counts)

    @property
    def before(self) -> int:
        """How many were due when it was made, or running."""
        return sum(count.before for count in self.counts)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A copy that was put in the place of a database."""

    tasks: int
    replaced: Path | None
    """Where the database that was there is now; None: there was none."""
    due: Due


@dataclass(frozen=True, kw_only=True)
class Vacuumed:
    """A database that was written anew, without gaps."""

    before: int
    """Bytes."""
    after: int


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong in a database."""

    code: str
    """A stable word for programs."""
    count: int
    """How many rows; 0: nobody can count them."""
    problem: str
    """What is wrong, as a clause."""
    remedy: str
    """What to do, as a clause."""
    example: str | None = None
    """One of the rows: an id or a name."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check has found."""

    tasks: int
    findings: Sequence[Finding]
    """None: all is well."""


class Maintenance(Protocol):
    """What can be done to one database.

    Every method raises ``StartError`` when the database cannot be opened, such as
    ``DatabaseInUseError`` where no server may use it meanwhile, and ``MaintenanceError`` when it is
    not to be done or did not work. Then nothing was changed.
    """

    def back_up(self, path: Path, *, keep: int | None, tell: Tell) -> Backup:
        """Copy the database as it is at one moment, whether a server uses it or not.

        The copy is on stable storage, and was read back, when it gets its name. It is marked as a
        copy: the first server that is started on it starts paused. A copy that has the name already
        is replaced; nothing else is.

        Args:
            path: the file.
            keep: the moment becomes a part of the name, and so many copies with this name are kept,
                the new one included, at least 1; None: the name is that of *path*.

        Raises:
            InTheWayError: something else has the name, or another process is making this copy.
            OwnToolsError: the database has tools of its own for that.
        """

    def restore(self, copy: Path, *, paused: bool, with_ids: bool, tell: Tell) -> Restored:
        """Put a copy in the place of the database, which is kept under another name. No server may use it.

        The place has the old database or the new one at every moment, whole.

        Args:
            paused: whether the first server starts paused.
            with_ids: whether to return the ids of what is due.

        Raises:
            CopyUnusableError: it is not a whole copy of a database of tasker.
            OwnToolsError: the database has tools of its own for that.
        """

    def note_restored(self, copied_at: Instant | None, *, paused: bool, with_ids: bool) -> Due:
        """Mark the database as a copy that was put in place by other means. No server may use it.

        Args:
            copied_at: when the copy was made; None: when a server last looked for due tasks.
            paused, with_ids: as in ``restore``.
        """

    def check(self, tell: Tell) -> Checked:
        """Look whether the database is whole, and keeps what tasker relies on. Changes nothing.

        A server may use it meanwhile.
        """

    def vacuum(self, tell: Tell) -> Vacuumed:
        """Write the database anew without gaps, so that it takes no more room than it needs. No server may use it.

        Raises:
            OwnToolsError: the database has tools of its own for that.
        """
