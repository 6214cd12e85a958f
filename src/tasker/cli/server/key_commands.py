"""The commands of ``tasker keys``, and their options. Imports next to nothing."""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from tasker.cli.output import output_option
from tasker.cli.server.options import options
from tasker.cli.server.settings import OF_THE_DATABASE

C = TypeVar("C", bound=Callable[..., object])

_EXITS: Final = """
    \b
    Exit codes:
      0  it is done
      1  it could not be done
      2  an option, argument or variable cannot be used
      3  there is no such key, or no database
      4  as things are, it cannot be done: a server uses the database, or no admin would be left
      5  the key in TASKER_KEY is missing or may not do this
      6  the server does not answer
"""


def _where(command: C) -> C:
    """Give a command the options that say whose keys it is about."""
    for option in (
        click.option(
            "--no-listen", is_flag=True, help="With --database-url: PostgreSQL is behind PgBouncer in transaction mode."
        ),
        click.option(
            "--database-url",
            metavar="URL",
            help="Work on this database itself, while no server uses it, instead of asking a server.",
        ),
        click.option(
            "--url",
            metavar="URL",
            help="Server to ask. The variable TASKER_KEY takes the API key for it.  "
            "[env: TASKER_URL; default: http://127.0.0.1:8080]",
        ),
    ):
        command = option(command)
    return command


def _explained(command: C) -> C:
    """Add the exit codes to the help of a command."""
    command.__doc__ = f"{command.__doc__}{_EXITS}"
    return command


@click.group("keys", invoke_without_command=True)
@click.pass_context
def keys_group(context: click.Context) -> None:
    """Say who may call.

    From the first key on, every server on the database asks for keys.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@keys_group.command("create")
@click.argument("name")
@click.option("--role", metavar="ROLE", help="What it may do: metrics, read, write or admin.")
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    multiple=True,
    help="What it may do, in place of --role: metrics, tasks:read, tasks:write, secrets:read, operate, admin. "
    "May be repeated.",
)
@click.option("--expires-in", metavar="AGE", help="How long it is valid, such as 12h or 90d. Without it: for ever.")
@_where
@output_option
@_explained
def create_command(output: str, **given: Any) -> None:  # noqa: ANN401 - texts, tuples of texts and switches
    """Make a key called NAME, and print it.

    It is shown this once: the database keeps its hash. The first key must have the role admin.
    """
    from tasker.cli.server import keys  # noqa: PLC0415 - its imports would make --help slow

    keys.create(_whose(given), output, **given)


@keys_group.command("list")
@_where
@output_option
@_explained
def list_command(output: str, **given: Any) -> None:  # noqa: ANN401 - as above
    """List the keys, without the keys themselves, in the order in which they were made."""
    from tasker.cli.server import keys  # noqa: PLC0415 - as above

    keys.show_all(_whose(given), output)


@keys_group.command("revoke")
@click.argument("key_id", metavar="ID")
@_where
@output_option
@_explained
def revoke_command(output: str, **given: Any) -> None:  # noqa: ANN401 - as above
    """Revoke the key with ID, for good.

    Within a second it is valid on no server. Through a server, the last key with the scope admin
    cannot be revoked.
    """
    from tasker.cli.server import keys  # noqa: PLC0415 - as above

    keys.revoke(_whose(given), output, given["key_id"])


@keys_group.command("disable")
@options(OF_THE_DATABASE)
@output_option
@_explained
def disable_command(output: str, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Ask for no keys any more, on no server, until another key is made.

    Works on the database alone, while no server uses it. The keys are kept, and are valid again
    from the next one on that is made: revoke those that shall not be.
    """
    from tasker.cli.server import keys, sources  # noqa: PLC0415 - as above

    keys.disable(sources.load(flags, os.environ, only=OF_THE_DATABASE), output)


def _whose(given: dict[str, Any]) -> Any:  # noqa: ANN401 - keys.Whose, whose import takes long
    """Take out of *given* what says whose keys a command is about."""
    from tasker.cli.server import keys  # noqa: PLC0415 - as above

    where = {name: given.pop(name) for name in ("url", "database_url", "no_listen")}
    return keys.whose(**where, environ=os.environ)
