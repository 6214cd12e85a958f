"""Keeps this node's lease: as long as others hear of it, they leave its tasks alone."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog

from tasker.errors import ClaimLostError
from tasker.interfaces.queue import Claim
from tasker.interfaces.store import Store
from tasker.timing.clock import Clock

RENEW: Final = timedelta(seconds=10)
"""How often the lease is renewed."""

MARGIN: Final = timedelta(seconds=5)
"""So long before its lease ends a node begins nothing more: an attempt that has begun takes a
moment to reach the wire."""

STRAY: Final = timedelta(seconds=5)
"""How long a claim may be known to the store alone: its answer may be on the way."""

CLOCK_WARNING: Final = timedelta(seconds=1)
"""Beyond this difference between the store's clock and this machine's the log warns. Nothing
depends on it."""

_log = structlog.get_logger()


class Lease:
    """Until when this node may begin attempts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._safe_until = float("-inf")
        """On the monotonic clock."""

    @property
    def is_trusted(self) -> bool:
        """Whether an attempt may begin now: nobody takes its task back for some seconds to come."""
        return self._clock.monotonic() < self._safe_until

    @property
    def seconds_left(self) -> float:
        """For how long attempts may begin unless it is renewed; below 0: since when they may not. May be infinite."""
        return self._safe_until - self._clock.monotonic()

    def extend(self, trusted_until: float) -> None:
        """Take what ``Store.renew`` returned."""
        self._safe_until = trusted_until - MARGIN.total_seconds()


class LeaseKeeper:
    """Renews the lease, and gives back what is written as running here but is not."""

    def __init__(
        self, store: Store, lease: Lease, *, is_running: Callable[[Claim], bool], ring: Callable[[], None]
    ) -> None:
        """Make a keeper.

        Args:
            is_running: whether this node knows of a claim.
            ring: called when attempts may begin again.
        """
        self._store = store
        self._lease = lease
        self._is_running = is_running
        self._ring = ring
        self._strays: Mapping[Claim, float] = {}
        self._warned = False

    async def run_once(self) -> timedelta:
        """Renew, then look for strays. Return after how long to do so again.

        Raises:
            StoreUnavailableError: the store cannot be reached; what could be done before is done.
        """
        was_trusted = self._lease.is_trusted
        self._lease.extend(await self._store.renew())
        if not was_trusted and self._lease.is_trusted:
            self._ring()
        self._look_at_clocks()
        now = self._store.clock.monotonic()
        held = await self._store.claims()
        self._strays = {claim: self._strays.get(claim, now) for claim in held if not self._is_running(claim)}
        for claim, since in self._strays.items():
            if now - since >= STRAY.total_seconds() and not self._is_running(claim):
                await self._give_back(claim)
        return STRAY if self._strays else RENEW

    async def _give_back(self, claim: Claim) -> None:
        try:
            await self._store.give_back(claim)
        except ClaimLostError:
            return
        _log.warning("gave back a task that was claimed for this node, but never reached it", task_id=claim.task_id)

    def _look_at_clocks(self) -> None:
        is_off = abs(self._store.clock_offset) > CLOCK_WARNING.total_seconds()
        if is_off and not self._warned:
            _log.warning(
                "the store's clock and this machine's differ; the store's decides",
                offset_seconds=round(self._store.clock_offset, 3),
            )
        self._warned = is_off
