"""Requests with an idempotency key, one at a time for each key."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from msgspec import Struct

from tasker.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from tasker.interfaces.store import Store
from tasker.model.idempotency import KeptAnswer

T = TypeVar("T")

PATIENCE: Final = timedelta(seconds=5)
"""How long a request waits for another one with its key."""

_LOOK_SECONDS: Final = 0.05
"""How often it looks whether another node is done."""


class Answered(Struct, frozen=True):
    """The answer to a request with an idempotency key."""

    answer: bytes
    is_replay: bool = False
    """Whether it is that to an earlier request."""


class RepeatableRequests:
    """Has what a request asks for made once, however often it is sent."""

    def __init__(self, store: Store, retention: timedelta) -> None:
        self._store = store
        self._patience = PATIENCE.total_seconds()
        self.retention: Final = retention // timedelta(microseconds=1)
        """See ``Repeatable``."""
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def run(
        self, id_: bytes, fingerprint: bytes, make: Callable[[], Awaitable[KeptAnswer | T]]
    ) -> KeptAnswer | T:
        """Return the answer that is kept of a request, or else what *make* returns: its own, or one kept meanwhile.

        Args:
            id_: see ``Repeatable``; and so *fingerprint*.
            make: makes what is asked for and keeps the answer, in one transaction. If another node
                is about to, it is called again.

        Raises:
            IdempotencyKeyReusedError: the answer is that to another request.
            IdempotencyInFlightError: another request with this key took longer than ``PATIENCE``.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._patience
        turn = self._turns.setdefault(id_, asyncio.Lock())
        try:
            async with asyncio.timeout_at(ends_at):
                await turn.acquire()
        except TimeoutError:
            raise IdempotencyInFlightError from None
        try:
            kept = await self._store.kept_answer(id_)
            came = await self._made(make, ends_at) if kept is None else kept
        finally:
            turn.release()
        if isinstance(came, KeptAnswer) and came.fingerprint != fingerprint:
            raise IdempotencyKeyReusedError
        return came

    async def _made(self, make: Callable[[], Awaitable[T]], ends_at: float) -> T:
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await make()
            except IdempotencyInFlightError:
                if loop.time() >= ends_at:
                    raise
            await asyncio.sleep(_LOOK_SECONDS)
