"""The reading side: short reads on read-only connections. Runs on the reader threads."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tasker.errors import (
    ClaimLostError,
    DestinationNotFoundError,
    InvalidQueryError,
    KeyNotFoundError,
    TaskNotFoundError,
)
from tasker.filters import Query
from tasker.interfaces.audit import AuditPage
from tasker.interfaces.queue import Claim
from tasker.interfaces.schedules import DownSpans, DueSchedules
from tasker.interfaces.tasks import Counted, Page, TaskFilter
from tasker.model.api_key import KeyState
from tasker.model.attempt import AttemptRecord, Awaited
from tasker.model.audit import AuditQuery
from tasker.model.circuit import RECOVERY, THRESHOLD
from tasker.model.gate import GATE_STATES, HELD_COUNTED_TO, GateRecord
from tasker.model.history import Kept
from tasker.model.idempotency import KeptAnswer
from tasker.model.instants import SECOND, Instant
from tasker.model.operation import Batch, Operation
from tasker.model.overdue import Overdue
from tasker.model.schedule import Run, Schedule
from tasker.model.standing import Standing
from tasker.model.steps import DueCounts, Steps
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.awaiting import awaited_of
from tasker.stores.ledger import record_of
from tasker.stores.overdue import overdue_of, overdue_statement
from tasker.stores.sqlite.alerter import Alerter
from tasker.stores.sqlite.auditor import read_audit
from tasker.stores.sqlite.connection import Queries, Row, Value
from tasker.stores.sqlite.due_counter import count_due
from tasker.stores.sqlite.finder import PAGE_BYTES, Finder
from tasker.stores.sqlite.historian import read_history
from tasker.stores.sqlite.keys import read_key_state
from tasker.stores.sqlite.operator import read_operation, read_operations
from tasker.stores.sqlite.rows import READING, id_bytes, id_text
from tasker.stores.sqlite.schedules import (
    read_down_spans,
    read_due_schedules,
    read_queued_run,
    read_runs,
    read_schedule,
    read_schedules,
)

_LISTED_BY_STATE: Final = [state for state in State if state is not State.TODO]
"""The states whose tasks stand in an index by type and state; what is ``todo`` stands in the queues
of the pools."""

_CURSOR: Final = re.compile(r"(-?\d{1,18})\.(\d{1,18})", re.ASCII)


class Reader:
    """Answers questions from one connection."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.alerter = Alerter(queries)

    def get(self, task_id: TaskId) -> Task:
        """Return a task, or raise ``TaskNotFoundError``."""
        return READING.task.read(self._task_row(task_id))

    def id_of_key(self, key: str, *, or_newest: bool) -> TaskId:
        """Return the task that a key names, or raise ``KeyNotFoundError``."""
        with self._snapshot():
            holder = self._queries.first("key_holder", key=key)
            if holder is not None:
                return id_text(holder[1])
            newest = self._queries.first("newest_of_key", key=key) if or_newest else None
        if newest is None:
            raise KeyNotFoundError(key, ever=or_newest)
        return id_text(newest[0])

    def ended(self, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Return those of *task_ids* that have ended, or that there are not."""
        ids = json.dumps([task_id.replace("-", "") for task_id in task_ids])
        return [id_text(id_) for (id_,) in self._queries.all("ended", ids=ids)]

    def zones(self) -> str:
        """Return the newest version that was noted: see ``Store.zones``."""
        ((version,),) = self._queries.all("zones")
        return str(version)

    def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """Return what is kept of the attempts of a task, or raise ``TaskNotFoundError``."""
        rows = self._queries.all("attempts", id=id_bytes(task_id))
        if not rows:
            raise TaskNotFoundError(task_id)
        return [record_of(text) for (text,) in rows if text is not None]

    def kept_answer(self, repeatable_id: bytes, now: Instant) -> KeptAnswer | None:
        """Return the answer that is kept for a request; None if there is none."""
        row = self._queries.first("kept_answer", id=repeatable_id, now=now)
        return None if row is None else KeptAnswer(*row)

    def signed_in(self, digest: bytes, now: Instant) -> str | None:
        """Return the id of the key that somebody is signed in with: see ``Store.signed_in``."""
        row = self._queries.first("signed_in", digest=digest, now=now)
        return None if row is None else row[0]

    def key_state(self, seen: int | None) -> KeyState | None:
        """Return who may call; None if that is still the version *seen*."""
        with self._snapshot():
            ((version, *_),) = self._queries.all("access")
            return None if version == seen else read_key_state(self._queries)

    def standing(self, task_id: TaskId, now: Instant) -> Standing:
        """Return where a task stands, or raise ``TaskNotFoundError``."""
        with self._snapshot():
            row = self._task_row(task_id)
            gate, host, held_by = row[READING.task.width :]
            return Standing(
                task=READING.task.read(row),
                gate=None if gate is None else self._gate(gate, now),
                host=None if host is None else self._gate(host, now),
                held_by=held_by,
                ahead=0 if held_by is None else self._count("count_ahead", id=id_bytes(task_id), up_to=HELD_COUNTED_TO),
                paused_at=self._queries.number("paused_at"),
            )

    def gates(self, now: Instant, *, after: int, limit: int) -> Sequence[GateRecord]:
        """Return gates by id, with what they hold."""
        with self._snapshot():
            return [self._gate_record(row, now) for row in self._queries.all("gates", after=after, limit=limit)]

    def troubled_gates(self, now: Instant, *, limit: int) -> Sequence[GateRecord]:
        """Return gates that are paused, or whose circuit is not closed, with what they hold."""
        with self._snapshot():
            rows = self._queries.all("troubled_gates", threshold=THRESHOLD, limit=limit)
            return [self._gate(gate_id, now) for (gate_id,) in rows]

    def gate(self, gate_id: int, now: Instant) -> GateRecord:
        """Return a gate, or raise ``DestinationNotFoundError``."""
        with self._snapshot():
            return self._gate(gate_id, now)

    def count_gates(self, now: Instant) -> Mapping[str, int]:
        """Return how many gates are in each state."""
        (counts,) = self._queries.all(
            "count_gates", threshold=THRESHOLD, now=now, recovering_after=now - RECOVERY * SECOND
        )
        return dict(zip(GATE_STATES, counts, strict=True))

    def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return a page of a list. Its read transaction ends with it, so that a slow caller holds up nothing."""
        after_at, after_seq = _position(after)
        bindings: dict[str, int | str] = {"after_at": after_at, "after_seq": after_seq, "limit": limit}
        texts = self._queries.texts
        branches = []
        for type_, pools in self._pools_by_type(which.type).items():
            name = f"type_{len(bindings)}"
            bindings[name] = type_
            if which.state in (None, State.TODO):
                branches += [texts["list_todo"].format(type=f":{name}", pool=pool) for pool in pools]
            others = [state for state in _LISTED_BY_STATE if which.state in (None, state.shown)]
            branches += [texts["list_other"].format(type=f":{name}", state=int(state)) for state in others]
        if not branches:
            return Page((), None)
        rows = self._queries.connection.execute(
            texts["list_page"].format(branches=" UNION ALL ".join(branches)), bindings
        )
        tasks: list[Task] = []
        size = 0
        try:
            for row in rows:
                tasks.append(READING.task.read(row))
                size += len(tasks[-1].payload) + len(tasks[-1].result or b"")
                if len(tasks) == limit or size > PAGE_BYTES:
                    (seq,) = row[READING.task.width :]
                    return Page(tasks, f"{tasks[-1].execution_at}.{seq}")
        finally:
            rows.close()  # ends the read transaction
        return Page(tasks, None)

    def find(
        self,
        query: Query,
        *,
        after: str | None,
        limit: int,
        free_pools: Collection[Pool],
        now: Instant,
        monotonic: Callable[[], float],
    ) -> Page:
        """Return a page of what is found. As a page of a list, it holds up nothing once it is read."""
        with self._snapshot():
            return self._finder(query, free_pools, now, monotonic).find(after, limit)

    def matches(
        self,
        query: Query,
        *,
        after: str | None,
        limit: int,
        free_pools: Collection[Pool],
        now: Instant,
        monotonic: Callable[[], float],
    ) -> Batch:
        """Return a batch of what is found."""
        with self._snapshot():
            return self._finder(query, free_pools, now, monotonic).matches(after, limit)

    def operation(self, operation_id: TaskId) -> Operation:
        """Return an operation, or raise ``OperationNotFoundError``."""
        return read_operation(self._queries, operation_id)

    def operations(self, before: TaskId | None, limit: int) -> Sequence[Operation]:
        """Return operations, those with the greatest ids first."""
        return read_operations(self._queries, before, limit)

    def schedule(self, name: str) -> Schedule:
        """Return a schedule, or raise ``ScheduleNotFoundError``."""
        return read_schedule(self._queries, name)

    def schedules(self, after: str | None, limit: int) -> Sequence[Schedule]:
        """Return schedules by name."""
        return read_schedules(self._queries, after, limit)

    def down_spans(self, since: Instant, now: Instant) -> DownSpans:
        """Return the spans in which no node looked."""
        return read_down_spans(self._queries, since, now)

    def due_schedules(self, limit: int, without: Collection[str], now: Instant) -> DueSchedules:
        """Return schedules that are to be looked at."""
        return read_due_schedules(self._queries, limit, without, now)

    def runs(self, name: str, limit: int, now: Instant) -> Sequence[Run]:
        """Return the latest runs of a schedule."""
        return read_runs(self._queries, name, limit, now)

    def queued_run(self, name: str, scheduled_for: Instant) -> TaskId | None:
        """Return the run that stands in the queue for a time; None: none does."""
        return read_queued_run(self._queries, name, scheduled_for)

    def next_operation(self) -> Operation | None:
        """Return the oldest operation that has not ended; None: there is none."""
        row = self._queries.first("next_operation")
        return None if row is None else READING.operation.read(row)

    def audit(self, query: AuditQuery, *, after: str | None, limit: int) -> AuditPage:
        """Return a page of the audit log."""
        return read_audit(self._queries, query, after, limit)

    def count_found(
        self, query: Query, *, free_pools: Collection[Pool], now: Instant, monotonic: Callable[[], float]
    ) -> Counted:
        """Return how many tasks are found."""
        with self._snapshot():
            return self._finder(query, free_pools, now, monotonic).count()

    def _finder(
        self, query: Query, free_pools: Collection[Pool], now: Instant, monotonic: Callable[[], float]
    ) -> Finder:
        type_pools = self._queries.all("type_pools")
        return Finder(self._queries, query, free_pools, type_pools, now=now, monotonic=monotonic)

    def claims(self, node: bytes) -> Sequence[Claim]:
        """Return the claims of *node*."""
        return [Claim(id_text(id_), fence) for id_, fence in self._queries.all("claims", node=node)]

    def count(self, states: Collection[State], *, up_to: int) -> Mapping[State, int]:
        """Return how many tasks are in each of *states*, counted up to a limit."""
        counts = dict.fromkeys(states, 0)
        pools_by_type = self._pools_by_type(None)
        pools = {pool for pools in pools_by_type.values() for pool in pools} if State.TODO in states else ()
        for pool in pools:
            counts[State.TODO] += self._count("count_todo", pool=pool, up_to=up_to - counts[State.TODO])
        for type_ in pools_by_type:
            for state in [state for state in _LISTED_BY_STATE if state.shown in states]:
                left = up_to - counts[state.shown]
                counts[state.shown] += self._count("count_other", type=type_, state=state, up_to=left)
        return counts

    def count_running(self, *, up_to: int) -> int:
        """Return how many tasks run on this node, counted up to a limit."""
        count = 0
        for type_ in self._pools_by_type(None):
            count += self._count("count_other", type=type_, state=State.IN_PROGRESS, up_to=up_to - count)
        return count

    def completion_key(self) -> bytes:
        """Return what tokens are signed with."""
        ((key,),) = self._queries.all("completion_key")
        return bytes(key)

    def awaited(self, claim: Claim) -> Awaited:
        """Return an attempt whose end is told from outside, or raise ``ClaimLostError``."""
        row = self._queries.first("awaited", id=id_bytes(claim.task_id), fence=claim.fence)
        if row is None:
            raise ClaimLostError(claim.task_id)
        return awaited_of(READING.attempt.read(row), row[READING.attempt.width :])

    def overdue(self, *, free_pools: Collection[Pool], now: Instant) -> Overdue:
        """Return what is overdue, by reason."""
        with self._snapshot():
            pools = [pool for _, pool in self._queries.all("type_pools")]
            statement = overdue_statement(self._queries.texts, pools, free_pools)
            rows: list[Any] = (
                [] if statement is None else self._queries.connection.execute(statement, {"now": now}).fetchall()
            )
        return overdue_of(rows, now)

    def history(
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
        query = "history_failures" if of_failures else "history_counts"
        return read_history(self._queries, query, length, first, until, beyond, limit)

    def count_due(self, steps: Steps, monotonic: Callable[[], float]) -> DueCounts:
        """Return how many tasks are due in each step."""
        with self._snapshot():
            return count_due(self._queries, steps, monotonic)

    def _task_row(self, task_id: TaskId) -> Row:
        row = self._queries.first("get", id=id_bytes(task_id))
        if row is None:
            raise TaskNotFoundError(task_id)
        return row

    def _gate(self, gate_id: int, now: Instant) -> GateRecord:
        for row in self._queries.all("gates", after=gate_id - 1, limit=1):
            record = self._gate_record(row, now)
            if record.gate.id == gate_id:
                return record
        raise DestinationNotFoundError(str(gate_id))

    def _gate_record(self, row: Row, now: Instant) -> GateRecord:
        """Return the gate in a row of ``gates``, with how many tasks it holds, counted up to a limit."""
        gate = READING.gate.read(row)
        (running,) = row[READING.gate.width :]
        held = 0
        for (pool,) in self._queries.all("gate_pools", gate=gate.id):
            held += self._count("count_held", pool=pool, gate=gate.id, now=now, up_to=HELD_COUNTED_TO - held)
        return GateRecord(gate=gate, running=running, held=held)

    def _count(self, query: str, **bindings: Value) -> int:
        return self._queries.number(query, **bindings) or 0

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """See one state of the database in several statements."""
        self._queries.connection.execute("SAVEPOINT reading")
        try:
            yield
        finally:
            self._queries.connection.execute("RELEASE reading")

    def _pools_by_type(self, only: str | None) -> Mapping[str, Sequence[int]]:
        """The pools in which tasks of each type wait, or of one type *only*."""
        found: dict[str, list[int]] = {}
        for type_, pool in self._queries.all("type_pools"):
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
