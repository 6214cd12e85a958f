"""What the server says about itself."""

from http import HTTPStatus
from typing import Final

from msgspec import UNSET
from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import NOTHING, READING, WRITING, Answer, Call, Request, Shape
from tasker.callers import Scope
from tasker.errors import UpgradeUnfinishedError
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.wire.server import Beginning, Health, NodeView, PauseView, Stats, node_view, pause_view, stats_view

_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds after which another try makes sense.", "schema": {"type": "integer"}}
}


_FOR_TESTS: Final = (
    "this server is for tests: its clock stands still, or runs apart from the time of day, "
    "and POST /dev/clock moves it (--dev-clock)"
)

_VARY: Final = {"Vary": {"description": "Accept: the answer depends on it.", "schema": {"type": "string"}}}


@Call(
    method="GET",
    path="/",
    summary="Where to begin: a program gets the calls, a browser is sent to the dashboard. Needs no key.",
    scope=Scope.OPEN,
    answers=(
        Answer(description="What there is.", shape=Beginning, headers=_VARY),
        Answer(
            description="To the dashboard: Accept has text/html, and there is one.",
            status=303,
            headers={"Location": {"description": "Its path.", "schema": {"type": "string"}}, **_VARY},
        ),
    ),
    page="server.md#where-to-begin",
).answered_by
async def get_beginning(request: Request) -> Response:
    """Say where to begin."""
    context = request.context
    ui = f"{context.root_path}/ui/"
    accept = b",".join(value for name, value in request.asgi["headers"] if name == b"accept")
    if context.has_dashboard and b"text/html" in accept:
        return Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": ui, "vary": "accept"})
    said = Beginning(
        ui=ui if context.has_dashboard else UNSET,
        openapi=f"{context.root_path}/openapi.json",
        calls=context.calls,
        note=_FOR_TESTS if request.service.clock.is_on else UNSET,
    )
    return answer(said, headers={"vary": "accept"})


@Call(
    method="GET",
    path="/healthz",
    summary="Is the server alive? Needs no key.",
    scope=Scope.OPEN,
    answers=(Answer(description="It is.", shape=Health),),
    page="server.md#health",
).answered_by
async def get_health(_: Request) -> Response:
    """Say that the server is alive."""
    return answer(Health("ok"))


@Call(
    method="GET",
    path="/readyz",
    summary="Should the server be sent work now? Needs no key.",
    scope=Scope.OPEN,
    answers=(
        Answer(description="It should. note says if everything is paused.", shape=Health),
        Answer(description="It should not: reason says why.", status=503, shape=Health, headers=_RETRY_AFTER),
    ),
    page="server.md#health",
).answered_by
async def get_readiness(request: Request) -> Response:
    """Say whether the server should be sent work."""
    reason = request.service.server.unready()
    if reason is None:
        paused_at = request.service.server.paused_at()
        return answer(Health("ok", note=UNSET if paused_at is None else _paused_since(paused_at)))
    return answer(Health("unavailable", reason), status=503, headers={"retry-after": "1"})


def _paused_since(moment: Instant) -> str:
    return f"everything is paused since {instants.text(moment)}: tasks are taken, and start after POST /resume"


@Call(
    method="POST",
    path="/pause",
    summary="Stop everything: no task starts, on any node, until POST /resume. Takes no body.",
    scope=Scope.OPERATE,
    body=NOTHING,
    answers=(Answer(description="Everything is paused. What is running goes on.", shape=PauseView),),
    errors=(UpgradeUnfinishedError, *WRITING),
    page="server.md#stop-everything",
).answered_by
async def pause_everything(request: Request) -> Response:
    """Pause everything."""
    return answer(pause_view(await request.service.server.pause(request.caller)))


@Call(
    method="POST",
    path="/resume",
    summary="Let tasks start again, on all nodes. Takes no body.",
    scope=Scope.OPERATE,
    body=NOTHING,
    answers=(Answer(description="Tasks start.", shape=PauseView),),
    errors=WRITING,
    page="server.md#stop-everything",
).answered_by
async def resume_everything(request: Request) -> Response:
    """Let tasks start again."""
    return answer(pause_view(await request.service.server.resume(request.caller)))


@Call(
    method="GET",
    path="/stats",
    summary="Lateness, counts and worker slots.",
    scope=Scope.METRICS,
    answers=(Answer(description="What was counted.", shape=Stats),),
    errors=READING,
    page="server.md#statistics",
).answered_by
async def get_stats(request: Request) -> Response:
    """Answer with what was counted and measured."""
    return answer(stats_view(await request.service.server.stats()))


@Call(
    method="GET",
    path="/nodes",
    summary="The servers that share the database, in the order in which they started.",
    scope=Scope.METRICS,
    answers=(Answer(description="The nodes.", shape=NodeView, is_list=True),),
    errors=READING,
    page="server.md#nodes",
).answered_by
async def get_nodes(request: Request) -> Response:
    """Answer with the nodes that share the store."""
    return answer([node_view(record) for record in await request.service.server.nodes()])


@Call(
    method="GET",
    path="/openapi.json",
    summary="This description.",
    scope=Scope.TASKS_READ,
    answers=(Answer(description="OpenAPI 3.1.", shape=Shape.DOCUMENT),),
    page="server.md#description",
).answered_by
async def get_openapi(request: Request) -> Response:
    """Answer with the description of all calls."""
    return Response(request.context.description, media_type="application/json")


CALLS: Final = (
    get_beginning,
    get_health,
    get_readiness,
    pause_everything,
    resume_everything,
    get_stats,
    get_nodes,
    get_openapi,
)
