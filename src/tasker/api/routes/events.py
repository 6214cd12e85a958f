"""Events: what happens, as it happens, as a stream of server-sent events."""

from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tasker.api.calls import READING, Answer, Call, Parameter, Request
from tasker.api.problems import PRIVATE
from tasker.api.receiving import CUT, PUSH
from tasker.api.routes.parameters import given_in, word_of
from tasker.callers import Scope as Needed
from tasker.errors import DestinationNotFoundError, InvalidQueryError, TooManyReadersError
from tasker.event_filters import EVENT_FILTERS
from tasker.filters import schema_of
from tasker.wire.events import EventView

MEDIA_TYPE: Final = "text/event-stream"

_SIGNALS: Final = "signals"
_YES: Final = "1"
_LAST_ID: Final = "Last-Event-ID"


@Call(
    method="GET",
    path="/events",
    summary="Read what happens, as it happens: a stream of server-sent events that does not end by itself.",
    scope=Needed.TASKS_READ,
    query=(
        *(Parameter(name=each.name, description=each.description, schema=schema_of(each)) for each in EVENT_FILTERS),
        Parameter(
            name=_SIGNALS,
            description="1: no single events, only of which kinds there were some, every 250 ms at most.",
            schema={"type": "string", "enum": [_YES]},
        ),
    ),
    headers=(
        Parameter(
            name=_LAST_ID,
            description="The id of the last event that the caller has seen: the stream goes on behind it.",
            schema={"type": "string"},
        ),
    ),
    answers=(
        Answer(
            description="The stream. The schema is that of the data of a single event.",
            shape=EventView,
            media_type=MEDIA_TYPE,
        ),
    ),
    errors=(InvalidQueryError, DestinationNotFoundError, TooManyReadersError, *READING),
    page="events.md#read-events",
).answered_by
async def read_events(request: Request) -> Response:
    """Answer with a stream of events."""
    return _Stream(request)


class _Stream(Response):
    """Sends events until the reader leaves, is too slow, or the node stops."""

    media_type = MEDIA_TYPE
    charset = "utf-8"

    def __init__(self, request: Request) -> None:
        # A proxy is not to keep events until there are many: X-Accel-Buffering is nginx's word for it.
        super().__init__(headers={**PRIVATE, "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the caller read.

        Raises:
            InvalidQueryError, DestinationNotFoundError, TooManyReadersError: nothing was sent.
        """
        del receive
        request = self._request
        given = given_in(request.pairs)
        is_signals = word_of(given, _SIGNALS, (_YES,)) is not None
        cut, push = (scope["extensions"][name]["call"] for name in (CUT, PUSH))
        async with request.service.events.reading(
            request.caller, given, is_signals=is_signals, push=push, cut=cut
        ) as reader:
            request.when_left(reader.leave)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                headers = dict(scope["headers"])
                last_id = headers.get(_LAST_ID.lower().encode())
                async for part in reader.parts(None if last_id is None else last_id.decode("latin-1")):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})


CALLS: Final = (read_events,)
