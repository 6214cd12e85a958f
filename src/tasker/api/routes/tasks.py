"""Routes that read and delete tasks."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tasker import wire
from tasker.errors import InvalidQueryError
from tasker.interfaces import Page, TaskFilter
from tasker.model.task import State, Task
from tasker.service import Service
from tasker.task_types.registry import Registry

MAX_LIMIT: Final = 1_000

_STATES: Final = {state.word: state for state in State}


def routes(service: Service, registry: Registry) -> list[Route]:
    """Return the routes."""

    async def get(request: Request) -> Response:
        task = await service.get(request.path_params["task_id"])
        return Response(wire.wrapped_task_json(task), media_type="application/json")

    async def delete(request: Request) -> Response:
        await service.delete(request.path_params["task_id"])
        return Response(status_code=204)

    async def by_type(request: Request) -> Response:
        name = request.path_params["type"]
        if registry.get(name) is None:
            known = ", ".join(task_type.name for task_type in registry.types)
            raise InvalidQueryError("type", f"expected one of {known}, got: {name[:60]!r}")
        return await _list(request, TaskFilter(type=name), wire.task_json)

    async def by_state(request: Request) -> Response:
        word = request.path_params["state"]
        if word not in _STATES:
            raise InvalidQueryError("state", f"expected one of {', '.join(_STATES)}, got: {word[:60]!r}")
        return await _list(request, TaskFilter(state=_STATES[word]), wire.wrapped_task_json)

    async def _list(request: Request, which: TaskFilter, encode: Callable[[Task], bytes]) -> Response:
        limit, cursor = _limit(request), request.query_params.get("cursor")
        if limit is not None:
            page = await service.page(which, after=cursor, limit=limit)
            body = b"[" + b",".join(map(encode, page.tasks)) + b"]"
            return Response(body, media_type="application/json", headers=_next_link(request, page, limit))
        if cursor is not None:
            raise InvalidQueryError("cursor", "expected limit beside it, such as ?limit=100&cursor=...")
        pages = service.pages(which)
        first = await anext(pages)  # a store that cannot be read is answered with a status
        return StreamingResponse(_json_array(first, pages, encode), media_type="application/json")

    return [
        Route("/tasks/type/{type}", by_type),
        Route("/tasks/state/{state}", by_state),
        Route("/tasks/{task_id}", get, methods=["GET"]),
        Route("/tasks/{task_id}", delete, methods=["DELETE"]),
    ]


async def _json_array(first: Page, pages: AsyncIterator[Page], encode: Callable[[Task], bytes]) -> AsyncIterator[bytes]:
    """Yield a JSON array a page at a time: the next one is read once the caller has taken this one."""
    yield b"[" + b",".join(map(encode, first.tasks))
    separator = b"," if first.tasks else b""
    async for page in pages:
        if page.tasks:
            yield separator + b",".join(map(encode, page.tasks))
            separator = b","
    yield b"]"


def _limit(request: Request) -> int | None:
    text = request.query_params.get("limit")
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidQueryError("limit", f"expected a number from 1 to {MAX_LIMIT}, got: {text[:60]!r}")
    return int(text)


def _next_link(request: Request, page: Page, limit: int) -> dict[str, str]:
    if page.next is None:
        return {}
    return {"link": f'<{request.url.path}?limit={limit}&cursor={page.next}>; rel="next"'}
