"""Where tasks go: look, pause, resume, limit."""

import re
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tasker.api.bodies import answer, read_json, read_nothing
from tasker.api.new_task import BodyDecoder
from tasker.api.routes.lists import Part, answer_list
from tasker.errors import InvalidQueryError
from tasker.service import Service
from tasker.wire.destinations import DestinationChange

_CURSOR: Final = re.compile(r"\d{1,9}", re.ASCII)


def routes(service: Service, *, max_body_bytes: int) -> list[BaseRoute]:
    """Return the routes under ``/destinations``."""
    changes = BodyDecoder(DestinationChange, list(DestinationChange.__struct_fields__))

    async def every(request: Request) -> Response:
        return await answer_list(request, read)

    async def read(after: str | None, limit: int) -> Part:
        found = await service.destinations(after=_position(after), limit=limit)
        return Part(list(map(msgspec.json.encode, found)), str(found[-1].id) if len(found) == limit else None)

    async def one(request: Request) -> Response:
        destination_id: str = request.path_params["id"]
        if request.method == "PATCH":
            change = await read_json(request.receive, max_body_bytes, changes)
            return answer(await service.change(destination_id, change))
        return answer(await service.destination(destination_id))

    async def pause(request: Request) -> Response:
        await read_nothing(request.receive, max_body_bytes)
        return answer(await service.pause(request.path_params["id"]))

    async def resume(request: Request) -> Response:
        await read_nothing(request.receive, max_body_bytes)
        return answer(await service.resume(request.path_params["id"]))

    return [
        Route("/destinations", every),
        Route("/destinations/{id}", one, methods=["GET", "PATCH"]),
        Route("/destinations/{id}/pause", pause, methods=["POST"]),
        Route("/destinations/{id}/resume", resume, methods=["POST"]),
    ]


def _position(cursor: str | None) -> int:
    """The id after which a page begins."""
    if cursor is None:
        return 0
    if _CURSOR.fullmatch(cursor) is None:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its Link header gives it")
    return int(cursor)
