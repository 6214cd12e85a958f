"""What is overdue, for all who ask: the store is asked at most once a second."""

import asyncio
from datetime import timedelta
from typing import Final

from tasker.engine.slots import Slots
from tasker.interfaces.store import Store
from tasker.model.overdue import Overdue

APART: Final = timedelta(seconds=1)
"""Between two questions to the store, at least."""


class OverdueLook:
    """One look at what is overdue, shared by all who ask within a second. Nobody asks: it costs nothing."""

    def __init__(self, store: Store, slots: Slots) -> None:
        self._store = store
        self._slots = slots
        self._asked: asyncio.Task[Overdue] | None = None
        self._asked_at = 0.0

    async def look(self) -> Overdue:
        """Return what was overdue a second ago, or since.

        Raises:
            StoreUnavailableError: the store could not be asked within that second.
        """
        now = self._store.clock.monotonic()
        if self._asked is None or (self._asked.done() and now - self._asked_at >= APART.total_seconds()):
            self._asked = asyncio.create_task(self._store.overdue(free_pools=self._slots.free_pools))
            self._asked.add_done_callback(_looked_at)
            self._asked_at = now
        return await asyncio.shield(self._asked)  # one who goes away does not take it from the others


def _looked_at(asked: "asyncio.Task[Overdue]") -> None:
    """Whoever has asked may be gone: that it failed is no news then."""
    if not asked.cancelled():
        asked.exception()
