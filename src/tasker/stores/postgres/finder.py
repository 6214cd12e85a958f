"""Finds tasks: a part of the reading side."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from tasker.errors import InvalidQueryError
from tasker.filters import Order, Query
from tasker.interfaces.tasks import Counted, Page
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.operation import Batch
from tasker.model.task import Pool, Task, TaskId
from tasker.stores.finding import CountWalk, PageWalk, Places, Walker, bounds_of, is_wide, key_range
from tasker.stores.postgres.connection import Connection, Record, Run
from tasker.stores.rows import Reading

PAGE_BYTES: Final = 1 << 20
"""A page ends once the bodies and results in it are longer than this, so that long bodies do not
fill the memory."""

_POSITION: Final = re.compile(r"(-?\d{1,18})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII)
_FIRST: Final = -210_866_803_200 * SECOND
"""Before every moment that PostgreSQL can store."""
_NO_ID, _LAST_ID = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
_NUMBERS: Final = 5
"""Numbers in a statement that stand before the values of the filters."""


class Finder:
    """Walks along an index in pieces."""

    def __init__(
        self,
        queries: Mapping[str, str],
        reading: Reading,
        query: Query,
        free_pools: Collection[Pool],
        monotonic: Callable[[], float],
    ) -> None:
        self._sql = queries
        self._reading = reading
        self._query = query
        self._monotonic = monotonic
        self._free_pools = free_pools
        bounds = bounds_of(query, before_all=_FIRST, after_all=LAST + 1)
        self._start = (bounds.start, _LAST_ID if query.is_descending and query.order is Order.CREATED else _NO_ID)
        self._until = bounds.until

    async def find(self, connection: Connection, after: str | None, limit: int) -> Page:
        """Return a page: see ``Store.find``."""
        walk = self._walk(after, limit)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if not await self._go(connection, walk):
                return Page((), None)
            return walk.page(await self._tasks(connection, [id_ for _, id_ in walk.found]))

    async def matches(self, connection: Connection, after: str | None, limit: int) -> Batch:
        """Return what is found, but not what it is: see ``Store.matches``."""
        walk = self._walk(after, limit)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if not await self._go(connection, walk):
                return Batch((), None)
        return walk.batch([TaskId(str(id_)) for _, id_ in walk.found])

    async def count(self, run: Run) -> Counted:
        """Count: see ``Store.count_found``. Each piece is work of its own, so others have their turn between two."""
        walk = CountWalk(self._start, self._monotonic)
        statement, values = await run(lambda connection: self._statement(connection, "count_found"))
        if statement is None:
            return Counted(0, is_exact=True)

        async def look(connection: Connection) -> bool:
            if length := walk.next():
                row = await connection.fetchrow(statement, *walk.position, self._until, length, 0, *values)
                walk.take(None if row is None else (row["looked"], row["passed"], row["id"], row["at"]))
            return length > 0

        while await run(look):
            pass
        return walk.counted

    def _walk(self, after: str | None, limit: int) -> PageWalk[str]:
        return PageWalk(self._start if after is None else _position(after), limit, self._monotonic)

    async def _go(self, connection: Connection, walk: PageWalk[str]) -> bool:
        """Go along the walk as far as a page goes. Return whether there is anything to walk along."""
        statement, values = await self._statement(connection, "find_page")
        if statement is None:
            return False
        while length := walk.next():
            rows = await connection.fetch(statement, *walk.position, self._until, length, walk.left, *values)
            walk.take((row["id"], row["at"], row["looked"]) for row in rows)
        return True

    async def _statement(self, connection: Connection, name: str) -> tuple[str | None, Sequence[Any]]:
        """Return a statement, and the values of its filters."""
        type_pools = [(row["type"], row["pool"]) for row in await connection.fetch(self._sql["type_pools"])]
        by_arrival = await self._is_wide(connection)
        places = Places(lambda number: f"${_NUMBERS + number}", str)
        walker = Walker(self._sql, places, self._query, self._free_pools)
        return walker.statement(name, type_pools, by_arrival=by_arrival), places.values

    async def _is_wide(self, connection: Connection) -> bool:
        places = Places("${}".format, str)
        statement = key_range(self._sql, places, self._query)
        return statement is not None and is_wide(await connection.fetchval(statement, *places.values))

    async def _tasks(self, connection: Connection, ids: Sequence[str]) -> Sequence[Task]:
        """Return the tasks with these ids, as many as one page holds."""
        if not ids:
            return []
        rows: Sequence[Record] = await connection.fetch(self._sql["found_tasks"], ids, PAGE_BYTES)
        return [*map(self._reading.task.read, rows)]


def _position(text: str) -> tuple[Instant, str]:
    match = _POSITION.fullmatch(text)
    if match is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it")
    return int(match[1]), match[2]
