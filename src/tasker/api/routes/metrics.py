"""What monitoring systems read."""

from typing import Final

from starlette.responses import Response

from tasker.api.calls import Answer, Call, Request, Shape
from tasker.api.metrics.exposition import accept_of, metrics_answer
from tasker.callers import Scope


@Call(
    method="GET",
    path="/metrics",
    summary="All that the server counts and measures, for Prometheus and others that read its formats.",
    scope=Scope.METRICS,
    answers=(
        Answer(
            description="The metrics: in the text format of Prometheus, or as OpenMetrics if Accept asks for it.",
            shape=Shape.TEXT,
            media_type="text/plain",
        ),
    ),
    page="server.md#metrics",
).answered_by
async def get_metrics(request: Request) -> Response:
    """Answer with everything that was counted."""
    return await metrics_answer(await request.service.metrics.read(), accept_of(request.asgi["headers"]))


CALLS: Final = (get_metrics,)
