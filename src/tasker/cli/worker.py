"""``tasker worker``: the process around a worker, with its options, signals and end."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NoReturn

import click

from tasker.cli import process
from tasker.client.settings import WORKER_KEY
from tasker.errors import SettingError
from tasker.model import lengths
from tasker.worker import logs
from tasker.worker.loading import EXPECTED, is_place, load_app
from tasker.worker.processes import Processes
from tasker.worker.worker import GRACE, LEASE, SLOTS, Worker

_MOST_SLOTS: Final = 1000
_MOST_PROCESSES: Final = 128


def _length(low: timedelta, high: timedelta) -> Callable[[click.Context, click.Parameter, str], timedelta]:
    def read(_: click.Context, parameter: click.Parameter, text: str) -> timedelta:
        try:
            length = lengths.parse(float(text) if text.replace(".", "", 1).isdigit() else text)
        except ValueError as error:
            raise SettingError(f"--{parameter.name}".replace("_", "-"), str(error)) from None
        if not low <= length <= high:
            raise SettingError(
                f"--{parameter.name}".replace("_", "-"),
                f"expected {lengths.shown(low) if low else '0s'} to {lengths.shown(high)}, got: {text}",
            )
        return length

    return read


@click.command("worker")
@click.option(
    "--app", "place", metavar="MODULE:NAME", required=True, help=f"The app whose functions it runs: {EXPECTED}."
)
@click.option(
    "--url",
    metavar="URL",
    help="The server.  [variable: TASKER_URL; default: http://127.0.0.1:8080]",
)
@click.option(
    "--slots",
    metavar="N",
    type=click.IntRange(1, _MOST_SLOTS),
    help=f"How many functions it runs at once, 1 to {_MOST_SLOTS}.  [default: {SLOTS}, or as many as --processes]",
)
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1, _MOST_PROCESSES),
    help=f"Run functions that are not async in N processes, 1 to {_MOST_PROCESSES}, which are killed when they take "
    "longer than their timeout.  [default: in threads]",
)
@click.option("--only", metavar="NAME", multiple=True, help="A function that it runs, and no others; may be repeated.")
@click.option(
    "--lease",
    metavar="LENGTH",
    default=lengths.shown(LEASE),
    show_default=True,
    callback=_length(timedelta(seconds=3), timedelta(days=1)),
    help="For how long a task is this worker's after its latest heartbeat, 3s to 1d: so long it takes until another "
    "worker has the tasks of one that died.",
)
@click.option(
    "--grace-period",
    metavar="LENGTH",
    default=lengths.shown(GRACE),
    show_default=True,
    callback=_length(timedelta(0), timedelta(hours=1)),
    help="How long functions may go on once it is told to stop, 0s to 1h. What is left goes back.",
)
@click.option("--stop-on-eof", is_flag=True, help="Stop when standard input ends, too: for whoever starts a worker.")
@click.option(
    "--log-level",
    type=click.Choice(logs.LEVELS, case_sensitive=False),
    default="INFO",
    show_default=True,
    help="The lowest level to log.",
)
@click.option(
    "--log-format",
    type=click.Choice(logs.FORMATS),
    default="auto",
    show_default=True,
    help="Lines for people, or JSON; auto: for people on a terminal.",
)
def worker_command(
    place: str,
    url: str | None,
    slots: int | None,
    processes: int | None,
    only: tuple[str, ...],
    lease: timedelta,
    grace_period: timedelta,
    stop_on_eof: bool,
    log_level: str,
    log_format: str,
) -> None:
    """Run the functions of an app.

    It claims their tasks from a server as they come due, and calls them. Any number of workers may run
    for the same app, on any machines. On SIGTERM or Ctrl-C it claims nothing more, and lets what runs
    end; a second signal ends it at once. The API key, of which the scope queues:work is enough, is that
    of TASKER_WORKER_KEY, else of TASKER_KEY or TASKER_KEY_FILE.
    """
    if not is_place(place):
        raise SettingError("--app", f"expected {EXPECTED}, got: {place!r}")
    if slots is not None and processes is not None:
        raise click.UsageError("--slots and --processes exclude each other: each process is a slot")
    key = os.environ.pop(WORKER_KEY, None) or None  # it is not for the functions
    logs.set_up(log_level.upper(), log_format)
    app = load_app(place)
    pool = None if processes is None else Processes(place, (log_level.upper(), log_format))

    async def work() -> None:
        from tasker.client.asynchronous.client import AsyncClient  # noqa: PLC0415 - an app that cannot be loaded is said first

        stopping = process.stopping_event()
        if stop_on_eof:
            _watch_input(asyncio.get_running_loop(), stopping)
        if pool is not None and processes is not None:
            await pool.warm(processes)
        async with AsyncClient(url, key) as client:
            worker = Worker(
                app,
                client,
                slots=slots or processes or SLOTS,
                processes=pool,
                only=only,
                lease=lease,
                grace=grace_period,
            )
            await worker.run(stopping)
        await app.aclose()

    asyncio.run(work())
    _leave()


def _watch_input(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Set *stopping* once standard input ends."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=watch, daemon=True).start()


def _leave() -> NoReturn:
    """End the process, whatever threads still run: their tasks were given back, or have timed out."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more
            continue
    os._exit(0)
