"""Deletes what ended long ago."""

from collections.abc import Mapping
from datetime import timedelta

from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.task import State
from tasker.stores.postgres.connection import Link


class Pruner:
    """Deletes old tasks in batches. Any number of nodes may do so at once: each takes what the others do not."""

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        self._link = link
        self._sql = queries

    async def prune(self, state: State, *, older_than: timedelta) -> int:
        """Delete a batch of what ended in *state*: see ``Store.prune``."""
        count: int = await self._link.run(
            lambda connection: connection.fetchval(self._sql["prune"], int(state), older_than, PRUNE_LIMIT)
        )
        return count

    async def prune_kept(self) -> int:
        """Delete a batch of what was kept for a time of its own: see ``Store.prune_kept``."""
        count: int = await self._link.run(lambda connection: connection.fetchval(self._sql["prune_kept"], PRUNE_LIMIT))
        return count
