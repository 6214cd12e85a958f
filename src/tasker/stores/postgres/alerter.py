"""What was told of alerts, and what is wrong. Of several nodes one sends, and writes down what it tells."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tasker.interfaces.alerts import LEAD, AlertBook, Troubles
from tasker.model.alerts import CIRCUIT_AFTER, TROUBLES_TOLD, Trouble, shown
from tasker.model.circuit import THRESHOLD
from tasker.model.instants import Instant
from tasker.stores.alerts import failing_circuit, told_of, told_text
from tasker.stores.looks import Looks
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.postgres.lease import LEASE
from tasker.timing.remote_clock import RemoteClock

_SAYS_THAT_IT_ENDS: Final = 3
"""The earliest version of the tables whose nodes write down that they end in order."""


class Alerter:
    """Reads and writes the book of alerts, for the node that sends them."""

    def __init__(self, link: Link, queries: Mapping[str, str], looks: Looks, node: str, clock: RemoteClock) -> None:
        self._link = link
        self._sql = queries
        self._looks = looks
        self._node = node
        self._clock = clock
        self._rests_until = 0.0

    async def lead(self) -> AlertBook | None:
        """See ``Store.lead_alerts``."""
        if self._clock.monotonic() < self._rests_until:
            return None
        row = await self._link.run(lambda connection: connection.fetchrow(self._sql["lead_alerts"], self._node, LEAD))
        return None if row is None else AlertBook(told_of(row["told"]), row["revision"])

    async def keep(self, book: AlertBook) -> AlertBook | None:
        """See ``Store.keep_alerts``."""
        told = told_text(book.told)
        revision: int | None = await self._link.run(
            lambda connection: connection.fetchval(self._sql["keep_alerts"], self._node, book.revision, told, LEAD)
        )
        return None if revision is None else AlertBook(book.told, revision)

    async def give_up(self, rest: timedelta) -> None:
        """See ``Store.yield_alerts``."""
        self._rests_until = self._clock.monotonic() + rest.total_seconds()
        await self._link.run(lambda connection: connection.execute(self._sql["yield_alerts"], self._node))

    async def troubles(self) -> Troubles:
        """See ``Store.troubles``."""
        return await self._link.run(self._troubles)

    async def _troubles(self, connection: Connection) -> Troubles:
        circuits = await connection.fetch(self._sql["failing_circuits"], CIRCUIT_AFTER, TROUBLES_TOLD, THRESHOLD)
        nodes = await connection.fetch(self._sql["node_ends"], self._node, LEASE)
        pause = await connection.fetchrow(self._sql["last_pause"])  # another node may know of it first
        paused_until: Instant = 0 if pause is None else pause["end_at"] or 0
        return Troubles(
            circuits=[failing_circuit(*row) for row in circuits],
            gone=[_gone(row) for row in nodes if _is_gone(row)][:TROUBLES_TOLD],
            back={str(row["id"]): _how_back(row) for row in nodes if not _is_gone(row)},
            counts_from=max(self._looks.down_until, paused_until) if self._looks.has_looked else self._clock.now(),
        )


def _is_gone(row: Record) -> bool:
    is_over: bool = row["is_over"] and not row["has_ended"] and not row["is_replaced"]
    return is_over and row["schema"] >= _SAYS_THAT_IT_ENDS


def _how_back(row: Record) -> str:
    if not row["is_over"]:
        return "it is back"
    return "it was stopped" if row["has_ended"] else "another server has started at its address"


def _gone(row: Record) -> Trouble:
    return Trouble(
        id=str(row["id"]),
        name=row["address"],
        since=row["lease_until"],
        facts={"node": str(row["id"]), "address": row["address"]},
        note=f"its lease ended at {shown(row['lease_until'])}",
    )
