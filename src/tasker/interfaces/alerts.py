"""What alerts are about, and what is remembered of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from tasker.model.alerts import Cause, Told, Trouble
from tasker.model.instants import Instant

LEAD: Final = timedelta(seconds=20)
"""For how long a node is the one that sends, unless it says so again."""


class AlertBook(Struct, frozen=True):
    """What has been told, for whichever node sends."""

    told: Mapping[Cause, Told]
    """A cause that is not named: nothing has been told of it."""
    revision: int
    """Of which writing it is."""


class Troubles(Struct, frozen=True, kw_only=True):
    """What a store knows to be wrong."""

    circuits: Sequence[Trouble]
    """Destinations whose circuits have not closed for ``CIRCUIT_AFTER``, by when they opened; the
    first ``TROUBLES_TOLD``."""
    gone: Sequence[Trouble]
    """Other nodes that ended without saying so, or have not renewed their leases, and in whose place
    none has started."""
    back: Mapping[str, str]
    """Nodes that are not gone, by their ids: how a trouble with one has ended, as a clause."""
    counts_from: Instant
    """The end of the latest span in which no node looked for due tasks, or everything was paused; now,
    if this node has not looked yet."""


class AlertStore(Protocol):
    """Remembers what was told, so that one node tells it once. See ``Store`` for what holds for every method.

    Nobody calls these methods unless alerts are sent.
    """

    async def lead_alerts(self) -> AlertBook | None:
        """Be the node that sends for ``LEAD`` from now on, if no other is. Return what was told.

        None: another is. Of nodes that do so at once, one is.
        """

    async def keep_alerts(self, book: AlertBook) -> AlertBook | None:
        """Remember *book* in place of the one of its revision; return it with its new revision.

        None: another node sends by now, or has since then. Nothing was written.
        """

    async def yield_alerts(self, rest: timedelta) -> None:
        """Be the node that sends no longer: another may at once, and this one after *rest*.

        A node that holds the store alone rests for no time. No effect on another that sends.
        """

    async def troubles(self) -> Troubles:
        """Return what is wrong now, but for what is overdue, and for what the system says."""
