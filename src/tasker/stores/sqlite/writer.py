"""The writing side: what each write does, and how writes become a transaction. Runs on one thread."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, TypeVar

import apsw
import msgspec

from tasker.errors import (
    ClaimLostError,
    StoreError,
    TaskExistsError,
    TaskNotFoundError,
    TaskRunningError,
)
from tasker.interfaces import PRUNE_LIMIT, Claimed, TakenBack
from tasker.model.attempt import Attempt
from tasker.model.instants import Instant
from tasker.model.lifecycle import MAX_CRASHES, Settlement
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.faults import CRASHED, fault_text
from tasker.stores.group_commit import Result
from tasker.stores.sqlite.connection import store_error
from tasker.stores.sqlite.rows import id_bytes, id_text

T = TypeVar("T")

_PRUNE_TIME: Final = 10_000
"""Microseconds after which a batch of deletes ends."""

_ROWS_AT_ONCE: Final = 64
"""Rows in one INSERT at most: beyond this a longer statement gains nothing."""


class Create(msgspec.Struct, frozen=True):
    """Store new tasks."""

    tasks: Sequence[Task]


class ClaimDue(msgspec.Struct, frozen=True):
    """Take due tasks."""

    free: Mapping[Pool, int]


class Settle(msgspec.Struct, frozen=True):
    """Write how an attempt ended."""

    attempt: Attempt
    settlement: Settlement


class GiveBack(msgspec.Struct, frozen=True):
    """Undo a claim."""

    task_id: TaskId
    claim: int


class Delete(msgspec.Struct, frozen=True):
    """Delete a task."""

    task_id: TaskId


class TakeBack(msgspec.Struct, frozen=True):
    """Take back what other boots left running."""


class Prune(msgspec.Struct, frozen=True):
    """Delete some of what ended before a moment."""

    state: State
    before: Instant


Write = Create | ClaimDue | Settle | GiveBack | Delete | TakeBack | Prune


class Writer:
    """Runs writes on the one writing connection; a ``group_commit.Commit``."""

    def __init__(
        self,
        connection: apsw.Connection,
        queries: Mapping[str, str],
        now: Callable[[], Instant],
        node: bytes,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a writer.

        Args:
            now: the clock that decides what is due.
            node: what is written on the tasks that this boot claims.
            after_commit: called after each group.
        """
        self._connection = connection
        self._after_commit = after_commit
        self._sql = queries
        self._now = now
        self._node = node
        self._last_seq: int = connection.execute(queries["last_seq"]).get
        self._known_type_pools: set[tuple[str, Pool]] = set()
        self._synchronous = ""
        self.ailment: StoreError | None = None
        """What the latest write failed with; None if it succeeded. While it is set, nothing is claimed."""

    def run_urgent(self, write: Write) -> Result:
        """Run a claim. Not synced: one that a power loss undoes runs again."""
        assert isinstance(write, ClaimDue)  # noqa: S101 - the store hands in nothing else as urgent
        try:
            if self.ailment is not None:
                self._probe()
            return self._claim_due(write.free)
        except apsw.Error as error:
            self.ailment = store_error(error)
            return store_error(error)

    def run_group(self, writes: Sequence[Write]) -> Sequence[Result]:
        """Run *writes* in one synced transaction; one that breaks a constraint fails alone."""
        try:
            try:
                results = self._in_transaction(lambda: self._run_together(writes))
            except apsw.ConstraintError:
                results = self._in_transaction(lambda: [self._run_alone(write) for write in writes])
        except apsw.Error as error:
            self.ailment = store_error(error)
            return [store_error(error) for _ in writes]
        self.ailment = None
        self._after_commit()
        return results

    # How writes become a transaction.

    def _in_transaction(self, run: Callable[[], T], *, synchronous: str = "FULL") -> T:
        if synchronous != self._synchronous:
            # Takes effect when the statement is compiled, so that one from the statement cache would do nothing.
            self._connection.execute(f"PRAGMA synchronous = {synchronous}", can_cache=False)
            self._synchronous = synchronous
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = run()
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return results

    def _roll_back(self) -> None:
        self._known_type_pools.clear()  # some may have been written by what is rolled back
        # A full disk or an I/O error may have rolled back already.
        if self._connection.in_transaction:
            with suppress(apsw.Error):  # the transaction is void either way: its pages are never marked as committed
                self._connection.execute("ROLLBACK")

    def _run_together(self, writes: Sequence[Write]) -> Sequence[Result]:
        self._insert([task for write in writes if isinstance(write, Create) for task in write.tasks])
        return [None if isinstance(write, Create) else self._run(write) for write in writes]

    def _run_alone(self, write: Write) -> Result:
        self._connection.execute("SAVEPOINT alone")
        try:
            if isinstance(write, Create):
                return self._insert(write.tasks)
            return self._run(write)
        except apsw.ConstraintError:
            self._connection.execute("ROLLBACK TO alone")
            self._known_type_pools.clear()
            assert isinstance(write, Create)  # noqa: S101 - only ids are constrained
            return TaskExistsError(self._existing(write.tasks))
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE alone")

    def _run(self, write: Write) -> Result:
        match write:
            case Settle(attempt, settlement):
                return self._settle(attempt, settlement)
            case Delete(task_id):
                return self._delete(task_id)
            case GiveBack(task_id, claim):
                return self._give_back(task_id, claim)
            case TakeBack():
                return self._take_back()
            case Prune(state, before):
                return self._prune(state, before)
            case _:
                raise AssertionError(write)

    # What each write does.

    def _insert(self, tasks: Sequence[Task]) -> None:
        for start in range(0, len(tasks), _ROWS_AT_ONCE):
            part = tasks[start : start + _ROWS_AT_ONCE]
            rows: list[Any] = []
            payloads: list[Any] = []
            for task in part:
                if (task.type, task.pool) not in self._known_type_pools:
                    self._connection.execute(self._sql["insert_type_pool"], {"type": task.type, "pool": task.pool})
                    self._known_type_pools.add((task.type, task.pool))
                self._last_seq += 1
                rows += (
                    self._last_seq,
                    id_bytes(task.id),
                    task.type,
                    task.state,
                    task.pool,
                    task.due_at,
                    task.execution_at,
                    task.execution_time,
                )
                payloads += (self._last_seq, task.fields)
            self._connection.execute(_with_rows(self._sql["insert_tasks"], 8, len(part)), rows)
            self._connection.execute(_with_rows(self._sql["insert_payloads"], 2, len(part)), payloads)

    def _existing(self, tasks: Sequence[Task]) -> TaskId:
        """The id of the first of *tasks* that is stored, or has the id of one before it."""
        seen: set[TaskId] = set()
        for task in tasks:
            if task.id in seen or self._connection.execute(self._sql["task_exists"], {"id": id_bytes(task.id)}).get is not None:
                return task.id
            seen.add(task.id)
        raise AssertionError("only ids are constrained")

    def _claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        now = self._now()
        next_due = {pool: self._next_due(pool) for pool, slots in free.items() if slots > 0}
        due = [pool for pool, due_at in next_due.items() if due_at is not None and due_at <= now]
        if not due:  # nothing to write: no transaction
            return Claimed((), _earliest(next_due.values()))
        return self._in_transaction(lambda: self._claim(due, free, now, next_due), synchronous="NORMAL")

    def _claim(
        self, due: Sequence[Pool], free: Mapping[Pool, int], now: Instant, next_due: dict[Pool, Instant | None]
    ) -> Claimed:
        """Claim what is *due*. Everything is read before the commit: a claim that commits is always handed out."""
        claim = secrets.randbits(63)
        taken: list[tuple[Any, Pool]] = []
        for pool in due:
            bindings = {"pool": pool, "now": now, "claim": claim, "node": self._node, "free": free[pool]}
            rows = self._connection.execute(self._sql["claim_due"], bindings).fetchall()
            taken += [(row, pool) for row in rows]
            next_due[pool] = self._next_due(pool) if len(rows) < free[pool] else None
        taken.sort()  # by due_at, then seq
        attempts = [
            Attempt(task_id=id_text(id_), type=type_, pool=pool, number=number, due_at=due_at, claim=claim, fields=data)
            for (due_at, _, id_, type_, number, data), pool in taken
        ]
        return Claimed(attempts, _earliest(next_due.values()))

    def _next_due(self, pool: Pool) -> Instant | None:
        due_at: Instant | None = self._connection.execute(self._sql["next_due"], {"pool": pool}).get
        return due_at

    def _settle(self, attempt: Attempt, settlement: Settlement) -> Result:
        seq = self._connection.execute(
            self._sql["settle"],
            {
                "id": id_bytes(attempt.task_id),
                "claim": attempt.claim,
                "state": settlement.state,
                "due_at": settlement.due_at,
                "started_at": settlement.started_at,
                "ended_at": settlement.ended_at,
                "last_error": fault_text(settlement.fault),
            },
        ).get
        if seq is None:
            return ClaimLostError(attempt.task_id)
        if settlement.result is not None:
            self._connection.execute(self._sql["set_result"], {"seq": seq, "result": settlement.result})
        return None

    def _give_back(self, task_id: TaskId, claim: int) -> Result:
        bindings = {"id": id_bytes(task_id), "claim": claim}
        lost = self._connection.execute(self._sql["give_back"], bindings).get is None
        return ClaimLostError(task_id) if lost else None

    def _delete(self, task_id: TaskId) -> Result:
        bindings = {"id": id_bytes(task_id)}
        seq = self._connection.execute(self._sql["delete"], bindings).get
        if seq is not None:
            self._connection.execute(self._sql["delete_payload"], {"seq": seq})
            return None
        running = self._connection.execute(self._sql["task_exists"], bindings).get is not None
        return TaskRunningError(task_id) if running else TaskNotFoundError(task_id)

    def _take_back(self) -> TakenBack:
        bindings = {
            "node": self._node,
            "now": self._now(),
            "max_crashes": MAX_CRASHES,
            "last_error": fault_text(CRASHED),
        }
        states = [state for (state,) in self._connection.execute(self._sql["take_back"], bindings)]
        return TakenBack(todo=states.count(State.TODO), failed=states.count(State.FAILED))

    def _prune(self, state: State, before: Instant) -> int:
        """Delete a batch, as far as it goes in a few milliseconds: a claim may be waiting."""
        bindings = {"state": state, "before": before, "limit": PRUNE_LIMIT}
        ends_at = self._now() + _PRUNE_TIME
        pruned = 0
        for (seq,) in self._connection.execute(self._sql["old"], bindings).fetchall():
            self._connection.execute(self._sql["prune"], {"seq": seq})
            self._connection.execute(self._sql["delete_payload"], {"seq": seq})
            pruned += 1
            if self._now() >= ends_at:
                break
        return pruned

    def _probe(self) -> None:
        """Write something durably; the store is well again if that works."""
        self._in_transaction(lambda: self._connection.execute(self._sql["probe"]).fetchall())
        self.ailment = None


@lru_cache(maxsize=4 * _ROWS_AT_ONCE)
def _with_rows(sql: str, columns: int, rows: int) -> str:
    """Return *sql* with so many rows of placeholders in place of ``{rows}``."""
    row = f"({','.join('?' * columns)})"
    return sql.format(rows=",".join([row] * rows))


def _earliest(moments: Iterable[Instant | None]) -> Instant | None:
    return min((moment for moment in moments if moment is not None), default=None)
