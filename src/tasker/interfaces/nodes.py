"""The nodes that share a store."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tasker.model.node import NodeRecord


class NodeStore(Protocol):
    """Knows the nodes. See ``Store`` for what holds for every method."""

    async def renew(self) -> float:
        """Say that this node is alive. Return until when it may trust that nobody takes back what it runs.

        That moment is on ``clock.monotonic()``; ``math.inf`` if this node holds the store alone.
        Counted from before the store was asked, so that a slow answer shortens it.
        """

    async def nodes(self) -> Sequence[NodeRecord]:
        """Return the nodes that share the store, in the order in which they started."""

    def wake_others(self) -> None:
        """Tell the other nodes that a task is due about now which this one has no slot for.

        May get lost; never waits.
        """

    def listen(self, ring: Callable[[], None]) -> None:
        """Call *ring* on the event loop whenever another node says so. Called once, after ``open``."""

    def watch_ends(self, ring: Callable[[], None]) -> None:
        """Call *ring* on the event loop, for some seconds, when another node has ended or deleted a task.

        Call this every second or two to go on. Several ends may make one ring. A ring may get lost,
        and not every end makes one; never waits. While no node watches, an end costs nothing more.
        """
