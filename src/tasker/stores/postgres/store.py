"""The store on PostgreSQL."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from tasker.errors import StoreError, StoreUnavailableError
from tasker.ids import new_id
from tasker.interfaces import PRUNE_LIMIT, Claim, Claimed, Follow, Page, Settled, TakenBack, TaskFilter
from tasker.model import instants
from tasker.model.attempt import Attempt, AttemptRecord
from tasker.model.ending import Ending
from tasker.model.gate import GateRecord
from tasker.model.instants import Instant
from tasker.model.lifecycle import MAX_CRASHES, Settlement
from tasker.model.node import NodeRecord
from tasker.model.standing import Standing
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores import queries
from tasker.stores.faults import CRASHED, fault_text
from tasker.stores.postgres import schema
from tasker.stores.postgres.batches import Batches
from tasker.stores.postgres.bell import Bell
from tasker.stores.postgres.claimer import Claimer
from tasker.stores.postgres.connection import Connection, Connector, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.reader import READERS, Reader
from tasker.stores.postgres.writer import Writer
from tasker.timing.clock import Clock
from tasker.timing.remote_clock import RemoteClock

PENDING_LIMIT: Final = 10_000
"""Writes of a kind that may wait; beyond them callers are told to come back later."""

LEASE: Final = timedelta(seconds=30)
"""How long the others wait, after a node was last heard of, before they take back what it runs."""

PATIENCE: Final = 10.0
"""Seconds after this node has found the database again in which it takes nothing back: the others may have to find it, too."""

_TAKE_BACK_LIMIT: Final = 1_000

_log = structlog.get_logger()


class PostgresStore:
    """A ``Store`` in a PostgreSQL database that any number of nodes share. Needs a running event loop.

    It has one connection for each kind of work, so that no kind waits for another: accepting (create, delete), settling,
    claiming, keeping (lease, take-back, retention), waking, and some for reading. A connection that breaks is made anew when
    it is needed next. What may have been done on a broken one is made certain: a create is repeated, a settle is looked for,
    a claim is given back by its number.
    """

    def __init__(
        self,
        url: str,
        *,
        base_clock: Clock,
        follow: Follow,
        address: str,
        version: str,
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
            listens: whether the connections are this node's own, so that notifications and prepared statements work.
            migrates: whether to bring the tables up to date.
            pending_limit: how many creates may wait, and how many deletes.
            attempts_kept: how many attempts of a task are kept, at least 1.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._connector = Connector(url, is_pooled=not listens)
        self._clock = RemoteClock(base_clock)
        self._address = address
        self._version = version
        self._migrates = migrates
        self._sql = queries.load("tasker.stores.postgres")
        self._node = str(uuid.uuid4())
        now = base_clock.monotonic
        self._accepting = Link(self._connector.connect, now)
        self._settling = Link(self._connector.connect, now)
        # A claim that a crash of the database undoes runs again: it need not wait for the disk.
        self._claiming = Link(lambda: self._connector.connect(synchronous_commit="off"), now)
        self._keeping = Link(self._connector.connect, now)
        self._reader = Reader([Link(self._connector.connect, now) for _ in range(READERS)], self._sql)
        self._bell = Bell(self._connector.connect, self._node, base_clock) if listens else None
        self._claimer = Claimer(
            self._claiming, self._sql, self._clock, self._node, per_destination=per_destination, follow=follow
        )
        self._follow = follow
        self._followers = Inserter(self._keeping, self._sql)
        self._writer = Writer(
            self._accepting,
            self._settling,
            self._sql,
            attempts_kept=attempts_kept,
            has_room=self._claimer.look_again,
            follow=follow,
        )
        self._creates = Batches(self._writer.create_batch, pending_limit=pending_limit)
        self._settles = Batches(self._writer.settle_batch, pending_limit=pending_limit)
        self._deletes = Batches(self._writer.delete_batch, pending_limit=pending_limit)
        self._ailment: StoreError | None = None
        self._renewed_on = 0
        """Which of the keeping link's connections the lease was renewed on."""
        self._patient_until = 0.0
        self._is_open = False

    @property
    def clock(self) -> Clock:
        """See ``Store``."""
        return self._clock

    @property
    def clock_offset(self) -> float:
        """See ``Store``."""
        return instants.seconds(self._clock.ahead)

    @property
    def ailment(self) -> str | None:
        """See ``Store``."""
        return None if self._ailment is None else str(self._ailment)

    async def open(self) -> None:
        """See ``Store``.

        Raises:
            DatabaseError, DatabaseTooNewError, SchemaOutdatedError: nothing was changed.
        """
        await schema.prepare(self._connector, migrates=self._migrates)
        self._is_open = True
        await self.renew()

    async def close(self) -> None:
        """See ``Store``. Ends the lease, so that the others take back at once what was left running."""
        if not self._is_open:
            return
        self._is_open = False
        for batches in (self._creates, self._settles, self._deletes):
            await batches.close()
        if self._bell is not None:
            await self._bell.close()
        try:
            await self._keeping.run(lambda connection: connection.execute(self._sql["end_lease"], self._node))
        except StoreUnavailableError:
            _log.warning("could not end the lease: it ends by itself")
        await self._reader.close()
        for link in (self._accepting, self._settling, self._claiming, self._keeping):
            await link.close()

    # Tasks

    async def create(self, tasks: Sequence[Task]) -> None:
        """See ``Store``."""
        await self._creates.submit(tasks)

    async def get(self, task_id: TaskId) -> Task:
        """See ``Store``."""
        return await self._reader.get(task_id)

    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """See ``Store``."""
        return await self._reader.list_page(which, after=after, limit=limit)

    async def count(self, *, up_to: int) -> Mapping[State, int]:
        """See ``Store``."""
        return await self._reader.count(up_to=up_to)

    async def delete(self, task_id: TaskId) -> None:
        """See ``Store``."""
        await self._deletes.submit(task_id)

    # Attempts

    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """See ``Store``."""
        try:
            claimed = await self._claimer.claim_due(free)
        except StoreError as error:
            self._ailment = error
            raise
        self._ailment = None
        return claimed

    async def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        """See ``Store``."""
        settled: Settled = await self._settles.submit((attempt, settlement), always=True)
        return settled

    async def give_back(self, claim: Claim | Attempt) -> None:
        """See ``Store``."""
        await self._writer.give_back(claim)

    async def retry(self, task_id: TaskId) -> None:
        """See ``Store``."""
        await self._writer.retry(task_id)

    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """See ``Store``."""
        return await self._reader.attempts(task_id)

    # Gates

    async def standing(self, task_id: TaskId) -> Standing:
        """See ``Store``."""
        return await self._reader.standing(task_id)

    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """See ``Store``."""
        return await self._reader.gates(after=after, limit=limit)

    async def gate(self, gate_id: int) -> GateRecord:
        """See ``Store``."""
        return await self._reader.gate(gate_id)

    async def pause(self, gate_id: int) -> None:
        """See ``Store``."""
        await self._writer.pause(gate_id, True)

    async def resume(self, gate_id: int) -> None:
        """See ``Store``."""
        await self._writer.pause(gate_id, False)

    async def limit(self, gate_id: int, max_running: int | None) -> None:
        """See ``Store``."""
        await self._writer.limit(gate_id, max_running)

    # Nodes

    async def renew(self) -> float:
        """See ``Store``."""
        sent = self._clock.monotonic()
        try:
            now: Instant = await self._keeping.run(
                lambda connection: connection.fetchval(self._sql["renew"], self._node, self._address, self._version, LEASE)
            )
        except StoreError as error:
            self._ailment = error  # until a claim succeeds
            raise
        self._clock.observe(now, sent=sent, received=self._clock.monotonic())
        if self._renewed_on != self._keeping.connections:
            self._renewed_on = self._keeping.connections
            self._patient_until = sent + PATIENCE
        return sent + LEASE.total_seconds()

    async def claims(self) -> Sequence[Claim]:
        """See ``Store``."""
        rows = await self._keeping.run(lambda connection: connection.fetch(self._sql["claims"], self._node))
        return [Claim(TaskId(str(row[0])), row[1]) for row in rows]

    async def take_back(self) -> TakenBack:
        """See ``Store``."""
        if self._renewed_on != self._keeping.connections:
            await self.renew()

        async def take(connection: Connection) -> TakenBack:
            if self._renewed_on != self._keeping.connections or self._clock.monotonic() < self._patient_until:
                return TakenBack(todo=0, failed=0)
            arguments = (self._node, MAX_CRASHES, fault_text(CRASHED), _TAKE_BACK_LIMIT)
            followed_by: list[Task] = []
            async with self._followers.transaction(connection):
                rows = await connection.fetch(self._sql["take_back"], *arguments)
                failed = [row[1:] for row in rows if row[0] == State.FAILED]
                for id_, type_, attempts, now, payload in failed:
                    ending = Ending(
                        task_id=TaskId(str(id_)),
                        type=type_,
                        state=State.FAILED,
                        attempts=attempts,
                        payload=payload,
                        fault=CRASHED,
                    )
                    followed_by += self._follow(ending, now=now, new_id=new_id)
                await self._followers.insert(connection, followed_by)
            await connection.execute(self._sql["forget_nodes"])
            return TakenBack(todo=len(rows) - len(failed), failed=len(failed))

        return await self._keeping.run(take)

    async def prune(self, state: State, *, older_than: timedelta) -> int:
        """See ``Store``."""
        count: int = await self._keeping.run(
            lambda connection: connection.fetchval(self._sql["prune"], int(state), older_than, PRUNE_LIMIT)
        )
        return count

    async def nodes(self) -> Sequence[NodeRecord]:
        """See ``Store``."""
        return await self._reader.nodes()

    def wake_others(self) -> None:
        """See ``Store``."""
        if self._bell is not None:
            self._bell.ring_others()

    def listen(self, ring: Callable[[], None]) -> None:
        """See ``Store``."""
        if self._bell is not None:
            self._bell.listen(ring)
