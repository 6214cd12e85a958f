"""``tasker db keys``: makes, lists and revokes API keys in a database that no server uses."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tasker import node
from tasker.api import problems
from tasker.cli import clocks, keys, output
from tasker.cli.printing import Printer, talk
from tasker.cli.server import logs
from tasker.config import Settings
from tasker.errors import DatabaseInUseError, TaskerError
from tasker.interfaces.keys import KeyBook
from tasker.model.audit import HERE, Action, Entry, Kind
from tasker.model.instants import Instant
from tasker.service.keys import creation, keys_of, new_key
from tasker.stores import kind
from tasker.timing.clock import SystemClock
from tasker.wire.keys import key_view, new_key_view

T = TypeVar("T")


def create(
    settings: Settings, printer: Printer, *, name: str, role: str | None, scopes: Sequence[str], expires_in: str | None
) -> None:
    """Make a key and print it.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    asked = keys.asked_key(name, role, scopes, expires_in)
    made = _on_database(settings, lambda book, now: _create(book, asked, now), makes=True)
    keys.show_new(printer, made, clocks.zone_of(None))


def show_all(settings: Settings, printer: Printer) -> None:
    """Print all keys, in the order in which they were made.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    keys.show_all(printer, _on_database(settings, _list))


def revoke(settings: Settings, printer: Printer, key_id: str) -> None:
    """Revoke a key.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    entry = Entry(by=HERE, action=Action.REVOKE, kind=Kind.KEY, subject=key_id)
    _on_database(settings, lambda book, _: book.revoke_key(key_id, spares_last_admin=False, entry=entry))
    keys.show_revoked(printer, key_id)


def disable(settings: Settings, printer: Printer) -> None:
    """Ask for no keys any more.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    entry = Entry(by=HERE, action=Action.DISABLE, kind=Kind.SERVER)
    kept = _on_database(settings, lambda book, _: book.stop_asking(entry=entry))
    line = f"no keys are asked for any more in {kind.shown(settings.database_url)}"
    if kept:
        line += f"; {kept} kept: valid again from the next one on that is made"
    talk(line)
    if not printer.is_table:
        printer.one({"disabled": True, "kept": kept}, [])


def _on_database(settings: Settings, work: Callable[[KeyBook, Instant], Awaitable[T]], *, makes: bool = False) -> T:
    """Do *work* with the keys of a database that no server uses.

    Args:
        makes: whether a missing SQLite file is made.
    """
    logs.set_up("ERROR", settings.log_format)
    place = kind.shown(settings.database_url)
    if kind.is_missing(settings.database_url) and not makes:
        raise output.CommandError(output.NOT_FOUND, "no_database", f"there is no database {place}")

    async def run() -> T:
        async with node.open_keys(settings) as book:
            return await work(book, SystemClock().now())

    try:
        return asyncio.run(run())
    except DatabaseInUseError:
        raise output.CommandError(
            output.CONFLICT,
            "database_in_use",
            f"a server uses the database {place}, or was killed less than half a minute ago: stop it first, "
            "or ask it: tasker keys",
        ) from None
    except TaskerError as error:
        status, code = problems.status_and_code(type(error))
        raise output.CommandError(output.exit_code_of(status), code, str(error)) from None


async def _create(book: KeyBook, asked: Mapping[str, Any], now: Instant) -> dict[str, Any]:
    role: str | UnsetType = asked.get("role", UNSET)
    scopes: Sequence[str] | UnsetType = asked.get("scopes", UNSET)
    made, text = new_key(asked["name"], role, scopes, asked.get("expires_at", UNSET), now)
    return _json(new_key_view(await book.create_key(made, entry=creation(HERE, made)), text))


async def _list(book: KeyBook, _: Instant) -> list[dict[str, Any]]:
    return [_json(key_view(key)) for key in await keys_of(book)]


def _json(shape: Struct) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(shape)
    return members
