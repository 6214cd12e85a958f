"""The reading side: each read is a statement of its own, on one of some connections."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from tasker.errors import (
    ClaimLostError,
    DestinationNotFoundError,
    InvalidQueryError,
    KeyNotFoundError,
    ScheduleNotFoundError,
    StoreUnavailableError,
    TaskNotFoundError,
)
from tasker.explaining import IN_INBOX
from tasker.filters import Query
from tasker.interfaces.audit import AuditPage
from tasker.interfaces.queue import Claim
from tasker.interfaces.schedules import DownSpans, DueSchedules
from tasker.interfaces.tasks import Counted, Page, TaskFilter
from tasker.model.attempt import AttemptRecord, Awaited
from tasker.model.audit import AuditQuery
from tasker.model.circuit import THRESHOLD
from tasker.model.gate import GATE_STATES, HELD_COUNTED_TO, GateRecord
from tasker.model.history import Kept
from tasker.model.idempotency import KeptAnswer
from tasker.model.instants import SECOND, Instant
from tasker.model.lateness import Span, known_until
from tasker.model.node import NodeRecord
from tasker.model.operation import Batch
from tasker.model.overdue import OVERDUE_COUNTED_TO, Overdue
from tasker.model.schedule import Run, Schedule
from tasker.model.standing import Standing
from tasker.model.steps import DueCounts, Steps
from tasker.model.store_meter import Upkeep
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.awaiting import awaited_of
from tasker.stores.ledger import record_of
from tasker.stores.overdue import overdue_of, overdue_statement
from tasker.stores.postgres.auditor import read_audit
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.due_counter import count_due
from tasker.stores.postgres.finder import PAGE_BYTES, Finder
from tasker.stores.postgres.historian import read_history
from tasker.stores.rows import Reading, run_of
from tasker.timing.clock import stopwatch
from tasker.timing.leisure import rest

T = TypeVar("T")

READERS: Final = 2
"""Connections that read."""

_CURSOR: Final = re.compile(r"(-?\d{1,18})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII)
_BEFORE_ALL: Final = (-210_866_803_200 * SECOND, "00000000-0000-0000-0000-000000000000")
"""Before every moment and every id that PostgreSQL can store."""


class Reader:
    """Answers questions, as ``Store`` says."""

    def __init__(
        self, links: Sequence[Link], queries: Mapping[str, str], reading: Reading, monotonic: Callable[[], float]
    ) -> None:
        self._links = links
        self._sql = queries
        self._reading = reading
        self._monotonic = monotonic
        self._next = 0
        self._is_closed = False

    async def close(self) -> None:
        """Close the connections. Whatever is asked from now on is refused."""
        self._is_closed = True
        for link in self._links:
            await link.close()

    async def get(self, task_id: TaskId) -> Task:
        """Return a task."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["get"], task_id))
        if row is None:
            raise TaskNotFoundError(task_id)
        return self._reading.task.read(row)

    async def id_of_key(self, key: str, *, or_newest: bool) -> TaskId:
        """Return the task that a key names."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["key_holders"], [key]))
        if row is None and or_newest:
            row = await self._read(lambda connection: connection.fetchrow(self._sql["newest_of_key"], key))
        if row is None:
            raise KeyNotFoundError(key, ever=or_newest)
        return TaskId(str(row["id"]))

    async def ended(self, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Return those of *task_ids* that have ended, or that there are not."""
        rows = await self._read(lambda connection: connection.fetch(self._sql["ended"], list(task_ids)))
        return [TaskId(str(row["id"])) for row in rows]

    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """Return what is kept of the attempts of a task."""
        rows = await self._read(lambda connection: connection.fetch(self._sql["attempts"], task_id))
        if not rows:
            raise TaskNotFoundError(task_id)
        return [record_of(row["record"]) for row in rows if row["record"] is not None]

    async def schedule(self, name: str) -> Schedule:
        """Return a schedule."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["schedule"], name))
        if row is None:
            raise ScheduleNotFoundError(name)
        return self._reading.whole_schedule(row)

    async def schedules(self, after: str | None, limit: int) -> Sequence[Schedule]:
        """Return schedules by name."""
        rows = await self._read(lambda connection: connection.fetch(self._sql["schedules"], after or "", limit))
        return [*map(self._reading.schedule.read, rows)]

    async def due_schedules(self, limit: int, without: Sequence[str]) -> DueSchedules:
        """Return schedules that are to be looked at."""

        async def look(connection: Connection) -> DueSchedules:
            head = await connection.fetchrow(self._sql["next_schedule"], without)
            is_due = head["look_at"] is not None and head["look_at"] <= head["now"]  # rarely
            rows = await connection.fetch(self._sql["due_schedules"], limit, without) if is_due else []
            return DueSchedules([*map(self._reading.whole_schedule, rows)], head["has_waiting"], head["look_at"])

        return await self._read(look)

    async def down_spans(self, since: Instant) -> DownSpans:
        """Return the spans in which no node looked."""

        async def look(connection: Connection) -> DownSpans:
            looked_at, now = await connection.fetchrow(self._sql["latest_look"])
            rows = await connection.fetch(self._sql["spans"], since)
            return DownSpans(known_until(looked_at or 0, now), [Span(*row) for row in rows])

        return await self._read(look)

    async def runs(self, name: str, limit: int) -> Sequence[Run]:
        """Return the latest runs of a schedule."""
        rows = await self._read(lambda connection: connection.fetch(self._sql["runs"], name, limit))
        return [run_of(str(id_), *rest) for id_, *rest in rows]

    async def queued_run(self, name: str, scheduled_for: Instant) -> TaskId | None:
        """Return the run that stands in the queue for a time and has not started; None: none does."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["runs_for"], [name], [scheduled_for]))
        if row is None or row["state"] != State.TODO or row["attempts"]:
            return None
        return TaskId(str(row["id"]))

    async def kept_answer(self, repeatable_id: bytes) -> KeptAnswer | None:
        """Return the answer that is kept for a request; None if there is none."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["kept_answers"], [repeatable_id]))
        return None if row is None else KeptAnswer(row["fingerprint"], row["answer"])

    async def standing(self, task_id: TaskId) -> Standing:
        """Return where a task stands, seen at one moment."""

        async def look(connection: Connection) -> Standing:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                row = await connection.fetchrow(self._sql["get"], task_id)
                if row is None:
                    raise TaskNotFoundError(task_id)
                gate, host = [
                    None if id_ is None else await self._gate(connection, id_)
                    for id_ in (row["gate"], row["host_gate"])
                ]
                ahead = 0
                if row["held_by"] is not None:
                    ahead = await connection.fetchval(self._sql["count_ahead"], task_id, HELD_COUNTED_TO)
                paused_at = await connection.fetchval(self._sql["paused_at"])
            return Standing(
                task=self._reading.task.read(row),
                gate=gate,
                host=host,
                held_by=row["held_by"],
                ahead=ahead,
                paused_at=paused_at,
            )

        return await self._read(look)

    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """Return some gates."""
        rows = await self._read(lambda connection: connection.fetch(self._sql["gates"], after, limit, HELD_COUNTED_TO))
        return [self._gate_record(row) for row in rows]

    async def troubled_gates(self, *, limit: int) -> Sequence[GateRecord]:
        """Return gates that are paused, or whose circuit is not closed."""

        async def read(connection: Connection) -> Sequence[GateRecord]:
            rows = await connection.fetch(self._sql["troubled_gates"], THRESHOLD, limit)
            found = [await self._gate(connection, row["id"]) for row in rows]
            return [record for record in found if record is not None]

        return await self._read(read)

    async def count_gates(self) -> Mapping[str, int]:
        """Return how many gates are in each state."""
        counts = await self._read(lambda connection: connection.fetchrow(self._sql["count_gates"], THRESHOLD))
        assert counts is not None  # noqa: S101 - one row, always
        return dict(zip(GATE_STATES, counts, strict=True))

    async def gate(self, gate_id: int) -> GateRecord:
        """Return a gate."""
        found = await self._read(lambda connection: self._gate(connection, gate_id))
        if found is None:
            raise DestinationNotFoundError(str(gate_id))
        return found

    async def _gate(self, connection: Connection, gate_id: int) -> GateRecord | None:
        row = await connection.fetchrow(self._sql["gates"], gate_id - 1, 1, HELD_COUNTED_TO)
        return None if row is None or row["id"] != gate_id else self._gate_record(row)

    def _gate_record(self, row: Record) -> GateRecord:
        return GateRecord(gate=self._reading.gate.read(row), running=row["running"], held=row["held"])

    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return a page of a list."""
        after_at, after_id = _position(after)
        type_pools: list[tuple[str, Pool]] = await self._read(
            lambda connection: connection.fetch(self._sql["type_pools"])
        )
        bound: list[Any] = [after_at, after_id, limit, PAGE_BYTES]
        branches = []
        for type_ in sorted({type_ for type_, _ in type_pools if which.type in (None, type_)}):
            bound.append(type_)
            place = f"${len(bound)}"
            if which.state in (None, State.TODO):
                pools = sorted(pool for other, pool in type_pools if other == type_)
                branches += [self._sql["list_todo"].format(type=place, pool=pool) for pool in pools]
            others = [state for state in State if state is not State.TODO and which.state in (None, state.shown)]
            branches += [self._sql["list_other"].format(type=place, state=int(state)) for state in others]
        if not branches:
            return Page((), None)
        sql = self._sql["list_page"].format(branches=" UNION ALL ".join(branches))
        rows = await self._read(lambda connection: connection.fetch(sql, *bound))
        tasks = [*map(self._reading.task.read, rows)]
        if rows and (len(rows) == limit or len(rows) < rows[-1]["found"]):
            return Page(tasks, f"{tasks[-1].execution_at}.{tasks[-1].id}")
        return Page(tasks, None)

    async def find(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool]) -> Page:
        """Return a page of what is found."""
        return await self._read(lambda connection: self._finder(query, free_pools).find(connection, after, limit))

    async def audit(self, query: AuditQuery, *, after: str | None, limit: int) -> AuditPage:
        """Return a page of the audit log."""
        return await self._read(
            lambda connection: read_audit(connection, self._sql, self._reading, query, after, limit)
        )

    async def count_found(self, query: Query, *, free_pools: Collection[Pool]) -> Counted:
        """Return how many tasks are found."""
        return await self._finder(query, free_pools).count(self._read)

    async def matches(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool]) -> Batch:
        """Return a batch of what is found."""
        return await self._read(lambda connection: self._finder(query, free_pools).matches(connection, after, limit))

    def _finder(self, query: Query, free_pools: Collection[Pool]) -> Finder:
        return Finder(self._sql, self._reading, query, free_pools, self._monotonic)

    async def count(self, states: Collection[State], *, up_to: int) -> Mapping[State, int]:
        """Return how many tasks are in each of *states*."""
        counts = dict.fromkeys(states, 0)

        async def count(shown: State, statement: str, *values: object) -> None:
            left = up_to - counts[shown]
            counts[shown] += await self._read(
                lambda connection: connection.fetchval(self._sql[statement], *values, left)
            )

        type_pools = await self._read(lambda connection: connection.fetch(self._sql["type_pools"]))
        for pool in {pool for _, pool in type_pools} if State.TODO in states else ():
            await count(State.TODO, "count_todo", pool)
        for type_ in {type_ for type_, _ in type_pools}:
            for state in State:
                if state is not State.TODO and state.shown in states:
                    await count(state.shown, "count_other", type_, int(state))
        return counts

    async def completion_key(self) -> bytes:
        """Return what tokens are signed with."""
        key: bytes = await self._read(lambda connection: connection.fetchval(self._sql["completion_key"]))
        return key

    async def awaited(self, claim: Claim) -> Awaited:
        """Return an attempt whose end is told from outside."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["awaited"], claim.task_id, claim.fence))
        if row is None:
            raise ClaimLostError(claim.task_id)
        attempt = self._reading.attempt
        return awaited_of(attempt.read(row), [*row.values()][attempt.width :])

    async def overdue(self, *, free_pools: Collection[Pool], now: Callable[[], Instant]) -> Overdue:
        """Return what is overdue, by reason."""

        async def look(connection: Connection) -> Overdue:
            pools = [row["pool"] for row in await connection.fetch(self._sql["type_pools"])]
            statement = overdue_statement(self._sql, pools, free_pools)
            rows = [] if statement is None else await connection.fetch(statement)
            rows += await connection.fetch(self._sql["overdue_in_inbox"], IN_INBOX, OVERDUE_COUNTED_TO)
            return overdue_of(((row["reason"], row["count"], row["oldest"]) for row in rows), now())

        return await self._read(look)

    async def history(
        self,
        length: int,
        first: Instant,
        until: Instant,
        *,
        beyond: tuple[Instant, str] | None,
        limit: int,
        of_failures: bool,
    ) -> Sequence[Kept]:
        """Return rows of the history."""
        statement = self._sql["history_failures" if of_failures else "history_counts"]
        return await self._read(
            lambda connection: read_history(connection, statement, length, first, until, beyond, limit)
        )

    async def count_due(self, steps: Steps) -> DueCounts:
        """Return how many tasks are due in each step."""
        return await count_due(self._read, self._sql, steps, self._monotonic)

    async def upkeep(self) -> Upkeep:
        """Return what shows whether dead rows are removed."""
        row = await self._read(lambda connection: connection.fetchrow(self._sql["upkeep"]))
        assert row is not None  # noqa: S101 - one row, always
        return Upkeep(dead_rows=row["dead_rows"], oldest_transaction=row["oldest_transaction"])

    async def nodes(self) -> Sequence[NodeRecord]:
        """Return the nodes that share the store."""
        rows = await self._read(lambda connection: connection.fetch(self._sql["nodes"]))
        return [
            NodeRecord(
                id=str(row["id"]),
                address=row["address"],
                version=row["version"],
                started_at=row["started_at"],
                lease_until=row["lease_until"],
                running=row["running"],
            )
            for row in rows
        ]

    async def _read(self, ask: Callable[[Connection], Awaitable[T]]) -> T:
        """Ask on the connection that has waited longest. Rests afterwards, if it is at leisure."""
        if self._is_closed:
            raise StoreUnavailableError("it is closed")
        link = self._links[self._next]
        self._next = (self._next + 1) % len(self._links)
        began = stopwatch()
        answer = await link.run(ask)
        await rest(began)
        return answer


def _position(cursor: str | None) -> tuple[Instant, str]:
    """Where a page begins: after this moment and id."""
    if cursor is None:
        return _BEFORE_ALL
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its Link header gives it")
    return int(match[1]), match[2]
