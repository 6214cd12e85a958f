"""Who visits: by a cookie, which stands for a sign-in and never holds a key."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

from tasker.access import Access
from tasker.callers import Caller
from tasker.config import Settings
from tasker.dashboard.cookies import cookie_in, set_cookie
from tasker.dashboard.ways import Way, Ways
from tasker.dashboard.wrong_keys import WrongKeys
from tasker.errors import UnauthorizedError
from tasker.service.service import Service

_LOCKED: Final = "__Host-"
"""Begins the names of cookies that browsers take by https alone, from the host itself alone, and send nobody
else. Source: RFC 6265bis, section 4.1.3."""

_log = structlog.get_logger()


class Visitors:
    """Finds out who visits, and signs browsers in and out."""

    def __init__(self, access: Access, service: Service, settings: Settings) -> None:
        self._access = access
        self._service = service
        self._ways = Ways(settings.trusted_proxies)
        self._path = settings.root_path + "/ui"
        self._opens = settings.no_auth
        self._wrong = WrongKeys(service.keys.ring.monotonic)

    @property
    def are_asked(self) -> bool:
        """Whether visitors have to sign in."""
        return self._service.sign_ins.is_asked

    @property
    def are_all_let_in(self) -> bool:
        """Whether whoever can reach this server may use it, because its owner has said so."""
        return self._opens and not self.are_asked

    def way(self, request: Mapping[str, Any]) -> Way:
        """Return how the HTTP request of an ASGI scope has come here."""
        return self._ways.of(request)

    def token(self, request: Mapping[str, Any]) -> str:
        """Return what a browser shows; empty: it is not signed in."""
        return cookie_in(request, self._name(request))

    async def who(self, request: Mapping[str, Any]) -> Caller:
        """Return who makes a request. Costs one read of a row, if keys are asked for.

        Raises:
            UnauthorizedError, TooManyCallsError, ForbiddenError: see ``Access.visitor``.
            StoreUnavailableError: the store cannot say who is signed in.
        """
        key_id = None
        if self.are_asked and (token := self.token(request)):
            key_id = await self._service.sign_ins.key_of(token)
        return self._access.visitor(request, key_id)

    @asynccontextmanager
    async def while_signed_in(
        self, request: Mapping[str, Any], caller: Caller, end: Callable[[], None]
    ) -> AsyncIterator[None]:
        """Call *end* once the sign-in is over by which *caller* was let in, as ``SignInService.while_good`` does.

        Who was let in by anything else has none that could be over.
        """
        sign_ins, token = self._service.sign_ins, self.token(request)
        if self.are_asked and token and await sign_ins.key_of(token) == caller.id:
            async with sign_ins.while_good(token, end):
                yield
        else:
            yield

    def wait(self, request: Mapping[str, Any]) -> float:
        """Return for how many seconds a client may try no key, since it has tried too many wrong ones; 0: it may."""
        return self._wrong.wait(self.way(request).client)

    async def sign_in(self, request: Mapping[str, Any], key: str) -> tuple[Caller, str]:
        """Sign a browser in. Return whose key it is, and the header ``Set-Cookie`` of the answer.

        Whatever the browser has shown so far is good no longer, and nothing of it lives on.

        Raises:
            UnauthorizedError: the key is not valid. That is counted.
            TooManyCallsError: see ``Access.owner_of``.
            StoreError: nobody is signed in.
        """
        try:
            caller = self._access.owner_of(key)
        except UnauthorizedError as error:
            client = self.way(request).client
            self._wrong.note(client)
            _log.warning("a sign-in with a wrong key was refused", client=client, reason=error.problem)
            raise
        token = await self._service.sign_ins.begin(caller, before=self.token(request))
        return caller, self._cookie(request, token)

    async def sign_out(self, request: Mapping[str, Any], caller: Caller) -> str:
        """Sign a browser out. Return the header ``Set-Cookie`` of the answer.

        Raises:
            StoreError: it may still be signed in.
        """
        await self._service.sign_ins.end(caller, self.token(request))
        return self._cookie(request, "", max_age=0)

    def _name(self, request: Mapping[str, Any]) -> str:
        # Cookies do not know ports: another server on this host has another database.
        return f"{_LOCKED if self.way(request).is_encrypted else ''}tasker-{self._service.sign_ins.database}"

    def _cookie(self, request: Mapping[str, Any], token: str, *, max_age: int | None = None) -> str:
        is_encrypted = self.way(request).is_encrypted
        path = "/" if is_encrypted else self._path  # as __Host- demands
        return set_cookie(
            self._name(request), token, path=path, is_secure=is_encrypted, same_site="Strict", max_age=max_age
        )
