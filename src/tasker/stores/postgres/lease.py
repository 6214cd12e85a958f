"""This node's lease: as long as the others see it, they leave alone what this node runs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from tasker.errors import StoreUnavailableError
from tasker.interfaces.queue import Claim
from tasker.model.instants import Instant
from tasker.model.task import TaskId
from tasker.stores.postgres.connection import Link
from tasker.timing.remote_clock import RemoteClock

LEASE: Final = timedelta(seconds=30)
"""How long the others wait, after a node was last heard of, before they take back what it runs."""

PATIENCE: Final = timedelta(seconds=10)
"""How long a node that has found the database again takes nothing back: the others may have to find
it, too."""


class Lease:
    """Renews the lease of one node, and knows whether this node may judge those of the others."""

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        clock: RemoteClock,
        node: str,
        *,
        address: str,
        version: str,
        schema: int,
    ) -> None:
        """Make a lease that has not begun.

        Args:
            clock: told what time it is in the database.
            address: the URL that this node listens at, for the list of nodes.
            version: of tasker, for the list of nodes.
            schema: the version of the tables that this node knows.
        """
        self._link = link
        self._sql = queries
        self._clock = clock
        self._node = node
        self._address = address
        self._version = version
        self._schema = schema
        self._renewed_on = 0
        """Which of the link's connections it was renewed on."""
        self._patient_until = 0.0
        """On the monotonic clock."""

    async def renew(self) -> float:
        """Say that this node is alive. Return until when it may trust in that: see ``Store.renew``.

        Raises:
            StoreUnavailableError: also where the mark of the database says that no server may use it.
        """
        sent = self._clock.monotonic()
        now: Instant | None = await self._link.run(
            lambda connection: connection.fetchval(
                self._sql["renew"], self._node, self._address, self._version, LEASE, self._schema
            )
        )
        if now is None:
            raise StoreUnavailableError("its tasks are in another database, or on their way to one")
        self._clock.observe(now, sent=sent, received=self._clock.monotonic())
        if not self.is_renewed:
            self._renewed_on = self._link.connections
            self._patient_until = sent + PATIENCE.total_seconds()
        return sent + LEASE.total_seconds()

    async def end(self) -> None:
        """Give up the lease: the others take back at once what is left running."""
        await self._link.run(lambda connection: connection.execute(self._sql["end_lease"], self._node))

    async def claims(self) -> Sequence[Claim]:
        """Return what is written as running on this node."""
        rows = await self._link.run(lambda connection: connection.fetch(self._sql["claims"], self._node))
        return [Claim(TaskId(str(row["id"])), row["fence"]) for row in rows]

    @property
    def is_renewed(self) -> bool:
        """Whether it was renewed since the database was last found."""
        return self._renewed_on == self._link.connections

    @property
    def may_take_back(self) -> bool:
        """Whether the others have had the time to renew theirs, as this node has."""
        return self.is_renewed and self._clock.monotonic() >= self._patient_until
