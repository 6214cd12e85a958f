"""``tasker add``: creates a task, or many."""

import os
import stat
import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from tasker.cli import saying
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server
from tasker.cli.output import PARTLY, CommandError, exit_code_of
from tasker.cli.printing import Column, talk
from tasker.cli.task_options import OPTION_OF, task_members, task_options

if TYPE_CHECKING:
    from rich.progress import Progress

    from tasker.client.errors import ApiError, CallFailed
    from tasker.wire.server import Refusal

_CONFLICTS: Final = ("reject", "keep", "replace", "debounce")
_CHUNK: Final = 1_000


@click.command("add")
@click.argument("target", metavar="URL|TYPE|-")
@click.option("--in", "within", metavar="LENGTH", help="When: so long from now, such as 90s, 10m, 1h30m or 7d.")
@click.option("--at", metavar="TIME", help=f"When: now, {saying.TIMES}.")
@task_options
@click.option("--key", metavar="KEY", help="A name of your own: one task at a time has it.")
@click.option(
    "--on-conflict", type=click.Choice(_CONFLICTS), help="What to do if another task holds the key.  [default: reject]"
)
@click.option("--max-wait", metavar="LENGTH", help="With --on-conflict debounce: put it off so long at most.")
@click.option("--expires-at", metavar="TIME", help="No attempt starts at this time or later.")
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
    with _told_of_urls(type_):
        made = session.client.create(type_, members, **options)
    if not is_quiet:
        outcome = made.outcome or "created"
        talk(f"{outcome} {made.id}{_due(made.execution_time or members.get('execution_time'), zone)}")
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


@contextmanager
def _told_of_urls(type_: str) -> Iterator[None]:
    """Say how a URL is written where the server does not know the type: a host may have been meant."""
    from tasker.client.errors import InvalidTask  # noqa: PLC0415 - loaded by now

    try:
        yield
    except InvalidTask as error:
        if error.field == type_ and "." in type_:
            message = f"{error}; if it is a host, write https://{type_}"
            raise CommandError(exit_code_of(error.status), error.code, message) from None
        raise


def _due(execution_time: Any, zone: Zone) -> str:  # noqa: ANN401 - a text, or UNSET
    return f": due {saying.echoed(execution_time, zone)}" if execution_time else ""


def _refuse_others(given: Mapping[str, Any]) -> None:
    """Refuse options that say something of a task: with ``-`` each line says it all."""
    others = {"within": "--in", "at": "--at", "settings": "--set", "task_id": "--id", "is_waited_for": "--wait"}
    options = OPTION_OF | others
    for name, value in given.items():
        if value not in (None, (), False):
            option = options.get(name, f"--{name.replace('_', '-')}")
            raise saying.misused(option, "expected it without -, where each line says all of its task")


def _add_many(session: Session, *, is_quiet: bool) -> None:
    """Create what standard input says."""
    from tasker.client.errors import ApiError, CallFailed  # noqa: PLC0415 - loaded by now

    source = sys.stdin.buffer
    if source.isatty():
        talk("a line of JSON for each task; Ctrl-D ends the input")
    stored = 0
    empty_before: list[int] = []

    def told() -> Iterator[dict[str, Any]]:
        with _progress(source) as progress:
            for each in session.client.schedule_many(_lines(source, progress, empty_before), chunk=_CHUNK):
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
        raise _ended_by(error, stored, empty_before) from None
    talk(f"{stored} created")


def _ended_by(
    error: "ApiError | CallFailed | CommandError", stored: int, empty_before: Sequence[int]
) -> "ApiError | CallFailed | CommandError":
    """Return what ends the command after *error*, once so many tasks are stored."""
    from tasker.client.errors import ApiError, CallFailed  # noqa: PLC0415 - loaded by now

    problem = str(error)
    if isinstance(error, ApiError) and error.refusals:
        problem = _refused_lines(error.refusals, empty_before)
        if not stored:
            return CommandError(exit_code_of(error.status), error.code, f"{problem}; none is created")
    if not stored:
        return error
    problem += f"; the {stored} tasks of the lines before are created, and no other"
    if isinstance(error, CallFailed):
        problem += ", as far as is known"
    return CommandError(PARTLY, "partly_done", problem)


def _refused_lines(refusals: "Sequence[Refusal]", empty_before: Sequence[int]) -> str:
    """Say which lines the server refuses, and why the first one."""
    first = refusals[0]
    line = first.index + 1 + bisect_right(empty_before, first.index)
    more = f"; {len(refusals) - 1} more of those sent with it cannot be used either" if len(refusals) > 1 else ""
    return f"line {line}: {first.msg}{more}"


def _lines(source: BinaryIO, progress: "_Bar", empty_before: list[int]) -> Iterator[dict[str, Any]]:
    """Return the tasks that the lines of *source* say; empty ones are passed over.

    Args:
        empty_before: gets, for each empty line, how many tasks come before it.

    Raises:
        CommandError: a line is no JSON object.
    """
    for number, line in enumerate(source, 1):
        progress.read(len(line))
        if not line.strip():
            empty_before.append(number - 1 - len(empty_before))
            continue
        try:
            task = saying.parsed(line)
        except ValueError as error:
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
