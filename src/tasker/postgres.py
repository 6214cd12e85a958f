"""Create tasks in your own PostgreSQL transaction: each exists if and only if that commits.

For programs that share a database with tasker. ``create`` and ``schedule`` are one INSERT into
``tasker_inbox`` on a connection that they are given; a node of tasker makes the task of it once it
is committed. No server is called, and nothing but msgspec is needed: the driver is the caller's.
"""

import inspect
import re
import uuid
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Literal, Protocol, Unpack, overload

import msgspec

from tasker.client import words
from tasker.client.calls.tasks import new_id
from tasker.client.options import Common, Webhook, When

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)

_ZERO: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The character 0 in JSON, which ``jsonb`` cannot hold."""

_ALLOWED: Final = ("reject", "keep")


class AsyncConnection(Protocol):
    """What is awaited: of asyncpg, psycopg or SQLAlchemy."""

    def execute(self, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Run a statement."""
        ...


class Connection(Protocol):
    """What is not: of psycopg or SQLAlchemy."""

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Run a statement."""
        ...


class InboxOptions(When, Common, total=False):
    """What is said of a new task of any type."""

    id: uuid.UUID | str | None
    key: str | None
    on_conflict: Literal["reject", "keep"] | None
    schema: str | None


class InboxWebhookOptions(InboxOptions, Webhook, total=False):
    """What is said of a new webhook, beside its URL."""


@overload  # what is awaited is both: the first counts
def schedule(  # pyright: ignore[reportOverlappingOverload]
    connection: AsyncConnection, url: str, **options: Unpack[InboxWebhookOptions]
) -> Awaitable[str]: ...
@overload
def schedule(connection: Connection, url: str, **options: Unpack[InboxWebhookOptions]) -> str: ...
def schedule(connection: Any, url: str, **options: Unpack[InboxWebhookOptions]) -> Any:
    """Have a URL called at a time, if the transaction of *connection* commits: one INSERT, and nothing else.

    ``tasker.postgres.schedule(connection, "https://example.org/hook", delay="3d", json={"order": 17})``

    Nothing is locked but the row itself. Whatever is wrong with a task that cannot be seen here is
    known after the commit alone: see ``GET /inbox``. Times count from now, not from the commit.

    Args:
        connection: a connection, cursor or session of asyncpg, psycopg or SQLAlchemy, one that is
            awaited or one that is not. In autocommit the task is there at once.
        url: http or https.
        options: as for ``tasker.Client.schedule``, but for ``max_wait`` and ``idempotency_key``.
            ``id`` is of version 7 and of a moment within a day from now. ``on_conflict`` is ``"reject"`` or
            ``"keep"``: with the latter, a task that holds the key stays as it is, and there is none with this id.
            ``schema`` names the schema of tasker's tables, if it is not in the ``search_path``.

    Returns:
        The id of the task to be. To be awaited if what is called on *connection* is.

    Raises:
        NaiveTimeError: a datetime has no time zone.
        ValueError, TypeError: an option, the connection or what is to be sent cannot be used. Nothing was
            written.
        Exception: the driver's own errors, such as that the role may not insert, or that another row
            has the id.
    """
    return _insert(connection, "webhook", {"url": url}, options, InboxWebhookOptions.__optional_keys__)


@overload  # as above
def create(  # pyright: ignore[reportOverlappingOverload]
    connection: AsyncConnection, type: str, fields: Mapping[str, Any], **options: Unpack[InboxOptions]
) -> Awaitable[str]: ...
@overload
def create(connection: Connection, type: str, fields: Mapping[str, Any], **options: Unpack[InboxOptions]) -> str: ...
def create(connection: Any, type: str, fields: Mapping[str, Any], **options: Unpack[InboxOptions]) -> Any:
    """Create a task of any type, if the transaction of *connection* commits: one INSERT, and nothing else.

    ``tasker.postgres.create(connection, "job", {"queue": "reports", "json": {"customer": 42}}, delay="1h")``

    Args:
        connection: as for ``schedule``.
        type: its name: ``webhook``, ``hash``, ``job``, or one of a package.
        fields: what the type takes, by the names of the API.
        options: as for ``schedule``, but for what only webhooks have: that is among the *fields*.

    Returns:
        As ``schedule``.

    Raises:
        ValueError, TypeError, Exception: as ``schedule``.
    """
    return _insert(connection, type, fields, options, InboxOptions.__optional_keys__)


def _insert(
    connection: Any, type_: str, fields: Mapping[str, Any], options: Mapping[str, Any], known: frozenset[str]
) -> Any:
    if unknown := sorted(options.keys() - known):  # nobody could say so later
        raise TypeError(f"{unknown[0]}: an option that is unknown here; expected one of {', '.join(sorted(known))}")
    given = dict(options)
    task_id = _id(given.pop("id", None))
    table = _table(given.pop("schema", None))
    conflict = given.get("on_conflict")
    if conflict is not None and conflict not in _ALLOWED:
        raise ValueError(f"on_conflict: expected one of {', '.join(_ALLOWED)} in the inbox, got: {conflict!r}")
    members = {**fields, **words.members(given)}
    if not {"execution_time", "delay", "local_time"} & members.keys():
        raise ValueError("expected one of at, delay and local_time: it says when the task starts")
    request = msgspec.json.encode({type_: members})
    if _ZERO.search(request) is not None:
        raise ValueError("expected text without the character 0, which PostgreSQL cannot hold; send it as bytes")
    came = _run(connection, table, task_id, request.decode())
    return _then(came, task_id) if inspect.isawaitable(came) else task_id


async def _then(came: Awaitable[Any], task_id: str) -> str:
    await came
    return task_id


def _run(connection: Any, table: str, task_id: str, request: str) -> Any:
    """Run the INSERT by the ways of the driver. Texts, whatever the program has its driver make of others."""
    driver = _driver(connection)
    insert = f"INSERT INTO {table} (id, request) VALUES "  # noqa: S608 - a checked name
    if driver == "asyncpg":
        return connection.execute(f"{insert}($1::text::uuid, $2::text::jsonb)", task_id, request)
    if driver == "sqlalchemy" and hasattr(connection, "execute"):
        from sqlalchemy import text  # noqa: PLC0415 - there, as something of it was handed in

        values = "(CAST(CAST(:id AS text) AS uuid), CAST(CAST(:request AS text) AS jsonb))"
        return connection.execute(text(insert + values), {"id": task_id, "request": request})
    statement = f"{insert}(%s::text::uuid, %s::text::jsonb)"
    if hasattr(connection, "execute"):
        return connection.execute(statement, (task_id, request))
    with connection.cursor() as cursor:
        cursor.execute(statement, (task_id, request))
    return None


_DRIVERS: Final = ("asyncpg", "psycopg", "psycopg2", "sqlalchemy", "django")
"""Packages, by what their classes are called: nothing of them is imported to tell."""


def _driver(connection: Any) -> str:
    for each in type(connection).__mro__:
        package = each.__module__.partition(".")[0]
        if package in _DRIVERS and each.__name__ != "Pool":  # which has no transaction
            return package
    raise TypeError(
        "connection: expected a connection, cursor or session of asyncpg, psycopg or SQLAlchemy, "
        f"got: {type(connection).__module__}.{type(connection).__name__}"
    )


def _id(given: uuid.UUID | str | None) -> str:
    if given is None:
        return new_id()
    try:
        task_id = uuid.UUID(str(given))
    except ValueError:
        task_id = None
    if task_id is None or task_id.version != 7:
        raise ValueError(f"id: expected a UUID of version 7, got: {str(given)[:60]!r}")
    return str(task_id)


def _table(schema: str | None) -> str:
    if schema is None:
        return "tasker_inbox"
    if _NAME.fullmatch(schema) is None:
        raise ValueError(f"schema: expected a name of letters, digits and _, got: {schema[:60]!r}")
    return f'"{schema}".tasker_inbox'
