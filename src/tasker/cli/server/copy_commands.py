"""The commands ``tasker db copy`` and ``tasker db unmark``, and their options. Imports next to nothing."""

import os
from typing import Any

import click

from tasker.cli.output import output_option
from tasker.cli.server.options import options
from tasker.cli.server.settings import DATABASE_URL, OF_A_COPY, OF_THE_DATABASE


@click.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@options(OF_A_COPY)
@output_option
def copy_command(output: str, source: str, target: str, **flags: Any) -> None:  # noqa: ANN401 - texts and switches
    """Move all that the database FROM holds into the empty database TO, of the same kind or another.

    Both are URLs, as --database-url takes them. Stop all servers on FROM first. Everything is copied, with
    its ids and times: tasks, attempts, schedules, destinations and queues with their limits, API keys,
    operations and the audit log. Only sign-ins are not.

    \b
    If it is broken off, at any moment, run it again: it goes on where it was. No server starts on TO
    before all is there and was compared. From then on no server starts on FROM: it says where its tasks
    are now. See tasker db unmark.

    \b
    Examples:
      tasker db copy sqlite:tasks.db postgresql://tasker@db1.example.org/tasker
      tasker db copy postgresql://tasker@db1.example.org/tasker sqlite:tasks.db

    \b
    To keep a password out of the list of processes, have it in ~/.pgpass or in the variable PGPASSWORD.

    \b
    Exit codes:
      0  all is in TO now
      1  it could not be done, or could not go on
      2  an option, argument or variable cannot be used
      3  there is no database FROM
      4  a server uses one of them, TO is not empty, or FROM has moved before
    """  # noqa: D301 - click reads the sign that \b stands for
    from tasker.cli.server import sources  # noqa: PLC0415 - their imports would make --help slow

    settings = sources.load(flags, os.environ, only=OF_A_COPY)
    urls = DATABASE_URL.read(source, "FROM"), DATABASE_URL.read(target, "TO")

    from tasker.cli.server import copying  # noqa: PLC0415 - as above

    copying.copy(settings, *urls, output)


@click.command("unmark")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options(OF_THE_DATABASE)
@output_option
def unmark_command(output: str, *, yes: bool, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Let servers start again on a database that tasker db copy has moved elsewhere, or not filled.

    Make sure that no server will run on the other one: each task would run on both. This command looks
    only at this database.

    \b
    Exit codes:
      0  it is done, or there was nothing to do
      1  it could not be done, or you said no
      2  an option or variable cannot be used
      3  there is no such database
      4  a server uses it
    """  # noqa: D301 - as above
    from tasker.cli.server import sources  # noqa: PLC0415 - as above

    settings = sources.load(flags, os.environ, only=OF_THE_DATABASE)

    from tasker.cli.server import copying  # noqa: PLC0415 - as above

    copying.unmark(settings, output, is_sure=yes)
