"""What the descriptions of all calls are made of."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from tasker.api import problems
from tasker.api.routes.lists import MAX_LIMIT

TEXT: Final = {"type": "string"}
SECONDS: Final = {"description": "Seconds after which another try makes sense.", "schema": {"type": "integer"}}

UNKEYED: Final = (403, 405, 408, 431, 500)
"""What a call that needs no key may be answered."""

_ANYWHERE: Final = (401, *UNKEYED)
"""What every other call may be answered."""

_REFUSALS: Final[Mapping[int, tuple[str, dict[str, Any]]]] = {
    400: ("The request cannot be used: msg names the field or the parameter and says what would be right.", {}),
    401: (
        "This server asks for an API key, and the call has none, or no valid one.",
        {"WWW-Authenticate": {"description": "Bearer", "schema": TEXT}},
    ),
    403: ("The Host is not allowed, or another web site's page sent the request.", {}),
    404: ("There is nothing with this id.", {}),
    405: ("The path does not take this method.", {"Allow": {"description": "The methods it takes.", "schema": TEXT}}),
    408: ("The headers or the body took too long to arrive. The connection is closed.", {}),
    409: ("The task's state does not allow it now: code and msg say why.", {}),
    413: ("The body is longer than this server takes. The connection is closed.", {}),
    415: ("The body is not declared to be application/json.", {}),
    431: ("The request line and the headers are too long. The connection is closed.", {}),
    500: ("The server has a defect; its log says more.", {}),
    503: (
        "The database cannot be used now, or the server is stopping. A write may have happened, unless code is store_busy.",
        {"Retry-After": SECONDS},
    ),
    507: ("There is no space left for the database. A write may have happened or not.", {"Retry-After": SECONDS}),
}


def schema(name: str) -> dict[str, Any]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(name: str) -> dict[str, Any]:
    """Return a list of what a schema describes."""
    return {"type": "array", "items": schema(name)}


def json(description: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer whose body has a *shape*."""
    return {"description": description, "content": {"application/json": {"schema": shape}}}


def request(shape: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """Return a body that a request must have."""
    return {"required": True, "content": {"application/json": {"schema": shape, **more}}}


def path_id(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameter ``{id}`` of a path."""
    return {"name": "id", "in": "path", "required": True, "schema": shape}


def page_parameters() -> list[dict[str, Any]]:
    """Return the parameters of a list."""
    return [
        {
            "name": "limit",
            "in": "query",
            "description": "The most to answer with. Without it, the answer has all.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        },
        {
            "name": "cursor",
            "in": "query",
            "description": "Where to go on, from the Link header of the page before. Only with limit.",
            "schema": TEXT,
        },
    ]


def page(description: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer that is a list, or a page of one."""
    link = {"description": 'With limit, unless this is the last page: <path of the next>; rel="next".', "schema": TEXT}
    return json(description, {"type": "array", "items": item}) | {"headers": {"Link": link}}


def refusals(*statuses: int, anywhere: tuple[int, ...] = _ANYWHERE) -> dict[str, Any]:
    """Return the refusals that a call may be answered, those that every call may be included."""
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted({*statuses, *anywhere})}


def refusal_components() -> dict[str, Any]:
    """Return what ``refusals`` refer to."""
    return {_name(status): _refusal(status) for status in _REFUSALS}


def _refusal(status: int) -> dict[str, Any]:
    description, headers = _REFUSALS[status]
    response: dict[str, Any] = {
        "description": description,
        "content": {problems.MEDIA_TYPE: {"schema": schema("Problem")}},
    }
    return response | ({"headers": headers} if headers else {})


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))
