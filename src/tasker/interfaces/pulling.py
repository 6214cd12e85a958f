"""Tasks that are pulled: callers claim them, for a time that they name, and tell how they ended."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from tasker.interfaces.queue import TakenBack
from tasker.model.attempt import Attempt
from tasker.model.gate import Destination
from tasker.model.instants import Instant

LEASE_LIMIT: Final = 100
"""Leases that one call of ``Store.end_leases`` ends at most."""


LEFT_FOR: Final = timedelta(seconds=1.2)
"""For so long what has come due is left to a caller on another node who has waited longer. Every node
looks within a second."""


class Pulled(Struct, frozen=True):
    """What a caller was given of a queue."""

    attempts: Sequence[Attempt] = ()
    """As in ``Claimed``."""
    started_at: Instant = 0
    """When they began, to the store."""
    lease_until: Instant = 0
    """Until when the caller has them, unless ``beat`` moves that."""
    next_at: Instant | None = None
    """When to look again, which may have passed already; None: nothing waits in the queue, or
    everything is paused."""


class LeasesEnded(Struct, frozen=True):
    """What ``Store.end_leases`` has ended."""

    taken: TakenBack
    next_at: Instant | None
    """When the next lease ends, which may have passed already; None: none stands. Where others hold
    what has ended for now, the moment at which to look again."""


class PullStore(Protocol):
    """Hands out what is pulled. See ``Store`` for what holds for every method.

    Whoever has been given an attempt ends it with ``settle``, or gives it back, as a node does.
    """

    async def pull(
        self, queue: Destination, *, most: int, lease: timedelta, waited: timedelta = timedelta(0)
    ) -> Pulled:
        """Take up to *most* due tasks of a queue for a caller, earliest due first. Never waits for one.

        Each becomes ``in_progress``, as ``claim_due`` says, with a ``deadline`` *lease* from now: it
        is on no node then, and nothing that happens to one concerns it. The limits and the rate of
        the queue's gate hold exactly, over all nodes, and a pause holds for it as for others. While
        everything is paused, nothing is taken; nor while the store is ailing.

        Over several nodes nobody waits for ever: of what has come due less than ``LEFT_FOR`` ago, one
        task is left to each node that asks for a caller who has waited longer.

        Args:
            waited: for how long the caller has been waiting.
        """

    async def end_leases(self) -> LeasesEnded:
        """Take back some of what was pulled by callers that were not heard of until their lease ended.

        That is a crash, as ``take_back`` says. At most ``LEASE_LIMIT``, those that ended first: while
        ``next_at`` has passed, call it again. Nodes may do so at the same time.
        """
