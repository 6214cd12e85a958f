"""What the server says about itself, and whether it starts anything."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from tasker import __version__
from tasker.callers import Caller
from tasker.engine.engine import Engine
from tasker.interfaces.store import Store
from tasker.model.audit import Action, Kind
from tasker.model.instants import Instant
from tasker.model.node import NodeRecord
from tasker.model.stats import ServerStats, SlotCount
from tasker.model.task import PULLED, STATES, State
from tasker.service.upgrading import refuse_if_upgrading
from tasker.task_types.registry import Registry

COUNTED_TO: Final = 10_000
"""Where ``stats`` stops counting the tasks in a state: its cost does not grow with the store."""


class ServerService:
    """Says how the server is; pauses everything, and goes on. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine, registry: Registry) -> None:
        self._store = store
        self._engine = engine
        self._types = registry.types
        self.started_at: Final = store.clock.now()
        """When this process began to serve."""

    async def stats(self, states: Collection[State] = STATES) -> ServerStats:
        """Return what this process has counted and measured, and how many tasks are stored in each of *states*."""
        counts = await self._store.count(states, up_to=COUNTED_TO)
        lateness, by_cause = await self._engine.telemetry.lateness()
        return ServerStats(
            version=__version__,
            started_at=self.started_at,
            lateness=lateness,
            lateness_by_cause=by_cause,
            tasks=counts,
            tasks_counted_to=COUNTED_TO,
            clock_offset=self._store.clock_offset,
            paused_at=self._store.paused_at,
            slots=self.slots(),
            totals=self._engine.telemetry.totals(),
        )

    def slots(self) -> Mapping[str, SlotCount]:
        """Return how many slots this node has, and how many are taken, by task type. What is pulled needs none."""
        running = self._engine.slots.running
        return {
            kind.name: SlotCount(total=kind.slots, running=running(kind.pool))
            for kind in self._types
            if kind.pool != PULLED
        }

    async def nodes(self) -> Sequence[NodeRecord]:
        """Return the nodes that share the store, in the order in which they started."""
        return await self._store.nodes()

    def unready(self) -> str | None:
        """Return why this node should not be sent work now, in a few words; None if it should.

        Does not ask the store.
        """
        return self._engine.unready()

    def paused_at(self) -> Instant | None:
        """Return since when everything is paused, as this node has last seen it; None: it is not."""
        return self._store.paused_at

    async def pause(self, caller: Caller) -> Instant | None:
        """Have no task start, on any node, until ``resume``; what is running goes on. Return since when.

        Twice is as good as once. None: somebody has resumed it meanwhile.

        Raises:
            UpgradeUnfinishedError: nodes of the version before may be running: they would go on.
        """
        refuse_if_upgrading(self._store, "POST /pause")
        await self._store.pause_all(caller.entry(Action.PAUSE, Kind.SERVER))
        self._engine.ring()  # what it has seen is what its log says
        self._store.wake_others()
        return self._store.paused_at

    async def resume(self, caller: Caller) -> Instant | None:
        """Have tasks start again, on all nodes. Return since when everything is paused: None, it is not any more."""
        await self._store.resume_all(caller.entry(Action.RESUME, Kind.SERVER))
        self._engine.ring()
        self._store.wake_others()
        return self._store.paused_at
