"""``tasker add``: creates a task, or many."""

import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import click

from tasker.cli import saying
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server
from tasker.cli.output import MISUSED, PARTLY, CommandError
from tasker.cli.printing import Column, talk
from tasker.model import lengths

if TYPE_CHECKING:
    from rich.progress import Progress

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*", re.ASCII)
_CONFLICTS: Final = ("reject", "keep", "replace", "debounce")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CHUNK: Final = 1_000


@click.command("add")
@click.argument("target", metavar="URL|TYPE|-")
@click.option("--in", "within", metavar="LENGTH", help="When: so long from now, such as 90s, 10m, 1h30m or 7d.")
@click.option("--at", metavar="TIME", help=f"When: now, {saying.TIMES}.")
@click.option(
    "--method", metavar="METHOD", type=click.Choice(_METHODS, case_sensitive=False), help="Of a URL.  [default: POST]"
)
@click.option("--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="Of a URL. May be repeated.")
@click.option("--json", "json_text", metavar="JSON|@FILE", help="JSON to send to a URL, or to give a job.")
@click.option("--data", metavar="TEXT|@FILE", help="The body to send to a URL, as it is; @- is standard input.")
@click.option(
    "--arg",
    "arguments",
    metavar="NAME=VALUE",
    multiple=True,
    help="An argument of a function; the value is JSON, or else a text. May be repeated.",
)
@click.option("--queue", metavar="NAME", help="Of a job: where workers claim it.")
@click.option(
    "--set",
    "settings",
    metavar="MEMBER=VALUE",
    multiple=True,
    help="Any other member of the task, by its name in the API; the value is JSON, or else a text, and @FILE is read. "
    "May be repeated.",
)
@click.option("--key", metavar="KEY", help="A name of your own: one task at a time has it.")
@click.option(
    "--on-conflict", type=click.Choice(_CONFLICTS), help="What to do if another task holds the key.  [default: reject]"
)
@click.option("--max-wait", metavar="LENGTH", help="With --on-conflict debounce: put it off so long at most.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="A label of your own. May be repeated.")
@click.option("--group", metavar="NAME", help="The tasks of a group share its pause, limits and rate.")
@click.option("--timeout", metavar="LENGTH", help="How long an attempt may take.")
@click.option(
    "--max-attempts", metavar="NUMBER", type=click.IntRange(1, 1_000), help="Attempts in total; 1 means never retry."
)
@click.option("--expires-at", metavar="TIME", help="No attempt starts at this time or later.")
@click.option("--keep", metavar="LENGTH", help="How long it is kept after its end, or forever.")
@click.option("--on-success", metavar="URL", help="Called once it is done.")
@click.option("--on-failure", metavar="URL", help="Called once it has failed.")
@click.option("--on-cancel", metavar="URL", help="Called once it is cancelled.")
@click.option("--id", "task_id", metavar="UUID", help="An id of your own, of version 7.")
@click.option("--idempotency-key", metavar="KEY", help="Names this request: sent again, it makes no other task.")
@click.option("--wait", "is_waited_for", is_flag=True, help="Wait for its end, and print the task.")
@click.option("-q", "--quiet", is_flag=True, help="Print its id, and nothing else.")
@saying.tz_option
@calls_server("8  with -: some are created, and the rest is not")
def add_command(session: Session, target: str, zone: Zone, **given: Any) -> None:  # noqa: ANN401 - texts and switches
    """Create a task: it calls a URL at its time.

    Or it is of another type: a job for workers that pull, a hash, or your own function.

    A word with a colon or a slash is a URL. With -, tasks are read from standard input, a line of
    JSON for each, as POST /tasks/new takes it: {"webhook": {"delay": "1h", "url": "..."}}. They are
    created 1000 at a time; a thousand is created as a whole or not at all.

    \b
    Examples:
      tasker add https://example.org/hook --in 10m --json '{"order": 17}'
      tasker add https://example.org/hook --at 'tomorrow 09:00' --tz Europe/Berlin
      tasker add job --queue reports --json '{"month": "2027-03"}' --at now
      tasker add report.build --arg customer=42 --in 1h
      tasker add - < tasks.ndjson
    """  # noqa: D301 - click reads the sign that \b stands for
    is_quiet = given.pop("quiet")
    if target == "-":
        _refuse_others(given)
        _add_many(session, is_quiet=is_quiet)
        return
    is_waited_for = given.pop("is_waited_for")
    type_, members = task_members(target, zone, given)
    members |= saying.time_members(given["within"], given["at"], zone)
    options = {name: given[name] for name in ("idempotency_key",) if given[name] is not None}
    if given["task_id"] is not None:
        options["id"] = given["task_id"]
    made = session.client.create(type_, members, **options)
    if not is_quiet:
        outcome = made.outcome or "created"
        talk(f"{outcome} {made.id}{_due(made.execution_time, zone)}")
    if is_waited_for:
        from tasker.cli.finding import wait_for  # noqa: PLC0415 - it is rarely needed

        wait_for(session, [made.id], None, zone)
    elif is_quiet:
        click.echo(made.id)
    else:
        facts = {
            name: value for name in ("id", "execution_time", "outcome", "time_note") if (value := getattr(made, name))
        }
        session.printer.one(facts, [("id", made.id)])


def _due(execution_time: Any, zone: Zone) -> str:  # noqa: ANN401 - a text, or UNSET
    return f": due {saying.echoed(execution_time, zone)}" if execution_time else ""


def task_members(target: str, zone: Zone, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the type of the task that is asked for, and its members but for its time.

    Args:
        target: a URL or a type.
        zone: whose clocks times mean.
        given: the options by parameter; those that are there.

    Raises:
        CommandError: an option cannot be used, or not with this type.
    """
    type_ = target if _TYPE.fullmatch(target) else "webhook"
    if target == type_ == "webhook":
        raise saying.misused(
            "URL", "expected one in place of webhook, as in: tasker add https://example.org/hook --in 10m"
        )
    members: dict[str, Any] = {"url": target} if type_ == "webhook" else {}
    _check_fit(type_, target, given)
    for name, (option, make) in _OPTIONS.items():
        if given.get(name) not in (None, ()):
            members |= make(option, given[name], zone)
    return type_, {**members, **saying.assignments("--set", given["settings"])}


_Made: TypeAlias = Callable[[str, Any, Zone], Mapping[str, Any]]


def _length(member: str) -> _Made:
    return lambda option, said, _: {member: saying.length_text(saying.length_of(option, said))}


def _as_it_is(member: str) -> _Made:
    return lambda _option, said, _zone: {member: said}


def _keep(option: str, said: str, zone: Zone) -> Mapping[str, Any]:
    return {"keep": said} if said == lengths.FOREVER else _length("keep")(option, said, zone)


_OPTIONS: Final[Mapping[str, tuple[str, _Made]]] = {
    "method": ("--method", lambda _option, said, _zone: {"method": said.upper()}),
    "headers": ("--header", lambda option, said, _: {"headers": saying.headers_of(option, said)}),
    "json_text": ("--json", lambda option, said, _: {"json": saying.json_value(option, said)}),
    "data": ("--data", lambda option, said, _: saying.body_members(option, said)),
    "arguments": ("--arg", lambda option, said, _: {"args": saying.assignments(option, said)}),
    "queue": ("--queue", _as_it_is("queue")),
    "key": ("--key", _as_it_is("key")),
    "on_conflict": ("--on-conflict", _as_it_is("on_conflict")),
    "max_wait": ("--max-wait", _length("max_wait")),
    "tags": ("--tag", lambda _option, said, _zone: {"tags": list(said)}),
    "group": ("--group", _as_it_is("group")),
    "timeout": (
        "--timeout",
        lambda option, said, _: {"timeout": saying.length_of(option, said).total_seconds()},
    ),
    "max_attempts": ("--max-attempts", lambda _option, said, _zone: {"retry": {"max_attempts": said}}),
    "expires_at": ("--expires-at", lambda option, said, zone: {"expires_at": saying.moment_text(option, said, zone)}),
    "keep": ("--keep", _keep),
    "on_success": ("--on-success", _as_it_is("on_success")),
    "on_failure": ("--on-failure", _as_it_is("on_failure")),
    "on_cancel": ("--on-cancel", _as_it_is("on_cancel")),
}
"""By parameter: the option, and what makes members of the task of what it says."""


def _check_fit(type_: str, target: str, given: Mapping[str, Any]) -> None:
    """Refuse what the type of the task has no place for, where the answer of the server would puzzle."""
    if given["json_text"] is not None and given["data"] is not None:
        raise CommandError(MISUSED, "usage", "--json, --data: expected one of them, got both")
    if type_ == "webhook":
        return
    for name, option in (("method", "--method"), ("headers", "--header"), ("data", "--data")):
        if given[name]:
            raise saying.misused(option, f"expected it with a URL, which has a colon or a slash; {target!r} is a type")


def _refuse_others(given: Mapping[str, Any]) -> None:
    """Refuse options that say something of a task: with ``-`` each line says it all."""
    others = {"within": "--in", "at": "--at", "settings": "--set", "task_id": "--id", "is_waited_for": "--wait"}
    options = {name: option for name, (option, _) in _OPTIONS.items()} | others
    for name, value in given.items():
        if value not in (None, (), False):
            option = options.get(name, f"--{name.replace('_', '-')}")
            raise saying.misused(option, "expected it without -, where each line says all of its task")


def _add_many(session: Session, *, is_quiet: bool) -> None:
    """Create what standard input says."""
    from tasker.client.errors import ApiError, CallFailed  # noqa: PLC0415 - loaded by now

    source = sys.stdin.buffer
    stored = 0

    def told() -> Iterator[dict[str, Any]]:
        with _progress(source) as progress:
            for each in session.client.schedule_many(_lines(source, progress), chunk=_CHUNK):
                nonlocal stored
                stored += 1
                progress.created(stored)
                outcome = each.outcome or "created"
                yield {"id": each.id, "outcome": outcome}

    try:
        if is_quiet:
            for each in told():
                click.echo(each["id"])
        elif session.printer.is_table:
            for _ in told():
                pass
        else:
            session.printer.each(told(), (Column("id", ""), Column("outcome", "")), "")
    except (ApiError, CallFailed, CommandError) as error:
        if not stored:
            raise
        problem = f"{error}; the {stored} tasks of the lines before are created, and no other"
        if isinstance(error, CallFailed):
            problem += ", as far as is known"
        raise CommandError(PARTLY, "partly_done", problem) from None
    talk(f"{stored} created")


def _lines(source: BinaryIO, progress: "_Bar") -> Iterator[dict[str, Any]]:
    """Return the tasks that the lines of *source* say; empty ones are passed over.

    Raises:
        CommandError: a line is no JSON object.
    """
    for number, line in enumerate(source, 1):
        progress.read(len(line))
        if not line.strip():
            continue
        try:
            task = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise saying.misused(
                "-", f'line {number}: expected JSON, as in {{"webhook": {{"delay": "1h", "url": "..."}}}}; {error}'
            ) from None
        if not isinstance(task, dict) or len(task) != 1 or not isinstance(next(iter(task.values())), dict):
            raise saying.misused(
                "-",
                f"line {number}: expected an object with one member, named after the type of the task, "
                'as in {"webhook": {...}}',
            )
        yield task


class _Bar:
    """A bar on standard error, if that is a terminal: how many are created, how many a second, how long to go."""

    def __init__(self, progress: "Progress | None", total: int | None) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task("", total=total, created=0, rate="")

    def read(self, size: int) -> None:
        """Tell of bytes that were read."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, size)

    def created(self, count: int) -> None:
        """Tell how many there are by now."""
        if self._progress is None or self._task is None or count % _CHUNK:
            return
        elapsed = self._progress.tasks[0].elapsed or 0
        rate = f"{count / elapsed:,.0f}/s" if elapsed else ""
        self._progress.update(self._task, created=count, rate=rate)


@contextmanager
def _progress(source: BinaryIO) -> Iterator[_Bar]:
    if not sys.stderr.isatty():
        yield _Bar(None, None)
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals alone
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

    columns = (BarColumn(), TextColumn("{task.fields[created]:,} created  {task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress, _size(source))


def _size(source: BinaryIO) -> int | None:
    """Return the bytes that are to come; None: who knows."""
    try:
        found = os.fstat(source.fileno())
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
