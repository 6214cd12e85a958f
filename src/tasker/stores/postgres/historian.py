"""Keeps what was counted, minute by minute and hour by hour."""

from collections.abc import Mapping, Sequence
from typing import Final

from tasker.interfaces.statistics import PRUNE_HISTORY_LIMIT
from tasker.model.history import KEPT, HistoryRow, Kept
from tasker.model.instants import Instant
from tasker.stores.postgres.connection import Connection, Link

_NO_RUN: Final = "00000000-0000-0000-0000-000000000000"


class Historian:
    """Writes rows of the history, and deletes old ones. Any number of nodes may do so at once."""

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        self._link = link
        self._sql = queries

    async def write(self, rows: Sequence[HistoryRow]) -> None:
        """Write rows, in place of those that were written of the same spans."""
        await self._link.run(
            lambda connection: connection.execute(
                self._sql["write_history"],
                [row.length for row in rows],
                [row.at for row in rows],
                [row.run for row in rows],
                [row.counts.decode() for row in rows],
                [None if row.failures is None else row.failures.decode() for row in rows],
            )
        )

    async def prune(self) -> int:
        """Delete some of the old ones. Return how many."""
        pruned = 0
        for length, kept in KEPT.items():
            pruned += await self._link.run(
                lambda connection, length=length, kept=kept: connection.fetchval(  # type: ignore[misc]
                    self._sql["prune_history"], length, kept, PRUNE_HISTORY_LIMIT
                )
            )
        return pruned


async def read_history(
    connection: Connection,
    statement: str,
    length: int,
    first: Instant,
    until: Instant,
    beyond: tuple[Instant, str] | None,
    limit: int,
) -> Sequence[Kept]:
    """Read a part of the history: see ``Store.history``."""
    at, run = (first, _NO_RUN) if beyond is None else beyond
    rows = await connection.fetch(statement, length, at, run, until, limit)
    return [Kept(row["at"], str(row["run"]), row["text"].encode()) for row in rows]
