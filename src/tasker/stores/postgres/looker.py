"""Notes that this node looks for due tasks, and finds the spans in which no node did."""

from collections.abc import Mapping

from tasker.model.instants import Instant
from tasker.model.lateness import DOWN_AFTER, DOWN_KEPT
from tasker.stores.looks import Looks
from tasker.stores.postgres.connection import Connection, Link


class Looker:
    """Notes looks on the node's row, and keeps the spans between those of all nodes that are too long."""

    def __init__(self, link: Link, queries: Mapping[str, str], looks: Looks, node: str) -> None:
        """Make it.

        Args:
            link: the connection for the deleting of old spans.
        """
        self._link = link
        self._sql = queries
        self._looks = looks
        self._node = node

    @property
    def down_until(self) -> Instant:
        """See ``Looks``."""
        return self._looks.down_until

    async def look(self, connection: Connection, now: Instant) -> None:
        """Note a look at *now* if one is due."""
        if self._looks.is_due(now):
            down_until: Instant | None = await connection.fetchval(
                self._sql["note_look"], self._node, self._looks.hung, DOWN_AFTER
            )
            self._looks.noted(now, down_until=down_until or 0)

    async def prune(self) -> int:
        """Delete the spans that ended long ago. Return how many."""
        rows = await self._link.run(lambda connection: connection.fetch(self._sql["prune_down"], DOWN_KEPT))
        return len(rows)
