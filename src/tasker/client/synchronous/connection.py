# Made of ../asynchronous/connection.py by make client. Change that file.
"""Sends requests over HTTP, again if need be."""

import random
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol, TypeVar

import httpx2

from tasker import __version__
from tasker.client.core import JSON, Answer, Failure, Page, Request, Tries, check
from tasker.client.errors import UnexpectedAnswer
from tasker.client.settings import server_of

T = TypeVar("T")

TIMEOUT: Final = timedelta(seconds=30)
"""How long a client waits, unless it is told otherwise."""

RETRIES: Final = 5
"""How often a client sends a request again, unless it is told otherwise."""

PAGE: Final = 500
"""What a page has at most. The server allows 1,000."""

_LONGEST_CONNECT: Final = 5.0
"""Seconds for a connection: who answers at all does so soon."""

_LONGEST_SILENCE: Final = 15.0
"""Seconds after which a stream of events says that it is still there."""

_COME_BACK: Final = 2.0
"""Seconds within which to come back to a stream that has ended: at any of them, so that not all come at once."""


class Frame(NamedTuple):
    """What one server-sent event says."""

    event: str
    data: bytes
    id: str | None
    """None: it has none, and none has come before."""


class PageOf(Protocol[T]):
    """Asks for a page of a list."""

    def __call__(self, *, limit: int, cursor: str | None) -> Request[Page[T]]:
        """Return the request for the page at *cursor*, of at most *limit*."""
        ...


class Connection:
    """Sends requests, again if need be, and returns what their answers mean."""

    def __init__(
        self,
        url: str | None,
        key: str | None,
        *,
        timeout: timedelta | float,
        retries: int,
        transport: httpx2.BaseTransport | None,
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
        self._usual_timeout = self._timeout(0)
        self._retries = retries
        self._rand = rand
        self._http = httpx2.Client(
            headers={"user-agent": f"tasker-client/{__version__}", "accept": JSON},
            transport=transport,
            # Each request waits for its turn; what it waits for has a timeout of its own.
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
            verify=_verifying(server.url),
            follow_redirects=False,
        )

    def call(self, request: Request[T]) -> T:
        """Return what a call has come to.

        Raises:
            ApiError: it was refused.
            CallFailed: there is no answer of a server.
        """
        tries = Tries(request, server=self.url, retries=self._retries, rand=self._rand)
        while True:
            try:
                response = self._http.request(
                    request.method,
                    self.url + request.path,
                    content=request.content,
                    headers=self._headers(request),
                    timeout=self._timeout(request.waits) if request.waits else self._usual_timeout,
                )
            except httpx2.RequestError as error:
                pause = tries.failed(how_failed(error), _said(error))
            else:
                answer = Answer(response.status_code, response.headers, response.content)
                again = tries.answered(answer)
                if again is None:
                    return tries.result(answer)
                pause = again
            time.sleep(pause)

    def pages(self, page_of: PageOf[T], limit: int | None) -> Iterator[T]:
        """Return what a list has, reading page after page.

        Args:
            page_of: asks for a page.
            limit: at most so much; None: all.
        """
        left, cursor = limit, None
        while left is None or left > 0:
            page = self.call(page_of(limit=PAGE if left is None else min(left, PAGE), cursor=cursor))
            for each in page.items:
                yield each
            if page.cursor is None:
                return
            cursor = page.cursor
            if left is not None:
                left -= len(page.items)

    def frames(self, request_of: Callable[[str | None], Request[None]], last_id: str | None) -> Iterator[Frame]:
        """Return what a stream of server-sent events says, and come back to it whenever it ends.

        Args:
            request_of: asks for the stream behind an id.
            last_id: the first of these; None: there is none.

        Raises:
            ApiError: it was refused.
            CallFailed: there is no answer of a server, in several tries one after the other.
        """
        tries: Tries[None] | None = None  # since something was said
        while True:
            request = request_of(last_id)
            tries = tries or Tries(request, server=self.url, retries=self._retries, rand=self._rand)
            pause = self._rand() * _COME_BACK
            try:
                with self._http.stream(
                    request.method,
                    self.url + request.path,
                    headers=self._headers(request),
                    timeout=self._timeout(_LONGEST_SILENCE),
                ) as response:
                    if response.status_code == HTTPStatus.OK:
                        for event in httpx2.EventSource(response):
                            tries = None
                            last_id = event.id or last_id
                            yield Frame(event.event, event.data.encode(), event.id or None)
                    else:
                        answer = Answer(response.status_code, response.headers, response.read())
                        pause = _pause_after(tries, answer)
            except httpx2.RequestError as error:
                if tries is not None:
                    pause = tries.failed(how_failed(error), _said(error))
            time.sleep(pause)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

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


def how_failed(error: httpx2.RequestError) -> Failure:
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


def _verifying(url: str) -> ssl.SSLContext | bool:
    """Return how certificates are checked: as always, or for a URL without TLS by nothing that could pass.

    To load what certificates are checked by takes a tenth of a second.
    """
    return url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _pause_after(tries: Tries[None], answer: Answer) -> float:
    """Return after how many seconds to ask for a stream again, in place of which this *answer* came."""
    pause = tries.answered(answer)
    if pause is None:
        check(answer)
        raise UnexpectedAnswer(answer.status, "it is no stream of events")
    return pause


def _said(error: httpx2.RequestError) -> str:
    return str(error) or type(error).__name__
