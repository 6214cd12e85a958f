"""What the server says about itself."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tasker.api.bodies import answer
from tasker.api.openapi.document import document_json
from tasker.service import Service
from tasker.task_types.registry import Registry
from tasker.wire.server import Health


def routes(service: Service, registry: Registry) -> list[BaseRoute]:
    """Return the routes about the server itself."""
    description = document_json(registry)

    async def healthz(_: Request) -> Response:
        return answer(Health("ok"))

    async def readyz(_: Request) -> Response:
        reason = service.unready()
        if reason is None:
            return answer(Health("ok"))
        return answer(Health("unavailable", reason), status=503, headers={"retry-after": "1"})

    async def stats(_: Request) -> Response:
        return answer(await service.stats())

    async def nodes(_: Request) -> Response:
        return answer(await service.nodes())

    async def openapi_json(_: Request) -> Response:
        return Response(description, media_type="application/json")

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/stats", stats),
        Route("/nodes", nodes),
        Route("/openapi.json", openapi_json),
    ]
