"""``POST /tasks/new``: the hot path, a plain ASGI function. Bytes in, one decode that validates, one await, bytes out."""

import re
from typing import Any, Final, NoReturn

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.types import ASGIApp, Receive, Scope, Send

from tasker import wire
from tasker.errors import BodyTooLargeError, InvalidTaskError
from tasker.interfaces import TaskType
from tasker.service import Service
from tasker.task_types.registry import Registry

_PLACE: Final = re.compile(r"(.*?)(?: - at `(\$.*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_LENGTH: Final = re.compile(r"Expected `(\w+)` of length >= 1")
_SHOWN: Final = 60
_TYPE_WORDS: Final = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}


class ClientGoneError(Exception):
    """The client hung up before its request was complete: there is nobody to answer."""


def creator(service: Service, registry: Registry, *, max_body_bytes: int) -> ASGIApp:
    """Return the ASGI application of ``POST /tasks/new``. Raises what ``Service.create`` raises, and ``BodyTooLargeError``."""
    names = {name: task_type for task_type in registry.types for name in (task_type.name, *task_type.spellings)}
    task_types = tuple(names.values())
    new_task = new_task_type(registry)
    decode = msgspec.json.Decoder(new_task).decode
    members = msgspec.structs.astuple

    async def create(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, max_body_bytes)
        try:
            requests = members(decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _refuse(error, new_task)
        chosen: TaskType | None = None
        for task_type, member in zip(task_types, requests, strict=True):
            if member is not UNSET:
                if chosen is not None:
                    raise InvalidTaskError("", _expected_one(names))
                chosen, request = task_type, member
        if chosen is None:
            raise InvalidTaskError("", _expected_one(names))
        try:
            task_id = await service.create(chosen, request, request.execution_time)
        except InvalidTaskError as error:
            raise InvalidTaskError(f"{chosen.name}.{error.field}" if error.field else chosen.name, error.problem) from None
        answer = b'{"id":"%b"}' % task_id.encode()
        await send(
            {
                "type": "http.response.start",
                "status": 201,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", b"%d" % len(answer)),
                    (b"location", b"/tasks/" + task_id.encode()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    return create


def new_task_type(registry: Registry) -> type[Struct]:
    """Return the shape of a request: an object with one optional member per spelling of a task type, and no others.

    That exactly one is there is for the caller to check.
    """
    members: list[tuple[str, Any, Any]] = []
    spelled: dict[str, str] = {}
    for task_type in registry.types:
        request = wire.request_type(task_type.name, task_type.fields)
        for name in (task_type.name, *task_type.spellings):
            members.append((f"member_{len(members)}", request | UnsetType, UNSET))
            spelled[members[-1][0]] = name
    return msgspec.defstruct("NewTask", members, rename=spelled, forbid_unknown_fields=True, frozen=True)


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read the body of a request.

    Raises:
        BodyTooLargeError: it has more than *limit* bytes; it is not read any further.
        ClientGoneError: the client hung up before it was complete.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body") and len(body) <= limit:
        return body  # nearly always: it came in one piece
    parts, size = [body], len(body)
    while message["type"] == "http.request":
        if size > limit:
            raise BodyTooLargeError(limit)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    raise ClientGoneError


def _expected_one(names: dict[str, TaskType]) -> str:
    known = sorted({task_type.name for task_type in names.values()})
    return f"expected an object with exactly one member, named for its task type: {' or '.join(known)}"


def _refuse(error: Exception, new_task: type[Struct]) -> NoReturn:
    """Raise the InvalidTaskError that says in our words what *error* found."""
    match error:
        case msgspec.ValidationError():
            raise _described(str(error), new_task) from None
        case RecursionError():
            raise InvalidTaskError("", "expected JSON that is not nested so deeply") from None
        case UnicodeDecodeError():
            raise InvalidTaskError("", "expected JSON in UTF-8, got bytes that are not") from None
        case _:
            found = str(error).removeprefix("JSON is malformed: ")
            found = "it ends too early" if found == "Input data was truncated" else found
            raise InvalidTaskError("", f"expected JSON: {found}") from None


def _described(text: str, new_task: type[Struct]) -> InvalidTaskError:
    """Put a message of msgspec, such as ``Expected `str`, got `int` - at `$.webhook.url` ``, in our words."""
    if (unknown := _UNKNOWN.match(text)) is not None:
        # Greedy: the name is the client's and may hold anything, the place behind it does not.
        name, _, place = text.removeprefix("Object contains unknown field `").rpartition("` - at `$")
        path = place.removesuffix("`").lstrip(".") if name else ""
        name = name or unknown[1]
        known = _members_at(new_task, path)
        field = ".".join(part for part in (path, _shortened(name)) if part)
        return InvalidTaskError(field, f"unknown here; expected {'one of ' if len(known) > 1 else ''}{', '.join(known)}")
    match = _PLACE.fullmatch(text)
    problem, place = (match[1], match[2] or "") if match is not None else (text, "")
    path = place.lstrip("$").lstrip(".")
    if (missing := _MISSING.fullmatch(problem)) is not None:
        return InvalidTaskError(f"{path}.{missing[1]}" if path else missing[1], "expected a value, it is missing")
    if _LENGTH.fullmatch(problem) is not None:
        return InvalidTaskError(path, "expected something that is not empty")
    problem = re.sub(r"`(\w+)`", lambda word: _TYPE_WORDS.get(word[1], word[0]), problem)
    return InvalidTaskError(path, problem[:1].lower() + problem[1:])


def _members_at(shape: type[Struct], path: str) -> list[str]:
    """The names that the object at the dotted *path* in a request may have."""
    current: Any = shape
    for part in filter(None, path.split(".")):
        member = next((field for field in msgspec.structs.fields(current) if field.encode_name == part), None)
        kinds = getattr(member.type, "__args__", ()) if member is not None else ()
        current = next((kind for kind in kinds if kind is not UnsetType), None)
        if not isinstance(current, type) or not issubclass(current, Struct):
            return []
    return sorted({field.encode_name for field in msgspec.structs.fields(current)})


def _shortened(name: str) -> str:
    """What a client sent, so that an error message stays a line."""
    return name if len(name) <= _SHOWN else name[:_SHOWN] + "..."
