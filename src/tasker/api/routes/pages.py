"""Lists that are answered a page at a time, as an object with ``next``."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import Parameter, Request
from tasker.api.routes.lists import MAX_LIMIT, limit_of
from tasker.api.routes.parameters import given_in, one_of
from tasker.wire.audit import AuditPageView
from tasker.wire.inbox import InboxPage
from tasker.wire.keys import KeyPage
from tasker.wire.operations import OperationPage
from tasker.wire.schedules import SchedulePage

PAGE: Final = 100
"""The length of a page, if none is asked for."""

HEADERS: Final = {
    "Link": {
        "description": 'Unless this is the last page: <path of the next>; rel="next".',
        "schema": {"type": "string"},
    }
}
"""What the answer may have."""


def parameters(things: str, *, only: str = "", cursor: Mapping[str, Any] | None = None) -> tuple[Parameter, Parameter]:
    """Return the declarations of ``limit`` and ``cursor``.

    Args:
        things: what a page has, such as ``tasks``.
        only: what a cursor goes with, as a sentence; empty: with anything.
        cursor: the JSON schema of a cursor; None: any text.
    """
    return (
        Parameter(
            name="limit",
            description=f"The most {things} to answer with.",
            schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": PAGE},
        ),
        Parameter(
            name="cursor",
            description=f"Where to go on, from the page before. {only}".rstrip(),
            schema={"type": "string"} if cursor is None else cursor,
        ),
    )


def length_of(request: Request) -> int:
    """Return the length of the page that is asked for.

    Raises:
        InvalidQueryError: it is not a number, or not a possible one, or is given more than once.
    """
    text = one_of(given_in(request.pairs), "limit")
    return PAGE if text is None else limit_of(text)


def cursor_of(request: Request) -> str | None:
    """Return where the page that is asked for begins; None: it is the first one.

    Raises:
        InvalidQueryError: it is given more than once.
    """
    return one_of(given_in(request.pairs), "cursor")


def next_path(request: Request, cursor: str | None) -> str | None:
    """Return the path of the page at *cursor*, with all else that this one was asked for; None: there is none."""
    if cursor is None:
        return None
    kept = [(name, value) for name, value in request.pairs if name != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"


def link_to(path: str | None) -> Mapping[str, str]:
    """Return the headers of an answer whose next page is at *path*."""
    return {} if path is None else {"link": f'<{path}>; rel="next"'}


def answer_page(page: AuditPageView | InboxPage | KeyPage | OperationPage | SchedulePage) -> Response:
    """Answer with a page, whose ``next`` is a path."""
    return answer(page, headers=link_to(page.next))
