"""``tasker db copy`` and ``tasker db unmark``: what is done to databases that no server uses."""

import asyncio
import dataclasses
import sys
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import click

from tasker import node
from tasker.cli.output import CONFLICT, FAILED, INTERRUPTED, MISUSED, NOT_FOUND, CommandError, show
from tasker.cli.printing import talk
from tasker.cli.progress import Tell, progress
from tasker.cli.server import logs
from tasker.config import Settings
from tasker.errors import (
    CopyOfAnotherError,
    DatabaseError,
    DatabaseInUseError,
    DatabaseMovedError,
    NotEmptyError,
    NotHeldThereError,
)
from tasker.stores import copying, kind
from tasker.stores.copying import CopyEnd, Moved, Watch
from tasker.stores.mark import Mark, State
from tasker.timing.clock import elapsed, stopwatch

T = TypeVar("T")

_CONFLICTS: Final[dict[type[DatabaseError], str]] = {
    DatabaseMovedError: "database_moved",
    NotEmptyError: "not_empty",
    CopyOfAnotherError: "copy_of_another",
    NotHeldThereError: "inbox_not_empty",
}


def copy(settings: Settings, source: str, target: str, output: str) -> None:
    """Copy the database at one URL into the one at another, and say what became of it.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    _check_there(source)
    if source == target:
        raise CommandError(MISUSED, "usage", "FROM, TO: expected two databases, got the same one twice")
    logs.set_up("ERROR", settings.log_format)
    began = stopwatch()

    async def run(tell: Tell) -> tuple[str, str, Moved]:
        async with (
            node.open_for_copy(dataclasses.replace(settings, database_url=source)) as there,
            node.open_for_copy(dataclasses.replace(settings, database_url=target)) as here,
        ):
            return there.place, here.place, await copying.copy(there, here, _Told(there, here, tell))

    with progress() as tell:
        from_, to, moved = _run(run(tell))
    rows, seconds = sum(moved.tables.values()), elapsed(began)
    facts = {"from": from_, "to": to, "rows": rows, "seconds": round(seconds, 3), "tables": moved.tables}
    line = f"all is in {to} now: tasks: {moved.tables['task']:,}, rows in all: {rows:,}"
    show(output, facts, f"{line}; no server starts on {from_} any more")


def unmark(settings: Settings, output: str, *, is_sure: bool) -> None:
    """Take away the mark of a database that a copy has left.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    _check_there(settings.database_url)
    logs.set_up("ERROR", settings.log_format)

    async def run() -> tuple[str, Mark | None]:
        async with node.open_for_copy(settings) as end:
            await end.hold()
            mark = await end.mark()
            if mark is not None and (is_sure or _is_wanted(end, mark)):
                await end.unmark()
            return end.place, mark

    place, mark = _run(run())
    facts = {"database": place, "mark": mark and mark.state.value, "other": mark and mark.other}
    line = "has no mark" if mark is None else f"is no longer marked {mark.state.value}: servers start on it again"
    show(output, facts, f"{place} {line}")


def _is_wanted(end: CopyEnd, mark: Mark) -> bool:
    """Ask whether a mark is to be taken away.

    Raises:
        CommandError: it is not, or nobody can be asked.
    """
    other = mark.other or "another database"
    match mark.state:
        case State.MOVED:
            what = f"the tasks of {end.place} have moved to {other}, and run twice if servers run on both"
        case State.COPYING:
            what = (
                f"tasks are being copied from {other} into {end.place}: "
                "some may be missing, and those that are there may run twice"
            )
        case State.BACKUP:
            what = (
                f"{end.place} is a backup, and a server on it would not start paused: what came due since may run twice"
            )
    if not sys.stdin.isatty():
        raise CommandError(MISUSED, "not_confirmed", f"--yes: expected it where nobody can be asked; {what}")
    talk(what)
    if not click.confirm("take the mark away?", err=True):
        raise CommandError(FAILED, "not_confirmed", "nothing was done")
    return True


def _check_there(url: str) -> None:
    if kind.is_missing(url):
        raise CommandError(NOT_FOUND, "no_database", f"there is no database {kind.shown(url)}")


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        talk("interrupted; run the same command again: it goes on")
        sys.exit(INTERRUPTED)
    except DatabaseInUseError as error:
        raise CommandError(
            CONFLICT,
            "database_in_use",
            f"a server or another command uses the database {error.path}, or was killed less than half a minute ago: "
            "stop it first",
        ) from None
    except tuple(_CONFLICTS) as error:
        raise CommandError(CONFLICT, _CONFLICTS[type(error)], str(error)) from None


class _Told(Watch):
    """Tells people how far a copy is."""

    def __init__(self, source: CopyEnd, target: CopyEnd, tell: Tell) -> None:
        self._source, self._target, self._tell = source, target, tell
        self._total = self._copied = self._compared = 0

    def begins(self, total: int, *, goes_on: bool) -> None:
        """See ``Watch``."""
        self._total = total // 2
        if goes_on:
            talk(f"going on with the copy into {self._target.place}")
        self.copied(0)

    def begins_anew(self) -> None:
        """See ``Watch``."""
        talk(f"{self._source.place} was used since the copy began: deleting what was copied, and beginning anew")

    def copied(self, rows: int) -> None:
        """See ``Watch``."""
        self._copied += rows
        self._tell("copying", self._copied, self._total)

    def compared(self, rows: int) -> None:
        """See ``Watch``."""
        self._compared += rows
        self._tell("comparing", self._compared, self._total)
