"""tasker in an application of FastAPI, or of Starlette: a client for its handlers, and webhooks that are verified.

Imports Starlette alone, which FastAPI brings.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from tasker.client.asynchronous.client import AsyncClient
from tasker.webhooks import InvalidSignature, keys_of, verify

LONGEST_BODY: Final = 16 * 1024 * 1024
"""Bytes of a webhook that are read, unless the application says otherwise."""


@asynccontextmanager
async def lifespan(app: Starlette, *, url: str | None = None, key: str | None = None) -> AsyncGenerator[None, None]:
    """Give *app* a client for as long as it runs: ``FastAPI(lifespan=lifespan)``.

    There is one for the whole application, with the connections that it keeps. It is
    ``app.state.tasker``, and handlers get it by ``get_client``. In a lifespan of your own, or to say
    more than the app: ``async with lifespan(app, url=...): yield``.

    Args:
        app: the application. One that is mounted in it is another one: give it the same client with
            ``mounted.state.tasker = app.state.tasker``.
        url: of the server. None: that of ``TASKER_URL``, or else ``http://127.0.0.1:8080``.
        key: the API key. None: that of ``TASKER_KEY``, or in the file ``TASKER_KEY_FILE``, or else none.

    Raises:
        tasker.SettingError: the URL or the key cannot be used. The server itself is not called yet.
    """
    async with AsyncClient(url, key) as client:
        app.state.tasker = client
        try:
            yield
        finally:
            del app.state.tasker


def get_client(connection: HTTPConnection) -> AsyncClient:
    """Return the client of an application, for a handler of HTTP or of a WebSocket.

    In FastAPI it is a dependency: ``client: Annotated[AsyncClient, Depends(get_client)]``.
    In Starlette: ``get_client(request)``.

    Raises:
        RuntimeError: the application has none, because ``lifespan`` did not run.
    """
    client = getattr(connection.app.state, "tasker", None)
    if not isinstance(client, AsyncClient):
        raise RuntimeError(  # noqa: TRY004 - whatever else stands there, the lifespan did not run
            "this application has no client of tasker: expected FastAPI(lifespan=tasker.fastapi.lifespan), or "
            "'async with lifespan(app)' in a lifespan of its own; in tests, 'with TestClient(app)' runs it"
        )
    return client


class VerifiedWebhook(NamedTuple):
    """A webhook that tasker has sent."""

    id: str
    """The id of the task: the same at every attempt. Remember those that you have handled."""
    sent_at: datetime
    """When this attempt was made, to the second, in UTC."""
    body: bytes
    """As it arrived; empty if there is none."""

    def json(self) -> Any:  # noqa: ANN401 - whatever it was given
        """Return what the body says.

        Raises:
            msgspec.DecodeError: it is no JSON.
        """
        return msgspec.json.decode(self.body)


def verified(
    secrets: str | Iterable[str], *, longest: int = LONGEST_BODY
) -> Callable[[Request], Awaitable[VerifiedWebhook]]:
    """Return a dependency that lets webhooks of tasker through, and nothing else.

    In FastAPI: ``webhook: Annotated[VerifiedWebhook, Depends(verified(SECRETS))]``.
    In Starlette: ``webhook = await verified(SECRETS)(request)``.

    It reads the body, so the handler takes no other. What is not genuine is answered with 401, and why
    is not said to the caller. A body that is longer than *longest* is answered with 413. One webhook
    may come more than once all the same: its ``id`` tells.

    Args:
        secrets: the signing secret, ``whsec_...``; or several, while you change from one to the next.
        longest: bytes of a body that are read.

    Raises:
        ValueError: a secret is none, or there is none. The message does not show it.
    """
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    keys_of(known)  # an application whose secret is none does not start

    async def webhook(request: Request) -> VerifiedWebhook:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > longest:
                raise HTTPException(413)
        whole = bytes(body)
        try:
            genuine = verify(whole, request.headers, known)
        except InvalidSignature:
            raise HTTPException(401) from None
        return VerifiedWebhook(genuine.id, genuine.sent_at, whole)

    return webhook
