"""``tasker import``: creates the tasks that a file says, as ``tasker export`` writes it."""

import contextlib
import gzip
import hashlib
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, cast

import click

from tasker.cli import clocks, saying
from tasker.cli.connecting import Session, calls_server
from tasker.cli.output import MISUSED, PARTLY, CommandError, exit_code_of
from tasker.cli.printing import talk
from tasker.cli.progress import progress
from tasker.model import instants, walls

if TYPE_CHECKING:
    from tasker.client.errors import ApiError

_CHUNK: Final = 1_000
_CHUNK_BYTES: Final = 8 * 1024 * 1024
"""Half of what a request may have: a task that was packed tightly may be sent with more blanks."""


class _Task(NamedTuple):
    """A task of the file."""

    line: int
    text: bytes
    """The line."""
    type: str
    request: dict[str, Any]


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option(
    "--on-conflict",
    type=click.Choice(["fail", "skip"]),
    default="fail",
    show_default=True,
    help="What to do if another task holds the key of one.",
)
@click.option("--dry-run", is_flag=True, help="Only look at the file: create nothing.")
@calls_server("8  some are created, and the rest is not")
def import_command(session: Session, file: str, on_conflict: str, *, dry_run: bool) -> None:
    """Create the tasks of a file that tasker export wrote.

    FILE has a line of JSON for each task, as POST /tasks/new takes it. A name that ends in .gz is of a file
    that is compressed; - is standard input. A task whose time has passed runs at once, one that has expired
    is left out, and all others keep their times. They get new ids. 1000 are created at a time; a thousand
    is created as a whole or not at all. If it is broken off, import the same file again with the same
    options within a day: what was created is not created twice.

    \b
    Examples:
      tasker import waiting.ndjson --dry-run
      tasker import customers.ndjson.gz --on-conflict skip
    """  # noqa: D301 - click reads the sign that \b stands for
    counts: Counter[str] = Counter()
    with progress() as tell, _opened(file) as source:
        for chunk in _chunks(_tasks(source)):
            wanted = [each for each in chunk if not _has_expired(each)]
            counts["expired"] += len(chunk) - len(wanted)
            counts["at_once"] += sum(_is_over(each.request) for each in wanted)
            if wanted and not dry_run:
                _create(session, wanted, on_conflict, counts)
            counts["tasks"] += len(wanted)
            tell("importing", counts["tasks"], None)
    if dry_run:
        talk(f"{counts['tasks']} would be created, {counts['at_once']} of which are due at once")
    else:
        talk(f"{counts['created']} created")
    for name, words in (
        ("kept", "left out: another task holds their key"),
        ("imported_before", "left out: they were imported before"),
        ("expired", "left out: they have expired"),
    ):
        if counts[name]:
            talk(f"{counts[name]} {words}")
    facts = {name: counts[name] for name in ("tasks", "created", "kept", "imported_before", "expired", "at_once")}
    session.printer.one(facts, [(name.replace("_", " "), str(count)) for name, count in facts.items()])


def _create(session: Session, tasks: Sequence[_Task], on_conflict: str, counts: Counter[str]) -> None:
    """Create tasks, all or none. Those of a request that was sent before are not created again."""
    from tasker.client.errors import ApiError  # noqa: PLC0415 - loaded by now

    lines = hashlib.sha256(b"\n".join([on_conflict.encode(), *(each.text for each in tasks)])).hexdigest()
    body = [{each.type: _sent(each.request, on_conflict)} for each in tasks]
    try:
        made = session.client.request(
            "POST", "/tasks/batch", json=body, headers={"Idempotency-Key": f"import {lines}"}, is_repeatable=True
        )
    except ApiError as error:
        if error.code == "idempotency_key_reused":  # some were not due then, and are now
            counts["imported_before"] += len(tasks)
            return
        raise _refused(error, tasks, counts["created"]) from None
    kept = sum(each.get("outcome") == "kept" for each in made["tasks"])
    counts["kept"] += kept
    counts["created"] += len(tasks) - kept


def _refused(error: "ApiError", tasks: Sequence[_Task], created: int) -> CommandError:
    """Return what ends the command after the server has refused some tasks."""
    problem = str(error)
    if error.refusals:
        first = error.refusals[0]
        more = f"; {len(error.refusals) - 1} more of those sent with it" if len(error.refusals) > 1 else ""
        problem = f"line {tasks[first.index].line}: {first.msg}{more}"
    if not created:
        return CommandError(exit_code_of(error.status), error.code, f"{problem}; none is created")
    return CommandError(
        PARTLY, "partly_done", f"{problem}; {created} are created, and no other from line {tasks[0].line} on"
    )


def _sent(request: dict[str, Any], on_conflict: str) -> dict[str, Any]:
    """Return a task as it is sent: at once if its time is over."""
    if _is_over(request):
        request = {
            name: value for name, value in request.items() if name not in ("execution_time", "local_time", "time_zone")
        }
        request["delay"] = 0
    if on_conflict == "skip" and "key" in request:
        request = {"on_conflict": "keep", **request}
    return request


def _is_over(request: dict[str, Any]) -> bool:
    """Return whether the time of a task has passed. What cannot be read has not: the server says what is wrong."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        if "local_time" in request:
            moment, _ = walls.moment_of(request["local_time"], clocks.zone_of(request["time_zone"]).info)
        else:
            moment = instants.parse(request["execution_time"])
        return moment <= clocks.now()
    return False


def _has_expired(task: _Task) -> bool:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return instants.parse(task.request["expires_at"]) <= clocks.now()
    return False


def _tasks(source: BinaryIO) -> Iterator[_Task]:
    """Return the tasks that the lines of *source* say; empty ones are passed over.

    Raises:
        CommandError: a line says none, or the file is none of its kind.
    """
    try:
        for number, line in enumerate(source, 1):
            if line.strip():
                yield _task(number, line)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CommandError(MISUSED, "usage", f"FILE: expected a whole file of gzip; {error}") from None


def _task(number: int, line: bytes) -> _Task:
    try:
        task = saying.parsed(line)
    except ValueError as error:
        raise saying.misused("FILE", f"line {number}: expected JSON; {error}") from None
    if isinstance(task, dict) and len(task) == 1:
        ((type_, request),) = task.items()
        if isinstance(request, dict):
            return _Task(number, line.strip(), type_, request)
    raise saying.misused(
        "FILE",
        f"line {number}: expected an object with one member, named after the type of the task, "
        'as in {"webhook": {...}}',
    )


def _chunks(tasks: Iterator[_Task]) -> Iterator[list[_Task]]:
    """Return *tasks*, as many as are created at a time."""
    chunk: list[_Task] = []
    size = 0
    for task in tasks:
        if chunk and (len(chunk) == _CHUNK or size + len(task.text) > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(task)
        size += len(task.text)
    if chunk:
        yield chunk


@contextlib.contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = gzip.open(file) if file.endswith(".gz") else open(file, "rb")  # noqa: PTH123, SIM115 - closed below
    except FileNotFoundError:
        raise CommandError(MISUSED, "usage", f"FILE: expected a file that is there, got: {file}") from None
    with opened as source:
        yield cast("BinaryIO", source)
