"""What open pages hear of: of which kinds there were events, so that they look again."""

from starlette.responses import Response

from tasker.api.calls import Request
from tasker.api.receiving import LEFT
from tasker.api.routes.events import read_events
from tasker.dashboard.visits import Pages, Visit

pages = Pages()


@pages.get("/live")
async def live(visit: Visit) -> Response:
    """Answer as ``GET /events?signals=1`` does."""
    assert read_events.handler is not None  # noqa: S101 - it is declared with one
    left = visit.asgi["extensions"][LEFT]["call"]
    pairs = [("signals", "1")]
    return await read_events.handler(
        Request(visit.context, visit.caller, visit.path, {}, dict(pairs), pairs, None, left, asgi=visit.asgi)
    )
