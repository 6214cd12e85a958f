"""``tasker tail``: what happens, as it happens."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click
import msgspec

from tasker.cli import saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server
from tasker.cli.filtering import options_of_filters
from tasker.cli.printing import shown
from tasker.event_filters import EVENT_FILTERS


@click.command("tail")
@options_of_filters(EVENT_FILTERS)
@click.option("--limit", metavar="NUMBER", type=click.IntRange(1), help="End after so many.  [default: never]")
@saying.tz_option
@calls_server()
def tail_command(session: Session, zone: Zone, limit: int | None, **given: Any) -> None:  # noqa: ANN401 - filters
    """Print what happens as it happens, until Ctrl-C.

    That is all about tasks, attempts, destinations, schedules and operations.

    It comes back to the server by itself. If events may be missing, a line says so: "reset", or "gap"
    where more happens than is told. To learn how each task ended, whatever happens, use a callback.

    \b
    Examples:
      tasker tail --tag customer:42
      tasker tail --state failed --output ndjson
    """  # noqa: D301 - click reads the sign that \b stands for
    filters = {name.removeprefix("filter_"): value for name, value in given.items() if value}

    def told() -> Iterator[dict[str, Any]]:
        for event in islice(session.client.events(**filters), limit):
            members = msgspec.to_builtins(event)
            del members["event"]
            yield {"event": event.event, **{name: value for name, value in members.items() if value not in ("", None)}}

    if session.printer.is_table:
        session.printer.lines(told(), lambda event: _line(event, zone))
    else:
        session.printer.each(told(), views.event_columns(), "")


def _line(event: Mapping[str, Any], zone: Zone) -> list[tuple[str, str]]:
    """Return an event as a line: texts, each with how it looks."""
    at = views.clock_time(event.get("at"), zone)
    words = [(f"{at:12}  ", "dim"), (f"{event['event']:11}  ", "bold")]
    if event.get("state"):
        words.append((f"{views.state('state')(event):13}  ", views.style("state")(event)))
    rest = [
        event.get("id"),
        *(str(event[name]) for name in ("change", "action", "status") if event.get(name)),
        f"attempt {event['attempt']}" if event.get("attempt") else None,
        event.get("code"),
        event.get("schedule"),
        event.get("destination"),
        event.get("key"),
        " ".join(event.get("tags") or ()),
        event.get("reason"),
        shown(event["counts"]) if event.get("counts") else None,
        f"{event['changed']} of {event['matched']} changed" if event.get("matched") is not None else None,
    ]
    return [*words, ("  ".join(text for text in rest if text), "")]
