"""The API's description (OpenAPI 3.1), made from the types that the server reads and writes."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tasker import __version__, wire
from tasker.api import problems
from tasker.model.task import State
from tasker.task_types.registry import Registry

_REF: Final = "#/components/schemas/{name}"
_TEXTS: Final = {
    400: "The request cannot be used; msg names the field and says what would be right.",
    401: "This server asks for an API key, and there is none or a wrong one.",
    403: "The call comes from another web site, or under a host name that is not allowed.",
    404: "There is no such task.",
    409: "The task is running.",
    413: "The body is too long.",
    415: "The body is not declared to be application/json.",
    503: "The database cannot be used now. A write may have happened or not, unless code is store_busy.",
    507: "There is no space left for the database. The write may have happened or not.",
}


def document(registry: Registry, request: type[Struct]) -> bytes:
    """Return the description as JSON. *request* is the shape of a new task."""
    views = {task_type.name: wire.view_type(task_type.name, task_type.fields) for task_type in registry.types}
    wrapped = msgspec.defstruct("Task", [(name, view | msgspec.UnsetType, msgspec.UNSET) for name, view in views.items()])
    types: list[type[Struct]] = [request, wrapped, *views.values(), wire.Created, wire.Problem, wire.Health, wire.Stats]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    refs = dict(zip((shape.__name__ for shape in types), schemas, strict=True))
    refs["Task"] |= {"description": "A task under the name of its type."}
    by_type: dict[str, Any] = {"type": "array", "items": {"anyOf": [refs[view.__name__] for view in views.values()]}}
    by_state = {"type": "array", "items": refs["Task"]}
    paths = {
        "/tasks/new": {
            "post": {
                "operationId": "createTask",
                "summary": "Create a task. Once the answer is here, the task survives a kill and a power loss.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": refs["NewTask"]}}},
                "responses": {
                    "201": _json("Created.", refs["Created"])
                    | {"headers": {"Location": {"schema": {"type": "string"}, "description": "The task's path."}}},
                    **_problems(refs, 400, 401, 403, 413, 415, 503, 507),
                },
            }
        },
        "/tasks/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}],
            "get": {
                "operationId": "getTask",
                "summary": "Read a task.",
                "responses": {"200": _json("The task.", refs["Task"]), **_problems(refs, 401, 403, 404, 503)},
            },
            "delete": {
                "operationId": "deleteTask",
                "summary": "Delete a task that is not running. It never starts any more.",
                "responses": {"204": {"description": "Deleted."}, **_problems(refs, 401, 403, 404, 409, 503, 507)},
            },
        },
        "/tasks/type/{type}": {"get": _list(refs, "type", list(views), by_type)},
        "/tasks/state/{state}": {"get": _list(refs, "state", [state.word for state in State], by_state)},
        "/healthz": {
            "get": {
                "operationId": "healthz",
                "summary": "Is the process alive? Needs no key.",
                "security": [],
                "responses": {"200": _json("It is.", refs["Health"])},
            }
        },
        "/readyz": {
            "get": {
                "operationId": "readyz",
                "summary": "Can it take work? Needs no key.",
                "security": [],
                "responses": {"200": _json("It can.", refs["Health"]), "503": _json("Not now.", refs["Health"])},
            }
        },
        "/stats": {
            "get": {
                "operationId": "stats",
                "summary": "Lateness, counts and slots.",
                "responses": {"200": _json("What was counted.", refs["Stats"]), **_problems(refs, 401, 403, 503)},
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This description.",
                "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"}), **_problems(refs, 401, 403)},
            }
        },
    }
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "tasker", "version": __version__, "description": "A durable, exact task scheduler."},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "Only if the server has API keys."}},
        },
        "security": [{}, {"key": []}],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _json(description: str, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON schema
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(refs: dict[str, Any], *statuses: int) -> dict[str, Any]:
    content = {problems.MEDIA_TYPE: {"schema": refs["Problem"]}}
    return {str(status): {"description": _TEXTS[status], "content": content} for status in statuses}


def _list(refs: dict[str, Any], by: str, values: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"listTasksBy{by.capitalize()}",
        "summary": "List tasks by execution time: all of them, or with limit a page.",
        "parameters": [
            {"name": by, "in": "path", "required": True, "schema": {"type": "string", "enum": values}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "From the Link header of the page before; needs limit.",
            },
        ],
        "responses": {
            "200": _json("The tasks.", schema)
            | {"headers": {"Link": {"schema": {"type": "string"}, "description": 'With limit: the next page, rel="next".'}}},
            **_problems(refs, 400, 401, 403, 503),
        },
    }
