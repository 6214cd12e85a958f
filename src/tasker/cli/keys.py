"""What ``tasker keys`` and ``tasker db keys`` share: their options, what they ask for, and how they show it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from tasker.callers import SCOPE_WORDS, Role, queue_of
from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.printing import Printer, talk
from tasker.model import instants

C = TypeVar("C", bound=Callable[..., object])

_ROLES = ", ".join(role.value for role in Role)


def key_options(command: C) -> C:
    """Give a command the options of a new key."""
    for option in (
        click.option(
            "--expires-in", metavar="LENGTH", help="How long it is valid, such as 12h or 90d.  [default: for ever]"
        ),
        click.option(
            "--scope",
            "scopes",
            metavar="SCOPE",
            multiple=True,
            help=f"What it may do, in place of --role: {', '.join(SCOPE_WORDS)}, or queues:work: and a queue. "
            "May be repeated.",
        ),
        click.option("--role", metavar="ROLE", help=f"What it may do, in a word: {_ROLES}."),
    ):
        command = option(command)
    return click.argument("name")(command)


def asked_key(name: str, role: str | None, scopes: Sequence[str], expires_in: str | None) -> dict[str, Any]:
    """Return what is asked for, in the form of the API.

    Raises:
        CommandError: an option cannot be used.
    """
    if (role is None) == (not scopes):
        got = "neither" if role is None else "both"
        raise saying.misused("--role, --scope", f"expected one of them, got {got}; roles are {_ROLES}")
    if role is not None and role not in [each.value for each in Role]:
        raise saying.misused("--role", f"expected one of {_ROLES}, got another")
    for scope in scopes:
        if scope not in SCOPE_WORDS and queue_of(scope) is None:
            raise saying.misused(
                "--scope", f"expected one of {', '.join(SCOPE_WORDS)}, or queues:work: and a queue; got another"
            )
    asked: dict[str, Any] = {"name": name, **({"role": role} if role is not None else {"scopes": list(scopes)})}
    if expires_in is not None:
        until = instants.after(clocks.now(), saying.length_of("--expires-in", expires_in))
        asked["expires_at"] = instants.text(until)
    return asked


def show_new(printer: Printer, made: Mapping[str, Any], zone: Zone) -> None:
    """Print a key that was made: once, and never again."""
    printer.one(made, views.pairs(made, zone))
    talk("This is the only time that the key is shown.")


def show_all(printer: Printer, found: Sequence[Mapping[str, Any]]) -> None:
    """Print keys, without the keys themselves."""
    printer.each(found, views.key_columns(clocks.now()), "there are no keys: nobody is asked for one")


def show_revoked(printer: Printer, key_id: str) -> None:
    """Say that a key was revoked."""
    talk(f"revoked: {key_id}")
    if not printer.is_table:
        printer.one({"id": key_id, "revoked": True}, [])
