"""What the server says about itself."""

from collections.abc import Sequence
from typing import Final

from tasker import __version__
from tasker.engine.engine import Engine
from tasker.interfaces.store import Store
from tasker.model.node import NodeRecord
from tasker.model.stats import ServerStats, SlotCount
from tasker.task_types.registry import Registry

COUNTED_TO: Final = 10_000
"""Where ``stats`` stops counting the tasks in a state: its cost does not grow with the store."""


class ServerService:
    """Says how the server is. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine, registry: Registry) -> None:
        self._store = store
        self._engine = engine
        self._types = registry.types
        self._started_at = store.clock.now()

    async def stats(self) -> ServerStats:
        """Return what this process has counted and measured, and how many tasks are stored."""
        counts = await self._store.count(up_to=COUNTED_TO)
        running = self._engine.slots.running
        return ServerStats(
            version=__version__,
            started_at=self._started_at,
            lateness=self._engine.telemetry.lateness(),
            lateness_by_cause=self._engine.telemetry.lateness_by_cause(),
            tasks=counts,
            tasks_counted_to=COUNTED_TO,
            clock_offset=self._store.clock_offset,
            slots={kind.name: SlotCount(total=kind.slots, running=running(kind.pool)) for kind in self._types},
            totals=self._engine.telemetry.totals(),
        )

    async def nodes(self) -> Sequence[NodeRecord]:
        """Return the nodes that share the store, in the order in which they started."""
        return await self._store.nodes()

    def unready(self) -> str | None:
        """Return why this node should not be sent work now, in a few words; None if it should.

        Does not ask the store.
        """
        return self._engine.unready()
