"""API keys: make, list, revoke."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import READING, WRITING, Answer, Body, Call, Request
from tasker.api.problems import PRIVATE
from tasker.api.receiving import PEER
from tasker.api.routes import pages
from tasker.callers import OWNER, Scope
from tasker.config import is_loopback
from tasker.errors import (
    ApiKeyNotFoundError,
    ForbiddenError,
    InvalidQueryError,
    InvalidRequestError,
    LastAdminKeyError,
    NoAdminKeyError,
    UpgradeUnfinishedError,
)
from tasker.wire.keys import KeyPage, NewKey, NewKeyView, key_view, new_key_view

_FORWARDED: Final = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"})
"""Headers by which a proxy says that the call is somebody else's."""


@Call(
    method="POST",
    path="/keys",
    summary="Make an API key. It is shown in this answer only. From the first one on, keys are asked for.",
    scope=Scope.ADMIN,
    body=Body(NewKey),
    answers=(Answer(description="The key.", status=201, shape=NewKeyView),),
    errors=(InvalidRequestError, ForbiddenError, NoAdminKeyError, UpgradeUnfinishedError, *WRITING),
    page="keys.md#make-a-key",
).answered_by
async def create_key(request: Request) -> Response:
    """Make a key."""
    if request.caller is OWNER and not _is_from_here(request):
        raise ForbiddenError(
            "the first API key is made on the machine of the server: POST /keys from 127.0.0.1, not through a proxy, "
            "or tasker keys create"
        )
    new: NewKey = request.body
    key, text = await request.service.keys.create(request.caller, new.name, new.role, new.scopes, new.expires_at)
    return answer(new_key_view(key, text), status=HTTPStatus.CREATED)


@Call(
    method="GET",
    path="/keys",
    summary="List API keys, in the order in which they were made, a page at a time.",
    scope=Scope.ADMIN,
    query=pages.parameters("keys"),
    answers=(Answer(description="Keys, without the keys themselves.", shape=KeyPage, headers=pages.HEADERS),),
    errors=(InvalidQueryError, *READING),
    page="keys.md#list-keys",
).answered_by
async def list_keys(request: Request) -> Response:
    """Answer with keys."""
    length = pages.length_of(request)
    keys, following = await request.service.keys.page(cursor=pages.cursor_of(request), limit=length)
    return pages.answer_page(KeyPage([key_view(key) for key in keys], pages.next_path(request, following)))


@Call(
    method="DELETE",
    path="/keys/{id}",
    summary="Revoke an API key, for good: within a second it is valid on no node.",
    scope=Scope.ADMIN,
    value={"type": "string"},
    answers=(Answer(description="It is revoked.", status=204),),
    errors=(ApiKeyNotFoundError, LastAdminKeyError, *WRITING),
    page="keys.md#revoke-a-key",
).answered_by
async def revoke_key(request: Request) -> Response:
    """Revoke a key."""
    await request.service.keys.revoke(request.caller, request.values["id"])
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=PRIVATE)


def _is_from_here(request: Request) -> bool:
    """Return whether a program on this machine made the call, for itself."""
    peer = request.asgi["extensions"][PEER]["call"]()
    return peer is not None and is_loopback(peer) and not any(name in _FORWARDED for name, _ in request.asgi["headers"])


CALLS: Final = (create_key, list_keys, revoke_key)
