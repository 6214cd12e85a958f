"""Finds tasks: a part of the reading side."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec

from tasker.errors import InvalidQueryError
from tasker.filters import Order, Query
from tasker.interfaces.tasks import Counted, Page
from tasker.model.instants import Instant
from tasker.model.operation import Batch
from tasker.model.task import Pool, Task
from tasker.stores.finding import CountWalk, PageWalk, Places, Walker, bounds_of, is_wide, key_range
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import READING, id_bytes, id_text

PAGE_BYTES: Final = 1 << 20
"""A page ends once the fields and results in it are longer than this, so that long bodies do not
fill the memory."""

_FIRST, _LAST = -(1 << 63), (1 << 63) - 1
_POSITION: Final = re.compile(r"(-?\d{1,18})\.(\d{1,18})", re.ASCII)


class Finder:
    """Walks along an index in pieces. The caller sees to it that all is read from one state of the database."""

    def __init__(
        self,
        queries: Queries,
        query: Query,
        free_pools: Collection[Pool],
        type_pools: Sequence[tuple[str, Pool]],
        *,
        now: Instant,
        monotonic: Callable[[], float],
    ) -> None:
        self._queries = queries
        self._query = query
        self._type_pools = type_pools
        self._monotonic = monotonic
        self._places = Places(":v{}".format, id_bytes)
        self._walker = Walker(queries.texts, self._places, query, free_pools)
        bounds = bounds_of(query, before_all=_FIRST, after_all=_LAST)
        self._start = (bounds.start, _LAST if query.is_descending and query.order is Order.CREATED else -1)
        self._numbers: dict[str, Any] = {"now": now, "until": bounds.until}

    def find(self, after: str | None, limit: int) -> Page:
        """Return a page: see ``Store.find``."""
        walk = PageWalk(self._start if after is None else _position(after), limit, self._monotonic)
        if not self._go(walk):
            return Page((), None)
        return walk.page(self._tasks([seq for _, seq in walk.found]))

    def matches(self, after: str | None, limit: int) -> Batch:
        """Return what is found, but not what it is: see ``Store.matches``."""
        walk = PageWalk(self._start if after is None else _position(after), limit, self._monotonic)
        if not self._go(walk):
            return Batch((), None)
        seqs = msgspec.json.encode([seq for _, seq in walk.found]).decode()
        return walk.batch([id_text(id_) for (id_,) in self._queries.all("found_ids", seqs=seqs)])

    def _go(self, walk: PageWalk[int]) -> bool:
        """Go along the walk as far as a page goes. Return whether there is anything to walk along."""
        statement = self._statement("find_page")
        if statement is None:
            return False
        while length := walk.next():
            walk.take(self._rows(statement, walk.position, look=length, limit=walk.left))
        return True

    def count(self) -> Counted:
        """Count: see ``Store.count_found``."""
        walk = CountWalk(self._start, self._monotonic)
        statement = self._statement("count_found")
        if statement is None:
            return Counted(0, is_exact=True)
        while length := walk.next():
            walk.take(next(iter(self._rows(statement, walk.position, look=length)), None))
        return walk.counted

    def _statement(self, name: str) -> str | None:
        keys = key_range(self._queries.texts, self._places, self._query)
        by_arrival = keys is not None and is_wide(self._run(keys)[0][0])
        return self._walker.statement(name, self._type_pools, by_arrival=by_arrival)

    def _rows(self, statement: str, position: tuple[Instant, int], **numbers: int) -> list[Any]:
        after_at, after_seq = position
        return self._run(statement, after_at=after_at, after_seq=after_seq, **numbers)

    def _run(self, statement: str, **numbers: int) -> list[Any]:
        values = {f"v{number}": value for number, value in enumerate(self._places.values, 1)}
        return self._queries.connection.execute(statement, {**self._numbers, **values, **numbers}).fetchall()

    def _tasks(self, seqs: Sequence[int]) -> Sequence[Task]:
        """Return the tasks in these rows, as many as one page holds."""
        tasks: list[Task] = []
        size = 0
        rows = self._queries.connection.execute(
            self._queries.texts["found_tasks"], {"seqs": msgspec.json.encode(seqs).decode()}
        )
        try:
            for row in rows:
                tasks.append(READING.task.read(row))
                size += len(tasks[-1].payload) + len(tasks[-1].result or b"")
                if size > PAGE_BYTES:
                    break
        finally:
            rows.close()
        return tasks


def _position(text: str) -> tuple[int, int]:
    match = _POSITION.fullmatch(text)
    if match is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it")
    return int(match[1]), int(match[2])
