"""Takes back what nodes that are gone left running."""

from collections.abc import Mapping
from typing import Final

from tasker.ids import new_id
from tasker.interfaces.queue import Follow, TakenBack
from tasker.interfaces.reports import Report
from tasker.model.lifecycle import CRASHED, MAX_CRASHES
from tasker.model.task import State
from tasker.stores.faults import fault_text
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.postgres.lease import Lease
from tasker.stores.rows import Reading

_LIMIT: Final = 1_000


class Recoverer:
    """Takes back tasks of nodes whose lease has ended, in batches."""

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        lease: Lease,
        inserter: Inserter,
        node: str,
        *,
        follow: Follow,
    ) -> None:
        """Make it.

        Args:
            lease: of this node, renewed on the same link.
            inserter: stores what follows, on the same link.
            follow: says what follows the end of a task.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._lease = lease
        self._inserter = inserter
        self._node = node
        self._follow = follow

    async def take_back(self) -> tuple[TakenBack, Report]:
        """Take back a batch: see ``Store.take_back``. The lease is renewed."""
        return await self._link.run(self._take_back)

    async def _take_back(self, connection: Connection) -> tuple[TakenBack, Report]:
        if not self._lease.may_take_back:
            return TakenBack(todo=0, failed=0), Report()
        async with self._inserter.transaction(connection):
            rows = await connection.fetch(self._sql["take_back"], self._node, MAX_CRASHES, fault_text(CRASHED), _LIMIT)
            failed = [row for row in rows if row["state"] == State.FAILED]
            cancelled = [row for row in rows if row["state"] == State.CANCELLED]
            endings = [(row["now"], self._reading.failed(row, CRASHED)) for row in failed]
            endings += [(row["now"], self._reading.cancelled(row)) for row in cancelled]
            followers = [task for now, ending in endings for task in self._follow(ending, now=now, new_id=new_id)]
            await self._inserter.insert(connection, followers)
        await connection.execute(self._sql["forget_nodes"])
        await connection.execute(self._sql["forget_waiters"])
        back = [self._reading.ending.read(row).task_id for row in rows if row["state"] == State.TODO]
        report = Report(ended=[ending.task_id for _, ending in endings], taken_back=back, followed_by=followers)
        return TakenBack(todo=len(back), failed=len(failed), cancelled=len(cancelled)), report
