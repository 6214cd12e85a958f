"""What the descriptions of all calls share: references, and the refusals."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from tasker.access import MERGE_PATCH
from tasker.api import problems

_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"description": "Seconds after which another try makes sense.", "schema": {"type": "integer"}}

_NEWER_NAMES: Final = {413: "ContentTooLarge", 422: "UnprocessableContent"}
"""Those that RFC 9110 gave to statuses, and Python 3.13 took over: the document is the same on each Python."""

OPEN: Final = (400, 405, 408, 431, 500)
"""What every call may be answered, one that needs no key included."""

KEYED: Final = (401, 403, 429, *OPEN)
"""What every other call may be answered."""

_REFUSALS: Final[Mapping[int, tuple[str, dict[str, Any]]]] = {
    400: ("The request cannot be used: msg names the field or the parameter and says what would be right.", {}),
    401: (
        "This server asks for an API key, and the call has none or no valid one.",
        {"WWW-Authenticate": {"description": "Bearer", "schema": _TEXT}},
    ),
    403: ("The key lacks the scope, the Host is not allowed, or another web site's page sent the request.", {}),
    404: ("There is nothing with this id.", {}),
    405: ("The path does not take this method.", {"Allow": {"description": "The methods it takes.", "schema": _TEXT}}),
    408: ("The headers or the body took too long to arrive. The connection is closed.", {}),
    409: ("The task's state does not allow it now: code and msg say why.", {}),
    412: ("The task is not as If-Match says: it was written since.", {}),
    413: ("The body is longer than this server takes. The connection is closed.", {}),
    415: ("The body is not declared to be application/json, or of another type that the call takes.", {}),
    422: ("A request with this Idempotency-Key was another one.", {}),
    429: (
        "The key has made more calls than the server allows a second.",
        {"Retry-After": _SECONDS},
    ),
    431: ("The request line and the headers are too long. The connection is closed.", {}),
    500: ("The server has a defect; its log says more.", {}),
    503: (
        (
            "The database cannot be used now, or the server is stopping. "
            "A write may have happened, unless code is store_busy."
        ),
        {"Retry-After": _SECONDS},
    ),
    507: ("There is no space left for the database. A write may have happened or not.", {"Retry-After": _SECONDS}),
}


def schema(name: str) -> dict[str, Any]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def request(shape: Mapping[str, Any], *, is_patch: bool = False, **more: object) -> dict[str, Any]:
    """Return a body that a request must have."""
    media_types = ("application/json", MERGE_PATCH) if is_patch else ("application/json",)
    return {"required": True, "content": {media_type: {"schema": shape, **more} for media_type in media_types}}


def refusals(statuses: Iterable[int], *, is_open: bool) -> dict[str, Any]:
    """Return the refusals that a call may be answered, those that every call may be included.

    Args:
        is_open: whether the call needs no key.
    """
    all_statuses = sorted({*statuses, *(OPEN if is_open else KEYED)})
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in all_statuses}


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
    return _NEWER_NAMES.get(status) or "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))
