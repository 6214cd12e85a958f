"""Pulling: what queues hand out to callers, and what is taken back of that."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from asyncpg import LockNotAvailableError

from tasker.ids import new_id
from tasker.interfaces.pulling import LEASE_LIMIT, LEFT_FOR, LeasesEnded, Pulled
from tasker.interfaces.queue import Follow, TakenBack
from tasker.interfaces.reports import Report
from tasker.model.gate import Destination
from tasker.model.instants import Instant, after
from tasker.model.lifecycle import CRASHED, MAX_CRASHES
from tasker.model.task import State
from tasker.stores.faults import fault_text
from tasker.stores.postgres.claimer import LOCKED
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.looker import Looker
from tasker.stores.postgres.pauses import Pauses
from tasker.stores.postgres.payloads import with_payloads
from tasker.stores.pulling import Queue, Turn, turn
from tasker.stores.rows import Reading

_SAID_AFTER: Final = timedelta(seconds=1)
"""Once somebody has waited so long for a queue, the other nodes are told."""


class Puller:
    """Gives callers what queues hold, on one link.

    Each statement is a transaction, so that no lock outlasts it; but for queues with a limit or a
    rate, whose gate is locked meanwhile.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        looker: Looker,
        pauses: Pauses,
        node: str,
        *,
        wake_others: Callable[[], None],
    ) -> None:
        """Make it.

        Args:
            wake_others: called when something is left to another node.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._looker = looker
        self._pauses = pauses
        self._node = node
        self._wake_others = wake_others
        self._waiting: set[int] = set()
        """Queues, by their gates, of which the others know that somebody waits for them here."""
        self._unknown: dict[int, int] = {}
        """Claims of which it is not known whether they were done, and the gates of their queues."""

    async def pull(self, queue: Destination, *, most: int, lease: timedelta, waited: timedelta) -> Pulled:
        """Take what is due of a queue: see ``Store.pull``."""
        return await self._link.run(lambda connection: self._pull(connection, _Asked(queue.name, most, lease, waited)))

    async def _pull(self, connection: Connection, asked: "_Asked") -> Pulled:
        if self._unknown:
            unknown = dict(self._unknown)
            await connection.execute(self._sql["give_back_unknown_pulled"], [*unknown.values()], [*unknown])
            for fence in unknown:
                del self._unknown[fence]
        look = await self._look(connection, asked)
        if look is None or self._pauses.at is not None:
            return Pulled()
        gate = look.turn.gate
        if look.turn.wanted == 0:
            pulled = Pulled(next_at=look.turn.next_at)
        elif gate.max_running is None and gate.rate is None:
            pulled = await self._take(connection, look, asked.lease)
        else:
            pulled = await self._take_locked(connection, look, asked)
        if not pulled.attempts and asked.waited >= _SAID_AFTER:
            self._waiting.add(gate.id)
            await connection.execute(self._sql["wait_for_queue"], gate.id, self._node, asked.waited)
        return pulled

    async def _take_locked(self, connection: Connection, seen: "_Look", asked: "_Asked") -> Pulled:
        """Take of a queue with a limit or a rate: one caller at a time does, over all nodes."""
        gate = seen.turn.gate
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '100ms'")
                await connection.execute(self._sql["lock_queue"], gate.id)
                look = await self._look(connection, asked)  # as the turn before has left it
                if look is None or look.turn.wanted == 0:
                    return Pulled(next_at=None if look is None else look.turn.next_at)
                pulled = await self._take(connection, look, asked.lease)
                count = len(pulled.attempts)
                await connection.execute(
                    self._sql["end_pull"],
                    gate.id,
                    look.turn.started(count, look.now).next_at,
                    look.turn.is_used_up and count == look.turn.wanted,
                )
        except LockNotAvailableError:  # another node's turn takes long: it may hang
            return Pulled(next_at=after(seen.now, LOCKED))
        return pulled

    async def _look(self, connection: Connection, asked: "_Asked") -> "_Look | None":
        """Return what may be taken of a queue; None: there is no such queue, or this node may not claim."""
        row = await connection.fetchrow(self._sql["queue"], asked.queue, self._node, asked.waited)
        if row is None or not row["is_leased"]:
            return None
        now, due_at = row["now"], row["due_at"]
        queue = Queue(self._reading.gate.read(row), row["waiting"], row["room_since"], due_at)
        found = turn(queue, most=asked.most, now=now)
        left_until = None
        if row["longer"] and due_at is not None:
            until = after(max(due_at, found.let_go_at), LEFT_FOR)
            left_until = until if until > now else None
        return _Look(found, now, row["longer"], left_until)

    async def _take(self, connection: Connection, look: "_Look", lease: timedelta) -> Pulled:
        fence = secrets.randbits(63)
        self._unknown[fence] = look.turn.gate.id
        rows = await connection.fetch(
            self._sql["pull"],
            look.turn.gate.id,
            look.turn.wanted,
            fence,
            self._node,
            lease,
            self._looker.down_until,
            look.turn.let_go_at,
            self._pauses.until,
            0 if look.left_until is None else look.longer,
            look.turn.gate.id in self._waiting,
        )
        if look.left_until is not None:
            self._wake_others()
        self._waiting.discard(look.turn.gate.id)
        attempts = await with_payloads(connection, self._sql, [self._reading.attempt.read(row) for row in rows])
        del self._unknown[fence]
        if not rows:  # what is due is another session's for now
            return Pulled(next_at=look.left_until or after(look.now, LOCKED))
        return Pulled(
            sorted(attempts, key=lambda attempt: (attempt.due_at, attempt.task_id)),
            rows[0]["started_at"],
            rows[0]["deadline"],
            look.now,
        )


class _Asked(NamedTuple):
    """What a caller wants."""

    queue: str
    most: int
    lease: timedelta
    waited: timedelta


class _Look(NamedTuple):
    """What was seen of a queue."""

    turn: Turn
    now: Instant
    """By the database's clock."""
    longer: int
    """On how many other nodes somebody has waited longer."""
    left_until: Instant | None
    """Until when what is due first is left to those; None: it is not."""


class LeaseEnder:
    """Takes back what was pulled and whose lease has ended, in batches."""

    def __init__(
        self, link: Link, queries: Mapping[str, str], reading: Reading, inserter: Inserter, *, follow: Follow
    ) -> None:
        """Make it.

        Args:
            inserter: stores what follows, on the same link.
            follow: says what follows the end of a task.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._inserter = inserter
        self._follow = follow

    async def end(self) -> tuple[LeasesEnded, Report]:
        """End a batch of leases: see ``Store.end_leases``."""
        return await self._link.run(self._end)

    async def _end(self, connection: Connection) -> tuple[LeasesEnded, Report]:
        head = await connection.fetchrow(self._sql["next_lease"])
        if head["deadline"] is None or head["deadline"] > head["now"]:
            return LeasesEnded(TakenBack(todo=0, failed=0), head["deadline"]), Report()
        async with self._inserter.transaction(connection):
            rows = await connection.fetch(self._sql["end_leases"], MAX_CRASHES, fault_text(CRASHED), LEASE_LIMIT)
            failed = [(row["now"], self._reading.failed(row, CRASHED)) for row in rows if row["state"] == State.FAILED]
            followers = [task for now, ending in failed for task in self._follow(ending, now=now, new_id=new_id)]
            await self._inserter.insert(connection, followers)
            if gates := sorted({row["gate"] for row in rows}):
                await connection.execute(self._sql["wake"], gates, False)
        back = [self._reading.ending.read(row).task_id for row in rows if row["state"] == State.TODO]
        report = Report(ended=[ending.task_id for _, ending in failed], taken_back=back, followed_by=followers)
        head = await connection.fetchrow(self._sql["next_lease"])
        next_at = head["deadline"]
        if next_at is not None and next_at <= head["now"] and len(rows) < LEASE_LIMIT:
            next_at = after(head["now"], LOCKED)  # it is another session's for now
        return LeasesEnded(TakenBack(todo=len(back), failed=len(failed)), next_at), report
