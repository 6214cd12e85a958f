"""How browsers are signed in to the dashboard."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from tasker.callers import Caller
from tasker.engine.key_ring import KeyRing
from tasker.errors import StoreError
from tasker.interfaces.store import Store
from tasker.model.audit import Action, Kind
from tasker.model.instants import after
from tasker.model.sign_in import LASTS, TOKEN_BYTES, SignIn, digest_of
from tasker.timing.alarm import sleep

LOOK: Final = timedelta(seconds=15)
"""How often the store is asked whether a browser is still signed in that keeps a connection open."""

_LONGEST: Final = 100
"""Characters that a token has at most; more is none of ours."""


class SignInService:
    """Signs browsers in and out. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, ring: KeyRing) -> None:
        self._store = store
        self._ring = ring
        self._ends: dict[bytes, list[Callable[[], None]]] = {}
        """What is called when somebody signs out, by the digest of the token."""

    @property
    def database(self) -> str:
        """8 hex digits that tell the database from others, and nothing else of it."""
        return self._ring.database

    @property
    def is_asked(self) -> bool:
        """Whether visitors have to sign in."""
        return self._ring.asks

    async def begin(self, caller: Caller, *, before: str = "") -> str:
        """Sign a browser in with the key that *caller* has shown, and return the token that it is to show from now on.

        Good on every node: for ``LASTS``, until ``end``, or as long as its key is valid.

        Args:
            before: the token that the browser has shown so far: that ends. Empty: none.
        """
        if before:
            await self.end(caller, before)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        ends_at = after(self._store.clock.now(), LASTS)
        entry = self._ring.entry_of(caller.id)
        if entry is not None and entry.expires_at is not None:
            ends_at = min(ends_at, entry.expires_at)
        sign_in = SignIn(digest=digest_of(token), key_id=caller.id, ends_at=ends_at)
        await self._store.sign_in(sign_in, entry=caller.entry(Action.SIGN_IN, Kind.KEY, caller.id, name=caller.name))
        return token

    async def key_of(self, token: str) -> str | None:
        """Return the id of the key that a browser is signed in with; None: it is not, or not any more.

        Whether the key is still valid is not asked.
        """
        return await self._store.signed_in(digest_of(token)) if 0 < len(token) <= _LONGEST else None

    async def end(self, caller: Caller, token: str) -> None:
        """Sign a browser out. Twice is as good as once."""
        if 0 < len(token) <= _LONGEST:
            entry = caller.entry(Action.SIGN_OUT, Kind.KEY, caller.id, name=caller.name)
            await self._store.sign_out(digest_of(token), entry=entry)
            for end in [*self._ends.get(digest_of(token), ())]:
                end()

    @asynccontextmanager
    async def while_good(self, token: str, end: Callable[[], None]) -> AsyncIterator[None]:
        """Call *end* if somebody signs out, or the sign-in is over, while this block lasts.

        At once if somebody signs out on this node; otherwise within ``LOOK``. May call it twice.
        """
        ends = self._ends.setdefault(digest_of(token), [])
        ends.append(end)
        looking = asyncio.create_task(self._look(token, end))
        try:
            yield
        finally:
            looking.cancel()
            ends.remove(end)
            if not ends:
                self._ends.pop(digest_of(token), None)

    async def _look(self, token: str, end: Callable[[], None]) -> None:
        while True:
            await sleep(self._store.clock, LOOK.total_seconds())
            with suppress(StoreError):  # what it said last counts on
                if await self.key_of(token) is None:
                    end()
                    return
