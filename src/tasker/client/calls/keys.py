"""API keys: make, list, revoke."""

from collections.abc import Sequence
from typing import Final

from tasker.client import words
from tasker.client.answers import NewKey
from tasker.client.calls import pages
from tasker.client.core import Page, Request, encode, nothing, path, shape, without_none
from tasker.client.options import Moment
from tasker.wire.keys import KeyPage, KeyView

_read_new: Final = shape(NewKey)


def create(name: str, *, role: str | None, scopes: Sequence[str] | None, expires_at: Moment | None) -> Request[NewKey]:
    """Make a key."""
    until = None if expires_at is None else words.moment("expires_at", expires_at)
    said = {"name": name, "role": role, "scopes": None if scopes is None else list(scopes), "expires_at": until}
    return Request(method="POST", path="/keys", content=encode(without_none(said)), read=_read_new, is_repeatable=False)


def find(*, limit: int, cursor: str | None) -> Request[Page[KeyView]]:
    """List keys: a page of them."""
    return pages.page("keys", KeyPage, lambda found: (found.keys, found.next), limit=limit, cursor=cursor)


def revoke(key_id: str) -> Request[None]:
    """Revoke a key."""
    return Request(
        method="DELETE",
        path=path("keys", key_id),
        read=nothing,
        is_repeatable=True,
        repeated={"api_key_not_found": lambda: None},
    )
