"""``tasker stats`` and ``top``: how a server does, once or live."""

import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server
from tasker.cli.output import MISUSED, CommandError
from tasker.cli.printing import Column
from tasker.cli.redact import one_line
from tasker.model import time_words

if TYPE_CHECKING:
    from rich.console import RenderableType

_STATES: Final = ("todo", "in_progress", "done", "failed", "cancelled")
_ROWS: Final = 10
"""Destinations that are shown: those with most to do."""


@click.command("stats")
@saying.tz_option
@calls_server()
def stats_command(session: Session, zone: Zone) -> None:
    """Show tasks by state, lateness, and slots.

    All but the tasks is of the process that answers, since it started.
    """
    stats = session.call("GET", "/stats")
    session.printer.one(stats, _pairs(stats, zone), _COLUMNS)


_COLUMNS: Final = tuple(
    Column(name, "")
    for name in (
        *("version", "started_at", "paused_at"),
        *(f"tasks.{state}" for state in _STATES),
        *(f"lateness_seconds.{each}" for each in ("count", "p50", "p99", "max")),
        *(f"totals.{each}" for each in ("created", "attempts", "done", "retried", "failed", "cancelled")),
    )
)


def _pairs(stats: Mapping[str, Any], zone: Zone) -> Iterator[tuple[str, str]]:
    yield "server", f"tasker {stats['version']}, started {saying.echoed(stats['started_at'], zone)}"
    if stats["paused_at"]:
        yield "paused", f"everything, since {saying.echoed(stats['paused_at'], zone)}"
    yield "tasks", _counts(stats)
    yield "lateness", _lateness(stats["lateness_seconds"])
    yield "slots", _slots(stats["pools"])
    for name, count in stats["totals"].items():
        if count:
            yield name, f"{count:,} since the start"


def _counts(stats: Mapping[str, Any]) -> str:
    most = stats["tasks_counted_to"]
    return ", ".join(f"{count:,}{'+' if count >= most else ''} {name}" for name, count in stats["tasks"].items())


def _lateness(measured: Mapping[str, Any] | None) -> str:
    if measured is None or measured["p50"] is None:
        return "no attempt yet"
    told = ", ".join(f"{name} {time_words.length_in_words(measured[name])}" for name in ("p50", "p99", "max"))
    return f"{told}, of the latest {measured['count']:,} attempts"


def _slots(pools: Mapping[str, Mapping[str, int]]) -> str:
    return ", ".join(f"{name} {pool['running']} of {pool['slots']}" for name, pool in pools.items())


@click.command("top")
@click.option(
    "--every", metavar="SECONDS", type=click.FloatRange(0.2, 60), default=1.0, help="How often to look.  [default: 1]"
)
@saying.tz_option
@calls_server()
def top_command(session: Session, every: float, zone: Zone) -> None:
    """Watch a server live; q or Ctrl-C ends it.

    It shows tasks by state, lateness, slots, destinations and nodes.
    """
    if not session.printer.is_terminal or not sys.stdin.isatty():
        raise CommandError(MISUSED, "no_terminal", "top draws on a terminal; elsewhere: tasker stats --output json")
    from rich.live import Live  # noqa: PLC0415 - for terminals alone

    console = session.printer.console()
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        before: Mapping[str, Any] | None = None
        looked = time.monotonic()
        while True:
            stats = session.call("GET", "/stats")
            at = time.monotonic()
            live.update(_screen(session, stats, before, at - looked, zone), refresh=True)
            before, looked = stats, at
            if pressed(every) in ("q", "Q", "\x03"):
                return


@contextmanager
def _keys() -> Iterator[Any]:
    """Give what waits for a key, for so many seconds at most; nothing needs Enter meanwhile."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        return sys.stdin.read(1) if ready else ""

    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # by the way that leads to the end below
    tty.setcbreak(descriptor)
    try:
        yield pressed
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _screen(
    session: Session, stats: Mapping[str, Any], before: Mapping[str, Any] | None, seconds: float, zone: Zone
) -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    now = clocks.now()
    head = Text.assemble(
        (f"tasker {stats['version']}", "bold"),
        f"  {session.client.url}  {clocks.in_short(now, zone)}",
        ("  everything is paused", "bold red") if stats["paused_at"] else "",
    )
    lines = [
        head,
        Text(""),
        Text(f"tasks     {_counts(stats)}"),
        Text(f"lateness  {_lateness(stats['lateness_seconds'])}"),
        Text(f"slots     {_slots(stats['pools'])}"),
        Text(f"rates     {_rates(stats, before, seconds)}"),
    ]
    destinations = sorted(
        _allowed(session, "/destinations"), key=lambda row: (-row["held"], -row["running"], row["id"])
    )
    nodes = _allowed(session, "/nodes")
    return Group(
        *lines,
        Text(""),
        _table(destinations[:_ROWS], views.destination_columns()),
        Text(""),
        _table(nodes, _NODES) if len(nodes) > 1 else Text(""),
    )


_NODES: Final = (
    Column("id", "NODE"),
    Column("running", "RUNNING"),
    Column("version", "VERSION"),
    Column("address", "ADDRESS"),
)


def _rates(stats: Mapping[str, Any], before: Mapping[str, Any] | None, seconds: float) -> str:
    if before is None or before["started_at"] != stats["started_at"]:  # another node, or a new start
        return "..."
    return ", ".join(
        f"{(stats['totals'][name] - before['totals'][name]) / seconds:.0f} {name}/s"
        for name in ("created", "attempts", "done", "failed")
    )


def _allowed(session: Session, path: str) -> list[dict[str, Any]]:
    """Return what a call lists; nothing, if the key may not ask for it."""
    from tasker.client.errors import ScopeMissing  # noqa: PLC0415 - loaded by now

    try:
        found: list[dict[str, Any]] = session.call("GET", path)
    except ScopeMissing:
        return []
    return found


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> "RenderableType":
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    shown = [column for column in columns if column.title]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in shown:
        table.add_column(column.title, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(
            *(
                Text(
                    one_line(column.shown(row) if column.shown else str(row.get(column.name) or "")),
                    column.style(row) if column.style else "",
                )
                for column in shown
            )
        )
    return table
