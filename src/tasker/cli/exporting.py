"""``tasker export``: writes tasks as the calls that create them."""

import contextlib
import gzip
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import msgspec
from msgspec import Raw

from tasker.cli import saying
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, path_of
from tasker.cli.filtering import filter_options, filters_in
from tasker.cli.output import MISUSED, PARTLY, CommandError
from tasker.cli.printing import talk
from tasker.cli.progress import progress
from tasker.wire.masking import has_masked_password, mask_in
from tasker.wire.tasks import TaskView

_PAGE: Final = 500
_CALLBACKS: Final = ("on_success", "on_failure", "on_cancel")

_TIMES: Final = ("execution_time", "local_time", "time_zone", "expires_at", "key")
"""Members of what is shown that a request has, too, beside the fields of the type."""
_SHOWN_ONLY: Final = {*TaskView.__struct_fields__, "result"} - {*_TIMES}


@click.command("export")
@click.argument("file", metavar="[FILE]", default="-")
@filter_options
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Also tasks with secrets, headers or passwords, in the clear. Needs a key with the scope secrets:read.",
)
@saying.tz_option
@calls_server("8  some tasks are left out, since they have secrets")
def export_command(session: Session, zone: Zone, file: str, *, with_secrets: bool, **given: Any) -> None:  # noqa: ANN401 - filters
    """Write waiting tasks as the calls that create them.

    A line of JSON for each. With filters, those that pass them; --state names others than those that are
    waiting. What FILE gets is what tasker import, tasker add - and POST /tasks/batch take, on any server. A
    name that ends in .gz has it compressed; without FILE, or with -, it goes to standard output.

    \b
    Not written: ids, attempts, and everything else that a task has become; runs of schedules, which the
    schedule makes; and, without --with-secrets, tasks with a secret, headers or a password in a URL.
    Nothing is changed on the server: what it exports, it also runs. See tasker pause and tasker cancel.

    \b
    Examples:
      tasker export > waiting.ndjson
      tasker export customers.ndjson.gz --tag moved --with-secrets
    """  # noqa: D301 - click reads the sign that \b stands for
    filters = {"state": ["todo"], **filters_in(given, zone)}
    counts: Counter[str] = Counter()
    with progress() as tell, _opened(file) as target:
        for line in _lines(session, filters, counts, with_secrets=with_secrets):
            target.write(line)
            counts["exported"] += 1
            tell("exporting", counts["exported"], None)
    talk(f"{counts['exported']} exported")
    if counts["runs"]:
        talk(f"{counts['runs']} runs of schedules are left out: export the schedules, with tasker schedule get")
    if file != "-":
        facts = {name: counts[name] for name in ("exported", "runs", "with_secrets")}
        session.printer.one(facts, [(name.replace("_", " "), str(count)) for name, count in facts.items()])
    if counts["with_secrets"]:
        way = "your key does not show them" if with_secrets else "--with-secrets exports them, too"
        raise CommandError(
            PARTLY, "partly_done", f"{counts['with_secrets']} tasks with secrets, headers or passwords left out; {way}"
        )


def _lines(
    session: Session, filters: Mapping[str, list[str]], counts: Counter[str], *, with_secrets: bool
) -> Iterator[bytes]:
    """Return the lines; count what is left out. A task that is deleted meanwhile is not among them."""
    from tasker.client.errors import TaskNotFound  # noqa: PLC0415 - loaded by now

    query = {**filters, "sort": "created", "limit": _PAGE}
    for shown in session.pages("/tasks", "tasks", query):
        ((type_, task),) = shown.items()
        if "schedule" in task:
            counts["runs"] += 1
            continue
        if with_secrets and _has_secrets(task):
            try:
                ((type_, task),) = session.call("GET", path_of("tasks", task["id"])).items()
            except TaskNotFound:
                continue
        if _is_masked(task) if with_secrets else _has_secrets(task):
            counts["with_secrets"] += 1
            continue
        yield json.dumps({type_: request_of(task)}, ensure_ascii=False).encode() + b"\n"


def request_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what would create a task that is shown, as ``POST /tasks/new`` takes it.

    >>> request_of({"id": "x", "attempts": 0, "execution_time": "2127-01-01T00:00:00Z", "url": "http://h"})
    {'execution_time': '2127-01-01T00:00:00Z', 'url': 'http://h'}
    """
    request = {name: value for name, value in task.items() if name not in _SHOWN_ONLY}
    if "local_time" in request:
        del request["execution_time"]
    completion = request.get("completion")
    if isinstance(completion, dict):  # its URL is that of the server
        request["completion"] = {name: value for name, value in completion.items() if name != "url"}
    return request


def _has_secrets(task: Mapping[str, Any]) -> bool:
    """Return whether a task as a list shows it has what not everybody may see."""
    return _is_masked(task) or "secret" in task


def _is_masked(task: Mapping[str, Any]) -> bool:
    """Return whether something of a task is shown masked."""
    members = {name: Raw(msgspec.json.encode(value)) for name, value in task.items()}
    callbacks = [task.get(name) for name in _CALLBACKS]
    urls = [task.get("url"), *(each["url"] if isinstance(each, dict) else each for each in callbacks)]
    return mask_in(members) is not None or any(isinstance(url, str) and has_masked_password(url) for url in urls)


@contextlib.contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """Open what is written to. A file has its name once it is complete; its owner alone may read it.

    Raises:
        CommandError: there is one of this name.
    """
    if file == "-":
        yield sys.stdout.buffer
        return
    path = Path(file)
    if path.exists():
        raise CommandError(MISUSED, "usage", f"FILE: expected a file that is not there yet, got: {file}")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb") as packed:
                    yield packed  # type: ignore[misc]  # a binary file for what is done here
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
