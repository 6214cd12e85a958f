"""The door of ``--metrics-listen``: the metrics, without a key, and nothing else."""

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tasker.api import problems
from tasker.api.metrics.exposition import accept_of, metrics_answer
from tasker.service.metrics import MetricsService

PATH: Final = "/metrics"


def build_metrics_app(metrics: MetricsService) -> ASGIApp:
    """Return an ASGI application that answers ``GET /metrics`` to everybody who can reach it.

    Any ``Host`` will do: nothing can be changed here, and what there is to read names no task.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (await _answer(scope, metrics))(scope, receive, send)

    return answer


async def _answer(scope: Scope, metrics: MetricsService) -> Response:
    if scope["path"] != PATH:
        return problems.nothing_but_metrics()
    if scope["method"] not in ("GET", "HEAD"):
        return problems.method_not_allowed(("GET", "HEAD"))
    return await metrics_answer(await metrics.read(), accept_of(scope["headers"]))
