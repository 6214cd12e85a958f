"""``tasker run``, ``retry``, ``cancel``, ``postpone`` and ``rm``: of tasks that are named, or of all that pass filters.

What is named is done at once. With filters, what would happen is shown first, and asked about.
"""

import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import click

from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, path_of
from tasker.cli.filtering import filter_options, filters_in, only_key
from tasker.cli.output import CONFLICT, FAILED, MISUSED, PARTLY, CommandError, joined_help
from tasker.cli.printing import talk

Filters = Mapping[str, list[str]]

_LOOK_SECONDS: Final = 0.5
_FIRST_LOOK_SECONDS: Final = 0.05


class Move:
    """What a command does to tasks."""

    def __init__(self, name: str, action: str, done: str, **members: Any) -> None:  # noqa: ANN401 - JSON
        """Say what it does.

        Args:
            name: of the command.
            action: of the operation.
            done: what is said of a task afterwards.
            members: what else the operation is told.
        """
        self.name = name
        self.action = action
        self.done = done
        self.members = members

    def one(self, session: Session, path: str) -> dict[str, Any] | None:
        """Do it to one task, and return it as it is then; None: it is gone."""
        if self.action == "delete":
            session.call("DELETE", path)
            return None
        answer: dict[str, Any] = session.call("POST", f"{path}/{self.action}")
        if "reason" in answer:  # it is held: an explanation
            talk(f"due now, but held: {answer['msg']}")
            return views.flat(session.call("GET", path))
        return views.flat(answer)


def moves_tasks(*examples: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command what says which tasks, ids or filters, and how it asks; its help says so, and has *examples*."""

    def give(command: Callable[..., None]) -> Callable[..., None]:
        lines = "".join(f"      {example}\n" for example in examples)
        more = f"""
    With ids, or --key alone (the task that holds it), it is done at once. With filters, which are those
    of tasker ls, it shows how many tasks pass them, and asks.

    \b
    Examples:
{lines}"""
        command.__doc__ = joined_help(command.__doc__, more)
        run = calls_server("8  some are done, and some are refused")(command)
        for option in (
            click.option("--no-wait", is_flag=True, help="With filters: do not wait until all are done."),
            click.option("-n", "--dry-run", is_flag=True, help="With filters: only show what would happen."),
            click.option("-y", "--yes", is_flag=True, help="With filters: do not ask."),
            click.option("--all", "is_all", is_flag=True, help="All tasks, in place of filters."),
        ):
            run = option(run)
        return click.argument("ids", metavar="[ID]...", nargs=-1)(filter_options(saying.tz_option(run)))

    return give


_PACE: Final = click.option(
    "--per-second",
    type=click.FloatRange(min=0, min_open=True),
    metavar="NUMBER",
    help="With filters: have them come due one after the other, so many in a second.",
)


@click.command("run")
@moves_tasks("tasker run 01a20f63-2f5b-7bd0-a33e-6c8a3d0a1c52", "tasker run --group customer-42 --yes")
@_PACE
def run_command(session: Session, per_second: float | None, **given: Any) -> None:  # noqa: ANN401 - see moves_tasks
    """Have waiting tasks run now."""
    moved(session, Move("run", "run", "runs now", **_paced(per_second, given)), given)


@click.command("retry")
@moves_tasks("tasker retry --state failed --ended 'last night'", "tasker retry --error status_503 --per-second 5")
@_PACE
def retry_command(session: Session, per_second: float | None, **given: Any) -> None:  # noqa: ANN401 - as above
    """Have failed or cancelled tasks run again, now."""
    moved(session, Move("retry", "retry", "runs again", **_paced(per_second, given)), given)


@click.command("cancel")
@moves_tasks("tasker cancel --key order-17", "tasker cancel --tag customer:42 --dry-run")
def cancel_command(session: Session, **given: Any) -> None:  # noqa: ANN401 - as above
    """Cancel tasks: they are kept, and do not run."""
    moved(session, Move("cancel", "cancel", "cancelled"), given)


@click.command("rm")
@moves_tasks("tasker rm 01a20f63-2f5b-7bd0-a33e-6c8a3d0a1c52", "tasker rm --state done --ended-before '30d ago'")
def rm_command(session: Session, **given: Any) -> None:  # noqa: ANN401 - as above
    """Delete tasks for good: they never run any more."""
    moved(session, Move("rm", "delete", "deleted"), given)


@click.command("postpone")
@moves_tasks("tasker postpone --key order-17 --by 1d", "tasker postpone --key order-17 --to 'mon 9:00'")
@click.option("--to", "until", metavar="TIME", help=f"With ids or --key: until then, such as {saying.TIMES}.")
@click.option("--by", metavar="LENGTH", help="How long, from the due time, or from now if that has passed.")
def postpone_command(session: Session, by: str | None, until: str | None, **given: Any) -> None:  # noqa: ANN401 - as above
    """Put tasks off, by a length or until a time.

    They keep their ids.
    """
    zone: Zone = given["zone"]
    if (by is None) == (until is None):
        got = "neither" if by is None else "both"
        raise CommandError(MISUSED, "usage", f"--by, --to: expected one of them, got {got}")
    if by is not None:
        length = saying.length_text(saying.length_of("--by", by))
        moved(session, Move("postpone", "postpone", "postponed", by=length), given)
        return
    when = saying.time_members(None, until, zone, names=("--by", "--to"))
    paths, _ = _named(given)
    if not paths:
        raise saying.misused(
            "--to", "expected an id or --key with it; with filters, --by puts all off by the same time"
        )
    _each_of(session, paths, lambda path: _moved_to(session, path, when), "postponed", zone)


def _moved_to(session: Session, path: str, when: Mapping[str, Any]) -> dict[str, Any]:
    type_ = views.flat(session.call("GET", path))["type"]
    return views.flat(session.call("PATCH", path, {type_: when}))


def _paced(per_second: float | None, given: Mapping[str, Any]) -> dict[str, Any]:
    if per_second is None:
        return {}
    if given["ids"]:
        raise saying.misused("--per-second", "expected it with filters, not with ids")
    return {"per_second": per_second}


def moved(session: Session, move: Move, given: dict[str, Any]) -> None:
    """Make a move of the tasks that are *given*."""
    zone: Zone = given["zone"]
    paths, filters = _named(given)
    if not paths:
        _all_that_pass(session, move, filters, given)
    elif move.action == "postpone":
        ids = [views.flat(session.call("GET", path))["id"] for path in paths]
        _report(session, move, followed(session, _begun(session, move, {"ids": ids})), zone)
    else:
        _each_of(session, paths, lambda path: move.one(session, path), move.done, zone)


def _named(given: dict[str, Any]) -> tuple[list[str], Filters]:
    """Return the paths of the tasks that are named; none: the filters say which, and of none of them: all.

    Raises:
        CommandError: nothing says which, or several things do.
    """
    ids: Sequence[str] = given.pop("ids")
    filters = filters_in(given, given["zone"])
    key = only_key(filters)
    is_all = given["is_all"]
    if sum((bool(ids), bool(filters), is_all)) != 1:
        got = "nothing" if not ids and not filters else "several of them"
        raise CommandError(
            MISUSED, "usage", f"expected ids, filters or --all, got {got}; tasker ls shows what filters find"
        )
    if key is not None:
        return [path_of("tasks", "key", key)], {}
    return [path_of("tasks", each) for each in ids], filters


def _each_of(
    session: Session, paths: Sequence[str], one: Callable[[str], dict[str, Any] | None], done: str, zone: Zone
) -> None:
    """Do *one* to each, and show what came of it.

    Raises:
        CommandError: of several, some were refused. Of one, as it was.
    """
    from tasker.client.errors import ApiError  # noqa: PLC0415 - loaded by now

    if len(paths) == 1:
        _show_one(session, paths[0], one(paths[0]), done, zone)
        return
    refused = 0

    def told() -> Iterator[dict[str, Any]]:
        nonlocal refused
        for path in paths:
            try:
                yield one(path) or _gone(path)
            except ApiError as error:
                refused += 1
                talk(f"{_name_in(path)}: {error}")

    session.printer.each(told(), views.task_columns(zone, clocks.now()), "nothing was done")
    if refused:
        exit_code = PARTLY if refused < len(paths) else CONFLICT
        raise CommandError(exit_code, "partly_done", f"{refused} of {len(paths)} tasks were refused")


def _show_one(session: Session, path: str, task: dict[str, Any] | None, done: str, zone: Zone) -> None:
    if task is None:
        talk(f"{done}: {_name_in(path)}")
        if not session.printer.is_table:
            session.printer.one(_gone(path), [])
        return
    due = ""
    if task["state"] == "todo":  # of a retry, execution_time is not when the next attempt is due
        at = session.call("GET", path_of("tasks", task["id"], "explain"))["due_at"]
        due = f"; due {saying.echoed(at, zone)}" if at else ""
    talk(f"{done}: {task['id']}{due}")
    pairs = [("id", task["id"]), ("state", views.state("state")(task))]
    session.printer.one(task, pairs, views.task_columns(zone, clocks.now()))


def _gone(path: str) -> dict[str, Any]:
    """Return what is left to say of a task: its id or its key, whichever named it."""
    named_by = "key" if path.startswith(path_of("tasks", "key", "")) else "id"
    return {named_by: _name_in(path), "state": "deleted"}


def _name_in(path: str) -> str:
    return unquote(path.rpartition("/")[2])


def _all_that_pass(session: Session, move: Move, filters: Filters, given: Mapping[str, Any]) -> None:
    """Show what would happen to all that pass *filters*, ask, do it, and show what came of it."""
    which: dict[str, Any] = {"filter": filters} if filters else {"all": True}
    is_asked = not given["yes"] and not given["dry_run"]
    if is_asked and not sys.stdin.isatty():
        raise CommandError(
            MISUSED,
            "not_confirmed",
            "--yes: expected it where nobody can be asked; --dry-run only shows what would happen",
        )
    if not given["yes"]:
        looked = followed(session, _begun(session, move, {**which, "dry_run": True}))
        if given["dry_run"]:
            _report(session, move, looked, given["zone"])
            return
        talk(f"{move.name}: {_counts(looked)}")
        if not looked["changed"]:
            return
        if not click.confirm(f"{move.name} {looked['changed']} tasks?", err=True):
            raise CommandError(FAILED, "not_confirmed", "nothing was done")
    operation = _begun(session, move, which)
    if given["no_wait"]:
        session.printer.one(
            operation, views.pairs(operation, given["zone"]), views.operation_columns(given["zone"], clocks.now())
        )
        return
    _report(session, move, followed(session, operation), given["zone"])


def _begun(session: Session, move: Move, which: Mapping[str, Any]) -> dict[str, Any]:
    """Begin the operation; sent again after a lost answer, it makes no other."""
    operation: dict[str, Any] = session.client.request(
        "POST",
        "/operations",
        json={"action": move.action, **which, **move.members},
        headers={"Idempotency-Key": str(uuid.uuid4())},
        is_repeatable=True,
    )
    return operation


def followed(session: Session, operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation once it has ended. What it has come to is shown meanwhile, on a terminal."""
    pause = _FIRST_LOOK_SECONDS
    with _counting() as tell:
        try:
            while operation["state"] == "running":
                tell(_counts(operation))
                time.sleep(pause)
                pause = min(pause * 2, _LOOK_SECONDS)
                operation = session.call("GET", path_of("operations", operation["id"]))
        except KeyboardInterrupt:
            talk(f"it goes on; to look, or to stop it: tasker ops show {operation['id']}, tasker ops cancel ...")
            raise
    return operation


@contextmanager
def _counting() -> Iterator[Callable[[str], None]]:
    """Give what shows how far it has come, on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals alone

    with Console(stderr=True).status("") as status:
        yield status.update


def _counts(operation: Mapping[str, Any]) -> str:
    would = "would be " if operation["dry_run"] else ""
    reasons = ", ".join(f"{code} {count}" for code, count in operation["reasons"].items())
    refused = f", {operation['refused']} {would}refused ({reasons})" if operation["refused"] else ""
    return f"{operation['matched']} found, {operation['changed']} {would}changed{refused}"


def _report(session: Session, move: Move, operation: dict[str, Any], zone: Zone) -> None:
    """Show what came of an operation.

    Raises:
        CommandError: it was cancelled, or some tasks were refused.
    """
    if session.printer.is_table:
        talk(f"{move.name}: {_counts(operation)}")
        for refusal in operation["refusals"][:5]:
            talk(f"  {refusal['id']}: {refusal['msg']}")
    else:
        session.printer.one(operation, [], views.operation_columns(zone, clocks.now()))
    if operation["dry_run"]:
        return
    if operation["state"] == "cancelled":
        raise CommandError(PARTLY, "operation_cancelled", f"somebody has cancelled the operation {operation['id']}")
    if operation["refused"]:
        exit_code = PARTLY if operation["changed"] else CONFLICT
        raise CommandError(
            exit_code, "partly_done", f"{operation['refused']} of {operation['matched']} tasks were refused"
        )
