"""``tasker context``: servers with names, and their keys."""

import os
import sys
from typing import Final

import click
from msgspec.structs import replace

from tasker.cli import contexts, saying
from tasker.cli.connecting import endings
from tasker.cli.contexts import Context
from tasker.cli.printing import Column, Printer, output_options, talk
from tasker.errors import SettingError

_COLUMNS: Final = (
    Column("current", "", in_csv=True),
    Column("name", "NAME", lambda row: f"{'* ' if row['current'] else '  '}{row['name']}"),
    Column("key_from", "KEY", rank=1),
    Column("url", "URL"),
)


@click.group("context", invoke_without_command=True)
@click.pass_context
def context_group(context: click.Context) -> None:
    """Give servers names, and keep the keys for them.

    The current one counts where neither --context, --url, TASKER_CONTEXT nor TASKER_URL names another.
    They are kept in $XDG_CONFIG_HOME/tasker/contexts.json, or ~/.config/tasker/contexts.json, which
    nobody else may read.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@context_group.command("add")
@click.argument("name")
@click.argument("url", metavar="URL")
@click.option("--key-stdin", is_flag=True, help="Read its API key from standard input: the first line.")
@click.option(
    "--key-file", metavar="FILE", type=click.Path(), help="Read its API key from a file, now: the first line."
)
@click.option(
    "--key-command",
    metavar="COMMAND",
    help="Have a shell run this each time, and take what it prints first as the API key.",
)
@click.option("--use", "is_current", is_flag=True, help="Make it the current one; the first is so anyway.")
@output_options
def add_command(
    printer: Printer,
    name: str,
    url: str,
    *,
    key_stdin: bool,
    key_file: str | None,
    key_command: str | None,
    is_current: bool,
) -> None:
    """Name a server, or say anew what a name stands for.

    On a terminal it asks for the API key, unless an option says where that is. It never takes one as
    an argument, which others could see. No command shows it.

    \b
    Examples:
      tasker context add prod https://tasker.example.org
      tasker context add prod https://tasker.example.org --key-command 'pass show tasker/prod'
    """  # noqa: D301 - click reads the sign that \b stands for
    if sum((key_stdin, key_file is not None, key_command is not None)) > 1:
        raise saying.misused("--key-stdin, --key-file, --key-command", "expected one of them at most, got several")
    if not name or not name.isprintable() or " " in name or len(name) > 100:
        raise saying.misused("NAME", "expected up to 100 printable characters without spaces")
    key = None
    if key_stdin:
        key = sys.stdin.readline().strip()
    elif key_file is not None:
        key = saying.text_or_file("--key-file", f"@{key_file}").decode("utf-8", "replace").partition("\n")[0].strip()
    elif key_command is None and sys.stdin.isatty():
        with endings():  # Ctrl-C leaves the terminal as it was
            key = click.prompt(
                "API key (none: press Enter)", default="", hide_input=True, show_default=False, err=True
            ).strip()
    elif key_command is not None and not key_command.strip():
        raise saying.misused("--key-command", "expected a command, got none")
    if key == "" and (key_stdin or key_file is not None):
        raise saying.misused(
            "--key-stdin" if key_stdin else "--key-file", "expected an API key in the first line, got none"
        )
    context = Context(url=_checked(url, key or None), key=key or None, key_command=key_command)
    known = contexts.load(os.environ)
    current = name if is_current or known.current is None else known.current
    changed = replace(known, contexts={**known.contexts, name: context}, current=current)
    contexts.save(changed, os.environ)
    _show(printer, changed, name, "kept")


def _checked(url: str, key: str | None) -> str:
    from tasker.client.settings import server_of  # noqa: PLC0415 - the client takes a while to import

    try:
        return server_of(url, key, {}).url
    except SettingError as error:
        raise saying.misused(error.setting.upper(), error.problem) from None


@context_group.command("ls")
@output_options
def ls_command(printer: Printer) -> None:
    """List the servers that have names; * is the current one."""
    known = contexts.load(os.environ)
    rows = [contexts.shown(name, known) for name in known.contexts]
    printer.each(rows, _COLUMNS, "there are no contexts; tasker context add makes one")


@context_group.command("use")
@click.argument("name")
@output_options
def use_command(printer: Printer, name: str) -> None:
    """Make a context the current one."""
    known = contexts.load(os.environ)
    known.named(name)
    changed = replace(known, current=name)
    contexts.save(changed, os.environ)
    _show(printer, changed, name, "current")


@context_group.command("rm")
@click.argument("name")
@output_options
def rm_command(printer: Printer, name: str) -> None:
    """Forget a context, and its key."""
    known = contexts.load(os.environ)
    shown = contexts.shown(name, known)
    others = {each: context for each, context in known.contexts.items() if each != name}
    contexts.save(replace(known, contexts=others, current=None if known.current == name else known.current), os.environ)
    if printer.is_table:
        talk(f"forgotten: {name}")
    else:
        printer.one({**shown, "current": False, "deleted": True}, [])


def _show(printer: Printer, known: contexts.Contexts, name: str, done: str) -> None:
    facts = contexts.shown(name, known)
    if printer.is_table:
        talk(f"{done}: {name}, {facts['url']}, key from {facts['key_from']}{', current' if facts['current'] else ''}")
    else:
        printer.one(facts, [])
