"""Claiming: which due tasks this node takes, and which are set aside at their gates."""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tasker.ids import new_id
from tasker.interfaces import EXPIRE_LIMIT, Claimed, Follow
from tasker.model.attempt import Attempt
from tasker.model.circuit import THRESHOLD, CircuitState
from tasker.model.ending import Ending
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import LAST, Instant
from tasker.model.lifecycle import expired
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.faults import fault_of, fault_text
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.rows import to_gate
from tasker.timing.remote_clock import RemoteClock

ASIDE_LIMIT: Final = 512
"""So many due tasks of a pool a claim looks at when a gate does not let all of the first ones through."""

_WOKEN_LIMIT: Final = 64
"""Gates that one claim looks at, at most."""

_LOCKED: Final = 10_000
"""Microseconds after which it is looked again at due tasks that other sessions have locked."""


class Claimer:
    """Claims on one link. Each statement is a transaction, so that no lock outlasts it; but see ``_expire``."""

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        clock: RemoteClock,
        node: str,
        *,
        per_destination: int | None,
        follow: Follow,
    ) -> None:
        """Make a claimer.

        Args:
            clock: told what time it is in the database.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._link = link
        self._sql = queries
        self._clock = clock
        self._node = node
        self._per_destination = per_destination
        self._follow = follow
        self._inserter = Inserter(link, queries)
        self._full: dict[int, Instant] = {}
        """Gates without room here that may have some on other nodes, as hosts share slots; and when to look again."""
        self._unknown: set[int] = set()
        """Claims of which it is not known whether they were done."""

    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """See ``Store``."""
        room = {pool: slots for pool, slots in free.items() if slots > 0}
        return await self._link.run(lambda connection: self._claim(connection, room))

    def look_again(self, gates: Iterable[int]) -> None:
        """Say that these *gates* may have room on this node."""
        for gate in gates:
            self._full.pop(gate, None)

    async def _claim(self, connection: Connection, room: Mapping[Pool, int]) -> Claimed:
        await self._give_back_unknown(connection)
        self._full = {gate: until for gate, until in self._full.items() if until > self._clock.now()}
        heads = await self._look(connection, [*room])
        if not heads.is_leased:
            return Claimed((), None)
        expired_now = await self._expire(connection, heads.now) if heads.expires_at <= heads.now else 0
        due = [pool for pool in room if heads.next_due(pool) <= heads.now]
        if not due and not expired_now:
            # What has expired, if there is any, is another session's for now.
            return Claimed((), heads.now + _LOCKED if heads.expires_at <= heads.now else heads.earliest())
        taken = _Taken(secrets.randbits(63), heads.now)
        self._unknown.add(taken.fence)
        left = dict(room)
        for pool in due:
            if heads.wakes[pool] <= heads.now:
                left[pool] -= await self._take_held(connection, pool, left[pool], taken)
            if heads.queues[pool] <= heads.now and left[pool] > 0:
                left[pool] -= await self._take(connection, pool, left[pool], taken)
        if expired_now or any(left.values()):
            heads = await self._look(connection, [pool for pool, slots in left.items() if slots > 0])
            next_due = heads.earliest()
        else:
            next_due = heads.earliest_expiry()
        self._unknown.discard(taken.fence)
        if next_due is not None and not taken.moved and not expired_now:
            next_due = max(next_due, taken.now + _LOCKED)  # what is due is another session's for now
        attempts = [self._attempt(row, pool, taken.fence) for row, pool in taken.rows]
        attempts.sort(key=lambda attempt: (attempt.due_at, attempt.task_id))
        return Claimed(attempts, next_due, expired_now)

    async def _take(self, connection: Connection, pool: Pool, free: int, taken: "_Taken") -> int:
        """Claim up to *free* tasks from the head of the queue of *pool*; return how many."""
        count = 0
        for look in (free, ASIDE_LIMIT):
            rows = await connection.fetch(
                self._sql["claim"],
                pool,
                free - count,
                taken.fence,
                self._node,
                look,
                self._per_destination,
                THRESHOLD,
                LAST,
            )
            taken.moved |= bool(rows)
            claimed = [row for row in rows if row[0] is None]
            taken.rows += [(row, pool) for row in claimed]
            count += len(claimed)
            if len(claimed) == len(rows) or count == free:
                break
            # Some were set aside, and slots are left for what stands behind them.
        return count

    async def _take_held(self, connection: Connection, pool: Pool, free: int, taken: "_Taken") -> int:
        """Claim up to *free* tasks that were set aside at the gates that are to be looked at now; return how many."""
        woken = await connection.fetch(self._sql["woken"], pool, self._node, _WOKEN_LIMIT, [*self._full])
        visits = self._visits(woken, free, taken.now)
        rows = await connection.fetch(
            self._sql["claim_held"],
            pool,
            [*visits],
            [visit.wanted for visit in visits.values()],
            [visit.woken_at for visit in visits.values()],
            [visit.wake_at for visit in visits.values()],
            taken.fence,
            self._node,
        )
        taken.moved |= any(row[2] is not None for row in rows)  # else all is locked, or the clock was set back
        came = Counter(row[0] for row in rows if row[2] is not None)
        taken.rows += [(row, pool) for row in rows if row[2] is not None]
        short = sorted({row[0] for row in rows if came[row[0]] < visits[row[0]].wanted})
        if short:
            parks = [visits[gate].parks for gate in short]
            closed = {row[0] for row in await connection.fetch(self._sql["close_gate_queue"], pool, short, parks)}
            left = [gate for gate in short if gate not in closed]  # another session has some of what they hold, for now
            if left:
                await connection.fetch(self._sql["wake"], left, True)
        return came.total()

    def _visits(self, rows: Sequence[Any], free: int, now: Instant) -> "Mapping[int, _Visit]":
        """Return what to take at which gates, in the order of their ids. *rows* are of ``woken``."""
        visits: dict[int, _Visit] = {}
        for row in rows:
            if free == 0:
                break  # it is looked at when a slot is released
            gate = to_gate(row)
            _, _, _, _, _, _, _, running, running_here, woken_at, parks = row
            room = gate.room(
                running=running, running_here=running_here, free=free, per_destination=self._per_destination, now=now
            )
            wanted = min(room, free)
            free -= wanted
            wake_at = gate.look_at(now)
            if wanted == room and _shares_slots(gate, self._per_destination, now):
                self._full[gate.id] = wake_at
            if wanted < room or gate.id in self._full:
                # It stays due, but at another moment: of two nodes that have seen it, one has its turn.
                wake_at = now if woken_at < now else woken_at - 1
            visits[gate.id] = _Visit(wanted, woken_at, wake_at, parks)
        return dict(sorted(visits.items()))

    async def _expire(self, connection: Connection, now: Instant) -> int:
        """End a batch of what could not start in time, and store the callbacks for it.

        The tasks stay locked for a few round trips: claims pass over them, only who deletes one waits.
        """
        followed_by: list[Task] = []
        async with self._inserter.transaction(connection):
            # On the disk before its callback is sent: a crash would have another one made, with another id.
            await connection.execute("SET LOCAL synchronous_commit = on")
            rows = await connection.fetch(self._sql["expired"], EXPIRE_LIMIT)
            faults = [expired(fault_of(row[3])) for row in rows]
            await connection.execute(self._sql["expire"], [row[0] for row in rows], [fault_text(fault) for fault in faults])
            for row, fault in zip(rows, faults, strict=True):
                ending = Ending(
                    task_id=TaskId(str(row[0])), type=row[1], state=State.FAILED, attempts=row[2], payload=row[4], fault=fault
                )
                followed_by += self._follow(ending, now=now, new_id=new_id)
            await self._inserter.insert(connection, followed_by)
        return len(rows)

    async def _look(self, connection: Connection, pools: Sequence[Pool]) -> "_Heads":
        sent = self._clock.monotonic()
        rows = await connection.fetch(self._sql["look"], pools, self._node, [*self._full])
        heads = _Heads(rows, min(self._full.values(), default=_NEVER) if pools else _NEVER)
        self._clock.observe(heads.now, sent=sent, received=self._clock.monotonic())
        return heads

    async def _give_back_unknown(self, connection: Connection) -> None:
        if self._unknown:
            unknown = list(self._unknown)
            await connection.execute(self._sql["give_back_unknown"], self._node, unknown)
            self._unknown.difference_update(unknown)

    def _attempt(self, row: Any, pool: Pool, fence: int) -> Attempt:  # noqa: ANN401 - a record of claim or claim_held
        _, due_at, id_, type_, number, retried_after, execution_at, expires_at, payload = row
        return Attempt(
            task_id=TaskId(str(id_)),
            type=type_,
            pool=pool,
            number=number,
            retried_after=retried_after,
            due_at=due_at,
            execution_at=execution_at,
            expires_at=expires_at,
            fence=fence,
            node=self._node,
            payload=payload,
        )


class _Taken:
    """What a claim has come to so far."""

    def __init__(self, fence: int, now: Instant) -> None:
        self.fence = fence
        self.now = now
        self.rows: list[tuple[Any, Pool]] = []
        self.moved = False
        """Whether a task was claimed or set aside."""


class _Visit(NamedTuple):
    """What to take at a gate that holds tasks."""

    wanted: int
    woken_at: Instant
    """Since when it was to be looked at: as it was seen."""
    wake_at: Instant
    """When to look next."""
    parks: int
    """How often it had set tasks aside, as it was seen."""


class _Heads:
    """What the heads of some queues look like. ``_NEVER``: there is none."""

    def __init__(self, rows: Sequence[Any], full_until: Instant) -> None:
        """Read the rows of ``look``.

        Args:
            full_until: when to look at the gates that it passes over.
        """
        self._full_until = full_until
        self.now: Instant = rows[0][0]
        """By the database's clock."""
        self.is_leased: bool = rows[0][1]
        """Whether this node may claim."""
        self.expires_at: Instant = _moment(rows[0][2])
        """When the first task of any pool expires."""
        self.queues: Mapping[Pool, Instant] = {row[3]: _moment(row[4]) for row in rows if row[3] is not None}
        """When the head of a pool's queue is due."""
        self.wakes: Mapping[Pool, Instant] = {row[3]: _moment(row[5]) for row in rows if row[3] is not None}
        """When to look at the gates that hold tasks of a pool."""

    def next_due(self, pool: Pool) -> Instant:
        """When to look next at *pool*."""
        return min(self.queues[pool], self.wakes[pool])

    def earliest(self) -> Instant | None:
        """When to look next at any of them."""
        earliest = min([self.expires_at, self._full_until, *self.queues.values(), *self.wakes.values()])
        return None if earliest == _NEVER else earliest

    def earliest_expiry(self) -> Instant | None:
        """When the first task expires."""
        return None if self.expires_at == _NEVER else self.expires_at


_NEVER: Final = LAST + 1


def _shares_slots(gate: Gate, per_destination: int | None, now: Instant) -> bool:
    """Whether the room of *gate* is another on each node: see ``Gate.room``."""
    has_limit = gate.kind is not GateKind.HOST or gate.max_running is not None or per_destination is not None
    return not (gate.paused or has_limit) and gate.circuit.state(now) is CircuitState.CLOSED


def _moment(stored: Instant | None) -> Instant:
    return _NEVER if stored is None else stored
