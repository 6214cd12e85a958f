"""Requests with an idempotency key, one at a time for each key."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from msgspec import Struct

from tasker.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from tasker.interfaces.idempotency import IdempotencyStore
from tasker.model.idempotency import KeptAnswer, Repeatable

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

    def __init__(self, store: IdempotencyStore, retention: timedelta, *, patience: timedelta = PATIENCE) -> None:
        """Make it.

        Args:
            retention: see ``Repeatable``.
            patience: how long a request waits for another one with its key.
        """
        self._store = store
        self._patience = patience.total_seconds()
        self._retention = retention // timedelta(microseconds=1)
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def run(
        self,
        id_: bytes,
        fingerprint: bytes,
        make: Callable[[Repeatable[T]], Awaitable[KeptAnswer | T]],
        answer: Callable[[T], bytes],
    ) -> Answered:
        """Return the answer that is kept of a request, or else the *answer* to what *make* makes.

        Args:
            id_: see ``Repeatable``; and so *fingerprint* and *answer*.
            make: makes what is asked for and keeps the answer, in one transaction, or returns the
                answer that has come to be kept meanwhile. It is not called if one is kept already,
                so whatever depends on the time or on what is stored belongs into it. While another
                node is at work for this key, it is called again and again.

        Raises:
            IdempotencyKeyReusedError: the answer is that to another request.
            IdempotencyInFlightError: another request with this key took longer than the patience.
        """
        ends_at = asyncio.get_running_loop().time() + self._patience
        turn = self._turns.setdefault(id_, asyncio.Lock())
        try:
            async with asyncio.timeout_at(ends_at):
                await turn.acquire()
        except TimeoutError:
            raise IdempotencyInFlightError from None
        repeatable = Repeatable(id=id_, fingerprint=fingerprint, answer=answer, retention=self._retention)
        try:
            kept = await self._store.kept_answer(id_)
            came = await self._made(lambda: make(repeatable), ends_at) if kept is None else kept
        finally:
            turn.release()
        if not isinstance(came, KeptAnswer):
            return Answered(answer(came))
        if came.fingerprint != fingerprint:
            raise IdempotencyKeyReusedError
        return Answered(came.answer, is_replay=True)

    async def _made(self, make: Callable[[], Awaitable[T]], ends_at: float) -> T:
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await make()
            except IdempotencyInFlightError:
                if loop.time() >= ends_at:
                    raise
            await asyncio.sleep(_LOOK_SECONDS)
