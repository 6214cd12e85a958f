"""What the server says about itself."""

from typing import Final

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import READING, Answer, Call, Request, Shape
from tasker.callers import Scope
from tasker.wire.server import Health, NodeView, Stats, node_view, stats_view

_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds after which another try makes sense.", "schema": {"type": "integer"}}
}


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
        Answer(description="It should.", shape=Health),
        Answer(description="It should not: reason says why.", status=503, shape=Health, headers=_RETRY_AFTER),
    ),
    page="server.md#health",
).answered_by
async def get_readiness(request: Request) -> Response:
    """Say whether the server should be sent work."""
    reason = request.service.server.unready()
    if reason is None:
        return answer(Health("ok"))
    return answer(Health("unavailable", reason), status=503, headers={"retry-after": "1"})


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


CALLS: Final = (get_health, get_readiness, get_stats, get_nodes, get_openapi)
