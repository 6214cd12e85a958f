"""The store on PostgreSQL."""

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from typing_extensions import override

from tasker.errors import DatabaseError, StoreError, StoreUnavailableError, TaskerError
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
from tasker.model import instants
from tasker.model.api_key import ApiKey, KeyState
from tasker.model.attempt import Attempt, AttemptRecord, Awaited, Exchange
from tasker.model.audit import AuditQuery, Entry
from tasker.model.change import Change
from tasker.model.gate import Destination, GateRecord, Limits
from tasker.model.history import HistoryRow, Kept
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.inbox import InboxCount, InboxRow
from tasker.model.instants import Instant
from tasker.model.lifecycle import Move, Settlement
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
from tasker.stores.looks import Looks
from tasker.stores.postgres import schema as tables
from tasker.stores.postgres.alerter import Alerter
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.batches import Batches
from tasker.stores.postgres.bell import Bell
from tasker.stores.postgres.changer import Changer
from tasker.stores.postgres.claimer import TURN_SECONDS, Claimer
from tasker.stores.postgres.connection import Connection, Connector, Link
from tasker.stores.postgres.expirer import Expirer
from tasker.stores.postgres.gates import Gates
from tasker.stores.postgres.historian import Historian
from tasker.stores.postgres.inbox import Inbox
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.kept_answers import Create, KeptAnswers
from tasker.stores.postgres.keys import Keys
from tasker.stores.postgres.lease import Lease
from tasker.stores.postgres.links import Links
from tasker.stores.postgres.looker import Looker
from tasker.stores.postgres.maker import Maker, Making
from tasker.stores.postgres.marks import obey_mark
from tasker.stores.postgres.operator import Operator
from tasker.stores.postgres.pauses import Pauses
from tasker.stores.postgres.pruner import Pruner
from tasker.stores.postgres.puller import LeaseEnder, Puller
from tasker.stores.postgres.reader import READERS, Reader
from tasker.stores.postgres.recoverer import Recoverer
from tasker.stores.postgres.rezoner import Rezoner
from tasker.stores.postgres.schedules import Schedules
from tasker.stores.postgres.settler import Settler
from tasker.stores.postgres.sign_ins import SignIns
from tasker.stores.postgres.upgrade import Upgrade
from tasker.stores.rows import Reading
from tasker.timing.clock import Clock, stopwatch
from tasker.timing.remote_clock import RemoteClock

PENDING_LIMIT: Final = 10_000
"""Writes of a kind that may wait; beyond them callers are told to come back later."""

CLOSE_SECONDS: Final = 2.0
"""How long a store that is closed waits for what it was handed."""

KINDS: Final = ("create", "make", "settle", "delete", "admit")
"""The kinds of write that are committed apart from each other."""

_log = structlog.get_logger()


class PostgresStore(Store):
    """A ``Store`` in a PostgreSQL database that any number of nodes share. Needs a running event loop.

    It has one connection for each kind of work, so that no kind waits for another: accepting
    (create, delete), making (what may meet other tasks or an earlier request by a name, and what is
    told of attempts while they go on), making many at once, settling, claiming, keeping (lease,
    take-back, expiry, retention, the inbox), waking, and some for reading. A connection that breaks is made anew
    when it is needed next. What may have been done on a broken one is made certain: a create is
    repeated, a settle is looked for, a claim is given back by its number.
    """

    def __init__(
        self,
        url: str,
        *,
        base_clock: Clock,
        follow: Follow,
        address: str,
        version: str,
        schema: str | None = None,
        listens: bool = True,
        migrates: bool = True,
        pending_limit: int = PENDING_LIMIT,
        attempts_kept: int = 20,
        per_destination: int | None = None,
    ) -> None:
        """Make a store that is not open yet.

        Args:
            url: a ``postgresql://`` URL.
            base_clock: this machine's clock. The database's own decides.
            follow: says what follows the end of a task.
            address: the URL that this node listens at, for ``nodes``.
            version: of tasker, for ``nodes``.
            schema: the schema that the tables are in; None: the one that the URL, the role or the
                database says.
            listens: whether the connections are this node's own, so that notifications and prepared
                statements work.
            migrates: whether to bring the tables up to date.
            pending_limit: how many creates may wait, and how many deletes.
            attempts_kept: how many attempts of a task are kept, at least 1.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._connector = Connector(url, is_pooled=not listens, schema=schema)
        self._migrates = migrates
        self._clock = clock = RemoteClock(base_clock)
        node = self._node = str(uuid.uuid4())
        sql, reading = queries.load("tasker.stores.postgres"), Reading(str)
        self._sql = sql

        now = base_clock.monotonic
        self._meter = meter = StoreMeter(KINDS)
        self._accepting = Link(self._connector.connect, now, meter)
        self._making = Link(self._connector.connect, now, meter)
        self._batching = Link(self._connector.connect, now, meter)
        self._settling = Link(self._connector.connect, now, meter)
        # A claim that a crash of the database undoes runs again: it need not wait for the disk.
        # While it hangs in the turn of a gate, the claims of other nodes wait for that.
        self._claiming = Link(
            lambda: self._connector.connect(
                synchronous_commit="off", idle_in_transaction_session_timeout=f"{TURN_SECONDS:g}s"
            ),
            now,
            meter,
        )
        self._keeping = Link(self._connector.connect, now, meter)
        self._bell = Bell(self._connector.connect, node, base_clock, meter) if listens else None

        readers = [Link(self._connector.connect, now, meter) for _ in range(READERS)]
        looking = Link(self._connector.connect, now, meter)
        ringing = [] if self._bell is None else [self._bell.link]
        self._links = Links(
            [
                self._keeping,
                self._settling,
                self._claiming,
                self._accepting,
                self._making,
                self._batching,
                *readers,
                looking,
                *ringing,
            ],
            base_clock,
        )
        self._reader = Reader(readers, sql, reading, now)
        self._looks = Looks(now)
        self._looker = Looker(self._keeping, sql, self._looks, node)
        auditor = self._auditor = Auditor(self._keeping, sql)
        self._pauses = Pauses(self._accepting, sql, auditor)
        self._claimer = Claimer(
            self._claiming, sql, reading, clock, self._looker, self._pauses, node, per_destination=per_destination
        )
        self._puller = Puller(
            self._claiming, sql, reading, self._looker, self._pauses, node, wake_others=self.wake_others
        )
        self._gates = Gates(self._accepting, sql, reading, auditor, self._claimer.look_again)
        self._settler = Settler(
            self._settling,
            sql,
            reading,
            self._gates,
            Inserter(self._settling, sql),
            attempts_kept=attempts_kept,
            follow=follow,
        )
        self._lease = Lease(self._keeping, sql, clock, node, address=address, version=version, schema=tables.known())
        self._upgrade = Upgrade(self._keeping, migrates=migrates)
        followers = Inserter(self._keeping, sql)
        self._lapser = Settler(
            self._keeping, sql, reading, self._gates, followers, attempts_kept=attempts_kept, follow=follow
        )
        self._recoverer = Recoverer(self._keeping, sql, reading, self._lease, followers, node, follow=follow)
        self._lease_ender = LeaseEnder(self._keeping, sql, reading, followers, follow=follow)
        self._expirer = Expirer(self._keeping, sql, reading, followers, follow)
        self._pruner = Pruner(self._keeping, sql)
        self._rezoner = Rezoner(self._keeping, sql)
        self._alerter = Alerter(self._keeping, sql, self._looks, node, clock)

        self._historian = Historian(self._keeping, sql)

        self._inserter = Inserter(self._accepting, sql)
        self._changer = Changer(self._accepting, sql, reading, self._inserter, self._gates, auditor, follow=follow)
        self._creates = Batches(self._inserter.create_batch, pending_limit=pending_limit, meter=meter, kind="create")
        self._kept_answers = KeptAnswers(self._making, sql)
        self._creates_once: Batches[Create, KeptAnswer | Task] = Batches(
            self._kept_answers.create_batch, pending_limit=pending_limit, meter=meter, kind="create"
        )
        of_making = Inserter(self._making, sql)
        # What is told of attempts while they go on: many may be, and no settle waits for it.
        self._noter = Settler(
            self._making, sql, reading, self._gates, of_making, attempts_kept=attempts_kept, follow=follow
        )
        maker = Maker(self._making, sql, of_making, self._kept_answers, auditor)
        self._makes: Batches[Making, Sequence[Made] | KeptAnswer] = Batches(
            maker.make_batch, pending_limit=pending_limit, meter=meter, kind="make"
        )
        self._operator = Operator(
            self._keeping,
            sql,
            reading,
            followers,
            Changer(self._keeping, sql, reading, followers, self._gates, auditor, follow=follow),
            auditor,
            self._kept_answers,
            node,
        )
        self._schedules = self._schedules_on(self._accepting, self._inserter, sql, reading, follow)
        self._advances = self._schedules_on(self._keeping, followers, sql, reading, follow)
        self._keys = Keys(self._keeping, sql, reading, self._auditor)
        # They wait for nothing but short looks there.
        self._key_looks = Keys(looking, sql, reading, self._auditor)
        self._inbox = Inbox(
            self._keeping,
            sql,
            followers,
            Maker(self._keeping, sql, followers, self._kept_answers, auditor),
            auditor,
            clock,
            schema=tables.known(),
        )
        self._sign_ins = SignIns(self._keeping, looking, sql, self._auditor)
        of_many = Inserter(self._batching, sql)
        self._backfills = self._schedules_on(self._batching, of_many, sql, reading, follow)
        many = Maker(self._batching, sql, of_many, self._kept_answers, auditor)
        self._makes_many: Batches[Making, Sequence[Made] | KeptAnswer] = Batches(
            many.make_batch, pending_limit=pending_limit, meter=meter, kind="make"
        )
        self._settles = Batches(self._settler.settle_batch, pending_limit=pending_limit, meter=meter, kind="settle")
        self._deletes = Batches(self._changer.delete_batch, pending_limit=pending_limit, meter=meter, kind="delete")
        self._admits = Batches(self._advances.admit_batch, pending_limit=pending_limit, meter=meter, kind="admit")
        self._report: Callable[[Report], None] = _tell_nobody
        self._ailment: StoreError | None = None
        self._is_open = False

    @property
    @override
    def clock(self) -> Clock:
        return self._clock

    @property
    @override
    def clock_offset(self) -> float:
        return instants.seconds(self._clock.ahead)

    @property
    @override
    def meter(self) -> StoreMeter:
        return self._meter

    @override
    def space(self) -> Space:
        """What the database takes is PostgreSQL's business."""
        return Space()

    @override
    async def upkeep(self) -> Upkeep:
        return await self._reader.upkeep()

    @property
    @override
    def node_id(self) -> str:
        return self._node

    @property
    @override
    def events_partial(self) -> str | None:
        if self._bell is None:
            return "only this node's own events are told: it does not listen (--no-listen)"
        if self.is_upgrading:
            return "nodes of the version before do not tell of their events"
        return None

    @property
    @override
    def is_upgrading(self) -> bool:
        return not self._upgrade.is_finished

    @property
    def connections_needed(self) -> int:
        """How many connections it has when it is open."""
        return self._links.needed

    @property
    @override
    def ailment(self) -> str | None:
        ailment = self._ailment or self._links.ailment
        return None if ailment is None else str(ailment)

    @override
    async def open(self) -> None:
        await tables.prepare(self._connector, migrates=self._migrates)
        try:
            await self._pauses.start_paused(self._obey_mark, mark.PAUSED)
            await self.renew()
        except StoreUnavailableError as error:
            raise DatabaseError(self._connector.place, f"{error.reason}; see to that and start again") from error
        finally:
            if not self._lease.is_renewed:
                await self._links.disconnect()
        self._is_open = True
        await self._links.open()
        with suppress(StoreError):  # if it fails, the first create takes longer, and says why
            await self._inserter.warm()

    async def _obey_mark(self, connection: Connection) -> bool:
        return await obey_mark(connection, self._sql, self._connector.place)

    @override
    async def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        closing = asyncio.ensure_future(self._close())
        await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
        if not closing.done():
            _log.warning("closed the connections to PostgreSQL before all was written: it does not answer")
            self._links.shut()
        await closing

    async def _close(self) -> None:
        """Write what was handed in, and close the connections. Each statement may take ``COMMAND_SECONDS``."""
        await self._links.stop()
        for batches in (
            self._creates,
            self._creates_once,
            self._makes,
            self._makes_many,
            self._settles,
            self._deletes,
            self._admits,
        ):
            await batches.close()
        if self._bell is not None:
            await self._bell.close()
        try:
            await self._lease.end()
        except StoreUnavailableError:
            _log.warning("could not end the lease: it ends by itself")
        await self._reader.close()
        await self._links.disconnect()

    # Tasks

    @override
    async def create(self, tasks: Sequence[Task]) -> None:
        await self._creates.submit(tasks)

    @override
    async def make(
        self,
        new: Sequence[NewTask],
        repeatable: Repeatable[Sequence[Made]] | None = None,
        entry: Entry | None = None,
    ) -> Sequence[Made] | KeptAnswer:
        makes = self._makes if len(new) == 1 else self._makes_many
        return await makes.submit(Making(new, repeatable, entry))

    @override
    async def get(self, task_id: TaskId) -> Task:
        return await self._reader.get(task_id)

    @override
    async def id_of_key(self, key: str, *, or_newest: bool) -> TaskId:
        return await self._reader.id_of_key(key, or_newest=or_newest)

    @override
    async def ended(self, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        return await self._reader.ended(task_ids)

    @override
    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        return await self._reader.list_page(which, after=after, limit=limit)

    @override
    async def find(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool] = ()) -> Page:
        return await self._reader.find(query, after=after, limit=limit, free_pools=free_pools)

    @override
    async def count_found(self, query: Query, *, free_pools: Collection[Pool] = ()) -> Counted:
        return await self._reader.count_found(query, free_pools=free_pools)

    @override
    async def count(self, states: Collection[State] = STATES, *, up_to: int) -> Mapping[State, int]:
        return await self._reader.count(states, up_to=up_to)

    @override
    async def delete(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._deletes.submit((task_id, entry))
        self._say_ended()

    # Idempotency

    @override
    async def kept_answer(self, repeatable_id: bytes) -> KeptAnswer | None:
        return await self._reader.kept_answer(repeatable_id)

    @override
    async def create_once(self, task: Task, repeatable: Repeatable[Task]) -> KeptAnswer | Task:
        return await self._creates_once.submit((task, repeatable))

    @override
    async def prune_kept_answers(self) -> int:
        return await self._keeping.run(self._kept_answers.prune)

    # Attempts

    @override
    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        self._looks.begin()
        begun = stopwatch()
        try:
            if self._settling.failure is not None:  # what is begun could not be ended
                await self._settling.connect()
            claimed = await self._claimer.claim_due(free)
        except StoreError as error:
            self._looks.refused()
            self._ailment = error
            raise
        self._meter.claimed(stopwatch() - begun)
        self._ailment = None
        return claimed

    @override
    async def pull(
        self, queue: Destination, *, most: int, lease: timedelta, waited: timedelta = timedelta(0)
    ) -> Pulled:
        return await self._puller.pull(queue, most=most, lease=lease, waited=waited)

    @override
    async def end_leases(self) -> LeasesEnded:
        ended, report = await self._lease_ender.end()
        self._report(report)
        return ended

    @override
    async def overdue(self, *, free_pools: Collection[Pool]) -> Overdue:
        return await self._reader.overdue(free_pools=free_pools, now=self._clock.now)

    @override
    async def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        settled = await self._settles.submit((attempt, settlement), always=True)
        if settlement.ended_at is not None or settled.move is Move.STOP:
            self._say_ended()
        return settled

    @override
    async def give_back(self, claim: Claim | Attempt) -> Settled:
        settled = await self._settler.give_back(claim)
        if settled.move is Move.STOP:
            self._say_ended()
        return settled

    @override
    async def cancel(self, task_id: TaskId, *, entry: Entry | None = None) -> Cancelled:
        cancelled = await self._changer.cancel(task_id, entry)
        if cancelled.is_new:
            self._say_ended()
        return cancelled

    @override
    async def run_now(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._changer.run_now(task_id, entry)

    @override
    async def retry(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._changer.retry(task_id, entry)

    @override
    async def change(self, change: Change, *, entry: Entry | None = None) -> None:
        await self._changer.change(change, entry)

    @override
    async def confirm(self) -> None:
        await self._changer.confirm()

    @override
    async def completion_key(self) -> bytes:
        return await self._reader.completion_key()

    @override
    async def awaited(self, claim: Claim) -> Awaited:
        return await self._reader.awaited(claim)

    @override
    async def beat(
        self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None = None
    ) -> Beat:
        return await self._noter.beat(claim, progress=progress, msg=msg, deadline=deadline)

    @override
    async def note_answer(self, attempt: Attempt, exchange: Exchange | None) -> bool:
        return await self._noter.note_answer(attempt, exchange)

    @override
    async def lapse(self, judge: Judge) -> Lapsed:
        lapsed = await self._lapser.lapse(judge)
        if any(lapse.settled.move is not Move.BACK_OFF for lapse in lapsed.lapses):
            self._say_ended()
        return lapsed

    @override
    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        return await self._reader.attempts(task_id)

    # Gates

    @override
    async def standing(self, task_id: TaskId) -> Standing:
        return await self._reader.standing(task_id)

    @override
    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        return await self._reader.gates(after=after, limit=limit)

    @override
    async def troubled_gates(self, *, limit: int) -> Sequence[GateRecord]:
        return await self._reader.troubled_gates(limit=limit)

    @override
    async def count_gates(self) -> Mapping[str, int]:
        return await self._reader.count_gates()

    @override
    async def gate(self, gate_id: int) -> GateRecord:
        return await self._reader.gate(gate_id)

    @override
    async def pause(self, gate_id: int, *, entry: Entry | None = None) -> None:
        await self._gates.pause(gate_id, True, entry)

    @override
    async def resume(self, gate_id: int, *, entry: Entry | None = None) -> None:
        await self._gates.pause(gate_id, False, entry)

    @override
    async def probe(self, gate_id: int, *, entry: Entry | None = None) -> None:
        await self._gates.probe(gate_id, entry)

    @override
    async def limit(self, gate_id: int, limits: Limits, *, entry: Entry | None = None) -> None:
        await self._gates.limit(gate_id, limits, entry)

    @override
    async def make_gate(self, destination: Destination) -> int:
        return await self._inserter.make_gate(destination)

    # Pausing

    @property
    @override
    def paused_at(self) -> Instant | None:
        return self._pauses.at

    @override
    async def pause_all(self, entry: Entry | None = None) -> None:
        await self._pauses.pause(entry)

    @override
    async def resume_all(self, entry: Entry | None = None) -> None:
        await self._pauses.resume(entry)

    # Operations

    @override
    async def create_operation(
        self,
        operation: Operation,
        repeatable: Repeatable[Operation] | None = None,
        *,
        entry: Entry | None = None,
    ) -> KeptAnswer | Operation:
        return await self._operator.create(operation, repeatable, entry)

    @override
    async def operation(self, operation_id: TaskId) -> Operation:
        return await self._operator.operation(operation_id)

    @override
    async def operations(self, *, before: TaskId | None, limit: int) -> Sequence[Operation]:
        return await self._operator.operations(before, limit)

    @override
    async def cancel_operation(self, operation_id: TaskId, *, entry: Entry | None = None) -> Operation:
        return await self._operator.cancel(operation_id, entry)

    @override
    async def next_operation(self) -> Operation | None:
        return await self._operator.next()

    @override
    async def matches(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool] = ()) -> Batch:
        return await self._reader.matches(query, after=after, limit=limit, free_pools=free_pools)

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
        return await self._operator.operate(operation, batch, query, free_pools, rewrite)

    @override
    async def record(self, operation: Operation, *, seen: str | None) -> bool:
        return await self._operator.record(operation, seen)

    @override
    async def prune_operations(self, *, older_than: timedelta) -> int:
        return await self._operator.prune(older_than)

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
        return await self._schedules.put(schedule, run, seen, reach, entry)

    @override
    async def delete_schedule(
        self, seen: Schedule, *, reach: timedelta = timedelta(0), entry: Entry | None = None
    ) -> Sequence[TaskId]:
        return await self._schedules.delete(seen, reach, entry)

    @override
    async def add_runs(
        self,
        seen: Schedule,
        runs: Sequence[Task],
        repeatable: Repeatable[Sequence[Task]] | None = None,
        *,
        entry: Entry | None = None,
    ) -> KeptAnswer | Sequence[Task]:
        schedules = self._schedules if len(runs) == 1 else self._backfills
        return await schedules.add(seen, runs, repeatable, entry)

    @override
    async def schedule(self, name: str) -> Schedule:
        return await self._reader.schedule(name)

    @override
    async def schedules(self, *, after: str | None, limit: int) -> Sequence[Schedule]:
        return await self._reader.schedules(after, limit)

    @override
    async def runs(self, name: str, *, limit: int) -> Sequence[Run]:
        return await self._reader.runs(name, limit)

    @override
    async def queued_run(self, name: str, scheduled_for: Instant) -> TaskId | None:
        return await self._reader.queued_run(name, scheduled_for)

    @override
    async def due_schedules(self, *, limit: int, without: Collection[str] = ()) -> DueSchedules:
        return await self._reader.due_schedules(limit, [*without])

    @override
    async def down_spans(self, *, since: Instant) -> DownSpans:
        return await self._reader.down_spans(since)

    @override
    async def admit(self, attempts: Sequence[Attempt]) -> Sequence[Admitted]:
        admitted = await self._admits.submit(attempts, always=True)
        if any(each.admission is not None and each.admission.is_left_out for each in admitted):
            self._say_ended()
        return admitted

    @override
    async def release_runs(self) -> Released:
        return await self._advances.release()

    @override
    async def advance_schedules(self, advances: Sequence[Advance]) -> Advanced:
        return await self._advances.advance(advances)

    # Statistics

    @override
    async def count_due(self, steps: Steps) -> DueCounts:
        return await self._reader.count_due(steps)

    # Audit

    @override
    async def audit(self, query: AuditQuery, *, after: str | None, limit: int) -> AuditPage:
        return await self._reader.audit(query, after=after, limit=limit)

    @override
    async def note_change(self, entry: Entry) -> None:
        await self._auditor.note(entry)

    @override
    async def prune_audit(self, *, older_than: timedelta) -> int:
        return await self._auditor.prune(older_than)

    # Keys

    @override
    async def key_state(self, *, seen: int | None = None) -> KeyState | None:
        return await self._key_looks.key_state(seen=seen)

    @override
    async def create_key(self, key: ApiKey, *, entry: Entry | None = None) -> ApiKey:
        created = await self._keys.create_key(key, entry=entry)
        self._say_keys_changed()
        return created

    @override
    async def revoke_key(self, key_id: str, *, spares_last_admin: bool, entry: Entry | None = None) -> None:
        await self._keys.revoke_key(key_id, spares_last_admin=spares_last_admin, entry=entry)
        self._say_keys_changed()

    @override
    async def stop_asking(self, *, entry: Entry | None = None) -> int:
        kept = await self._keys.stop_asking(entry=entry)
        self._say_keys_changed()
        return kept

    @override
    async def mark_used(self, used: Mapping[str, Instant]) -> None:
        await self._keys.mark_used(used)

    @override
    def watch_keys(self, ring: Callable[[], None]) -> None:
        if self._bell is not None:
            self._bell.watch_keys(ring)

    # Sign-ins

    @override
    async def sign_in(self, sign_in: SignIn, *, entry: Entry | None = None) -> None:
        await self._sign_ins.begin(sign_in, entry)

    @override
    async def signed_in(self, digest: bytes) -> str | None:
        return await self._sign_ins.key_of(digest)

    @override
    async def sign_out(self, digest: bytes, *, entry: Entry | None = None) -> None:
        await self._sign_ins.end(digest, entry)

    @override
    async def prune_sign_ins(self) -> int:
        return await self._sign_ins.prune()

    # Reports

    @override
    def report_to(self, told: Callable[[Report], None] | None) -> None:
        self._report = told or _tell_nobody

    @override
    async def write_history(self, rows: Sequence[HistoryRow]) -> None:
        await self._historian.write(rows)

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
        return await self._reader.history(length, first, until, beyond=beyond, limit=limit, of_failures=of_failures)

    @override
    async def prune_history(self) -> int:
        return await self._historian.prune()

    # Nodes

    @override
    async def renew(self) -> float:
        try:
            trusted_until = await self._lease.renew()
        except StoreError as error:
            self._looks.refused()  # without a lease nothing is claimed
            self._ailment = error  # until a claim succeeds
            raise
        await self._upgrade.look()
        return trusted_until

    @override
    async def claims(self) -> Sequence[Claim]:
        return await self._lease.claims()

    @override
    async def take_back(self) -> TakenBack:
        if not self._lease.is_renewed:
            await self.renew()
        taken, report = await self._recoverer.take_back()
        self._report(report)
        return taken

    @override
    async def expire(self) -> Expired:
        expired, report = await self._expirer.expire()
        self._report(report)
        return expired

    @override
    async def zones(self) -> str:
        return await self._rezoner.zones()

    @override
    async def note_zones(self, version: str) -> None:
        await self._rezoner.note(version)

    @override
    async def rezone(self, version: str, place: Callable[[str, str], Instant | None]) -> Rezoned:
        return await self._rezoner.rezone(version, place)

    @override
    async def give_up(self, least: timedelta) -> int:
        report = await self._expirer.give_up(least)
        self._report(report)
        return len(report.ended)

    @override
    async def prune(self, state: State, *, older_than: timedelta) -> int:
        pruned = await self._pruner.prune(state, older_than=older_than)
        self._report(Report(pruned=pruned))
        return pruned

    @override
    async def prune_kept(self) -> int:
        pruned = await self._pruner.prune_kept()
        self._report(Report(pruned=pruned))
        return pruned

    @override
    async def prune_down(self) -> int:
        return await self._looker.prune() + await self._pauses.prune()

    @override
    async def nodes(self) -> Sequence[NodeRecord]:
        return await self._reader.nodes()

    @override
    def wake_others(self) -> None:
        if self._bell is not None:
            self._bell.ring_others()

    @override
    def listen(self, ring: Callable[[], None]) -> None:
        if self._bell is not None:
            self._bell.listen(ring)

    @override
    def listen_for_readers(self, wanted: Callable[[float], None]) -> None:
        if self._bell is not None:
            self._bell.listen_for_readers(wanted)

    @override
    async def tell_events(self, texts: Sequence[str]) -> None:
        if self._bell is not None and texts:
            await self._bell.tell_events(texts)

    @override
    def watch_events(self, heard: Callable[[str], None], lost: Callable[[], None]) -> None:
        if self._bell is not None:
            self._bell.watch_events(heard, lost)

    @override
    def watch_ends(self, ring: Callable[[], None]) -> None:
        if self._bell is not None:
            self._bell.watch_ends(ring)

    # Inbox

    @property
    @override
    def has_inbox(self) -> bool:
        return True

    @override
    async def waiting_rows(self, *, after: TaskId | None, limit: int, largest: int) -> Sequence[InboxRow]:
        return await self._inbox.waiting(after, limit, largest)

    @override
    async def take(
        self, rows: Sequence[InboxRow], verdicts: Sequence[NewTask | TaskerError]
    ) -> Sequence[Made | TaskerError | None]:
        return await self._inbox.take(rows, verdicts)

    @override
    async def inbox_rows(self, *, after: TaskId | None, limit: int) -> Sequence[InboxRow]:
        return await self._inbox.rows(after, limit)

    @override
    async def retry_inbox_row(self, row_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._inbox.retry(row_id, entry)

    @override
    async def delete_inbox_row(self, row_id: TaskId, *, entry: Entry | None = None) -> None:
        await self._inbox.delete(row_id, entry)

    @override
    async def count_inbox(self) -> InboxCount:
        return await self._inbox.count()

    @override
    def watch_inbox(self, ring: Callable[[], None]) -> None:
        if self._bell is not None:
            self._bell.watch_inbox(ring)

    # Alerts

    @override
    async def lead_alerts(self) -> AlertBook | None:
        return await self._alerter.lead()

    @override
    async def keep_alerts(self, book: AlertBook) -> AlertBook | None:
        return await self._alerter.keep(book)

    @override
    async def yield_alerts(self, rest: timedelta) -> None:
        await self._alerter.give_up(rest)

    @override
    async def troubles(self) -> Troubles:
        return await self._alerter.troubles()

    def _schedules_on(
        self, link: Link, inserter: Inserter, sql: Mapping[str, str], reading: Reading, follow: Follow
    ) -> Schedules:
        return Schedules(link, sql, inserter, self._kept_answers, self._gates, self._auditor, reading, follow)

    def _say_keys_changed(self) -> None:
        if self._bell is not None:
            self._bell.say_keys_changed()

    def _say_ended(self) -> None:
        if self._bell is not None:
            self._bell.say_ended()


def _tell_nobody(report: Report) -> None:
    del report
