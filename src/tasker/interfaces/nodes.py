"""The nodes that share a store."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tasker.model.node import NodeRecord


class NodeStore(Protocol):
    """Knows the nodes. See ``Store`` for what holds for every method."""

    @property
    def node_id(self) -> str:
        """The id of this node, a UUID, new at every start."""

    @property
    def events_partial(self) -> str | None:
        """Why this node does not hear of all that happens on the others, in a few words; None: it does."""

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

    def listen_for_readers(self, wanted: Callable[[float], None]) -> None:
        """Call *wanted* on the event loop whenever another node says that it has readers of events.

        With the seconds for which it is to be told of them, by ``tell_events``; it says so again in
        time. A node that starts where others run is told so at once: it cannot know. Called once,
        after ``open``.
        """

    async def tell_events(self, texts: Sequence[str]) -> None:
        """Tell the other nodes of events. Each text has ``MOST_BYTES`` in UTF-8 at most.

        Raises:
            StoreUnavailableError: they may have been told or not.
        """

    def watch_events(self, heard: Callable[[str], None], lost: Callable[[], None]) -> None:
        """Call *heard* on the event loop, for some seconds, with each text that another node tells.

        Call this every second or two to go on. Of each node they come in their order. *lost* is
        called when some may have been lost.
        """

    def watch_ends(self, ring: Callable[[], None]) -> None:
        """Call *ring* on the event loop, for some seconds, when another node has ended or deleted a task.

        Call this every second or two to go on. Several ends may make one ring. A ring may get lost,
        and not every end makes one; never waits. While no node watches, an end costs nothing more.
        """
