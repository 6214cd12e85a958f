"""The command ``tasker``: the table of its commands, and the exit code of every error.

Imports no command: each is imported when it is called, or when its help is shown.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from tasker import __version__
from tasker.cli.output import FAILED, INTERRUPTED, MISUSED, CommandError, complain
from tasker.cli.redact import one_line, redact
from tasker.errors import SettingError, StartError

SERVER: Final = "tasker.cli.server"
"""The package of the commands that need the server. It is not installed with the client alone."""

COMMANDS: Final = {
    "add": "tasker.cli.adding:add_command",
    "alert": "tasker.cli.server.commands:alert_group",
    "audit": "tasker.cli.overseeing:audit_command",
    "cancel": "tasker.cli.moving:cancel_command",
    "completion": "tasker.cli.completing:completion_command",
    "context": "tasker.cli.context_commands:context_group",
    "db": "tasker.cli.server.db_commands:db_group",
    "demo": "tasker.cli.server.commands:demo_command",
    "destinations": "tasker.cli.operating:destinations_group",
    "doctor": "tasker.cli.server.commands:doctor_command",
    "edit": "tasker.cli.editing:edit_command",
    "explain": "tasker.cli.finding:explain_command",
    "export": "tasker.cli.exporting:export_command",
    "get": "tasker.cli.finding:get_command",
    "import": "tasker.cli.importing:import_command",
    "inbox": "tasker.cli.operating:inbox_group",
    "keys": "tasker.cli.operating:keys_group",
    "ls": "tasker.cli.finding:ls_command",
    "nodes": "tasker.cli.overseeing:nodes_command",
    "ops": "tasker.cli.operating:ops_group",
    "pause": "tasker.cli.overseeing:pause_command",
    "postpone": "tasker.cli.moving:postpone_command",
    "resume": "tasker.cli.overseeing:resume_command",
    "retry": "tasker.cli.moving:retry_command",
    "rm": "tasker.cli.moving:rm_command",
    "run": "tasker.cli.moving:run_command",
    "schedule": "tasker.cli.scheduling_commands:schedule_group",
    "serve": "tasker.cli.server.commands:serve_command",
    "stats": "tasker.cli.watching:stats_command",
    "tail": "tasker.cli.tailing:tail_command",
    "top": "tasker.cli.watching:top_command",
    "wait": "tasker.cli.finding:wait_command",
    "worker": "tasker.cli.worker:worker_command",
}
"""Each command, with the module it is in and its name there. A new command is a line here."""

_SHOWN: Final = ("database_url", "listen_ip", "listen_port")
"""The options of the server that the help of ``tasker`` itself shows."""

_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_OF_COMMANDS: Final = ("--context", "--url", "--output", "-o", "--no-color", "--tz")
"""What people type before the command, though it goes after it."""


def main() -> None:
    """Run the command ``tasker`` and end the process."""
    try:
        sys.exit(tasker.main(prog_name="tasker", standalone_mode=False))
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "tasker"
        if isinstance(error, click.NoSuchOption) and where == "tasker" and error.option_name in _OF_COMMANDS:
            _end(
                MISUSED,
                "usage",
                f"{error.option_name} goes after the command, as in: tasker ls {error.option_name} ...",
            )
        _end(MISUSED, "usage", f"{error.format_message()}  Try: {where} --help")
    except click.Abort:  # Ctrl-C, or the end of what is typed, in place of an answer
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _end(FAILED, "failed", error.format_message())
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


def _is_there() -> bool:
    """Return whether the server is installed. A folder without code, which a removal may leave, is no server."""
    found = importlib.util.find_spec(SERVER)
    return found is not None and found.origin is not None


def _no_server(name: str) -> CommandError:
    return CommandError(
        MISUSED, "no_server", f"{name} needs the server, which is not installed; run: pip install tasker-server"
    )


class _Commands(MutableMapping[str, click.Command]):
    """The commands of a table such as ``COMMANDS``; each is imported when it is looked up.

    Without the server, its commands say what to install.
    """

    def __init__(self, table: dict[str, str]) -> None:
        self._table = table
        self._found: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._found:
            module, _, attribute = self._table[name].partition(":")
            if module.startswith(SERVER) and not _is_there():
                return _stand_in(name)
            self._found[name] = getattr(importlib.import_module(module), attribute)
        return self._found[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._table.setdefault(name, "")
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._table[name]
        self._found.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _stand_in(name: str) -> click.Command:
    """Return what is called in place of a command of a server that is not installed."""

    @click.command(
        name,
        add_help_option=False,
        help="Not installed: needs tasker-server.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def refuse() -> NoReturn:
        raise _no_server(f"tasker {name}")

    return refuse


class _Root(click.Group):
    """The command ``tasker``, which also takes the options of ``tasker serve``.

    Those are imported only when one is given.
    """

    _of_the_server: tuple[click.Parameter, ...] = ()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)
        if _is_there():
            shown = [each for each in self.commands["serve"].params if each.name in _SHOWN]
            with formatter.section("Options of the server (all of them: tasker serve --help)"):
                formatter.write_dl([record for each in shown if (record := each.get_help_record(ctx))])

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*self._of_the_server, *super().get_params(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            if error.option_name in _OF_COMMANDS:
                raise
            if not _is_there():
                raise _no_server(f"the option {error.option_name}") from None
        self._of_the_server = tuple(self.commands["serve"].params)
        return super().parse_args(ctx, args)


@click.group(cls=_Root, commands=_Commands(COMMANDS), invoke_without_command=True, context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def tasker(context: click.Context, /, **flags: Any) -> None:  # noqa: ANN401 - texts, tuples of texts and switches
    """Run each task at its time: call a URL or run a job, never before that time, and never lose a task.

    Without a command, tasker starts the server, as "tasker serve" does, and takes the same options.
    """
    if context.invoked_subcommand is not None:
        if any(flags.values()):
            raise click.UsageError("options go after the command, as in: tasker serve [OPTIONS]")
    elif _is_there():
        importlib.import_module(f"{SERVER}.commands").start(flags)
    else:
        raise _no_server("tasker without a command")
