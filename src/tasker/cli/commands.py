"""The commands and their options, and the exit code of every error."""

import os
import sys
import traceback
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from tasker import __version__
from tasker.cli.key_commands import keys_group
from tasker.cli.options import options
from tasker.cli.output import FAILED, MISUSED, CommandError, complain, output_option
from tasker.cli.redact import one_line, redact
from tasker.cli.settings import OF_ALERTS, OF_THE_DATABASE, SETTINGS
from tasker.errors import SettingError, StartError

_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """Run the command ``tasker`` and end the process."""
    try:
        sys.exit(tasker.main(prog_name="tasker", standalone_mode=False))
    except click.UsageError as error:
        _end(MISUSED, "usage", f"{error.format_message()}  Try: tasker --help")
    except SettingError as error:
        _end(MISUSED, "setting", str(error))
    except CommandError as error:
        _end(error.exit_code, error.code, str(error))
    except StartError as error:
        _end(FAILED, "start", str(error))
    except OSError as error:
        _end(FAILED, "system", _system_problem(error))
    except Exception as error:  # noqa: BLE001 - a traceback helps nobody who starts a server
        place = traceback.extract_tb(error.__traceback__)[-1]
        # Its message may quote what it failed on.
        _end(
            FAILED,
            "bug",
            f"{type(error).__name__} in {place.filename}:{place.lineno}; this is a bug in tasker: please report it",
        )


def _system_problem(error: OSError) -> str:
    """Return what the system refused, and what to do about it where that is known."""
    try:
        Path.cwd()
    except OSError:
        return "the working folder does not exist any more; change to one that does"
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or type(error).__name__}"


def _end(exit_code: int, code: str, problem: str) -> NoReturn:
    complain(exit_code, code, one_line(redact(problem)))
    sys.exit(exit_code)


def _serve(flags: dict[str, Any]) -> None:
    from tasker.cli import sources  # noqa: PLC0415 - as below

    settings = sources.load(flags, os.environ)

    from tasker.cli import serve  # noqa: PLC0415 - the server's imports would make --help, --version and refusals slow

    serve.serve(settings, doubts=sources.doubts(settings, os.environ))


@click.group(invoke_without_command=True, context_settings=_HELP)
@options(SETTINGS)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def tasker(context: click.Context, /, **flags: Any) -> None:  # noqa: ANN401 - texts, tuples of texts and switches
    """Run each task at its time: call a URL or run a job, never before that time, and never lose a task.

    Without a command, tasker starts the server, as "tasker serve" does. A setting is taken from its
    option; failing that, from its environment variable; failing that, from tasker.toml.
    """
    if context.invoked_subcommand is None:
        _serve(flags)
    elif any(flags.values()):
        raise click.UsageError("options go after the command, as in: tasker serve [OPTIONS]")


@tasker.command("serve")
@options(SETTINGS)
def serve_command(**flags: Any) -> None:  # noqa: ANN401 - as above
    """Start the server; so does tasker without a command."""
    _serve(flags)


@tasker.command("demo")
@click.option(
    "--database",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to make its SQLite database, which then stays: a file that is not there.  "
    "[default: a temporary one, removed in the end]",
)
@click.option(
    "--listen-port",
    "port",
    metavar="PORT",
    type=click.IntRange(0, 65_535),
    default=8080,
    help="The port to listen on, on this machine alone; 0 picks a free one.  [default: 8080]",
)
def demo_command(database: Path | None, port: int) -> None:
    """Serve a month of made-up history, to look at the dashboard.

    Schedules, groups, a dead endpoint, failures, and tasks that are running and waiting: a small
    shop, as it could be. All receivers are in the process: nothing is sent to anybody, whatever you
    do there. It takes no settings, and leaves your own database alone.
    """
    from tasker.cli import demo  # noqa: PLC0415 - as above

    demo.run(database, port=port)


@tasker.group("db", invoke_without_command=True)
@click.pass_context
def db_group(context: click.Context) -> None:
    """Maintain the database."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@db_group.command("migrate")
@options(OF_THE_DATABASE)
def migrate_command(**flags: Any) -> None:  # noqa: ANN401 - as above
    """Bring the tables of the database up to date.

    A server does the same when it starts, unless --no-migrate is set. On PostgreSQL, this is safe
    to run while servers of the previous version use the database. It may be run again, and by
    several processes at once.
    """
    from tasker.cli import sources  # noqa: PLC0415 - as above

    settings = sources.load(flags, os.environ, only=OF_THE_DATABASE)

    from tasker.cli import database  # noqa: PLC0415 - as above

    database.migrate(settings, doubts=sources.doubts(settings, os.environ))


@tasker.group("alert", invoke_without_command=True)
@click.pass_context
def alert_group(context: click.Context) -> None:
    """See to it that alerts arrive."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@alert_group.command("test")
@options(OF_ALERTS)
@output_option
def alert_test_command(output: str, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Send one alert that says that it is a test, and say what the receiver answered.

    It goes the way of all alerts. Neither a server nor a database is needed. It is sent once,
    without another try.

    \b
    Exit codes:
      0  it was received: the answer was 2xx
      1  the receiver answered something else
      2  an option, variable or key cannot be used, or no --alert-url is given
      6  no answer came
    """  # noqa: D301 - click reads the sign that \b stands for
    from tasker.cli import sources  # noqa: PLC0415 - as above

    settings = sources.load(flags, os.environ, only=OF_ALERTS)

    from tasker.cli import alert  # noqa: PLC0415 - as above

    alert.send_test(settings, output, doubts=sources.doubts(settings, os.environ))


tasker.add_command(keys_group)
