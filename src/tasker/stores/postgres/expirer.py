"""Ends what could not start in time, or was held for too long."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from tasker.ids import new_id
from tasker.interfaces.queue import EXPIRE_LIMIT, GIVE_UP_LIMIT, Expired, Follow
from tasker.interfaces.reports import Report
from tasker.model.circuit import THRESHOLD
from tasker.model.instants import after, microseconds
from tasker.model.lifecycle import expired, given_up
from tasker.model.task import Fault
from tasker.stores.faults import fault_of, fault_text
from tasker.stores.postgres.changer import look_at_schedules
from tasker.stores.postgres.claimer import LOCKED
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.payloads import with_payloads
from tasker.stores.rows import Reading

_NOTHING: Final = Report()


class Expirer:
    """Ends tasks whose ``expires_at`` has passed, or that a circuit has kept for too long, in batches.

    Any number of nodes may do so at once.
    """

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

    async def expire(self) -> tuple[Expired, Report]:
        """End a batch: see ``Store.expire``."""
        return await self._link.run(self._expire)

    async def give_up(self, least: timedelta) -> Report:
        """End a batch of what circuits have kept for too long: see ``Store.give_up``."""
        return await self._link.run(lambda connection: self._give_up(connection, microseconds(least)))

    async def _expire(self, connection: Connection) -> tuple[Expired, Report]:
        head = await self._next(connection)
        if head["expires_at"] is None or head["expires_at"] > head["now"]:
            return Expired(0, head["expires_at"]), _NOTHING  # nearly always
        report = await self._end(connection, expired, "expired", EXPIRE_LIMIT)
        count = len(report.ended)
        head = await self._next(connection)
        next_at = head["expires_at"]
        if next_at is not None and next_at <= head["now"] and count < EXPIRE_LIMIT:
            next_at = after(head["now"], LOCKED)  # it is another session's for now
        return Expired(count, next_at), report

    async def _give_up(self, connection: Connection, least: int) -> Report:
        if not await connection.fetchval(self._sql["broken"], least):
            return _NOTHING  # nearly always
        return await self._end(connection, given_up, "given_up", GIVE_UP_LIMIT, least, THRESHOLD)

    async def _next(self, connection: Connection) -> Record:
        return await connection.fetchrow(self._sql["next_expiry"])

    async def _end(
        self, connection: Connection, why: Callable[[Fault | None], Fault], query: str, *arguments: int
    ) -> Report:
        """End a batch, and store what follows. *query* finds and locks it.

        The tasks stay locked for a few round trips: claims pass over them, only who deletes one
        waits.
        """
        async with self._inserter.transaction(connection):
            rows = await connection.fetch(self._sql[query], *arguments)
            if not rows:
                return _NOTHING
            found = [self._reading.failed(row, why(fault_of(row["last_fault"]))) for row in rows]
            endings = await with_payloads(connection, self._sql, found)
            await connection.execute(
                self._sql["expire"],
                [ending.task_id for ending in endings],
                [fault_text(ending.fault) for ending in endings],
            )
            await look_at_schedules(connection, self._sql, rows)
            followers = [
                task
                for row, ending in zip(rows, endings, strict=True)
                for task in self._follow(ending, now=row["now"], new_id=new_id)
            ]
            await self._inserter.insert(connection, followers)
        return Report(ended=[ending.task_id for ending in endings], followed_by=followers)
