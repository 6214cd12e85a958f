"""Lists, a page at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tasker.client import words
from tasker.client.core import Page, Request, cursor_in, path, shape

P = TypeVar("P")
T = TypeVar("T")


def page(
    noun: str,
    kind: type[P],
    items: Callable[[P], tuple[Sequence[T], str | None]],
    *,
    limit: int,
    cursor: str | None,
    filters: Mapping[str, Any] | None = None,
) -> Request[Page[T]]:
    """Read a page of a list.

    Args:
        noun: the path of the list, without a slash.
        kind: the shape of the page.
        items: returns what a page has, and the path of the next one.
        limit: how many, at most.
        cursor: where it begins; None: it is the first one.
        filters: what is picked; None: everything.
    """
    read_page = shape(kind)
    query = words.query({**(filters or {}), "limit": limit, "cursor": cursor})

    def made_of(found: tuple[Sequence[T], str | None]) -> Page[T]:
        return Page(found[0], cursor_in(found[1]))

    return Request(
        method="GET",
        path=path(noun, query=query),
        read=lambda answer: made_of(items(read_page(answer))),
        is_repeatable=True,
    )
