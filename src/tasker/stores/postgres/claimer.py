"""Claiming: which due tasks this node takes, and which of them their gates hold."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from tasker.interfaces.queue import Claimed
from tasker.model.attempt import Attempt
from tasker.model.circuit import THRESHOLD
from tasker.model.instants import LAST, Instant, after
from tasker.model.task import Pool
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.held import HeldTasks
from tasker.stores.postgres.looker import Looker
from tasker.stores.postgres.pauses import Pauses
from tasker.stores.postgres.payloads import with_payloads
from tasker.stores.postgres.starter import Starter
from tasker.stores.rows import Reading
from tasker.timing.remote_clock import RemoteClock

LOOK_LIMIT: Final = 512
"""So many due tasks of a pool a claim looks at when a gate does not let all of the first ones
through."""

LOCKED: Final = timedelta(milliseconds=10)
"""After this time it is looked again at due tasks that other sessions have locked."""

TURN_SECONDS: Final = 2.0
"""For how long a node that hangs may keep a strict gate from others, in the middle of its turn."""

_NEVER: Final = LAST + 1


class Claimer:
    """Claims on one link.

    Each statement is a transaction, so that no lock outlasts it; but for turns of strict gates: see
    ``HeldTasks``.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        clock: RemoteClock,
        looker: Looker,
        pauses: Pauses,
        node: str,
        *,
        per_destination: int | None,
    ) -> None:
        """Make a claimer.

        Args:
            clock: told what time it is in the database.
            pauses: told of the latest one.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._clock = clock
        self._looker = looker
        self._node = node
        self._per_destination = per_destination
        self._pauses = pauses
        self._starter = Starter(queries, reading)
        self._held = HeldTasks(queries, reading, looker, pauses, node, per_destination=per_destination)
        self._unknown: set[int] = set()
        """Claims of which it is not known whether they were done."""

    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """Take due tasks, at most *free[pool]* of each pool: see ``Store.claim_due``."""
        room = {pool: slots for pool, slots in free.items() if slots > 0}
        return await self._link.run(lambda connection: self._claim(connection, room))

    def look_again(self, gates: Iterable[int]) -> None:
        """Say that these *gates* may have room on this node."""
        self._held.look_again(gates)

    async def _claim(self, connection: Connection, room: Mapping[Pool, int]) -> Claimed:
        await self._give_back_unknown(connection)
        heads = await self._look(connection, [*room])
        if not heads.is_leased:
            return Claimed((), None)
        await self._looker.look(connection, heads.now)
        if self._pauses.at is not None:
            return Claimed((), None)
        due = [pool for pool in room if heads.next_due(pool) <= heads.now]
        if not due:
            return Claimed((), heads.earliest([*room]))
        progress = _Progress(secrets.randbits(63), heads.now)
        self._unknown.add(progress.fence)
        left = dict(room)
        for pool in due:
            if heads.wakes[pool] <= heads.now:
                taken = await self._held.take(connection, pool, left[pool], progress.fence, progress.now)
                left[pool] -= self._take_note(progress, taken.rows, moved=taken.has_moved)
            if heads.queues[pool] <= heads.now and left[pool] > 0:
                held = progress.held
                left[pool] -= await self._take(connection, pool, left[pool], progress)
                if progress.held > held and left[pool] > 0:  # strict gates hand out from what they hold only
                    taken = await self._held.take_strict(connection, pool, left[pool], progress.fence, progress.now)
                    left[pool] -= self._take_note(progress, taken.rows, moved=taken.has_moved)
        if again := [pool for pool in due if left[pool] > 0]:
            heads.update(await self._look(connection, again))  # of the others nothing was taken
        next_due = heads.earliest([pool for pool, slots in left.items() if slots > 0])
        progress.attempts.sort(key=lambda attempt: (attempt.due_at, attempt.task_id))
        attempts = await with_payloads(connection, self._sql, progress.attempts)
        attempts = await self._starter.start(connection, attempts)
        self._unknown.discard(progress.fence)
        if next_due is not None and not progress.has_moved:
            next_due = max(next_due, after(progress.now, LOCKED))  # what is due is another session's for now
        return Claimed(attempts, next_due)

    async def _take(self, connection: Connection, pool: Pool, free: int, progress: "_Progress") -> int:
        """Claim up to *free* tasks from the head of the queue of *pool*; return how many."""
        count = 0
        for look in (free, LOOK_LIMIT):
            rows = await connection.fetch(
                self._sql["claim"],
                pool,
                free - count,
                progress.fence,
                self._node,
                look,
                self._per_destination,
                THRESHOLD,
                LAST,
                self._looker.down_until,
                self._pauses.until,
            )
            claimed = [row for row in rows if row["held_by"] is None]
            count += self._take_note(progress, claimed, moved=bool(rows))
            progress.held += len(rows) - len(claimed)
            if len(claimed) == len(rows) or count == free:
                break
            # Some are held now, and slots are left for what stands behind them.
        return count

    def _take_note(self, progress: "_Progress", claimed: Sequence[Record], *, moved: bool) -> int:
        """Take the *claimed* tasks to the others; return how many."""
        progress.attempts += map(self._reading.attempt.read, claimed)
        progress.has_moved |= moved
        return len(claimed)

    async def _look(self, connection: Connection, pools: Sequence[Pool]) -> "_QueueHeads":
        full = self._held.full(self._clock.now())
        sent = self._clock.monotonic()
        rows = await connection.fetch(self._sql["look"], pools, self._node, [*full])
        heads = _QueueHeads(rows, min(full.values(), default=_NEVER) if pools else _NEVER)
        self._clock.observe(heads.now, sent=sent, received=self._clock.monotonic())
        self._pauses.heard(rows[0]["pause_began_at"], rows[0]["pause_ended_at"])
        return heads

    async def _give_back_unknown(self, connection: Connection) -> None:
        if self._unknown:
            unknown = list(self._unknown)
            await connection.execute(self._sql["give_back_unknown"], self._node, unknown)
            self._unknown.difference_update(unknown)


class _Progress:
    """How far a claim has come."""

    def __init__(self, fence: int, now: Instant) -> None:
        self.fence = fence
        self.now = now
        self.attempts: list[Attempt] = []
        self.held = 0
        """How many tasks are held now and were not before."""
        self.has_moved = False
        """Whether a task was claimed, or a gate holds it now that did not before."""


class _QueueHeads:
    """When the first tasks of some pools are due. ``_NEVER``: there is none."""

    def __init__(self, rows: Sequence[Record], full_until: Instant) -> None:
        """Read the rows of ``look``.

        Args:
            full_until: see below.
        """
        self.full_until = full_until
        """When to look at the gates that it passes over."""
        self.now: Instant = rows[0]["now"]
        """By the database's clock."""
        self.is_leased: bool = rows[0]["is_leased"]
        """Whether this node may claim."""
        of_pools = [row for row in rows if row["pool"] is not None]
        self.queues: dict[Pool, Instant] = {row["pool"]: _moment(row["due_at"]) for row in of_pools}
        """When the head of a pool's queue is due."""
        self.wakes: dict[Pool, Instant] = {row["pool"]: _moment(row["wake_at"]) for row in of_pools}
        """When to look at the gates that hold tasks of a pool."""

    def next_due(self, pool: Pool) -> Instant:
        """When to look next at *pool*."""
        return min(self.queues[pool], self.wakes[pool])

    def update(self, later: "_QueueHeads") -> None:
        """Take what was seen *later* of some of the pools."""
        self.full_until = later.full_until
        self.queues |= later.queues
        self.wakes |= later.wakes

    def earliest(self, pools: Sequence[Pool]) -> Instant | None:
        """When to look next at any of *pools*; None: at none."""
        earliest = min([self.full_until, *map(self.next_due, pools)]) if pools else _NEVER
        return None if earliest == _NEVER else earliest


def _moment(stored: Instant | None) -> Instant:
    return _NEVER if stored is None else stored
