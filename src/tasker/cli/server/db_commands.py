"""The commands of ``tasker db``, and their options. Imports next to nothing."""

import os
from pathlib import Path
from typing import Any, Final

import click

from tasker.cli.output import FAILED, MISUSED, CommandError, joined_help
from tasker.cli.printing import Printer, output_options
from tasker.cli.server.copy_commands import copy_command, unmark_command
from tasker.cli.server.key_commands import db_keys_group
from tasker.cli.server.options import options
from tasker.cli.server.settings import OF_THE_DATABASE

_EXITS: Final = """
    \b
    Exit codes:
      0  it is done
      1  it could not be done
      2  an option, argument or variable cannot be used, or the database has tools of its own for it
      3  there is no such database
      4  a server uses the database, or something else has the name
"""

_FILE: Final = click.Path(path_type=Path)

_DECIDED: Final = click.option(
    "--due-since-copy",
    "decided",
    type=click.Choice(["run", "cancel"]),
    help="What becomes of the tasks that were due by now, and may have run already: they run, or they are cancelled. "
    "Without it, the next server starts paused.",
)


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


def _explained(command: Any) -> Any:  # noqa: ANN401 - whatever click decorates
    """Add the exit codes to the help of a command."""
    command.__doc__ = joined_help(command.__doc__, _EXITS)
    return command


@db_group.command("backup")
@click.argument("path", metavar="PATH", type=_FILE)
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(1),
    help="Put the time into the name, as in tasks-20261124T210425Z.db for tasks.db, and keep the newest N of these "
    "copies. Older ones are removed once the new one has been read back.",
)
@options(OF_THE_DATABASE)
@output_options
@_explained
def backup_command(printer: Printer, path: Path, keep: int | None, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Copy the database into the file PATH, while a server uses it or not.

    The copy shows one moment. It is on stable storage and was read back when it gets its name, and
    only its owner can read it. A copy that is there already is replaced, and nothing else is.
    Elsewhere than on a terminal, one line of JSON says what was done: for cron.

    With PostgreSQL, this names the tools to use.
    """
    from tasker.cli.server import maintaining, sources  # noqa: PLC0415 - as above

    maintaining.back_up(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer, path, keep)


@db_group.command("restore")
@click.argument("copy", metavar="COPY", type=_FILE)
@_DECIDED
@options(OF_THE_DATABASE)
@output_options
@_explained
def restore_command(printer: Printer, copy: Path, decided: str | None, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Put COPY, a backup, in the place of the database. No server may use it.

    The copy is read through first. The database that it replaces is kept under another name. What
    came due since the copy was made may have run already, so the next server starts paused, unless
    --due-since-copy decides.

    With PostgreSQL, this names the tools to use.
    """
    from tasker.cli.server import maintaining, sources  # noqa: PLC0415 - as above

    maintaining.restore(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer, copy, decided)


@db_group.command("restored")
@click.option(
    "--copied-at",
    metavar="TIME",
    help="When the copy was made, as in 2026-11-24T21:04:25Z.  [default: when a server last looked for due tasks]",
)
@_DECIDED
@options(OF_THE_DATABASE)
@output_options
@_explained
def restored_command(printer: Printer, copied_at: str | None, decided: str | None, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Say that the database was put back from a copy by other means. No server may use it.

    Such as by pg_restore, or from a snapshot of a disk. The next server starts paused, as after
    tasker db restore.
    """
    from tasker.cli.server import maintaining, sources  # noqa: PLC0415 - as above
    from tasker.model import instants  # noqa: PLC0415 - as above

    settings = sources.load(flags, os.environ, only=OF_THE_DATABASE)
    try:
        moment = None if copied_at is None else instants.parse(copied_at)
    except ValueError as error:
        raise CommandError(MISUSED, "usage", f"--copied-at: {error}") from None
    maintaining.note_restored(settings, printer, moment, decided)


@db_group.command("check")
@options(OF_THE_DATABASE)
@output_options
def check_command(printer: Printer, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Say whether the database is whole, and what to do if it is not. Changes nothing.

    A server may use it meanwhile. A backup is checked likewise: --database-url sqlite:BACKUP.

    \b
    Exit codes:
      0  nothing is wrong
      1  something is wrong, or it could not be looked at
      2  an option, argument or variable cannot be used
      3  there is no such database
    """  # noqa: D301 - click reads the sign that \b stands for
    from tasker.cli.server import maintaining, sources  # noqa: PLC0415 - as above

    if not maintaining.check(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer):
        click.get_current_context().exit(FAILED)


@db_group.command("vacuum")
@options(OF_THE_DATABASE)
@output_options
@_explained
def vacuum_command(printer: Printer, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Write the database anew without gaps, so that its file is no larger than it needs. No server may use it.

    What is deleted is used again in any case: this is for when much was deleted, and will not come
    back. For a while there are two files.

    With PostgreSQL, this names the tools to use.
    """
    from tasker.cli.server import maintaining, sources  # noqa: PLC0415 - as above

    maintaining.vacuum(sources.load(flags, os.environ, only=OF_THE_DATABASE), printer)


db_group.add_command(copy_command)
db_group.add_command(db_keys_group)
db_group.add_command(unmark_command)
