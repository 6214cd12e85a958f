"""The mark of a database: see ``stores/mark.py``."""

from collections.abc import Mapping

from tasker.stores.mark import Mark, State, obey
from tasker.stores.postgres.connection import Connection, Record


async def read_mark(connection: Connection, queries: Mapping[str, str]) -> Mark | None:
    """Return the mark; None: there is none. It stays as it is until the transaction ends."""
    return _mark(await connection.fetchrow(queries["mark"]))


async def look_at_mark(connection: Connection, queries: Mapping[str, str]) -> Mark | None:
    """Return the mark as it is now; None: there is none. Nothing is locked."""
    return _mark(await connection.fetchrow(queries["mark_now"]))


def _mark(row: "Record | None") -> Mark | None:
    return None if row is None else Mark(state=State(row["state"]), at=row["at"], other=row["other"])


async def write_mark(connection: Connection, queries: Mapping[str, str], mark: Mark | None) -> None:
    """Replace the mark: a part of the transaction of what it tells of. None: there is none any more.

    For a mark with which no server may start, that transaction has locked ``node`` (IN SHARE MODE),
    and seen that there is no node. Then none joins before it is committed, or renews its lease
    afterwards.
    """
    await connection.execute(queries["drop_mark"])
    if mark is not None:
        await connection.execute(queries["put_mark"], mark.state.value, mark.at, mark.other)


async def obey_mark(connection: Connection, queries: Mapping[str, str], place: str) -> bool:
    """Return whether everything must be paused, in the same transaction. Then the mark is gone.

    Raises:
        DatabaseBeingCopiedError, DatabaseMovedError: no server may start.
    """
    is_copy = obey(place, await read_mark(connection, queries))
    if is_copy:
        await write_mark(connection, queries, None)
    return is_copy
