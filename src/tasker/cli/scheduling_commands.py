"""``tasker schedule``: what is done again and again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, path_of
from tasker.cli.output import CONFLICT, CommandError
from tasker.cli.printing import Column, talk
from tasker.cli.task_options import task_members, task_options


@click.group("schedule", invoke_without_command=True)
@click.pass_context
def schedule_group(context: click.Context) -> None:
    """Have tasks run again and again, and look at that."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _when_options(command: Any) -> Any:  # noqa: ANN401 - as click has it
    """Give a command the options that say when a schedule runs."""
    for option in (
        click.option("--ends-at", metavar="TIME", help="No run is at this time or later."),
        click.option("--starts-at", metavar="TIME", help="No run is earlier."),
        click.option("--jitter", metavar="LENGTH", help="Put each run off by a time of its own, shorter than this."),
        click.option("--every", metavar="LENGTH", help="In place of --cron: from one run to the next, such as 15m."),
        click.option(
            "--cron",
            metavar="EXPRESSION",
            help="Minute, hour, day of month, month and day of week, such as '0 9 * * MON-FRI'; or @hourly, @daily, "
            "@weekly. Needs --tz.",
        ),
    ):
        command = option(command)
    return saying.tz_option(command)


@schedule_group.command("add")
@click.argument("name")
@click.argument("target", metavar="URL|TYPE")
@_when_options
@task_options
@click.option(
    "--overlap",
    type=click.Choice(["skip", "queue", "allow"]),
    help="What to do while another run goes on.  [default: skip]",
)
@click.option(
    "--missed",
    type=click.Choice(["once", "all", "none"]),
    help="What to do about times at which no server was up.  [default: once]",
)
@click.option("--missed-within", metavar="LENGTH", help="How long ago such a time may be.  [default: 1d]")
@click.option(
    "--max-runs", metavar="NUMBER", type=click.IntRange(1), help="Make no more runs once so many have started."
)
@click.option("--paused", is_flag=True, help="Make no runs until it is resumed.")
@calls_server()
def add_command(session: Session, name: str, target: str, zone: Zone, **given: Any) -> None:  # noqa: ANN401 - texts and switches
    """Create the schedule NAME, or make it what is said here: what is left out is as if never said.

    \b
    Examples:
      tasker schedule add good-morning https://example.org/hook --cron '0 9 * * MON-FRI' --tz Europe/Berlin
      tasker schedule add sweep job --queue sweeps --every 15m
    """  # noqa: D301 - click reads the sign that \b stands for
    task = {each: value for each, value in given.items() if each != "tags"}
    type_, members = task_members(target, zone, task)
    body = {**_when(zone, given), "task": {type_: members}}
    for member in ("overlap", "missed", "max_runs"):
        if given[member] is not None:
            body[member] = given[member]
    if given["missed_within"] is not None:
        body["missed_within"] = saying.length_text(saying.length_of("--missed-within", given["missed_within"]))
    if given["tags"]:
        body["tags"] = list(given["tags"])
    if given["paused"]:
        body["paused"] = True
    _show(session, session.call("PUT", path_of("schedules", name), body), zone)


def _when(zone: Zone, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a schedule that say when it runs.

    Raises:
        CommandError: an option cannot be used.
    """
    if (given["cron"] is None) == (given["every"] is None):
        got = "neither" if given["cron"] is None else "both"
        raise saying.misused("--cron, --every", f"expected one of them, got {got}")
    body: dict[str, Any] = {}
    if given["cron"] is not None:
        if zone.name is None:
            raise saying.misused("--tz", "expected it with --cron, which needs clocks: such as Europe/Berlin, or UTC")
        body["cron"] = given["cron"]
    if zone.name is not None:
        body["time_zone"] = zone.name
    for member in ("every", "jitter"):
        if given[member] is not None:
            body[member] = saying.length_text(saying.length_of(f"--{member}", given[member]))
    for member in ("starts_at", "ends_at"):
        if given[member] is not None:
            option = f"--{member.replace('_', '-')}"
            body[member] = saying.bound_text(option, given[member], zone)
    return body


def _show(session: Session, schedule: Mapping[str, Any], zone: Zone) -> None:
    """Show a schedule; on a terminal, when its next run is."""
    next_run = schedule["next_run"]
    stands = (
        f"next run {saying.echoed(next_run, zone)}" if next_run else "paused" if schedule["paused"] else "no run comes"
    )
    talk(f"{schedule['name']}: {schedule['words']} {stands}")
    if not session.printer.is_table:
        session.printer.one(schedule, [], views.schedule_columns(zone, clocks.now()))


@schedule_group.command("ls")
@saying.tz_option
@calls_server()
def ls_command(session: Session, zone: Zone) -> None:
    """List the schedules, by name."""
    rows = session.pages("/schedules", "schedules")
    session.printer.each(rows, views.schedule_columns(zone, clocks.now()), "there are no schedules")


@schedule_group.command("show")
@click.argument("name")
@saying.tz_option
@calls_server()
def show_command(session: Session, name: str, zone: Zone) -> None:
    """Show a schedule: what it runs, its next times, its latest runs."""
    schedule = session.call("GET", path_of("schedules", name))
    columns = views.schedule_columns(zone, clocks.now())
    session.printer.one(schedule, views.schedule_pairs(schedule, zone), columns)


@schedule_group.command("preview")
@_when_options
@calls_server()
def preview_command(session: Session, zone: Zone, **given: Any) -> None:  # noqa: ANN401 - texts
    """Say when a schedule would run; nothing is stored.

    \b
    Example:
      tasker schedule preview --cron '30 2 * * *' --tz Europe/Berlin
    """  # noqa: D301 - as above
    told = session.call("POST", "/schedules/preview", _when(zone, given))
    talk(told["words"])
    session.printer.each(told["runs"], _run_columns(zone), "no run comes")


_NOTES: Final = {
    "normal": "",
    "moved_by_gap": "after the gap",
    "first_of_two": "the first of two",
    "second_of_two": "the second of two",
}
"""What is special about a local time, in a few words."""


def _run_columns(zone: Zone) -> Sequence[Column]:
    return (
        Column("scheduled_for", "AT", lambda row: saying.echoed(row["scheduled_for"], zone).rpartition(", ")[0]),
        Column("local_time", ""),
        Column("note", "NOTE", lambda row: _NOTES.get(row["note"], row["note"])),
    )


def _move(name: str, text: str) -> None:
    """Add a command that makes a move of a schedule."""

    def run(session: Session, name_of_schedule: str, zone: Zone) -> None:
        _show(session, session.call("POST", path_of("schedules", name_of_schedule, name)), zone)

    run.__doc__ = text
    command = saying.tz_option(calls_server()(run))
    schedule_group.command(name)(click.argument("name_of_schedule", metavar="NAME")(command))


_move("pause", "Make no more runs of a schedule; what has started goes on.")
_move("resume", "Make runs of a schedule again, from its first time after now on.")


@schedule_group.command("run")
@click.argument("name")
@saying.tz_option
@calls_server()
def run_command(session: Session, name: str, zone: Zone) -> None:
    """Make a run of a schedule now, beside its regular ones."""
    (made,) = session.call("POST", path_of("schedules", name, "run"))["runs"]
    session.printer.one(made, views.pairs(made, zone))


@schedule_group.command("skip")
@click.argument("name")
@saying.tz_option
@calls_server()
def skip_command(session: Session, name: str, zone: Zone) -> None:
    """Leave out the next run of a schedule: it is cancelled, and the one after it comes.

    It is looked up first: one that starts in between is not stopped, but has no other attempt.
    """
    schedule = session.call("GET", path_of("schedules", name))
    coming = next((run for run in schedule["next_runs"] if run.get("task_id")), None)
    if coming is None:
        raise CommandError(
            CONFLICT, "no_run", f"no run of the schedule {name} stands in the queue: it is paused or has ended"
        )
    task = views.flat(session.call("POST", path_of("tasks", coming["task_id"], "cancel")))
    talk(f"left out: {saying.echoed(coming['scheduled_for'], zone)}")
    session.printer.one(
        task, [("id", task["id"]), ("state", views.state("state")(task))], views.task_columns(zone, clocks.now())
    )


@schedule_group.command("rm")
@click.argument("name")
@calls_server()
def rm_command(session: Session, name: str) -> None:
    """Delete a schedule, and its run that is not due yet; what has started goes on."""
    session.call("DELETE", path_of("schedules", name))
    talk(f"deleted: {name}")
    if not session.printer.is_table:
        session.printer.one({"name": name, "deleted": True}, [])
