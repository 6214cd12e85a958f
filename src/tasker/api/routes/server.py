"""Routes about the server itself."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tasker.service import Service
from tasker.wire import Health


def routes(service: Service, description: bytes) -> list[Route]:
    """Return the routes; *description* is the OpenAPI document."""

    async def healthz(_: Request) -> Response:
        return _json(Health("ok"))

    async def readyz(_: Request) -> Response:
        reason = service.unready()
        return _json(Health("ok")) if reason is None else _json(Health("unavailable", reason), status=503)

    async def stats(_: Request) -> Response:
        return _json(await service.stats())

    async def openapi(_: Request) -> Response:
        return Response(description, media_type="application/json")

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/stats", stats),
        Route("/openapi.json", openapi),
    ]


def _json(value: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
