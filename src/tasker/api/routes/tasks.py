"""Read, list and delete tasks."""

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tasker import wire
from tasker.api.problems import PRIVATE
from tasker.api.routes.lists import answer_list
from tasker.errors import InvalidQueryError
from tasker.interfaces import TaskFilter
from tasker.model.task import State
from tasker.service import Service
from tasker.task_types.registry import Registry

_STATES: Final = {state.word: state for state in State}


def routes(service: Service, registry: Registry) -> list[BaseRoute]:
    """Return the routes under ``/tasks``, without the one that creates."""
    type_names = [task_type.name for task_type in registry.types]

    async def task(request: Request) -> Response:
        task_id: str = request.path_params["id"]
        if request.method == "DELETE":
            await service.delete(task_id)
            return Response(status_code=204)
        found = await service.get(task_id)
        return Response(wire.wrapped_task_json(found), headers=PRIVATE, media_type="application/json")

    async def by_type(request: Request) -> Response:
        name: str = request.path_params["type"]
        _check_known("type", name, type_names)
        return await answer_list(service, request, TaskFilter(type=name), wire.task_json)

    async def by_state(request: Request) -> Response:
        word: str = request.path_params["state"]
        _check_known("state", word, _STATES)
        return await answer_list(service, request, TaskFilter(state=_STATES[word]), wire.wrapped_task_json)

    return [
        Route("/tasks/type/{type}", by_type),
        Route("/tasks/state/{state}", by_state),
        Route("/tasks/{id}", task, methods=["GET", "DELETE"]),
    ]


def _check_known(parameter: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InvalidQueryError(parameter, f"expected one of {', '.join(known)}, got: {value[:60]!r}")
