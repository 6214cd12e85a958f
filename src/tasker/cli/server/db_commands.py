"""The commands of ``tasker db``, and their options. Imports next to nothing."""

import os
from typing import Any

import click

from tasker.cli.server.copy_commands import copy_command, unmark_command
from tasker.cli.server.key_commands import db_keys_group
from tasker.cli.server.options import options
from tasker.cli.server.settings import OF_THE_DATABASE


@click.group("db", invoke_without_command=True)
@click.pass_context
def db_group(context: click.Context) -> None:
    """Maintain the database."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@db_group.command("migrate")
@options(OF_THE_DATABASE)
def migrate_command(**flags: Any) -> None:  # noqa: ANN401 - texts, tuples of texts and switches
    """Bring the tables of the database up to date.

    A server does the same when it starts, unless --no-migrate is set. On PostgreSQL, this is safe
    to run while servers of the previous version use the database. It may be run again, and by
    several processes at once.
    """
    from tasker.cli.server import sources  # noqa: PLC0415 - their imports would make --help slow

    settings = sources.load(flags, os.environ, only=OF_THE_DATABASE)

    from tasker.cli.server import database  # noqa: PLC0415 - as above

    database.migrate(settings, doubts=sources.doubts(settings, os.environ))


db_group.add_command(copy_command)
db_group.add_command(db_keys_group)
db_group.add_command(unmark_command)
