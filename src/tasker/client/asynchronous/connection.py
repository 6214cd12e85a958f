"""Sends requests over HTTP, again if need be."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

import httpx2

from tasker import __version__
from tasker.client.core import JSON, Answer, Failure, Request, Tries
from tasker.client.settings import server_of

T = TypeVar("T")

TIMEOUT: Final = timedelta(seconds=30)
"""How long a client waits, unless it is told otherwise."""

RETRIES: Final = 5
"""How often a client sends a request again, unless it is told otherwise."""

_LONGEST_CONNECT: Final = 5.0
"""Seconds for a connection: who answers at all does so soon."""


class AsyncConnection:
    """Sends requests, again if need be, and returns what their answers mean."""

    def __init__(
        self,
        url: str | None,
        key: str | None,
        *,
        timeout: timedelta | float,
        retries: int,
        transport: httpx2.AsyncBaseTransport | None,
        rand: Callable[[], float] = random.random,
    ) -> None:
        server = server_of(url, key)
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if not seconds > 0:
            raise ValueError(f"timeout: expected more than 0 seconds, got: {timeout}")
        if retries < 0:
            raise ValueError(f"retries: expected 0 or more, got: {retries}")
        self.url: Final = server.url
        self._key = server.key
        self._seconds = seconds
        self._retries = retries
        self._rand = rand
        self._http = httpx2.AsyncClient(
            headers={"user-agent": f"tasker-client/{__version__}", "accept": JSON},
            transport=transport,
            # Each request waits for its turn; what it waits for has a timeout of its own.
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
            follow_redirects=False,
        )

    async def call(self, request: Request[T]) -> T:
        """Return what a call has come to.

        Raises:
            ApiError: it was refused.
            CallFailed: there is no answer of a server.
        """
        tries = Tries(request, retries=self._retries, rand=self._rand)
        while True:
            try:
                response = await self._http.request(
                    request.method,
                    self.url + request.path,
                    content=request.content,
                    headers=self._headers(request),
                    timeout=self._timeout(request.waits),
                )
            except httpx2.TransportError as error:
                pause = tries.failed(how_failed(error), str(error) or type(error).__name__)
            else:
                answer = Answer(response.status_code, response.headers, response.content)
                again = tries.answered(answer)
                if again is None:
                    return tries.result(answer)
                pause = again
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def __repr__(self) -> str:
        """It shows the URL, and no key."""
        return f"{type(self).__name__}({self.url!r})"

    def _headers(self, request: Request[T]) -> dict[str, str]:
        headers = dict(request.headers or {})
        if request.content is not None:
            headers["content-type"] = JSON
        key = self._key if request.token is None else request.token
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        return headers

    def _timeout(self, waits: float) -> httpx2.Timeout:
        seconds = self._seconds
        return httpx2.Timeout(seconds, read=seconds + waits, connect=min(seconds, _LONGEST_CONNECT), pool=None)


def how_failed(error: httpx2.TransportError) -> Failure:
    """Return whether anything was sent before *error*."""
    unsent = (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.PoolTimeout,
        httpx2.ProxyError,
        httpx2.UnsupportedProtocol,
        httpx2.LocalProtocolError,
    )
    return Failure.UNSENT if isinstance(error, unsent) else Failure.UNANSWERED
