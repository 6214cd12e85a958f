"""Claiming: which due tasks this node takes."""

import secrets
from collections.abc import Callable, Iterable, Mapping

from tasker.interfaces.queue import Claimed
from tasker.model.attempt import Attempt
from tasker.model.instants import Instant
from tasker.model.task import Pool
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.gates import Gates, as_json
from tasker.stores.sqlite.looker import Looker
from tasker.stores.sqlite.pauses import Pauses
from tasker.stores.sqlite.rows import READING
from tasker.stores.sqlite.starter import Starter
from tasker.stores.sqlite.transactions import Transactions


class Claimer:
    """Takes due tasks. Alone among the moves it begins its transaction itself: when nothing is due, it needs none."""

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        gates: Gates,
        looker: Looker,
        pauses: Pauses,
        starter: Starter,
        now: Callable[[], Instant],
        node: bytes,
    ) -> None:
        self._queries = queries
        self._transactions = transactions
        self._gates = gates
        self._looker = looker
        self._pauses = pauses
        self._starter = starter
        self._now = now
        self._node = node

    def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """Claim what is due. Not synced: a claim that a power loss undoes runs again."""
        now = self._now()
        self._looker.look(now)
        if self._pauses.look() is not None:
            return Claimed((), None)
        next_due = {pool: self._next_due(pool, now) for pool, slots in free.items() if slots > 0}
        earliest = _earliest(next_due.values())
        if earliest is None or earliest > now:
            return Claimed((), earliest)
        return self._transactions.run(lambda: self._claim(free, now, next_due), synced=False)

    def _claim(self, free: Mapping[Pool, int], now: Instant, next_due: dict[Pool, Instant | None]) -> Claimed:
        """Everything is read before the commit: a claim that commits is always handed out."""
        fence = secrets.randbits(63)
        rows = READING.attempt
        taken: list[tuple[Instant, int, Attempt]] = []
        for pool in [pool for pool, due_at in next_due.items() if due_at is not None and due_at <= now]:
            admitted = self._gates.admit(pool, free=free[pool], now=now)
            for let_go_at, seqs in admitted.by_let_go_at.items():
                which = as_json(seqs)
                self._queries.all(
                    "claim",
                    seqs=which,
                    now=now,
                    fence=fence,
                    node=self._node,
                    down_until=self._looker.down_until,
                    let_go_at=let_go_at,
                    paused_until=self._pauses.until,
                )
                for row in self._queries.all("claimed", seqs=which, fence=fence):
                    attempt = rows.read(row)
                    taken.append((attempt.due_at, row[rows.width], attempt))  # behind the columns of the attempt: seq
            next_due[pool] = self._next_due(pool, now) if admitted.count < free[pool] else None
        taken.sort()
        attempts = self._starter.start([(seq, attempt) for _, seq, attempt in taken])
        return Claimed(attempts, _earliest(next_due.values()))

    def _next_due(self, pool: Pool, now: Instant) -> Instant | None:
        """When to look next at a pool: at what waits in its queue, or at what gates hold."""
        return self._queries.number("next_due", pool=pool, now=now)


def _earliest(moments: Iterable[Instant | None]) -> Instant | None:
    return min((moment for moment in moments if moment is not None), default=None)
