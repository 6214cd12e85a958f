"""``tasker pause``, ``resume``, ``nodes`` and ``audit``: the service as a whole."""

from typing import Any, Final, get_args

import click

from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, limit_option
from tasker.wire.audit import KindWord

_BOUNDS: Final = ("after", "before")


@click.command("pause")
@saying.tz_option
@calls_server()
def pause_command(session: Session, zone: Zone) -> None:
    """Pause everything: no task starts on any server.

    It lasts until tasker resume. What is running goes on to its end, and tasks are still created.
    """
    _move(session, "pause", zone)


@click.command("resume")
@saying.tz_option
@calls_server()
def resume_command(session: Session, zone: Zone) -> None:
    """Let tasks start again, after tasker pause or a restore.

    Those that are overdue start at once.
    """
    _move(session, "resume", zone)


def _move(session: Session, move: str, zone: Zone) -> None:
    pause = session.call("POST", f"/{move}")
    told = f"everything, since {saying.echoed(pause['paused_at'], zone)}" if pause["paused"] else "no"
    session.printer.one(pause, [("paused", told)])


@click.command("nodes")
@saying.tz_option
@calls_server()
def nodes_command(session: Session, zone: Zone) -> None:
    """List the servers that share the database."""
    nodes = session.call("GET", "/nodes")
    session.printer.each(nodes, views.node_columns(zone, clocks.now()), "there are no nodes")


@click.command("audit")
@click.option("--subject", metavar="ID", help="Of what was changed; of a task also the operations that changed it.")
@click.option("--kind", type=click.Choice(get_args(KindWord)), help="What was changed.")
@click.option("--action", metavar="ACTION", help="What was done to it, such as create, cancel or pause.")
@click.option("--by", metavar="ID", help="The id of the API key; local: no key was asked for; tasker: by itself.")
@click.option("--after", metavar="TIME", help="At this time or later, such as 2h ago or yesterday.")
@click.option("--before", metavar="TIME", help="Earlier than this.")
@limit_option
@saying.tz_option
@calls_server()
def audit_command(session: Session, limit: int, zone: Zone, **given: Any) -> None:  # noqa: ANN401 - texts
    """List who has changed what, the latest first.

    Where keys are asked for, it needs the scope admin.

    \b
    Examples:
      tasker audit --subject 01a20f63-2f5b-7bd0-a33e-6c8a3d0a1c52
      tasker audit --kind destination --after yesterday
    """  # noqa: D301 - click reads the sign that \b stands for
    query = {
        name: saying.bound_text(f"--{name}", said, zone) if name in _BOUNDS else said
        for name, said in given.items()
        if said is not None
    }
    rows = session.first(limit, "/audit", "audit", query)
    session.printer.each(rows, views.audit_columns(zone, clocks.now()), "no change passes the filters")
