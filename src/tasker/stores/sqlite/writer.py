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
    DestinationNotFoundError,
    StoreError,
    TaskExistsError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskRunningError,
)
from tasker.ids import new_id
from tasker.interfaces import EXPIRE_LIMIT, PRUNE_LIMIT, Claimed, Follow, Settled, TakenBack
from tasker.model.attempt import Attempt, AttemptRecord
from tasker.model.ending import Ending
from tasker.model.instants import Instant
from tasker.model.lifecycle import MAX_CRASHES, Settlement, expired
from tasker.model.task import Fault, Pool, State, Task, TaskId
from tasker.stores.faults import CRASHED, fault_of, fault_text
from tasker.stores.group_commit import Result
from tasker.stores.ledger import record_text
from tasker.stores.sqlite.connection import store_error
from tasker.stores.sqlite.gates import Gates, as_json
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
    fence: int


class Retry(msgspec.Struct, frozen=True):
    """Have a failed task run again."""

    task_id: TaskId


class Pause(msgspec.Struct, frozen=True):
    """Close a gate, or open it."""

    gate: int
    paused: bool


class Limit(msgspec.Struct, frozen=True):
    """Say how many tasks of a gate may run at once."""

    gate: int
    max_running: int | None


class Delete(msgspec.Struct, frozen=True):
    """Delete a task."""

    task_id: TaskId


class TakeBack(msgspec.Struct, frozen=True):
    """Take back what other boots left running."""


class Prune(msgspec.Struct, frozen=True):
    """Delete some of what ended before a moment."""

    state: State
    before: Instant


Write = Create | ClaimDue | Settle | GiveBack | Retry | Pause | Limit | Delete | TakeBack | Prune


class Writer:
    """Runs writes on the one writing connection; a ``group_commit.Commit``."""

    def __init__(
        self,
        connection: apsw.Connection,
        queries: Mapping[str, str],
        now: Callable[[], Instant],
        node: bytes,
        *,
        attempts_kept: int,
        per_destination: int | None,
        follow: Follow,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a writer.

        Args:
            now: the clock that decides what is due.
            node: what is written on the tasks that this boot claims.
            attempts_kept: how many attempts of a task are kept, at least 1.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
            follow: says what follows the end of a task.
            after_commit: called after each group.
        """
        self._connection = connection
        self._after_commit = after_commit
        self._sql = queries
        self._now = now
        self._follow = follow
        self._node = node
        self._node_text = str(id_text(node))
        self._attempts_kept = attempts_kept
        self._gates = Gates(connection, queries, per_destination=per_destination)
        self._last_seq: int = connection.execute(queries["last_seq"]).get
        self._known_type_pools: set[tuple[str, Pool]] = set()
        self._synchronous = ""
        self.ailment: StoreError | None = None
        """What the latest write failed with; None if it succeeded. While it is set, nothing is claimed."""

    def run_urgent(self, write: Write) -> Result:
        """Run a claim. Not synced, unless tasks expire with it: a claim that a power loss undoes runs again."""
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
            self._gates.begin()
            results = run()
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return results

    def _roll_back(self) -> None:
        self._forget()
        # A full disk or an I/O error may have rolled back already.
        if self._connection.in_transaction:
            with suppress(apsw.Error):  # the transaction is void either way: its pages are never marked as committed
                self._connection.execute("ROLLBACK")

    def _forget(self) -> None:
        """Remember nothing that may have been written by what is rolled back."""
        self._known_type_pools.clear()
        self._gates.forget()

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
            self._forget()
            assert isinstance(write, Create)  # noqa: S101 - only ids are constrained
            return TaskExistsError(self._existing(write.tasks))
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE alone")

    def _run(self, write: Write) -> Result:
        match write:
            case Settle(attempt, settlement):
                return self._settle(attempt, settlement)
            case Retry(task_id):
                return self._retry(task_id)
            case Pause(gate, paused):
                return self._pause(gate, paused)
            case Limit(gate, max_running):
                return self._limit(gate, max_running)
            case Delete(task_id):
                return self._delete(task_id)
            case GiveBack(task_id, fence):
                return self._give_back(task_id, fence)
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
                    self._gates.id_of(task.destination),
                    task.expires_at,
                    None if task.parent_id is None else id_bytes(task.parent_id),
                )
                payloads += (self._last_seq, task.payload)
            self._connection.execute(_with_rows(self._sql["insert_tasks"], 11, len(part)), rows)
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
        expiry: Instant | None = self._connection.execute(self._sql["next_expiry"]).get
        next_due = self._next_dues(free)
        earliest = _earliest([expiry, *next_due.values()])
        if earliest is None or earliest > now:  # nothing to write: no transaction
            return Claimed((), earliest)
        # Synced if anything expires: else a power loss could have its callback sent again with another id.
        synchronous = "FULL" if expiry is not None and expiry <= now else "NORMAL"
        return self._in_transaction(lambda: self._claim(free, now, next_due), synchronous=synchronous)

    def _claim(self, free: Mapping[Pool, int], now: Instant, next_due: dict[Pool, Instant | None]) -> Claimed:
        """Claim what is due. Everything is read before the commit: a claim that commits is always handed out."""
        fence = secrets.randbits(63)
        expired = self._expire(now)
        if expired:
            next_due = self._next_dues(free)  # callbacks are due now
        taken: list[tuple[Any, Pool]] = []
        for pool in [pool for pool, due_at in next_due.items() if due_at is not None and due_at <= now]:
            seqs = self._gates.admit(pool, free=free[pool], now=now)
            bindings = {"seqs": as_json(seqs), "now": now, "fence": fence, "node": self._node}
            taken += [(row, pool) for row in self._connection.execute(self._sql["claim"], bindings)] if seqs else []
            next_due[pool] = self._next_due(pool) if len(seqs) < free[pool] else None
        taken.sort()  # by due_at, then seq
        expiry = self._connection.execute(self._sql["next_expiry"]).get
        attempts = [self._attempt(row, pool, fence) for row, pool in taken]
        return Claimed(attempts, _earliest([expiry, *next_due.values()]), expired)

    def _attempt(self, row: Any, pool: Pool, fence: int) -> Attempt:  # noqa: ANN401 - a row of claim
        due_at, _, id_, type_, number, retried_after, execution_at, expires_at, payload = row
        return Attempt(
            task_id=id_text(id_),
            type=type_,
            pool=pool,
            number=number,
            retried_after=retried_after,
            due_at=due_at,
            execution_at=execution_at,
            expires_at=expires_at,
            fence=fence,
            node=self._node_text,
            payload=payload,
        )

    def _next_dues(self, free: Mapping[Pool, int]) -> dict[Pool, Instant | None]:
        """When to look next at each pool that has room."""
        return {pool: self._next_due(pool) for pool, slots in free.items() if slots > 0}

    def _next_due(self, pool: Pool) -> Instant | None:
        """When to look next at a pool: at what waits in its queue, or at what gates hold."""
        due_at, wake_at = (
            self._connection.execute(self._sql[query], {"pool": pool}).get for query in ("next_due", "next_wake")
        )
        return _earliest((due_at, wake_at))

    def _expire(self, now: Instant) -> int:
        """End a batch of what could not start in time."""
        rows: list[Any] = self._connection.execute(self._sql["expired"], {"now": now, "limit": EXPIRE_LIMIT}).fetchall()
        for seq, id_, type_, attempts, last_fault, payload in rows:
            fault = expired(fault_of(last_fault))
            self._connection.execute(self._sql["expire"], {"seq": seq, "now": now, "last_fault": fault_text(fault)})
            self._end(id_, type_, attempts, payload, fault, now)
        return len(rows)

    def _end(self, id_: bytes, type_: str, attempts: int, payload: bytes, fault: Fault, now: Instant) -> None:
        """Store what follows the end of a task that failed without an attempt of its own."""
        task_id = id_text(id_)
        self._insert_what_follows(
            Ending(task_id=task_id, type=type_, state=State.FAILED, attempts=attempts, payload=payload, fault=fault), now
        )

    def _insert_what_follows(self, ending: Ending, now: Instant) -> Sequence[Task]:
        tasks = self._follow(ending, now=now, new_id=new_id)
        if tasks:
            self._insert(tasks)
        return tasks

    def _settle(self, attempt: Attempt, settlement: Settlement) -> Result:
        row: Any = self._connection.execute(
            self._sql["settle"],
            {
                "id": id_bytes(attempt.task_id),
                "fence": attempt.fence,
                "state": settlement.state,
                "due_at": settlement.due_at,
                "started_at": settlement.started_at,
                "ended_at": settlement.ended_at,
                "last_fault": fault_text(settlement.fault),
            },
        ).fetchone()
        if row is None:
            return ClaimLostError(attempt.task_id)
        seq, gate = row
        if settlement.result is not None:
            self._connection.execute(self._sql["set_result"], {"seq": seq, "result": settlement.result})
        if settlement.record is not None:
            self._record(seq, settlement.record)
        now = self._now()
        followed_by = () if settlement.ending is None else self._insert_what_follows(settlement.ending, now)
        return Settled(settlement.move, self._gates.heard(gate, settlement.is_alive, now), followed_by)

    def _record(self, seq: int, record: AttemptRecord) -> None:
        """Keep what is kept of an attempt, and no more than the newest of its task."""
        bindings = {"seq": seq, "number": record.number, "record": record_text(record)}
        self._connection.execute(self._sql["insert_attempt"], bindings)
        if record.number > self._attempts_kept:
            bindings = {"seq": seq, "up_to": record.number - self._attempts_kept}
            self._connection.execute(self._sql["delete_old_attempts"], bindings)

    def _give_back(self, task_id: TaskId, fence: int) -> Result:
        row: Any = self._connection.execute(self._sql["give_back"], {"id": id_bytes(task_id), "fence": fence}).fetchone()
        if row is None:
            return ClaimLostError(task_id)
        self._gates.heard(row[0], None, self._now())
        return None

    def _retry(self, task_id: TaskId) -> Result:
        bindings = {"id": id_bytes(task_id), "now": self._now()}
        if self._connection.execute(self._sql["retry"], bindings).get is not None:
            return None
        state = self._connection.execute(self._sql["state"], {"id": id_bytes(task_id)}).get
        if state is None:
            return TaskNotFoundError(task_id)
        return TaskExpiredError(task_id) if state == State.FAILED else TaskNotFailedError(task_id, State(state).word)

    def _pause(self, gate: int, paused: bool) -> Result:
        if self._connection.execute(self._sql["pause"], {"gate": gate, "paused": paused}).get is None:
            return DestinationNotFoundError(str(gate))
        self._gates.wake(gate, self._now())  # paused, it is looked at once more, and then no more
        return None

    def _limit(self, gate: int, max_running: int | None) -> Result:
        if self._connection.execute(self._sql["limit"], {"gate": gate, "max_running": max_running}).get is None:
            return DestinationNotFoundError(str(gate))
        self._gates.wake(gate, self._now())
        return None

    def _delete(self, task_id: TaskId) -> Result:
        bindings = {"id": id_bytes(task_id)}
        seq = self._connection.execute(self._sql["delete"], bindings).get
        if seq is not None:
            self._delete_rest(seq)
            return None
        running = self._connection.execute(self._sql["task_exists"], bindings).get is not None
        return TaskRunningError(task_id) if running else TaskNotFoundError(task_id)

    def _delete_rest(self, seq: int) -> None:
        """Delete what belongs to a task that is deleted."""
        self._connection.execute(self._sql["delete_payload"], {"seq": seq})
        self._connection.execute(self._sql["delete_attempts"], {"seq": seq})

    def _take_back(self) -> TakenBack:
        now = self._now()
        bindings = {"node": self._node, "now": now, "max_crashes": MAX_CRASHES, "last_fault": fault_text(CRASHED)}
        rows: list[Any] = self._connection.execute(self._sql["take_back"], bindings).fetchall()
        failed = [row for row in rows if row[0] == State.FAILED]
        for _, id_, type_, attempts, payload in failed:
            self._end(id_, type_, attempts, payload, CRASHED, now)
        self._gates.wake_all(now)  # nothing runs whose end would do so, and the clock may have been set back meanwhile
        return TakenBack(todo=len(rows) - len(failed), failed=len(failed))

    def _prune(self, state: State, before: Instant) -> int:
        """Delete a batch, as far as it goes in a few milliseconds: a claim may be waiting."""
        bindings = {"state": state, "before": before, "limit": PRUNE_LIMIT}
        ends_at = self._now() + _PRUNE_TIME
        pruned = 0
        old: list[Any] = self._connection.execute(self._sql["old"], bindings).fetchall()
        for (seq,) in old:
            self._connection.execute(self._sql["prune"], {"seq": seq})
            self._delete_rest(seq)
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
