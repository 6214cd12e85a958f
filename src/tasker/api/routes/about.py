"""What the server says about itself."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tasker import wire
from tasker.api import openapi
from tasker.service import Service
from tasker.task_types.registry import Registry


def routes(service: Service, registry: Registry) -> list[BaseRoute]:
    """Return the routes about the server itself."""
    description = openapi.document_json(registry)

    async def healthz(_: Request) -> Response:
        return _json(wire.Health("ok"))

    async def readyz(_: Request) -> Response:
        reason = service.unready()
        if reason is None:
            return _json(wire.Health("ok"))
        return _json(wire.Health("unavailable", reason), status=503, headers={"retry-after": "1"})

    async def stats(_: Request) -> Response:
        return _json(await service.stats())

    async def nodes(_: Request) -> Response:
        return _json(await service.nodes())

    async def openapi_json(_: Request) -> Response:
        return Response(description, media_type="application/json")

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/stats", stats),
        Route("/nodes", nodes),
        Route("/openapi.json", openapi_json),
    ]


def _json(
    shape: msgspec.Struct | Sequence[msgspec.Struct], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        msgspec.json.encode(shape),
        status,
        headers={"cache-control": "no-store", **(headers or {})},
        media_type="application/json",
    )
