"""Where tasks go: make, read, list, limit, pause, resume and probe destinations."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET

from tasker.client.core import Answer, Page, Request, cursor_in, encode, path, reading, shape
from tasker.client.decoding import decoder
from tasker.wire.destinations import DestinationView

_read: Final = shape(DestinationView)
_decode_list: Final = decoder(list[DestinationView])


def find(*, limit: int, cursor: str | None) -> Request[Page[DestinationView]]:
    """List destinations: a page of them. Where the next begins stands in a header."""
    query = [("limit", str(limit)), *([] if cursor is None else [("cursor", cursor)])]

    def read(answer: Answer) -> Page[DestinationView]:
        link = answer.headers.get("link", "")
        return Page(reading(answer, _decode_list), cursor_in(link[1 : link.index(">")] if link else None))

    return Request(method="GET", path=path("destinations", query=query), read=read, is_repeatable=True)


def make(said: Mapping[str, Any]) -> Request[DestinationView]:
    """Make or find a destination."""
    return Request(method="POST", path="/destinations", content=encode(_given(said)), read=_read, is_repeatable=True)


def get(destination: int) -> Request[DestinationView]:
    """Read a destination."""
    return Request(method="GET", path=path("destinations", str(destination)), read=_read, is_repeatable=True)


def change(destination: int, said: Mapping[str, Any]) -> Request[DestinationView]:
    """Limit a destination."""
    return Request(
        method="PATCH",
        path=path("destinations", str(destination)),
        content=encode(_given(said)),
        read=_read,
        is_repeatable=True,
    )


def pause(destination: int) -> Request[DestinationView]:
    """Start no more tasks of a destination."""
    return _move(destination, "pause", is_repeatable=True)


def resume(destination: int) -> Request[DestinationView]:
    """Start tasks of a destination again."""
    return _move(destination, "resume", is_repeatable=True)


def probe(destination: int) -> Request[DestinationView]:
    """Try a destination now."""
    return _move(destination, "probe", is_repeatable=False)


def _move(destination: int, name: str, *, is_repeatable: bool) -> Request[DestinationView]:
    return Request(
        method="POST", path=path("destinations", str(destination), name), read=_read, is_repeatable=is_repeatable
    )


def _given(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is given. None is: it takes a limit away."""
    return {name: value for name, value in said.items() if value is not UNSET}
