"""The reading side: short reads on read-only connections. Runs on the reader threads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import apsw

from tasker.errors import DestinationNotFoundError, InvalidQueryError, TaskNotFoundError
from tasker.interfaces import Claim, Page, TaskFilter
from tasker.model.attempt import AttemptRecord
from tasker.model.gate import HELD_COUNTED_TO, GateRecord
from tasker.model.standing import Standing
from tasker.model.task import State, Task, TaskId
from tasker.stores.ledger import record_of
from tasker.stores.sqlite.rows import id_bytes, id_text, to_gate, to_task

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

    def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """See ``Store.attempts``."""
        with self._snapshot():
            seq, *_ = self._place(task_id)
            return [record_of(text) for (text,) in self.connection.execute(self._sql["attempts"], {"seq": seq})]

    def standing(self, task_id: TaskId) -> Standing:
        """See ``Store.standing``."""
        with self._snapshot():
            _, destination, held_by = self._place(task_id)
            gate = None if destination is None else self._gate(destination)
            return Standing(task=self.get(task_id), gate=gate, is_held=held_by is not None)

    def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """See ``Store.gates``."""
        with self._snapshot():
            rows = self.connection.execute(self._sql["gates"], {"after": after, "limit": limit}).fetchall()
            return [self._gate_record(row) for row in rows]

    def gate(self, gate_id: int) -> GateRecord:
        """See ``Store.gate``."""
        with self._snapshot():
            return self._gate(gate_id)

    def _gate(self, gate_id: int) -> GateRecord:
        row = self.connection.execute(self._sql["gates"], {"after": gate_id - 1, "limit": 1}).fetchone()
        if row is None or row[0] != gate_id:
            raise DestinationNotFoundError(str(gate_id))
        return self._gate_record(row)

    def _gate_record(self, row: tuple[Any, ...]) -> GateRecord:
        """Return the gate in a row of ``gates``, with how many tasks it has set aside, counted up to a limit."""
        gate = to_gate(row)
        held = 0
        pools: list[Any] = self.connection.execute(self._sql["gate_pools"], {"gate": gate.id}).fetchall()
        for (pool,) in pools:
            held += self._count("count_held", {"pool": pool, "gate": gate.id, "up_to": HELD_COUNTED_TO - held})
        return GateRecord(gate=gate, running=row[-1], held=held)

    def _place(self, task_id: TaskId) -> tuple[int, int | None, int | None]:
        """Return the row of a task, its gate, and the gate that has set it aside."""
        row: Any = self.connection.execute(self._sql["place"], {"id": id_bytes(task_id)}).fetchone()
        if row is None:
            raise TaskNotFoundError(task_id)
        seq, destination, held_by = row
        return seq, destination, held_by

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """See one state of the database in several statements."""
        self.connection.execute("SAVEPOINT reading")
        try:
            yield
        finally:
            self.connection.execute("RELEASE reading")

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
                size += len(tasks[-1].payload) + len(tasks[-1].result or b"")
                if len(tasks) == limit or size > PAGE_BYTES:
                    return Page(tasks, f"{tasks[-1].execution_at}.{row[-1]}")
        finally:
            rows.close()  # ends the read transaction
        return Page(tasks, None)

    def claims(self, node: bytes) -> Sequence[Claim]:
        """See ``Store.held``."""
        return [Claim(id_text(id_), fence) for id_, fence in self.connection.execute(self._sql["claims"], {"node": node})]

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
