"""A question to the store that many may have at once, and that is not asked too often."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedLook(Generic[T]):
    """One look at the store, shared by all who ask for a while. Nobody asks: it costs nothing."""

    def __init__(self, ask: Callable[[], Awaitable[T]], monotonic: Callable[[], float], *, apart: timedelta) -> None:
        """Make it. Nothing is asked yet.

        Args:
            ask: asks the store.
            monotonic: seconds of a clock that never steps back.
            apart: between the beginnings of two questions, at least.
        """
        self._ask = ask
        self._monotonic = monotonic
        self._apart = apart.total_seconds()
        self._asked: asyncio.Task[T] | None = None
        self._asked_at = 0.0

    async def look(self) -> T:
        """Return what the store said so long ago, or since.

        Raises:
            StoreUnavailableError: it could not be asked within that time.
        """
        now = self._monotonic()
        if self._asked is None or (self._asked.done() and now - self._asked_at >= self._apart):
            self._asked = asyncio.create_task(self._question())
            self._asked.add_done_callback(_looked)
            self._asked_at = now
        return await asyncio.shield(self._asked)  # one who goes away does not take it from the others

    async def _question(self) -> T:
        return await self._ask()


def _looked(asked: "asyncio.Task[T]") -> None:
    """Whoever has asked may be gone: that it failed is no news then."""
    if not asked.cancelled():
        asked.exception()
