"""The store on one SQLite file, or in memory."""

import asyncio
import math
import os
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import apsw
import structlog
from typing_extensions import override

from tasker.errors import DatabaseError, InboxRowNotFoundError, StoreError, StoreUnavailableError, TaskerError
from tasker.filters import Query
from tasker.interfaces.alerts import AlertBook, Troubles
from tasker.interfaces.audit import AuditPage
from tasker.interfaces.completions import Beat, Judge, Lapsed
from tasker.interfaces.pulling import LeasesEnded, Pulled
from tasker.interfaces.queue import Claim, Claimed, Expired, Follow, Rezoned, Settled, TakenBack
from tasker.interfaces.reports import Report
from tasker.interfaces.schedules import Admitted, Advanced, DownSpans, DueSchedules, Released, Rescheduled
from tasker.interfaces.store import Store
from tasker.interfaces.tasks import Cancelled, Counted, Page, TaskFilter
from tasker.model.api_key import ApiKey, KeyState
from tasker.model.attempt import Attempt, AttemptRecord, Awaited, Exchange
from tasker.model.audit import AuditQuery, Entry
from tasker.model.change import Change
from tasker.model.gate import Destination, GateRecord, Limits
from tasker.model.history import HistoryRow, Kept
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.inbox import InboxCount, InboxRow
from tasker.model.instants import Instant
from tasker.model.lifecycle import Settlement
from tasker.model.new_task import Made, NewTask
from tasker.model.node import NodeRecord
from tasker.model.operation import Batch, Operation, Rewrite, Worked
from tasker.model.overdue import Overdue
from tasker.model.schedule import Advance, Run, Schedule
from tasker.model.sign_in import SignIn
from tasker.model.standing import Standing
from tasker.model.steps import DueCounts, Steps
from tasker.model.store_meter import Space, StoreMeter, Upkeep
from tasker.model.task import STATES, Pool, State, Task, TaskId
from tasker.stores import mark, queries
from tasker.stores.group_commit import GroupCommit, InlineCommit
from tasker.stores.looks import Looks
from tasker.stores.sqlite.checkpointer import Checkpointer
from tasker.stores.sqlite.condition import Condition
from tasker.stores.sqlite.connection import MEMORY, Queries, connect
from tasker.stores.sqlite.inserter import Rows
from tasker.stores.sqlite.keys import Keys
from tasker.stores.sqlite.lock import DatabaseLock
from tasker.stores.sqlite.marks import read_mark, write_mark
from tasker.stores.sqlite.moves import Moves
from tasker.stores.sqlite.opening import check_ordinary, open_database
from tasker.stores.sqlite.pauses import Pauses
from tasker.stores.sqlite.reader import Reader
from tasker.stores.sqlite.readers import InlineReader, ReaderThreads
from tasker.stores.sqlite.space import space_of
from tasker.stores.sqlite.stager import Staged, is_worth_while, parts, slices
from tasker.stores.sqlite.transactions import Transactions
from tasker.stores.sqlite.writer import Create, Preparation, Settle, Write, Writer
from tasker.timing.clock import Clock, stopwatch
from tasker.timing.leisure import rest

T = TypeVar("T")

PENDING_LIMIT: Final = 10_000
"""Writes that may wait for the writer; beyond them callers are told to come back later."""

COUNTED_TO: Final = 10_000
"""Where ``nodes`` stops counting what runs."""

_log = structlog.get_logger()


class SqliteStore(Store):
    """A ``Store`` in a SQLite file that one process holds; with ``:memory:`` one that ends with the process.

    A file has one writer thread, which commits in groups, and two reader threads. In memory
    everything runs on the event loop, on one connection. Needs a running event loop.
    """

    def __init__(
        self,
        location: str,
        *,
        clock: Clock,
        follow: Follow,
        address: str = "",
        version: str = "",
        pools: Mapping[str, Pool] | None = None,
        vfs: str | None = None,
        pending_limit: int = PENDING_LIMIT,
        attempts_kept: int = 20,
        per_destination: int | None = None,
    ) -> None:
        """Make a store that is not open yet.

        Args:
            location: path of the file, which is made if it is missing, or ``:memory:``.
            follow: says what follows the end of a task.
            address: the URL that this node listens at, for ``nodes``.
            version: of tasker, for ``nodes``.
            pools: the pools of the task types whose tasks are taken over from the earlier server.
                None: no tasks are.
            vfs: name of a registered SQLite VFS to write through; None: the system's.
            pending_limit: how many writes may wait.
            attempts_kept: how many attempts of a task are kept, at least 1.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._path = None if location == MEMORY else Path(os.path.realpath(location))
        self._clock = clock
        self._follow = follow
        self._pools = pools or {}
        self._vfs = vfs
        self._node = uuid.uuid4()
        self._address = address
        self._version = version
        self._started_at = clock.now()
        self._looks = Looks(clock.monotonic)
        self._has_taken_back = False
        self._pending_limit = pending_limit
        self._attempts_kept = attempts_kept
        self._per_destination = per_destination
        self._texts = queries.load("tasker.stores.sqlite")
        self._lock: DatabaseLock | None = None
        self._meter = StoreMeter(("write",))
        self._condition = Condition(self._meter)
        self._writing: Queries
        self._keys: Keys
        self._pauses: Pauses
        self._writer: Writer
        self._commit: GroupCommit[Write] | InlineCommit[Write]
        self._readers: ReaderThreads | InlineReader
        self._checkpointer: Checkpointer | None = None
        self._jobs: set[asyncio.Task[Any]] = set()
        self._report: Callable[[Report], None] = _tell_nobody
        self._is_open = False

    @property
    @override
    def clock(self) -> Clock:
        return self._clock

    @property
    @override
    def clock_offset(self) -> float:
        return 0.0

    @property
    @override
    def meter(self) -> StoreMeter:
        """In memory, writes are not committed in groups."""
        return self._meter

    @override
    def space(self) -> Space:
        return Space() if self._path is None else space_of(self._path)

    @override
    async def upkeep(self) -> Upkeep:
        """What is dead is used again at once."""
        return Upkeep()

    @property
    @override
    def node_id(self) -> str:
        return str(self._node)

    @property
    @override
    def events_partial(self) -> str | None:
        """There is no other node."""
        return None

    @property
    @override
    def is_upgrading(self) -> bool:
        """No other process shares the file."""
        return False

    @property
    @override
    def ailment(self) -> str | None:
        ailment = self._condition.ailment or self._writer.ailment
        return None if ailment is None else str(ailment)

    @override
    async def open(self) -> None:
        """Open the file, made if it is missing.

        Raises:
            DatabaseInUseError, DatabaseTooNewError, NotADatabaseError, TakeOverError,
                DatabaseError: nothing was changed.
        """
        if self._path is None:
            self._open(MEMORY)
            self._commit = InlineCommit(self._writer)
            self._readers = InlineReader(self._writing, self._condition)
        else:
            check_ordinary(self._path)
            self._lock = DatabaseLock(self._path)
            self._condition = Condition(self._meter, self._path, self._lock)
            try:
                await asyncio.to_thread(self._open, self._path)
            except Exception:  # not if it is cancelled: the thread goes on
                self._lock.release()
                raise
            if self._writer.ailment is not None:
                _log.warning("the database cannot be written now, trying again", reason=str(self._writer.ailment))
            self._commit = GroupCommit(self._writer, pending_limit=self._pending_limit, meter=self._meter)
            self._readers = ReaderThreads(self._connect_reader, self._condition)
        self._is_open = True

    @override
    async def close(self) -> None:
        if not self._is_open:
            return
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self._commit.close()
        await self._readers.close()
        if self._checkpointer is not None:
            await asyncio.to_thread(self._checkpointer.close)
        self._writing.connection.close()
        self._is_open = False
        if self._lock is not None:
            self._lock.release()

    def copy(self, path: Path) -> None:
        """Write all that is in here into a file, as it stands: an empty one, or one to be made.

        The event loop waits for it.
        """
        target = apsw.Connection(str(path))
        with target.backup("main", self._writing.connection, "main") as backup:
            backup.step(-1)
        target.close()

    # Tasks

    @override
    async def create(self, tasks: Sequence[Task]) -> None:
        await self._commit.submit(Create(tasks))

    @override
    async def make(
        self,
        new: Sequence[NewTask],
        repeatable: Repeatable[Sequence[Made]] | None = None,
        entry: Entry | None = None,
    ) -> Sequence[Made] | KeptAnswer:
        tasks = [each.task for each in new]
        if not is_worth_while(tasks):
            return await self._write(lambda moves: moves.maker.make(new, repeatable, entry=entry))
        return await self._staged(tasks, lambda moves, staged: moves.maker.make(new, repeatable, staged, entry))

    async def _staged(self, tasks: Sequence[Task], write: Callable[[Moves, Staged], KeptAnswer | T]) -> KeptAnswer | T:
        """Store the payloads of *tasks* first, and then *write* the tasks. Return what that returns."""
        job = asyncio.create_task(self._write_staged(tasks, write))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return await asyncio.shield(job)  # a caller that goes away leaves nothing half done

    async def _write_staged(
        self, new: Sequence[Task], write: Callable[[Moves, Staged], KeptAnswer | T]
    ) -> KeptAnswer | T:
        seqs = await self._prepare(lambda moves: moves.stager.begin(len(new)))
        rows: list[Rows] = []
        came: KeptAnswer | T | None = None
        try:
            for some, tasks in parts(seqs, new):
                rows += await self._prepare(partial(_put, seqs=some, tasks=tasks))
            came = await self._write(lambda moves: write(moves, Staged(seqs, rows)))
            return came
        finally:
            if came is None or isinstance(came, KeptAnswer):
                with suppress(StoreError):  # else the next start removes them
                    for part in slices(seqs):
                        await self._write(partial(_drop, seqs=seqs, part=part), always=True)

    @override
    async def get(self, task_id: TaskId) -> Task:
        return await self._read(lambda reader: reader.get(task_id))

    @override
    async def id_of_key(self, key: str, *, or_newest: bool) -> TaskId:
        return await self._read(lambda reader: reader.id_of_key(key, or_newest=or_newest))

    @override
    async def ended(self, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        return await self._read(lambda reader: reader.ended(task_ids))

    @override
    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        return await self._read(lambda reader: reader.list_page(which, after=after, limit=limit))

    @override
    async def find(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool] = ()) -> Page:
        now, monotonic = self._clock.now(), self._clock.monotonic
        return await self._read(
            lambda reader: reader.find(
                query, after=after, limit=limit, free_pools=free_pools, now=now, monotonic=monotonic
            )
        )

    @override
    async def count_found(self, query: Query, *, free_pools: Collection[Pool] = ()) -> Counted:
        now, monotonic = self._clock.now(), self._clock.monotonic
        return await self._read(
            lambda reader: reader.count_found(query, free_pools=free_pools, now=now, monotonic=monotonic)
        )

    @override
    async def count(self, states: Collection[State] = STATES, *, up_to: int) -> Mapping[State, int]:
        return await self._read(lambda reader: reader.count(states, up_to=up_to))

    @override
    async def delete(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.changer.delete(task_id, entry))

    @override
    async def cancel(self, task_id: TaskId, *, entry: Entry | None = None) -> Cancelled:
        return await self._write(lambda moves: moves.changer.cancel(task_id, entry))

    @override
    async def run_now(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.changer.run_now(task_id, entry=entry))

    @override
    async def retry(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.changer.retry(task_id, entry=entry))

    @override
    async def change(self, change: Change, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.changer.change(change, entry))

    @override
    async def confirm(self) -> None:
        pass  # nothing is read before it is in the file

    @override
    async def expire(self) -> Expired:
        expired, report = await self._write(lambda moves: moves.expirer.expire())
        self._report(report)
        return expired

    @override
    async def zones(self) -> str:
        return await self._read(lambda reader: reader.zones())

    @override
    async def note_zones(self, version: str) -> None:
        await self._write(lambda moves: moves.rezoner.note(version), always=True)

    @override
    async def rezone(self, version: str, place: Callable[[str, str], Instant | None]) -> Rezoned:
        return await self._write(lambda moves: moves.rezoner.rezone(version, place), always=True)

    @override
    async def give_up(self, least: timedelta) -> int:
        report = await self._write(lambda moves: moves.expirer.give_up(least))
        self._report(report)
        return len(report.ended)

    @override
    async def prune(self, state: State, *, older_than: timedelta) -> int:
        pruned = await self._write(lambda moves: moves.pruner.prune(state, older_than=older_than))
        self._report(Report(pruned=pruned))
        return pruned

    @override
    async def prune_kept(self) -> int:
        pruned = await self._write(lambda moves: moves.pruner.prune_kept())
        self._report(Report(pruned=pruned))
        return pruned

    # Idempotency

    @override
    async def kept_answer(self, repeatable_id: bytes) -> KeptAnswer | None:
        now = self._clock.now()
        return await self._read(lambda reader: reader.kept_answer(repeatable_id, now))

    @override
    async def create_once(self, task: Task, repeatable: Repeatable[Task]) -> KeptAnswer | Task:
        return await self._write(lambda moves: moves.kept_answers.create(task, repeatable))

    @override
    async def prune_kept_answers(self) -> int:
        return await self._write(lambda moves: moves.kept_answers.prune())

    @override
    async def prune_down(self) -> int:
        return await self._write(lambda moves: moves.looker.prune())

    # Attempts

    @override
    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        slots = dict(free)
        self._looks.begin()
        begun = stopwatch()
        try:
            claimed = await self._write(lambda moves: moves.claimer.claim_due(slots), always=True, urgent=True)
        except StoreError:
            self._looks.refused()
            raise
        self._meter.claimed(stopwatch() - begun)
        return claimed

    @override
    async def pull(
        self, queue: Destination, *, most: int, lease: timedelta, waited: timedelta = timedelta(0)
    ) -> Pulled:
        del waited  # there is no other node
        return await self._write(
            lambda moves: moves.puller.pull(queue, most=most, lease=lease), always=True, urgent=True
        )

    @override
    async def end_leases(self) -> LeasesEnded:
        ended, report = await self._write(lambda moves: moves.puller.end_leases())
        self._report(report)
        return ended

    @override
    async def overdue(self, *, free_pools: Collection[Pool]) -> Overdue:
        now = self._clock.now()
        return await self._read(lambda reader: reader.overdue(free_pools=free_pools, now=now))

    @override
    async def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        return cast("Settled", await self._commit.submit(Settle(attempt, settlement), always=True))

    @override
    async def give_back(self, claim: Claim | Attempt) -> Settled:
        return await self._write(lambda moves: moves.settler.give_back(claim.task_id, claim.fence), always=True)

    @override
    async def completion_key(self) -> bytes:
        return await self._read(lambda reader: reader.completion_key())

    @override
    async def awaited(self, claim: Claim) -> Awaited:
        return await self._read(lambda reader: reader.awaited(claim))

    @override
    async def beat(
        self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None = None
    ) -> Beat:
        beat = partial(_beat, claim=claim, progress=progress, msg=msg, deadline=deadline)
        return await (self._prepare(beat) if deadline is None else self._write(beat))

    @override
    async def note_answer(self, attempt: Attempt, exchange: Exchange | None) -> bool:
        return await self._write(lambda moves: moves.settler.note_answer(attempt, exchange), always=True)

    @override
    async def lapse(self, judge: Judge) -> Lapsed:
        return await self._write(lambda moves: moves.settler.lapse(judge))

    @override
    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        return await self._read(lambda reader: reader.attempts(task_id))

    # Gates

    @override
    async def standing(self, task_id: TaskId) -> Standing:
        now = self._clock.now()
        return await self._read(lambda reader: reader.standing(task_id, now))

    @override
    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        now = self._clock.now()
        return await self._read(lambda reader: reader.gates(now, after=after, limit=limit))

    @override
    async def troubled_gates(self, *, limit: int) -> Sequence[GateRecord]:
        now = self._clock.now()
        return await self._read(lambda reader: reader.troubled_gates(now, limit=limit))

    @override
    async def count_gates(self) -> Mapping[str, int]:
        now = self._clock.now()
        return await self._read(lambda reader: reader.count_gates(now))

    @override
    async def gate(self, gate_id: int) -> GateRecord:
        now = self._clock.now()
        return await self._read(lambda reader: reader.gate(gate_id, now))

    @override
    async def pause(self, gate_id: int, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.gates.pause(gate_id, paused=True, entry=entry))

    @override
    async def resume(self, gate_id: int, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.gates.pause(gate_id, paused=False, entry=entry))

    @override
    async def probe(self, gate_id: int, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.gates.probe(gate_id, entry))

    @override
    async def limit(self, gate_id: int, limits: Limits, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.gates.limit(gate_id, limits, entry))

    @override
    async def make_gate(self, destination: Destination) -> int:
        return await self._write(lambda moves: moves.inserter.make_gate(destination))

    # Pausing

    @property
    @override
    def paused_at(self) -> Instant | None:
        return self._pauses.at

    @override
    async def pause_all(self, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.pauses.pause(entry))

    @override
    async def resume_all(self, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.pauses.resume(entry))

    # Operations

    @override
    async def create_operation(
        self,
        operation: Operation,
        repeatable: Repeatable[Operation] | None = None,
        *,
        entry: Entry | None = None,
    ) -> KeptAnswer | Operation:
        return await self._write(lambda moves: moves.operator.create(operation, repeatable, entry))

    @override
    async def operation(self, operation_id: TaskId) -> Operation:
        return await self._read(lambda reader: reader.operation(operation_id))

    @override
    async def operations(self, *, before: TaskId | None, limit: int) -> Sequence[Operation]:
        return await self._read(lambda reader: reader.operations(before, limit))

    @override
    async def cancel_operation(self, operation_id: TaskId, *, entry: Entry | None = None) -> Operation:
        return await self._write(lambda moves: moves.operator.cancel(operation_id, entry))

    @override
    async def next_operation(self) -> Operation | None:
        return await self._read(lambda reader: reader.next_operation())

    @override
    async def matches(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool] = ()) -> Batch:
        now, monotonic = self._clock.now(), self._clock.monotonic
        return await self._read(
            lambda reader: reader.matches(
                query, after=after, limit=limit, free_pools=free_pools, now=now, monotonic=monotonic
            )
        )

    @override
    async def operate(
        self,
        operation: Operation,
        batch: Batch,
        query: Query | None,
        *,
        free_pools: Collection[Pool] = (),
        rewrite: Rewrite | None = None,
    ) -> Worked | None:
        return await self._write(lambda moves: moves.operator.operate(operation, batch, query, free_pools, rewrite))

    @override
    async def record(self, operation: Operation, *, seen: str | None) -> bool:
        return await self._write(lambda moves: moves.operator.record(operation, seen))

    @override
    async def prune_operations(self, *, older_than: timedelta) -> int:
        return await self._write(lambda moves: moves.operator.prune(older_than))

    # Schedules

    @override
    async def put_schedule(
        self,
        schedule: Schedule,
        run: Task | None,
        *,
        seen: Schedule | None,
        reach: timedelta = timedelta(0),
        entry: Entry | None = None,
    ) -> Rescheduled:
        return await self._write(lambda moves: moves.schedules.put(schedule, run, seen, reach, entry))

    @override
    async def delete_schedule(
        self, seen: Schedule, *, reach: timedelta = timedelta(0), entry: Entry | None = None
    ) -> Sequence[TaskId]:
        return await self._write(lambda moves: moves.schedules.delete(seen, reach, entry))

    @override
    async def add_runs(
        self,
        seen: Schedule,
        runs: Sequence[Task],
        repeatable: Repeatable[Sequence[Task]] | None = None,
        *,
        entry: Entry | None = None,
    ) -> KeptAnswer | Sequence[Task]:
        if not is_worth_while(runs):
            return await self._write(lambda moves: moves.schedules.add(seen, runs, repeatable, entry))
        return await self._staged(
            runs, lambda moves, staged: moves.schedules.add(seen, runs, repeatable, entry, staged)
        )

    @override
    async def schedule(self, name: str) -> Schedule:
        return await self._read(lambda reader: reader.schedule(name))

    @override
    async def schedules(self, *, after: str | None, limit: int) -> Sequence[Schedule]:
        return await self._read(lambda reader: reader.schedules(after, limit))

    @override
    async def runs(self, name: str, *, limit: int) -> Sequence[Run]:
        now = self._clock.now()
        return await self._read(lambda reader: reader.runs(name, limit, now))

    @override
    async def queued_run(self, name: str, scheduled_for: Instant) -> TaskId | None:
        return await self._read(lambda reader: reader.queued_run(name, scheduled_for))

    @override
    async def due_schedules(self, *, limit: int, without: Collection[str] = ()) -> DueSchedules:
        now = self._clock.now()
        return await self._read(lambda reader: reader.due_schedules(limit, without, now))

    @override
    async def down_spans(self, *, since: Instant) -> DownSpans:
        now = self._clock.now()
        return await self._read(lambda reader: reader.down_spans(since, now))

    @override
    async def admit(self, attempts: Sequence[Attempt]) -> Sequence[Admitted]:
        return await self._write(lambda moves: moves.schedules.admit(attempts), always=True)

    @override
    async def release_runs(self) -> Released:
        return await self._write(lambda moves: moves.schedules.release())

    @override
    async def advance_schedules(self, advances: Sequence[Advance]) -> Advanced:
        return await self._write(lambda moves: moves.schedules.advance(advances))

    # Statistics

    @override
    async def count_due(self, steps: Steps) -> DueCounts:
        monotonic = self._clock.monotonic
        return await self._read(lambda reader: reader.count_due(steps, monotonic))

    # Audit

    @override
    async def audit(self, query: AuditQuery, *, after: str | None, limit: int) -> AuditPage:
        return await self._read(lambda reader: reader.audit(query, after=after, limit=limit))

    @override
    async def note_change(self, entry: Entry) -> None:
        await self._write(lambda moves: moves.auditor.write(entry))

    @override
    async def prune_audit(self, *, older_than: timedelta) -> int:
        return await self._write(lambda moves: moves.auditor.prune(older_than))

    # Keys

    @override
    async def key_state(self, *, seen: int | None = None) -> KeyState | None:
        if seen is not None and seen == self._keys.version:  # nearly always: the file says no more
            return None
        return await self._read(lambda reader: reader.key_state(seen))

    @override
    async def create_key(self, key: ApiKey, *, entry: Entry | None = None) -> ApiKey:
        return await self._write(lambda moves: moves.keys.create(key, entry))

    @override
    async def revoke_key(self, key_id: str, *, spares_last_admin: bool, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.keys.revoke(key_id, entry, spares_last_admin=spares_last_admin))

    @override
    async def stop_asking(self, *, entry: Entry | None = None) -> int:
        return await self._write(lambda moves: moves.keys.stop_asking(entry))

    @override
    async def mark_used(self, used: Mapping[str, Instant]) -> None:
        await self._write(lambda moves: moves.keys.mark_used(used))

    @override
    def watch_keys(self, ring: Callable[[], None]) -> None:
        """No other node changes them."""

    # Sign-ins

    @override
    async def sign_in(self, sign_in: SignIn, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.sign_ins.begin(sign_in, entry))

    @override
    async def signed_in(self, digest: bytes) -> str | None:
        now = self._clock.now()
        return await self._read(lambda reader: reader.signed_in(digest, now))

    @override
    async def sign_out(self, digest: bytes, *, entry: Entry | None = None) -> None:
        await self._write(lambda moves: moves.sign_ins.end(digest, entry))

    @override
    async def prune_sign_ins(self) -> int:
        return await self._write(lambda moves: moves.sign_ins.prune())

    # Reports

    @override
    def report_to(self, told: Callable[[Report], None] | None) -> None:
        self._report = told or _tell_nobody

    @override
    async def write_history(self, rows: Sequence[HistoryRow]) -> None:
        await self._write(lambda moves: moves.historian.write(rows))

    @override
    async def history(
        self,
        length: int,
        first: Instant,
        until: Instant,
        *,
        beyond: tuple[Instant, str] | None = None,
        limit: int,
        of_failures: bool = False,
    ) -> Sequence[Kept]:
        return await self._read(
            lambda reader: reader.history(length, first, until, beyond=beyond, limit=limit, of_failures=of_failures)
        )

    @override
    async def prune_history(self) -> int:
        return await self._write(lambda moves: moves.historian.prune())

    # Nodes

    @override
    async def renew(self) -> float:
        """The lock on the file is held for life: there is nothing to renew."""
        return math.inf

    @override
    async def claims(self) -> Sequence[Claim]:
        return await self._read(lambda reader: reader.claims(self._node.bytes))

    @override
    async def take_back(self) -> TakenBack:
        """Looks once: while this process holds the file, nobody else can claim, and die."""
        if self._has_taken_back:
            return TakenBack(todo=0, failed=0)
        taken, report = await self._write(lambda moves: moves.recoverer.take_back(), always=True)
        self._has_taken_back = True
        self._report(report)
        return taken

    @override
    async def nodes(self) -> Sequence[NodeRecord]:
        running = await self._read(lambda reader: reader.count_running(up_to=COUNTED_TO))
        return [
            NodeRecord(
                id=str(self._node),
                address=self._address,
                version=self._version,
                started_at=self._started_at,
                lease_until=None,
                running=running,
            )
        ]

    @override
    def wake_others(self) -> None:
        """There are none."""

    @override
    def listen(self, ring: Callable[[], None]) -> None:
        """Nobody rings."""

    @override
    def listen_for_readers(self, wanted: Callable[[float], None]) -> None:
        """No other node has any."""

    @override
    async def tell_events(self, texts: Sequence[str]) -> None:
        """There is nobody to tell."""

    @override
    def watch_events(self, heard: Callable[[str], None], lost: Callable[[], None]) -> None:
        """Nobody tells."""

    @override
    def watch_ends(self, ring: Callable[[], None]) -> None:
        """No other node settles."""

    # Alerts

    # No other program writes into the file: there is no inbox.

    @property
    @override
    def has_inbox(self) -> bool:
        return False

    @override
    async def waiting_rows(self, *, after: TaskId | None, limit: int, largest: int) -> Sequence[InboxRow]:
        return ()

    @override
    async def take(
        self, rows: Sequence[InboxRow], verdicts: Sequence[NewTask | TaskerError]
    ) -> Sequence[Made | TaskerError | None]:
        return [None for _ in rows]

    @override
    async def inbox_rows(self, *, after: TaskId | None, limit: int) -> Sequence[InboxRow]:
        return ()

    @override
    async def retry_inbox_row(self, row_id: TaskId, *, entry: Entry | None = None) -> None:
        raise InboxRowNotFoundError(row_id)

    @override
    async def delete_inbox_row(self, row_id: TaskId, *, entry: Entry | None = None) -> None:
        raise InboxRowNotFoundError(row_id)

    @override
    async def count_inbox(self) -> InboxCount:
        return InboxCount()

    @override
    def watch_inbox(self, ring: Callable[[], None]) -> None:
        """There is nothing to hear of."""

    @override
    async def lead_alerts(self) -> AlertBook | None:
        return await self._read(lambda reader: reader.alerter.book())

    @override
    async def keep_alerts(self, book: AlertBook) -> AlertBook | None:
        return await self._write(lambda moves: moves.alerter.keep(book))

    @override
    async def yield_alerts(self, rest: timedelta) -> None:
        """Nobody else could send them."""

    @override
    async def troubles(self) -> Troubles:
        now = self._clock.now()
        counts_from = max(self._looks.down_until, self._pauses.until) if self._looks.has_looked else now
        return await self._read(
            lambda reader: Troubles(
                circuits=reader.alerter.circuits(now),
                gone=(),
                back={},
                counts_from=counts_from,
            )
        )

    def _write(self, write: Callable[[Moves], T], *, always: bool = False, urgent: bool = False) -> "asyncio.Future[T]":
        """Have *write* run on the writer's thread. What it returns is there once it is committed."""
        return cast("asyncio.Future[T]", self._commit.submit(write, always=always, urgent=urgent))

    def _prepare(self, write: Callable[[Moves], T]) -> "asyncio.Future[T]":
        """Do as ``_write``. What it writes is only of use to a later one, and may be lost before that."""
        return cast("asyncio.Future[T]", self._commit.submit(Preparation(write)))

    async def _read(self, question: Callable[[Reader], T]) -> T:
        if not self._is_open:
            raise StoreUnavailableError("it is closed")
        began = stopwatch()
        answer = await self._readers.ask(question)
        await rest(began)
        return answer

    def _open(self, location: Path | str) -> None:
        """Make the writing side."""
        connection, taken = open_database(location, self._lock, self._pools, self._clock.now(), vfs=self._vfs)
        if isinstance(location, Path):
            self._checkpointer = Checkpointer(connection, lambda: connect(location, vfs=self._vfs))
        self._writing = Queries(connection, self._texts)
        try:
            is_copy = mark.obey(str(location), read_mark(self._writing))
        except DatabaseError:
            connection.close()
            raise
        transactions = Transactions(connection, synced=self._meter.synced)
        moves = Moves(
            self._writing,
            transactions,
            self._clock.now,
            self._node.bytes,
            attempts_kept=self._attempts_kept,
            per_destination=self._per_destination,
            follow=self._follow,
            looks=self._looks,
        )
        self._keys = moves.keys
        self._pauses = moves.pauses
        if is_copy:
            self._start_paused(transactions)
        self._pauses.look()
        after_commit = (lambda: None) if self._checkpointer is None else self._checkpointer.advance
        self._writer = Writer(self._writing, transactions, moves, self._condition, after_commit=after_commit)
        if isinstance(location, Path):
            self._writer.warm()
        if taken is not None:
            _log.info("took over the earlier server's tasks", webhooks=taken.webhooks, hashes=taken.hashes)

    def _start_paused(self, transactions: Transactions) -> None:
        """Pause everything, and take away the mark that asks for it."""

        def change() -> None:
            self._pauses.pause(mark.PAUSED)
            write_mark(self._writing, None)

        try:
            transactions.run(change)
        except apsw.Error as error:
            self._writing.connection.close()
            raise DatabaseError(str(self._path), f"{error}") from error

    def _connect_reader(self) -> Queries:
        assert self._path is not None  # noqa: S101 - only files have reader threads
        return Queries(connect(self._path, vfs=self._vfs, read_only=True), self._texts)


def _tell_nobody(report: Report) -> None:
    del report


def _beat(moves: Moves, *, claim: Claim, progress: float | None, msg: str | None, deadline: timedelta | None) -> Beat:
    return moves.settler.beat(claim, progress=progress, msg=msg, deadline=deadline)


def _put(moves: Moves, *, seqs: range, tasks: Sequence[Task]) -> Sequence[Rows]:
    return moves.stager.put(seqs, tasks)


def _drop(moves: Moves, *, seqs: range, part: range) -> None:
    moves.stager.drop(seqs, part)
