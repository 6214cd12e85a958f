"""``tasker destinations``, ``ops``, ``inbox`` and ``keys``: what those who run a server do through its API."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from tasker.cli import clocks, keys, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, limit_option, path_of
from tasker.cli.keys import key_options
from tasker.cli.moving import followed
from tasker.cli.output import MISUSED, NOT_FOUND, CommandError
from tasker.cli.printing import talk
from tasker.errors import cut


def _group(name: str, text: str) -> click.Group:
    @click.group(name, invoke_without_command=True, help=text)
    @click.pass_context
    def group(context: click.Context) -> None:
        if context.invoked_subcommand is None:
            click.echo(context.get_help())

    return group


destinations_group = _group("destinations", "Look at where tasks go; pause, resume and limit it.")
ops_group = _group("ops", "Look at operations, which change many tasks, and stop them.")
inbox_group = _group("inbox", "Look at what was refused of what applications have written.")
keys_group = _group(
    "keys",
    "Make, list and revoke API keys, through the server. From the first key on, every server on the "
    "database asks for keys. tasker db keys does the same while no server runs.",
)


@destinations_group.command("ls")
@calls_server()
def destinations_ls_command(session: Session) -> None:
    """List where tasks have gone and are to go."""
    session.printer.each(
        session.call("GET", "/destinations"), views.destination_columns(), "there are no destinations yet"
    )


@destinations_group.command("show")
@click.argument("destination")
@saying.tz_option
@calls_server()
def destinations_show_command(session: Session, destination: str, zone: Zone) -> None:
    """Show DESTINATION, by its id or its name."""
    _show_destination(session, session.call("GET", _path_of_destination(session, destination)), zone)


def _move_of_destinations(name: str, text: str) -> None:
    def run(session: Session, destination: str, zone: Zone) -> None:
        moved = session.call("POST", f"{_path_of_destination(session, destination)}/{name}")
        _show_destination(session, moved, zone)

    run.__doc__ = text
    command = click.argument("destination")(saying.tz_option(calls_server()(run)))
    destinations_group.command(name)(command)


_move_of_destinations("pause", "Start no more tasks of DESTINATION; what is running goes on.")
_move_of_destinations("resume", "Start tasks of DESTINATION again.")
_move_of_destinations("probe", "Try DESTINATION now, with one task, though it has failed too often.")


@destinations_group.command("limit")
@click.argument("destination", required=False)
@click.option("--target", metavar="URL", help="The destination of a URL, before its first task.")
@click.option("--group", metavar="NAME", help="That of a group.")
@click.option("--queue", metavar="NAME", help="That of a queue.")
@click.option("--max-running", metavar="NUMBER|none", help="How many tasks may run at once.")
@click.option(
    "--max-per-second", metavar="NUMBER|none", help="How many may start in a second; 0.5 is one every 2 seconds."
)
@click.option(
    "--burst", metavar="NUMBER", type=click.IntRange(1, 10_000), help="How many may start at one moment after a rest."
)
@saying.tz_option
@calls_server()
def destinations_limit_command(session: Session, destination: str | None, zone: Zone, **given: Any) -> None:  # noqa: ANN401 - texts
    """Say how many tasks of DESTINATION may run at once, and how often they may start.

    What is not said stays as it is; none takes a limit away.

    \b
    Examples:
      tasker destinations limit https://example.org:443 --max-per-second 5
      tasker destinations limit --group customer-42 --max-running 1
    """  # noqa: D301 - click reads the sign that \b stands for
    body: dict[str, Any] = {
        name: limit for name in ("max_running", "max_per_second") if (limit := _limit(name, given)) != _UNSAID
    }
    if given["burst"] is not None:
        body["burst"] = given["burst"]
    names = {"url": given["target"], "group": given["group"], "queue": given["queue"]}
    named = {name: value for name, value in names.items() if value is not None}
    if len(named) + (destination is not None) != 1:
        raise saying.misused("DESTINATION, --target, --group, --queue", "expected one of them")
    if not body:
        raise saying.misused("--max-running, --max-per-second, --burst", "expected one of them, got none")
    if destination is None:
        _show_destination(session, session.call("POST", "/destinations", {**named, **body}), zone)
    else:
        _show_destination(session, session.call("PATCH", _path_of_destination(session, destination), body), zone)


_UNSAID: Final = -1.0


def _limit(name: str, given: Mapping[str, Any]) -> float | int | None:
    said = given[name]
    if said is None:
        return _UNSAID
    if said == "none":
        return None
    try:
        return int(said) if name == "max_running" else float(said)
    except ValueError:
        raise saying.misused(f"--{name.replace('_', '-')}", f"expected a number, or none, got: {cut(said)!r}") from None


def _path_of_destination(session: Session, named: str) -> str:
    """Return the path of a destination that is named by its id or its name.

    Raises:
        CommandError: there is none, or there are several with this name.
    """
    if named.isascii() and named.isdigit():
        return path_of("destinations", named)
    found = [each for each in session.call("GET", "/destinations") if each["name"] == named]
    if len(found) == 1:
        return path_of("destinations", str(found[0]["id"]))
    if found:
        ids = ", ".join(f"{each['id']} ({each['kind']})" for each in found)
        raise CommandError(
            MISUSED, "ambiguous", f"DESTINATION: expected an id where several have the name {cut(named)!r}: {ids}"
        )
    raise CommandError(
        NOT_FOUND,
        "destination_not_found",
        f"there is no destination {cut(named)!r}; tasker destinations ls shows all, with their names",
    )


def _show_destination(session: Session, destination: dict[str, Any], zone: Zone) -> None:
    session.printer.one(destination, views.pairs(destination, zone), views.destination_columns())


@ops_group.command("ls")
@limit_option
@saying.tz_option
@calls_server()
def ops_ls_command(session: Session, limit: int, zone: Zone) -> None:
    """List operations, the latest first."""
    rows = session.first(limit, "/operations", "operations")
    session.printer.each(rows, views.operation_columns(zone, clocks.now()), "there are no operations")


@ops_group.command("show")
@click.argument("operation_id", metavar="ID")
@saying.tz_option
@calls_server()
def ops_show_command(session: Session, operation_id: str, zone: Zone) -> None:
    """Show an operation: how far it has come."""
    _show_operation(session, session.call("GET", path_of("operations", operation_id)), zone)


@ops_group.command("wait")
@click.argument("operation_id", metavar="ID")
@saying.tz_option
@calls_server()
def ops_wait_command(session: Session, operation_id: str, zone: Zone) -> None:
    """Wait until an operation has ended, and show it."""
    _show_operation(session, followed(session, session.call("GET", path_of("operations", operation_id))), zone)


@ops_group.command("cancel")
@click.argument("operation_id", metavar="ID")
@saying.tz_option
@calls_server()
def ops_cancel_command(session: Session, operation_id: str, zone: Zone) -> None:
    """Have an operation go no further; what it has changed stays so."""
    _show_operation(session, session.call("POST", path_of("operations", operation_id, "cancel")), zone)


def _show_operation(session: Session, operation: dict[str, Any], zone: Zone) -> None:
    session.printer.one(operation, views.pairs(operation, zone), views.operation_columns(zone, clocks.now()))


@inbox_group.command("ls")
@limit_option
@saying.tz_option
@calls_server()
def inbox_ls_command(session: Session, limit: int, zone: Zone) -> None:
    """List rows that were refused, or are still to be taken, those inserted first at the top."""
    rows = session.first(limit, "/inbox", "inbox")
    session.printer.each(rows, views.inbox_columns(zone, clocks.now()), "the inbox is empty")


@inbox_group.command("retry")
@click.argument("row_id", metavar="ID")
@calls_server()
def inbox_retry_command(session: Session, row_id: str) -> None:
    """Try a row again that was refused, at once."""
    session.call("POST", path_of("inbox", row_id, "retry"))
    _tell_of_row(session, row_id, "tried again", "retried")


@inbox_group.command("rm")
@click.argument("row_id", metavar="ID")
@calls_server()
def inbox_rm_command(session: Session, row_id: str) -> None:
    """Delete a row of the inbox: no task comes of it."""
    session.call("DELETE", path_of("inbox", row_id))
    _tell_of_row(session, row_id, "deleted", "deleted")


def _tell_of_row(session: Session, row_id: str, words: str, member: str) -> None:
    talk(f"{words}: {row_id}")
    if not session.printer.is_table:
        session.printer.one({"id": row_id, member: True}, [])


@keys_group.command("create")
@key_options
@saying.tz_option
@calls_server()
def keys_create_command(
    session: Session, name: str, role: str | None, scopes: Sequence[str], expires_in: str | None, zone: Zone
) -> None:
    """Make a key called NAME, and print it: it is shown this once.

    The first key must have the role admin: from then on, keys are asked for.
    """
    keys.show_new(session.printer, session.call("POST", "/keys", keys.asked_key(name, role, scopes, expires_in)), zone)


@keys_group.command("ls")
@calls_server()
def keys_ls_command(session: Session) -> None:
    """List the keys, without the keys themselves, in the order in which they were made."""
    keys.show_all(session.printer, list(session.pages("/keys", "keys", {"limit": 1_000})))


@keys_group.command("revoke")
@click.argument("key_id", metavar="ID")
@calls_server()
def keys_revoke_command(session: Session, key_id: str) -> None:
    """Revoke the key with ID, for good: within a second it is valid on no server.

    The last key with the scope admin cannot be revoked so.
    """
    session.call("DELETE", path_of("keys", key_id))
    keys.show_revoked(session.printer, key_id)
