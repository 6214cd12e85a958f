"""What open pages hear of: of which kinds there were events, so that they look again."""

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tasker.api.calls import Request
from tasker.api.receiving import LEFT
from tasker.api.routes.events import read_events
from tasker.dashboard.visits import Pages, Visit

pages = Pages()


@pages.get("/live")
async def live(visit: Visit) -> Response:
    """Answer as ``GET /events?signals=1`` does, until the sign-in is over."""
    assert read_events.handler is not None  # noqa: S101 - it is declared with one
    left = visit.asgi["extensions"][LEFT]["call"]
    ends: list[Callable[[], None]] = []

    def when_left(end: Callable[[], None]) -> None:
        ends.append(end)
        left(end)

    pairs = [("signals", "1")]
    stream = await read_events.handler(
        Request(visit.context, visit.caller, visit.path, {}, dict(pairs), pairs, None, when_left, asgi=visit.asgi)
    )
    return _Stream(stream, visit, ends)


class _Stream(Response):
    """A stream that ends with the sign-in of whoever reads it."""

    def __init__(self, stream: Response, visit: Visit, ends: list[Callable[[], None]]) -> None:
        super().__init__()
        self.raw_headers = stream.raw_headers
        self._stream = stream
        self._visit = visit
        self._ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the visitor read."""
        visit = self._visit
        async with visit.visitors.while_signed_in(visit.asgi, visit.caller, self._end):
            await self._stream(scope, receive, send)

    def _end(self) -> None:
        for end in self._ends:
            end()
