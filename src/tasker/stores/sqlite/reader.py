"""The reading side: short reads on read-only connections. Runs on the reader threads."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import apsw

from tasker.errors import InvalidQueryError, TaskNotFoundError
from tasker.interfaces import Hold, Page, TaskFilter
from tasker.model.task import State, Task, TaskId
from tasker.stores.sqlite.rows import id_bytes, id_text, to_task

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
        bindings: dict[str, int | str] = {"after_at": after_at, "after_seq": after_seq, "limit": limit}
        branches = []
        for type_, pools in self._pools_by_type(which.type).items():
            name = f"type_{len(bindings)}"
            bindings[name] = type_
            if which.state in (None, State.TODO):
                branches += [self._sql["list_todo"].format(type=f":{name}", pool=pool) for pool in pools]
            others = [state for state in State if state is not State.TODO and which.state in (None, state)]
            branches += [self._sql["list_other"].format(type=f":{name}", state=int(state)) for state in others]
        if not branches:
            return Page((), None)
        rows = self.connection.execute(self._sql["list_page"].format(branches=" UNION ALL ".join(branches)), bindings)
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

    def held(self, node: bytes) -> Sequence[Hold]:
        """See ``Store.held``."""
        return [Hold(id_text(id_), claim) for id_, claim in self.connection.execute(self._sql["held"], {"node": node})]

    def count(self, *, up_to: int) -> Mapping[State, int]:
        """See ``Store.count``."""
        counts = dict.fromkeys(State, 0)
        pools_by_type = self._pools_by_type(None)
        for pool in {pool for pools in pools_by_type.values() for pool in pools}:
            counts[State.TODO] += self._count("count_todo", {"pool": pool, "up_to": up_to - counts[State.TODO]})
        for type_ in pools_by_type:
            for state in (State.IN_PROGRESS, State.DONE, State.FAILED):
                left = up_to - counts[state]
                counts[state] += self._count("count_other", {"type": type_, "state": int(state), "up_to": left})
        return counts

    def _count(self, query: str, bindings: Mapping[str, int | str]) -> int:
        count: int = self.connection.execute(self._sql[query], bindings).get
        return count

    def _pools_by_type(self, only: str | None) -> Mapping[str, Sequence[int]]:
        """The pools in which tasks of each type wait, or of one type *only*."""
        found: dict[str, list[int]] = {}
        for type_, pool in self.connection.execute(self._sql["type_pools"]):
            if only in (None, type_):
                found.setdefault(type_, []).append(pool)
        return found


def _position(cursor: str | None) -> tuple[int, int]:
    """Where a page begins: after this moment and row."""
    if cursor is None:
        return -(1 << 63), 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its Link header gives it")
    return int(match[1]), int(match[2])
