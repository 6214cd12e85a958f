"""``tasker keys``: makes, lists and revokes API keys, through a server or on the database itself."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

import click
import msgspec
from msgspec import UNSET, Struct, UnsetType

from tasker import node
from tasker.api import problems
from tasker.callers import SCOPE_WORDS, Role, queue_of
from tasker.cli import calling, output
from tasker.cli.server import logs, sources
from tasker.cli.server.settings import OF_THE_DATABASE
from tasker.config import Settings
from tasker.errors import DatabaseInUseError, TaskerError
from tasker.interfaces.keys import KeyBook
from tasker.model import instants, lengths
from tasker.model.audit import LOCAL, Action, Actor, Entry, Kind
from tasker.model.instants import Instant
from tasker.service.keys import creation, keys_of, new_key
from tasker.stores import kind
from tasker.timing.clock import SystemClock
from tasker.wire.keys import key_view, new_key_view

T = TypeVar("T")

_HERE: Final = Actor(LOCAL, LOCAL)
"""Who works on the database itself."""


class Whose(NamedTuple):
    """Whose keys a command is about."""

    database: Settings | None
    """Of a database; None: of a server."""
    url: str | None
    """Of the server; None: see ``calling.call``."""


def whose(url: str | None, database_url: str | None, *, no_listen: bool, environ: Mapping[str, str]) -> Whose:
    """Return whose keys the options of a command name.

    Raises:
        SettingError: one cannot be used.
        CommandError: they contradict each other.
    """
    if database_url is None:
        if no_listen:
            raise calling.misused("--no-listen: expected together with --database-url")
        return Whose(None, url)
    if url is not None:
        raise calling.misused("--url, --database-url: expected one of them, got both")
    flags = {"database_url": database_url, "no_listen": no_listen}
    return Whose(sources.load(flags, environ, only=OF_THE_DATABASE), None)


def create(
    whose: Whose, form: str, *, name: str, role: str | None, scopes: Sequence[str], expires_in: str | None
) -> None:
    """Make a key and print it.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    asked = _asked(name, role, scopes, expires_in)
    if whose.database is None:
        made = calling.call(whose.url, "POST", "/keys", asked)
    else:
        made = _on_database(whose.database, lambda keys, now: _create(keys, asked, now), makes=True)
    output.show(form, made, "\n".join(f"{member:8}{value}" for member, value in _lines(made)))
    if form == "table":
        click.echo("This is the only time that the key is shown.", err=True)


def show_all(whose: Whose, form: str) -> None:
    """Print all keys, in the order in which they were made.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    if whose.database is None:
        found, path = [], "/keys?limit=1000"
        while path:
            page = calling.call(whose.url, "GET", path)
            found += page["keys"]
            path = page["next"]
    else:
        found = _on_database(whose.database, _list)
    if form == "json":
        click.echo(json.dumps({"keys": found}, ensure_ascii=False))
        return
    rows = [
        [key["id"], key["name"], key["role"] or " ".join(key["scopes"])]
        + [_moment(key[member]) for member in ("created_at", "expires_at", "used_at")]
        for key in found
    ]
    click.echo(output.table(("ID", "NAME", "ROLE", "CREATED", "EXPIRES", "USED"), rows))


def revoke(whose: Whose, form: str, key_id: str) -> None:
    """Revoke a key.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    if whose.database is None:
        calling.call(whose.url, "DELETE", f"/keys/{quote(key_id, safe='')}")
    else:
        entry = Entry(by=_HERE, action=Action.REVOKE, kind=Kind.KEY, subject=key_id)
        _on_database(whose.database, lambda keys, _: keys.revoke_key(key_id, spares_last_admin=False, entry=entry))
    output.show(form, {"id": key_id, "revoked": True}, f"revoked the key {key_id}")


def disable(settings: Settings, form: str) -> None:
    """Ask for no keys any more.

    Raises:
        StartError, CommandError: it cannot be done; the message says why.
    """
    entry = Entry(by=_HERE, action=Action.DISABLE, kind=Kind.SERVER)
    kept = _on_database(settings, lambda keys, _: keys.stop_asking(entry=entry))
    line = f"no keys are asked for any more in {kind.shown(settings.database_url)}"
    if kept:
        line += f"; {kept} kept: valid again from the next one on that is made"
    output.show(form, {"disabled": True, "kept": kept}, line)


def _asked(name: str, role: str | None, scopes: Sequence[str], expires_in: str | None) -> dict[str, Any]:
    """Return what is asked for, in the form of the API."""
    if (role is None) == (not scopes):
        roles = ", ".join(each.value for each in Role)
        got = "got neither" if role is None else "got both"
        raise calling.misused(f"--role, --scope: expected one of them, {got}; roles are {roles}")
    for scope in scopes:
        if scope not in SCOPE_WORDS and queue_of(scope) is None:
            raise calling.misused(
                f"--scope: expected one of {', '.join(SCOPE_WORDS)}, or queues:work: and a queue; got another"
            )
    if role is not None and role not in [each.value for each in Role]:
        raise calling.misused(f"--role: expected one of {', '.join(each.value for each in Role)}, got another")
    asked: dict[str, Any] = {"name": name, **({"role": role} if role is not None else {"scopes": list(scopes)})}
    if expires_in is not None:
        try:
            length = lengths.parse(expires_in)
        except ValueError as error:
            raise calling.misused(f"--expires-in: {error}") from None
        asked["expires_at"] = instants.text(instants.after(SystemClock().now(), length))
    return asked


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
        async with node.open_keys(settings) as keys:
            return await work(keys, SystemClock().now())

    try:
        return asyncio.run(run())
    except DatabaseInUseError:
        raise output.CommandError(
            output.CONFLICT,
            "database_in_use",
            f"a server uses the database {place}, or was killed less than half a minute ago: stop it first, "
            "or ask it, without --database-url",
        ) from None
    except TaskerError as error:
        status, code = problems.status_and_code(type(error))
        raise output.CommandError(output.exit_code_of(status), code, str(error)) from None


async def _create(keys: KeyBook, asked: Mapping[str, Any], now: Instant) -> dict[str, Any]:
    role: str | UnsetType = asked.get("role", UNSET)
    scopes: Sequence[str] | UnsetType = asked.get("scopes", UNSET)
    made, text = new_key(asked["name"], role, scopes, asked.get("expires_at", UNSET), now)
    return _json(new_key_view(await keys.create_key(made, entry=creation(_HERE, made)), text))


async def _list(keys: KeyBook, _: Instant) -> list[dict[str, Any]]:
    return [_json(key_view(key)) for key in await keys_of(keys)]


def _json(shape: Struct) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(shape)
    return members


def _lines(made: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return what people are shown of a new key."""
    may = f"role {made['role']}" if made["role"] else " ".join(made["scopes"])
    until = [] if made["expires_at"] is None else [("expires", _moment(made["expires_at"]))]
    return [("id", made["id"]), ("name", made["name"]), ("may", may), *until, ("key", made["key"])]


def _moment(text: str | None) -> str:
    """Return a moment of the API as people read it, to the minute, in UTC."""
    return "never" if text is None else datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%MZ")
