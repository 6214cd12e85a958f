"""``tasker get``, ``ls``, ``wait`` and ``explain``: look at tasks."""

import itertools
import time
from collections.abc import Sequence
from typing import Any, Final

import click

from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, path_of
from tasker.cli.filtering import filter_options, filters_in
from tasker.cli.output import FAILED, MISUSED, TIMED_OUT, CommandError
from tasker.cli.printing import talk
from tasker.filters import SORTS, query_of, usual_sort

_PAGE: Final = 500
_ON_A_TERMINAL: Final = 50
_LONGEST_LOOK: Final = 30.0
"""Seconds for which a call waits. The server allows 60; proxies like less."""
_ENDED: Final = ("done", "failed", "cancelled")


def task_path(ids: Sequence[str], key: str | None) -> str:
    """Return the path of the one task that is named, by its id or by its key.

    Raises:
        CommandError: none is named, or several.
    """
    if len(ids) + (key is not None) != 1:
        got = "none" if key is None and not ids else "both" if key is not None else str(len(ids))
        raise CommandError(MISUSED, "usage", f"ID, --key: expected the id or the key of one task, got {got}")
    return path_of("tasks", "key", key) if key is not None else path_of("tasks", ids[0])


@click.command("get")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--key", metavar="KEY", help="The task that holds the key, or else the newest that had it.")
@click.option("--attempts", "with_attempts", is_flag=True, help="Its latest attempts in place of the task.")
@click.option(
    "--history", "with_history", is_flag=True, help="What happened to it in place of the task: attempts and changes."
)
@saying.tz_option
@calls_server()
def get_command(
    session: Session, ids: Sequence[str], key: str | None, zone: Zone, *, with_attempts: bool, with_history: bool
) -> None:
    """Show a task, by its id or its key.

    \b
    Examples:
      tasker get 01a20f63-2f5b-7bd0-a33e-6c8a3d0a1c52
      tasker get --key order-17
      tasker get --key order-17 --history
    """  # noqa: D301 - click reads the sign that \b stands for
    if with_attempts or with_history:
        path = _path_by_id(session, ids, key)
        if with_attempts:
            session.printer.each(
                session.call("GET", f"{path}/attempts"), views.attempt_columns(zone), "no attempt has ended yet"
            )
        else:
            history = session.call("GET", f"{path}/history")
            session.printer.each(history["history"], views.history_columns(zone), "nothing happened to it yet")
        return
    paths = [task_path(ids, key)] if key is not None or not ids else [path_of("tasks", each) for each in ids]
    tasks = (views.flat(session.call("GET", path)) for path in paths)
    if len(paths) == 1:
        task = next(tasks)
        session.printer.one(task, views.task_pairs(task, zone), views.task_columns(zone, clocks.now()))
    else:
        session.printer.each(tasks, views.task_columns(zone, clocks.now()), "")


def _path_by_id(session: Session, ids: Sequence[str], key: str | None) -> str:
    """Return the path of the one task that is named, with its id: not all calls have one with a key."""
    path = task_path(ids, key)
    return path if key is None else path_of("tasks", _id_of(session, key))


def _id_of(session: Session, key: str) -> str:
    return str(views.flat(session.call("GET", path_of("tasks", "key", key)))["id"])


@click.command("ls")
@filter_options
@click.option(
    "--sort",
    type=click.Choice(SORTS),
    help="The order; - turns it round.  [default: next due first of those that wait, else latest first]",
)
@click.option(
    "--limit",
    metavar="NUMBER",
    type=click.IntRange(1),
    help="Print so many at most.  [default: 50 in a table, else all]",
)
@click.option("--count", "is_count", is_flag=True, help="Print how many there are, up to 10000, in place of them.")
@saying.tz_option
@calls_server()
def ls_command(
    session: Session,
    zone: Zone,
    sort: str | None,
    limit: int | None,
    *,
    is_count: bool,
    **given: Any,  # noqa: ANN401 - filters
) -> None:
    """List the tasks that pass all filters; without filters, all.

    \b
    Examples:
      tasker ls --state failed --ended 'last night'
      tasker ls --tag customer:42 --output csv > tasks.csv
      tasker ls --due 'next 2h' --destination https://example.org:443
    """  # noqa: D301 - click reads the sign that \b stands for
    filters = filters_in(given, zone)
    if is_count:
        count = session.call("GET", "/tasks", query={**filters, "limit": 1, "count": "capped"})["count"]
        session.printer.one({"count": count}, [("count", str(count))])
        return
    shown = limit or (_ON_A_TERMINAL if session.printer.is_table else None)
    page = min(shown + 1, _PAGE) if shown else _PAGE
    query = {
        **filters,
        "sort": sort or usual_sort(query_of(filters)),
        "limit": page,
        "fields": "summary" if session.printer.is_table else None,
    }
    found = map(views.flat, session.pages("/tasks", "tasks", query))
    rows = found if shown is None else itertools.islice(found, shown)
    session.printer.each(
        rows, views.task_columns(zone, clocks.now()), "no task passes the filters" if filters else "there are no tasks"
    )
    if shown is not None and next(found, None) is not None:
        talk(f"the first {shown}; there are more: --limit {shown * 10}, or --output ndjson for all")


@click.command("wait")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--key", metavar="KEY", help="The task that holds the key, or else the newest that had it.")
@click.option("--timeout", metavar="LENGTH", help="Give up after so long, such as 30s or 10m.  [default: never]")
@saying.tz_option
@calls_server("7  the time was over before the end; 1 is that a task has failed or was cancelled")
def wait_command(session: Session, ids: Sequence[str], key: str | None, timeout: str | None, zone: Zone) -> None:
    """Wait until tasks have ended, and show them.

    By ids, or one by its key.

    \b
    Example:
      tasker wait "$(tasker add https://example.org/hook --at now --quiet)" --timeout 1m
    """  # noqa: D301 - click reads the sign that \b stands for
    seconds = None if timeout is None else saying.length_of("--timeout", timeout).total_seconds()
    if key is not None or not ids:
        task_path(ids, key)
        ids = [_id_of(session, key or "")]
    wait_for(session, ids, seconds, zone)


def wait_for(session: Session, ids: Sequence[str], seconds: float | None, zone: Zone) -> None:
    """Wait until all have ended, and show them.

    Raises:
        CommandError: one has not ended well, or in time.
    """
    until = None if seconds is None else time.monotonic() + seconds
    tasks = [_ended(session, id_, until) for id_ in ids]
    if len(tasks) == 1:
        session.printer.one(tasks[0], views.task_pairs(tasks[0], zone), views.task_columns(zone, clocks.now()))
    else:
        session.printer.each(tasks, views.task_columns(zone, clocks.now()), "")
    late = [task for task in tasks if task["state"] not in _ENDED]
    if late:
        raise CommandError(
            TIMED_OUT, "timed_out", f"the time is over, and the task {late[0]['id']} is {late[0]['state']}"
        )
    for task in tasks:
        if task["state"] != "done":
            error = task.get("last_error")
            why = f": {error['msg']}" if error else ""
            raise CommandError(FAILED, f"task_{task['state']}", f"the task {task['id']} is {task['state']}{why}")


def _ended(session: Session, id_: str, until: float | None) -> dict[str, Any]:
    while True:
        left = _LONGEST_LOOK if until is None else max(min(until - time.monotonic(), _LONGEST_LOOK), 0.0)
        task = views.flat(session.call("GET", path_of("tasks", id_), query={"wait": f"{left:.3f}"}))
        if task["state"] in _ENDED or (until is not None and time.monotonic() >= until):
            return task


@click.command("explain")
@click.argument("ids", metavar="[ID]", nargs=-1)
@click.option("--key", metavar="KEY", help="The task that holds the key, or else the newest that had it.")
@saying.tz_option
@calls_server()
def explain_command(session: Session, ids: Sequence[str], key: str | None, zone: Zone) -> None:
    """Say why a task is where it is, and what comes next."""
    path = _path_by_id(session, ids, key)
    told = session.call("GET", f"{path}/explain")
    session.printer.one(told, views.explanation_pairs(told, zone))
