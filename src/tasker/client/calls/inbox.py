"""The PostgreSQL inbox: list its rows, try one again, delete one."""

from uuid import UUID

from tasker.client.calls import pages
from tasker.client.core import Page, Request, nothing, path
from tasker.wire.inbox import InboxPage, InboxRowView

_NOT_FOUND = "inbox_row_not_found"


def find(*, limit: int, cursor: str | None) -> Request[Page[InboxRowView]]:
    """List rows: a page of them."""
    return pages.page("inbox", InboxPage, lambda found: (found.inbox, found.next), limit=limit, cursor=cursor)


def retry(row: UUID | str) -> Request[None]:
    """Try a row again."""
    return Request(
        method="POST",
        path=path("inbox", str(row), "retry"),
        read=nothing,
        is_repeatable=True,
        repeated={_NOT_FOUND: lambda: None},
    )


def delete(row: UUID | str) -> Request[None]:
    """Delete a row."""
    return Request(
        method="DELETE",
        path=path("inbox", str(row)),
        read=nothing,
        is_repeatable=True,
        repeated={_NOT_FOUND: lambda: None},
    )
