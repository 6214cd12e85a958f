"""Ends what could not start in time."""

from collections.abc import Mapping

from tasker.ids import new_id
from tasker.interfaces.queue import EXPIRE_LIMIT, Expired, Follow
from tasker.model.instants import after
from tasker.model.lifecycle import expired
from tasker.stores.faults import fault_of, fault_text
from tasker.stores.postgres.claimer import LOCKED
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.payloads import with_payloads
from tasker.stores.rows import Reading


class Expirer:
    """Ends tasks whose ``expires_at`` has passed, in batches. Any number of nodes may do so at once."""

    def __init__(
        self, link: Link, queries: Mapping[str, str], reading: Reading, inserter: Inserter, follow: Follow
    ) -> None:
        """Make it.

        Args:
            link: a connection that waits for the disk: a crash that undid an end would have what
                follows it made twice.
            inserter: stores what follows, on the same link.
            follow: says what follows the end of a task.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._inserter = inserter
        self._follow = follow

    async def expire(self) -> Expired:
        """End a batch: see ``Store.expire``."""
        return await self._link.run(self._expire)

    async def _expire(self, connection: Connection) -> Expired:
        head = await self._next(connection)
        if head["expires_at"] is None or head["expires_at"] > head["now"]:
            return Expired(0, head["expires_at"])  # nearly always
        count = await self._end(connection)
        head = await self._next(connection)
        next_at = head["expires_at"]
        if next_at is not None and next_at <= head["now"] and count < EXPIRE_LIMIT:
            next_at = after(head["now"], LOCKED)  # it is another session's for now
        return Expired(count, next_at)

    async def _next(self, connection: Connection) -> Record:
        return await connection.fetchrow(self._sql["next_expiry"])

    async def _end(self, connection: Connection) -> int:
        """End a batch, and store what follows. Return how many.

        The tasks stay locked for a few round trips: claims pass over them, only who deletes one
        waits.
        """
        async with self._inserter.transaction(connection):
            rows = await connection.fetch(self._sql["expired"], EXPIRE_LIMIT)
            found = [self._reading.failed(row, expired(fault_of(row["last_fault"]))) for row in rows]
            endings = await with_payloads(connection, self._sql, found)
            await connection.execute(
                self._sql["expire"],
                [ending.task_id for ending in endings],
                [fault_text(ending.fault) for ending in endings],
            )
            followers = [
                task
                for row, ending in zip(rows, endings, strict=True)
                for task in self._follow(ending, now=row["now"], new_id=new_id)
            ]
            await self._inserter.insert(connection, followers)
        return len(rows)
