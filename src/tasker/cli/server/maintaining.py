"""``tasker db``: copies of the database, and what else is done to it without serving it."""

import asyncio
import dataclasses
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from tasker import node
from tasker.cli import output
from tasker.cli.printing import Printer, talk
from tasker.cli.progress import progress
from tasker.cli.server import logs
from tasker.config import Settings
from tasker.errors import (
    CopyUnusableError,
    DatabaseInUseError,
    InTheWayError,
    MaintenanceError,
    OwnToolsError,
    StoreError,
)
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.stores import kind
from tasker.stores.maintenance import Due, Maintenance, Tell
from tasker.timing.clock import SystemClock

T = TypeVar("T")

_NICENESS: Final = 10
"""How far a backup stands back: the server is on the same machine."""

_EXITS: Final = ((InTheWayError, output.CONFLICT), (OwnToolsError, output.MISUSED), (CopyUnusableError, output.FAILED))

_PAUSED: Final = (
    "the next server starts paused: look at what is due with tasker ls --reason paused_all, "
    "cancel what must not run again, and then run: tasker resume"
)


def back_up(settings: Settings, printer: Printer, path: Path, keep: int | None) -> None:
    """Copy the database, and print where the copy is.

    Raises:
        StartError, CommandError: there is no new copy; older ones are as they were.
    """
    with suppress(OSError):
        os.nice(_NICENESS)
    clock = SystemClock()
    began = clock.monotonic()
    made = _on_database(settings, lambda database, tell: database.back_up(path, keep=keep, tell=tell))
    seconds = clock.monotonic() - began
    copied_at = instants.text(made.copied_at)
    printer.one(
        {
            "path": str(made.path),
            "copied_at": copied_at,
            "tasks": made.tasks,
            "bytes": made.bytes,
            "seconds": round(seconds, 3),
            "removed": [str(each) for each in made.removed],
        },
        [
            ("copy", str(made.path)),
            ("of", copied_at),
            ("tasks", f"{made.tasks:,}"),
            ("size", _size(made.bytes)),
            ("took", f"{seconds:.1f} s"),
            *(("removed", str(each)) for each in made.removed),
        ],
    )


def restore(settings: Settings, printer: Printer, copy: Path, decided: str | None) -> None:
    """Put a copy in the place of the database, and print what may have run since.

    Args:
        decided: ``run`` or ``cancel`` what came due since; None: the next server starts paused.

    Raises:
        StartError, CommandError: it is not done; the message says what is there now.
    """
    paused, with_ids = _asked(decided)
    done = _on_database(
        settings,
        lambda database, tell: database.restore(copy, paused=paused, with_ids=with_ids, tell=tell),
        makes=True,
    )
    place = kind.shown(settings.database_url)
    replaced = None if done.replaced is None else str(done.replaced)
    facts = {"database": place, "tasks": done.tasks, "replaced": replaced}
    pairs = [
        ("database", place),
        ("tasks", f"{done.tasks:,}"),
        ("replaced", "nothing" if replaced is None else f"what is now {replaced}"),
    ]
    _decide(settings, printer, done.due, decided, facts, pairs)


def note_restored(settings: Settings, printer: Printer, copied_at: Instant | None, decided: str | None) -> None:
    """Mark the database as a copy that was put in place by other means, and print what may have run since.

    Raises:
        StartError, CommandError: it is not done.
    """
    paused, with_ids = _asked(decided)
    due = _on_database(
        settings, lambda database, _: database.note_restored(copied_at, paused=paused, with_ids=with_ids)
    )
    place = kind.shown(settings.database_url)
    _decide(settings, printer, due, decided, {"database": place}, [("database", place)])


def check(settings: Settings, printer: Printer) -> bool:
    """Print what is wrong in the database. Return whether nothing is.

    Raises:
        StartError, CommandError: it cannot be looked at.
    """
    found = _on_database(settings, lambda database, tell: database.check(tell))
    findings = [dataclasses.asdict(each) for each in found.findings]
    said = [
        (each.code, f"{each.problem}{f', such as {each.example}' if each.example else ''}; {each.remedy}")
        for each in found.findings
    ]
    is_well = not findings
    printer.one(
        {
            "database": kind.shown(settings.database_url),
            "is_well": is_well,
            "tasks": found.tasks,
            "findings": findings,
        },
        said or [("well", f"{found.tasks:,} tasks; nothing is wrong")],
    )
    return is_well


def vacuum(settings: Settings, printer: Printer) -> None:
    """Write the database anew without gaps, and print how large it was and is.

    Raises:
        StartError, CommandError: it is not done.
    """
    done = _on_database(settings, lambda database, tell: database.vacuum(tell))
    facts = {
        "database": kind.shown(settings.database_url),
        "bytes_before": done.before,
        "bytes_after": done.after,
    }
    printer.one(facts, [("before", _size(done.before)), ("after", _size(done.after))])


def _asked(decided: str | None) -> tuple[bool, bool]:
    """Return whether to start paused, and whether to learn which tasks are due."""
    return decided != "run", decided == "cancel"


def _decide(
    settings: Settings,
    printer: Printer,
    due: Due,
    decided: str | None,
    facts: dict[str, Any],
    pairs: Sequence[tuple[str, str]],
) -> None:
    """Do what was decided of what may have run since the copy, and print that."""
    cancelled = None
    if decided == "cancel":
        try:
            cancelled = asyncio.run(node.cancel_due(settings, due))
        except DatabaseInUseError:
            problem = "it is restored, but a server has started, and is paused: cancel what is due with tasker cancel"
            raise output.CommandError(output.CONFLICT, "database_in_use", problem) from None
        except StoreError as error:
            problem = f"it is restored, but not all that is due is cancelled ({error}); it is paused"
            raise output.CommandError(output.FAILED, "failed", problem) from None
    copied_at = instants.text(due.copied_at)
    counts = [
        {"type": each.type, "destination": each.destination, "since": each.since, "before": each.before}
        for each in due.counts
    ]
    shown = {
        **facts,
        "copied_at": copied_at,
        "paused": decided is None,
        "due": {"since": due.since, "before": due.before, "schedules": due.schedules, "by": counts},
        "cancelled": cancelled,
    }
    lines = [
        (each.type, f"{each.since + each.before:,}{'' if each.destination is None else f' to {each.destination}'}")
        for each in due.counts
    ]
    printer.one(
        shown,
        [
            *pairs,
            ("copied at", copied_at),
            ("due since", f"{due.since:,} tasks, which may have run already"),
            ("due before", f"{due.before:,} tasks, which were due or running then"),
            *lines,
            *([("schedules", f"{due.schedules:,} have had times since")] if due.schedules else []),
            *([] if cancelled is None else [("cancelled", f"{cancelled:,}")]),
        ],
    )
    if decided is None:
        talk(_PAUSED)


def _on_database(settings: Settings, work: Callable[[Maintenance, Tell], T], *, makes: bool = False) -> T:
    """Do *work* on the database.

    Args:
        makes: whether a SQLite file may be missing.
    """
    logs.set_up("ERROR", settings.log_format)
    place = kind.shown(settings.database_url)
    database = node.maintenance(settings)
    if kind.is_missing(settings.database_url) and not makes:
        raise output.CommandError(output.NOT_FOUND, "no_database", f"there is no database {place}")
    try:
        with progress() as tell:
            return work(database, tell)
    except DatabaseInUseError:
        raise output.CommandError(
            output.CONFLICT,
            "database_in_use",
            f"a server or another program uses the database {place}, or was killed less than half a minute ago: "
            "stop it first",
        ) from None
    except MaintenanceError as error:
        exit_code = next((code for kind_, code in _EXITS if isinstance(error, kind_)), output.FAILED)
        raise output.CommandError(exit_code, error.code, str(error)) from None


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e6:,.1f} MB"
