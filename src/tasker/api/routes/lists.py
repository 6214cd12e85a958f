"""Lists: whole ones as a stream, or a page at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tasker.api.bodies import json_answer
from tasker.api.calls import Parameter, Request
from tasker.api.problems import PRIVATE
from tasker.errors import InvalidQueryError, cut

MAX_LIMIT: Final = 1_000
"""The longest page that a caller may ask for."""

PAGE_LENGTH: Final = 1_000
"""How much of a whole list is read at a time."""

PARAMETERS: Final = (
    Parameter(
        name="limit",
        description="The most to answer with. Without it, the answer has all.",
        schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    ),
    Parameter(
        name="cursor",
        description="Where to go on, from the Link header of the page before. Only with limit.",
        schema={"type": "string"},
    ),
)
"""What every list takes."""

HEADERS: Final = {
    "Link": {
        "description": 'With limit, unless this is the last page: <path of the next>; rel="next".',
        "schema": {"type": "string"},
    }
}
"""What the answer of a list may have."""


class Part(NamedTuple):
    """A page of a list, as it is answered."""

    items: Sequence[bytes]
    """In JSON."""
    next: str | None
    """The cursor of the next page; None: this is the last one."""


ReadPart: TypeAlias = Callable[[str | None, int], Awaitable[Part]]
"""Reads the page after a cursor, None for the first one, of up to so many items. Only the last one
may be empty."""


async def answer_list(request: Request, read: ReadPart) -> Response:
    """Answer with a JSON array of what *read* reads: all of it, or the page that ``limit`` and ``cursor`` ask for.

    Raises:
        InvalidQueryError: a parameter has a value that cannot be used.
    """
    query = request.query
    if "limit" not in query:
        if "cursor" in query:
            raise InvalidQueryError("cursor", "expected together with limit, which is missing")

        async def read_on(after: str | None, length: int) -> Part:
            request.service.keys.check(request.caller)  # it may have been revoked since
            return await read(after, length)

        # Read before the answer begins, while a failure can still be told as one.
        return _WholeList(await read(None, PAGE_LENGTH), read_on)
    limit = limit_of(query["limit"])
    part = await read(query.get("cursor"), limit)
    headers = {}
    if part.next is not None:
        headers["link"] = f'<{request.path}?{urlencode({"limit": limit, "cursor": part.next})}>; rel="next"'
    return json_answer(b"[%b]" % b",\n".join(part.items), headers=headers)


def limit_of(text: str) -> int:
    """Return the length of a page that *text* asks for.

    Raises:
        InvalidQueryError: it is not a number, or not a possible one.
    """
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise InvalidQueryError("limit", f"expected a whole number from 1 to {MAX_LIMIT}, got: {cut(text)!r}")


class _WholeList(Response):
    """A list of any length. It holds one page at a time and reads the next when the client has taken the one before.

    If reading fails half-way, or the client hangs up, it ends without having sent the end of the
    array.
    """

    media_type = "application/json"

    def __init__(self, first: Part, read: ReadPart) -> None:
        super().__init__(headers=PRIVATE)
        del self.headers["content-length"]  # not known beforehand
        self._first = first
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        gone = asyncio.create_task(_disconnect(receive))
        separator = b"["
        try:
            async for part in self._parts():
                if gone.done():
                    return
                if part.items:
                    body = separator + b",\n".join(part.items)
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    separator = b",\n"
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b"[]\n" if separator == b"[" else b"]\n"})

    async def _parts(self) -> AsyncIterator[Part]:
        part = self._first
        del self._first  # sent: it need not stay until the end
        yield part
        while part.next is not None:
            part = await self._read(part.next, PAGE_LENGTH)
            yield part


async def _disconnect(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        continue
