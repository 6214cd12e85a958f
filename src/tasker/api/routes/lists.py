"""Lists of tasks: whole ones as a stream, or a page at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tasker.api.problems import PRIVATE
from tasker.errors import InvalidQueryError
from tasker.interfaces import Page, TaskFilter
from tasker.model.task import Task
from tasker.service import Service

MAX_LIMIT: Final = 1_000
"""The longest page that a caller may ask for."""

_PARAMETERS: Final = ("limit", "cursor")


async def answer_list(service: Service, request: Request, which: TaskFilter, write: Callable[[Task], bytes]) -> Response:
    """Answer with the tasks of *which* as a JSON array: all of them, or the page that ``limit`` and ``cursor`` ask for.

    Args:
        write: makes the JSON of a task.

    Raises:
        InvalidQueryError: a parameter is unknown or has a value that cannot be used.
    """
    query = request.query_params
    for name in query:
        if name not in _PARAMETERS:
            raise InvalidQueryError(name[:60], f"unknown here; expected {' or '.join(_PARAMETERS)}")
    if "limit" not in query:
        if "cursor" in query:
            raise InvalidQueryError("cursor", "expected together with limit, which is missing")
        pages = service.pages(which)
        # Read before the answer begins, while a failure can still be told as one.
        return _WholeList(await anext(pages), pages, write)
    limit = _limit(query["limit"])
    page = await service.page(which, after=query.get("cursor"), limit=limit)
    headers = dict(PRIVATE)
    if page.next is not None:
        headers["link"] = f'<{request.url.path}?{urlencode({"limit": limit, "cursor": page.next})}>; rel="next"'
    return Response(b"[%b]" % b",".join(map(write, page.tasks)), headers=headers, media_type="application/json")


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise InvalidQueryError("limit", f"expected a whole number from 1 to {MAX_LIMIT}, got: {text[:20]!r}")


class _WholeList(Response):
    """A list of any length. It holds one page at a time and reads the next when the client has taken the one before.

    If reading fails half-way, or the client hangs up, it ends without having sent the end of the array.
    """

    media_type = "application/json"

    def __init__(self, first: Page, pages: AsyncIterator[Page], write: Callable[[Task], bytes]) -> None:
        super().__init__(headers=PRIVATE)
        del self.headers["content-length"]  # not known beforehand
        self._first = first
        self._pages = pages
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        gone = asyncio.create_task(_disconnect(receive))
        separator = b"["
        try:
            async for page in self._all_pages():
                if gone.done():
                    return
                if page.tasks:
                    body = separator + b",".join(map(self._write, page.tasks))
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    separator = b","
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b"[]" if separator == b"[" else b"]"})

    async def _all_pages(self) -> AsyncIterator[Page]:
        yield self._first
        del self._first  # sent: it need not stay until the end
        async for page in self._pages:
            yield page


async def _disconnect(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        continue
