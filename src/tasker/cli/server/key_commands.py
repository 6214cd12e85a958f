"""The commands of ``tasker db keys``, and their options. Imports next to nothing."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from tasker.cli.keys import key_options
from tasker.cli.output import joined_help
from tasker.cli.printing import Printer, output_options
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
      4  a server uses the database
"""


def _explained(command: C) -> C:
    """Add the exit codes to the help of a command."""
    command.__doc__ = joined_help(command.__doc__, _EXITS)
    return command


@click.group("keys", invoke_without_command=True)
@click.pass_context
def db_keys_group(context: click.Context) -> None:
    """Make the first API key, and see to keys while no server uses the database.

    Else use tasker keys, which asks the server. From the first key on, every server on the database
    asks for keys.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@db_keys_group.command("create")
@key_options
@options(OF_THE_DATABASE)
@output_options
@_explained
def create_command(
    printer: Printer,
    name: str,
    role: str | None,
    scopes: Sequence[str],
    expires_in: str | None,
    **flags: Any,  # noqa: ANN401 - texts, tuples of texts and switches
) -> None:
    """Make a key called NAME, and print it.

    It is shown this once: the database keeps its hash. A missing SQLite file is made. Here, unlike
    through a server, the first key may have any role.
    """
    from tasker.cli.server import keys, sources  # noqa: PLC0415 - their imports would make --help slow

    settings = sources.load(flags, os.environ, only=OF_THE_DATABASE)
    keys.create(settings, printer, name=name, role=role, scopes=scopes, expires_in=expires_in)


@db_keys_group.command("ls")
@options(OF_THE_DATABASE)
@output_options
@_explained
def ls_command(printer: Printer, **flags: Any) -> None:  # noqa: ANN401 - as above
    """List the keys, without the keys themselves, in the order in which they were made."""
    from tasker.cli.server import keys, sources  # noqa: PLC0415 - as above

    keys.show_all(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer)


@db_keys_group.command("revoke")
@click.argument("key_id", metavar="ID")
@options(OF_THE_DATABASE)
@output_options
@_explained
def revoke_command(printer: Printer, key_id: str, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Revoke the key with ID, for good; also the last one with the scope admin."""
    from tasker.cli.server import keys, sources  # noqa: PLC0415 - as above

    keys.revoke(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer, key_id)


@db_keys_group.command("disable")
@options(OF_THE_DATABASE)
@output_options
@_explained
def disable_command(printer: Printer, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Ask for no keys any more, on no server, until another key is made.

    The keys are kept, and are valid again from the next one on that is made: revoke those that
    shall not be.
    """
    from tasker.cli.server import keys, sources  # noqa: PLC0415 - as above

    keys.disable(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer)
