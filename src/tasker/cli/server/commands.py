"""The commands of the server and their options. Imports next to nothing."""

import os
from pathlib import Path
from typing import Any

import click

from tasker.cli.output import output_option
from tasker.cli.server.options import options
from tasker.cli.server.settings import OF_ALERTS, SETTINGS


def start(flags: dict[str, Any]) -> None:
    """Start the server with the options that were given, by field; never returns.

    Raises:
        SettingError, StartError: it cannot start; the message says why.
    """
    from tasker.cli.server import sources  # noqa: PLC0415 - as below

    settings = sources.load(flags, os.environ)

    from tasker.cli.server import serve  # noqa: PLC0415 - the server's imports would make --help, --version and refusals slow

    serve.serve(settings, doubts=sources.doubts(settings, os.environ))


@click.command("serve")
@options(SETTINGS)
def serve_command(**flags: Any) -> None:  # noqa: ANN401 - texts, tuples of texts and switches
    """Start the server; so does tasker without a command."""
    start(flags)


@click.command("demo")
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
    help="The port to listen on, on this machine only; 0 picks a free one.  [default: 8080]",
)
def demo_command(database: Path | None, port: int) -> None:
    """Serve a month of made-up history, to look at the dashboard.

    Schedules, groups, a dead endpoint, failures, and tasks that are running and waiting: a small
    shop, as it could be. All receivers are in the process: nothing is sent to anybody, whatever you
    do there. It takes no settings, and leaves your own database alone.
    """
    from tasker.cli.server import demo  # noqa: PLC0415 - as above

    demo.run(database, port=port)


@click.group("alert", invoke_without_command=True)
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
    from tasker.cli.server import sources  # noqa: PLC0415 - as above

    settings = sources.load(flags, os.environ, only=OF_ALERTS)

    from tasker.cli.server import alert  # noqa: PLC0415 - as above

    alert.send_test(settings, output, doubts=sources.doubts(settings, os.environ))


@click.command("doctor")
@click.argument("target", metavar="[URL]", required=False)
@click.option(
    "--url",
    metavar="URL",
    help="The server to ask. The variable TASKER_KEY takes its API key.  "
    "[env: TASKER_URL; default: where the settings let it listen]",
)
@click.option("--context", metavar="NAME", help="A server that has a name: see tasker context.  [env: TASKER_CONTEXT]")
@options(SETTINGS)
@output_option
def doctor_command(target: str | None, url: str | None, context: str | None, output: str, **flags: Any) -> None:  # noqa: ANN401 - as above
    """Say what is wrong with a server, and what mends it.

    It takes the options, variables and tasker.toml of the server, looks at its database, and asks the
    server itself, if it runs. It changes nothing. With URL, it says whether a webhook would call that.

    \b
    Examples:
      tasker doctor
      tasker doctor https://example.org/hook
      tasker doctor --database-url sqlite:/var/lib/tasker/tasks.db --output json

    \b
    Exit codes:
      0  nothing is wrong
      1  there are warnings
      2  there are faults; or, with nothing on standard output: an option,
         argument or variable cannot be used
    """  # noqa: D301 - click reads the sign that \b stands for
    from tasker.cli.server import sources  # noqa: PLC0415 - as above

    settings = sources.load_unchecked(flags, os.environ)

    from tasker.cli.server import doctor  # noqa: PLC0415 - as above

    doctor.run(settings, sources.mistakes(settings, os.environ), target, url, context, output)
