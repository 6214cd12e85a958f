"""The API's description in OpenAPI 3.1, made from the types that the server reads and writes."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from tasker import __version__, wire
from tasker.api import problems
from tasker.api.new_task import new_task_type
from tasker.api.routes.lists import MAX_LIMIT
from tasker.model.task import State
from tasker.task_types.registry import Registry

_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"description": "Seconds after which another try makes sense.", "schema": {"type": "integer"}}

_REFUSALS: Final[Mapping[int, tuple[str, dict[str, Any]]]] = {
    400: ("The request cannot be used: msg names the field or the parameter and says what would be right.", {}),
    401: (
        "This server asks for an API key, and the call has none, or no valid one.",
        {"WWW-Authenticate": {"description": "Bearer", "schema": _TEXT}},
    ),
    403: ("The Host is not allowed, or another web site's page sent the request.", {}),
    404: ("There is no task with this id.", {}),
    405: ("The path does not take this method.", {"Allow": {"description": "The methods it takes.", "schema": _TEXT}}),
    408: ("The headers or the body took too long to arrive. The connection is closed.", {}),
    409: ("The task is running and cannot be deleted now.", {}),
    413: ("The body is longer than this server takes. The connection is closed.", {}),
    415: ("The body is not declared to be application/json.", {}),
    431: ("The request line and the headers are too long. The connection is closed.", {}),
    500: ("The server has a defect; its log says more.", {}),
    503: (
        "The database cannot be used now, or the server is stopping. A write may have happened, unless code is store_busy.",
        {"Retry-After": _SECONDS},
    ),
    507: ("There is no space left for the database. A write may have happened or not.", {"Retry-After": _SECONDS}),
}
_ANYWHERE: Final = (401, 403, 405, 408, 431, 500)
"""What every call may be answered."""

_UNKEYED: Final = (403, 405, 408, 431, 500)


def document_json(registry: Registry) -> bytes:
    """Return the description as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document(registry)), indent=2) + b"\n"


def document(registry: Registry) -> dict[str, Any]:
    """Return the description of the API for the task types in *registry*."""
    views = {task_type.name: wire.view_type(task_type.name, task_type.fields) for task_type in registry.types}
    task = msgspec.defstruct("Task", [(name, view | UnsetType, UNSET) for name, view in views.items()])
    shapes = [
        new_task_type(registry),
        task,
        wire.Created,
        wire.Problem,
        wire.Health,
        wire.Stats,
        wire.NodeView,
        *views.values(),
    ]
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    schemas["NewTask"] |= {
        "description": "One member, named for the task type. Of a name that comes twice in an object the last one counts.",
        "minProperties": 1,
        "maxProperties": 1,
    }
    schemas["Task"] |= {"description": "A task under the name of its type.", "minProperties": 1, "maxProperties": 1}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tasker",
            "version": __version__,
            "description": "Runs a task at its time: calls a URL or runs a job. Every failure, an unknown path included, is "
            "answered with a Problem. HEAD works where GET does.",
        },
        "paths": _paths({name: _schema(view.__name__) for name, view in views.items()}, _examples(registry)),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {_name(status): _refusal(status) for status in _REFUSALS},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "If the server was started with API keys."}
            },
        },
        "security": [{}, {"key": []}],
    }


def _examples(registry: Registry) -> dict[str, Any]:
    """Return a request for each task type whose required fields all have an example."""
    examples = {}
    for task_type in registry.types:
        shape = wire.request_type(task_type.name, task_type.fields)
        fields = msgspec.json.schema(shape)["$defs"][shape.__name__]
        given = {name: field["examples"][0] for name, field in fields["properties"].items() if "examples" in field}
        if given.keys() >= set(fields["required"]):
            examples[task_type.name] = {"value": {task_type.name: given}}
    return examples


def _paths(views: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    any_view = {"anyOf": list(views.values())}
    task_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    location = {"Location": {"description": "The path of the task.", "schema": _TEXT}}
    links = {call: {"operationId": call, "parameters": {"id": "$response.body#/id"}} for call in ("getTask", "deleteTask")}
    return {
        "/tasks/new": {
            "post": {
                "operationId": "createTask",
                "summary": "Create a task. Once this is answered, the task survives a kill and a power loss.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _schema("NewTask"), "examples": examples}},
                },
                "responses": {
                    "201": _json("The task is stored.", _schema("Created")) | {"headers": location, "links": links},
                    **_refusals(400, 413, 415, 503, 507),
                },
            }
        },
        "/tasks/{id}": {
            "parameters": [task_id],
            "get": {
                "operationId": "getTask",
                "summary": "Read a task.",
                "responses": {"200": _json("The task.", _schema("Task")), **_refusals(404, 503)},
            },
            "delete": {
                "operationId": "deleteTask",
                "summary": "Delete a task that is not running, for good: it never starts any more.",
                "responses": {"204": {"description": "The task is deleted."}, **_refusals(404, 409, 503, 507)},
            },
        },
        "/tasks/type/{type}": {"get": _list("type", list(views), any_view)},
        "/tasks/state/{state}": {"get": _list("state", [state.word for state in State], _schema("Task"))},
        "/healthz": {
            "get": {
                "operationId": "getHealth",
                "summary": "Is the server alive? Needs no key.",
                "security": [],
                "responses": {"200": _json("It is.", _schema("Health")), **_refusals(anywhere=_UNKEYED)},
            }
        },
        "/readyz": {
            "get": {
                "operationId": "getReadiness",
                "summary": "Should the server be sent work now? Needs no key.",
                "security": [],
                "responses": {
                    "200": _json("It should.", _schema("Health")),
                    **_refusals(anywhere=_UNKEYED),
                    "503": _json("It should not: reason says why.", _schema("Health")) | {"headers": {"Retry-After": _SECONDS}},
                },
            }
        },
        "/stats": {
            "get": {
                "operationId": "getStats",
                "summary": "Lateness, counts and worker slots.",
                "responses": {"200": _json("What was counted.", _schema("Stats")), **_refusals(503)},
            }
        },
        "/nodes": {
            "get": {
                "operationId": "getNodes",
                "summary": "The servers that share the database, in the order in which they started.",
                "responses": {
                    "200": _json("The nodes.", {"type": "array", "items": _schema("NodeView")}),
                    **_refusals(503),
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "getOpenapi",
                "summary": "This description.",
                "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"}), **_refusals()},
            }
        },
    }


def _list(by: str, values: list[str], item: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": by, "in": "path", "required": True, "schema": {"type": "string", "enum": values}},
        {
            "name": "limit",
            "in": "query",
            "description": "The most tasks to answer with. Without it, all are.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        },
        {
            "name": "cursor",
            "in": "query",
            "description": "Where to go on, from the Link header of the page before. Only with limit.",
            "schema": _TEXT,
        },
    ]
    link = {
        "Link": {"description": 'With limit, unless this is the last page: <path of the next>; rel="next".', "schema": _TEXT}
    }
    answer = _json("The tasks. A list that breaks off has failed half-way.", {"type": "array", "items": item})
    return {
        "operationId": f"listTasksBy{by.capitalize()}",
        "summary": f"List the tasks of a {by}, by execution time.",
        "parameters": parameters,
        "responses": {"200": answer | {"headers": link}, **_refusals(400, 503)},
    }


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refusals(*statuses: int, anywhere: tuple[int, ...] = _ANYWHERE) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted({*statuses, *anywhere})}


def _refusal(status: int) -> dict[str, Any]:
    description, headers = _REFUSALS[status]
    response: dict[str, Any] = {
        "description": description,
        "content": {problems.MEDIA_TYPE: {"schema": _schema("Problem")}},
    }
    return response | ({"headers": headers} if headers else {})


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))
