"""The reading side: short reads on read-only connections. Runs on the reader threads."""

import re
from collections.abc import Mapping
from typing import Final

import apsw

from tasker.errors import InvalidQueryError, TaskNotFoundError
from tasker.interfaces import Page, TaskFilter
from tasker.model.task import State, Task, TaskId
from tasker.stores.sqlite.rows import id_bytes, to_task

PAGE_BYTES: Final = 1 << 20
"""A page ends once the fields and results in it are longer than this, so that long bodies do not fill the memory."""

_CURSOR: Final = re.compile(r"(-?\d{1,18})\.(\d{1,18})", re.ASCII)


class Reader:
    """Answers questions from one connection."""

    def __init__(self, connection: apsw.Connection, queries: Mapping[str, str]) -> None:
        self.connection = connection
        self._sql = queries

    def get(self, task_id: TaskId) -> Task:
        """See ``Store.get``."""
        row = self.connection.execute(self._sql["get"], {"id": id_bytes(task_id)}).fetchone()
        if row is None:
            raise TaskNotFoundError(task_id)
        return to_task(row)

    def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """See ``Store.list_page``. Its read transaction ends with it, so that a slow caller holds up nothing."""
        after_at, after_seq = _position(after)
        bindings = {f"type_{number}": type_ for number, type_ in enumerate(self._types(which))}
        states = State if which.state is None else [which.state]
        branches = " UNION ALL ".join(
            self._sql["list_branch"].format(type=f":{name}", state=int(state)) for name in bindings for state in states
        )
        if not branches:
            return Page((), None)
        rows = self.connection.execute(
            self._sql["list_page"].format(branches=branches),
            bindings | {"after_at": after_at, "after_seq": after_seq, "limit": limit},
        )
        tasks: list[Task] = []
        size = 0
        try:
            for row in rows:
                tasks.append(to_task(row))
                size += len(tasks[-1].fields) + len(tasks[-1].result or b"")
                if len(tasks) == limit or size > PAGE_BYTES:
                    return Page(tasks, f"{tasks[-1].execution_at}.{row[-1]}")
        finally:
            rows.close()  # ends the read transaction
        return Page(tasks, None)

    def count(self, *, up_to: int) -> Mapping[State, int]:
        """See ``Store.count``."""
        counts = dict.fromkeys(State, 0)
        for type_ in self._types(TaskFilter()):
            for state in State:
                bindings = {"type": type_, "state": int(state), "up_to": up_to - counts[state]}
                counts[state] += self.connection.execute(self._sql["count"], bindings).get
        return counts

    def _types(self, which: TaskFilter) -> list[str]:
        if which.type is not None:
            return [which.type]
        return [type_ for (type_,) in self.connection.execute(self._sql["types"])]


def _position(cursor: str | None) -> tuple[int, int]:
    """Where a page begins: after this moment and row."""
    if cursor is None:
        return -(1 << 63), 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its Link header gives it")
    return int(match[1]), int(match[2])
