"""Read, list, delete and explain tasks; run failed ones again."""

from collections.abc import Callable, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tasker.api.bodies import answer, read_nothing
from tasker.api.problems import PRIVATE
from tasker.api.routes.lists import Part, ReadPart, answer_list
from tasker.errors import InvalidQueryError
from tasker.interfaces import TaskFilter
from tasker.model.task import State, Task
from tasker.service import Service
from tasker.task_types.registry import Registry
from tasker.wire.tasks import masked, task_json, wrapped_task_json

_STATES: Final = {state.word: state for state in State}


def routes(service: Service, registry: Registry, *, max_body_bytes: int) -> list[BaseRoute]:
    """Return the routes under ``/tasks``, without the one that creates."""
    type_names = [task_type.name for task_type in registry.types]

    async def task(request: Request) -> Response:
        task_id: str = request.path_params["id"]
        if request.method == "DELETE":
            await service.delete(task_id)
            return Response(status_code=204)
        return _whole(await service.get(task_id))

    async def retry(request: Request) -> Response:
        await read_nothing(request.receive, max_body_bytes)
        return _whole(await service.retry(request.path_params["id"]))

    async def attempts(request: Request) -> Response:
        return answer(await service.attempts(request.path_params["id"]))

    async def explain(request: Request) -> Response:
        return answer(await service.explain(request.path_params["id"]))

    async def by_type(request: Request) -> Response:
        name: str = request.path_params["type"]
        _check_known("type", name, type_names)
        return await answer_list(request, _reader(service, TaskFilter(type=name), task_json))

    async def by_state(request: Request) -> Response:
        word: str = request.path_params["state"]
        _check_known("state", word, _STATES)
        return await answer_list(request, _reader(service, TaskFilter(state=_STATES[word]), wrapped_task_json))

    return [
        Route("/tasks/type/{type}", by_type),
        Route("/tasks/state/{state}", by_state),
        Route("/tasks/{id}", task, methods=["GET", "DELETE"]),
        Route("/tasks/{id}/retry", retry, methods=["POST"]),
        Route("/tasks/{id}/attempts", attempts),
        Route("/tasks/{id}/explain", explain),
    ]


def _whole(task: Task) -> Response:
    return Response(wrapped_task_json(task), headers=PRIVATE, media_type="application/json")


def _reader(service: Service, which: TaskFilter, write: Callable[[Task], bytes]) -> ReadPart:
    """Return what reads a list of tasks, and writes each with *write*, as lists show it."""

    async def read(after: str | None, limit: int) -> Part:
        page = await service.page(which, after=after, limit=limit)
        return Part([write(masked(task)) for task in page.tasks], page.next)

    return read


def _check_known(parameter: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InvalidQueryError(parameter, f"expected one of {', '.join(known)}, got: {value[:60]!r}")
