"""What a call of the API is. Each is declared once, beside its handler.

Routes, access, the check of query parameters, the description in OpenAPI and the table of the
documentation are all made from the declarations.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Send

from tasker.access import Taken
from tasker.api.idempotency import MadeAnswer, Repeated, answer_bytes, answer_of
from tasker.api.new_task import NewTaskDecoder
from tasker.api.patches import PatchDecoder
from tasker.callers import Caller, Scope
from tasker.errors import (
    BodyTooLargeError,
    IdempotencyInFlightError,
    IdempotencyKeyReusedError,
    InvalidQueryError,
    InvalidRequestError,
    RevisionPassedError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
    TaskerError,
    UnsupportedMediaTypeError,
    cut,
)
from tasker.interfaces.queue import Claim
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.service.service import Service
from tasker.task_types.registry import Registry

T = TypeVar("T")

READING: Final = (StoreUnavailableError,)
"""What a call that reads from the store may raise."""

WRITING: Final = (StoreUnavailableError, StoreBusyError, StoreFullError)
"""What a call that writes to the store may raise."""

SMALL: Final = 64 * 1024
"""Bytes that the body of a call that says little may have."""

_NO_VALUES: Final[Mapping[str, str]] = MappingProxyType({})


class Shape(Enum):
    """Shapes that depend on the task types of the server. The names are those of the description."""

    NEW_TASK = "NewTask"
    NEW_TASKS = "NewTasks"
    TASK_CHANGE = "TaskChange"
    TASK = "Task"
    """A task under the name of its type."""
    TASK_OF_TYPE = "TaskOfType"
    """The same without that name."""
    TASK_PAGE = "TaskPage"
    """Tasks, each under the name of its type, and where to go on."""
    TYPE_NAME = "TypeName"
    TEXT = "Text"
    """No JSON, but lines of text."""
    DOCUMENT = "Document"
    """The description itself."""


UNREAD: Final = (Shape.NEW_TASK, Shape.NEW_TASKS, Shape.TASK_CHANGE)
"""Bodies that are left to their handlers, as bytes."""


class Body(NamedTuple):
    """The body that a call takes."""

    shape: type[msgspec.Struct] | Shape | None
    """None: it takes nothing, so that there is no body, or an empty object."""
    limit: int | None = SMALL
    """Bytes, or fewer if ``--max-body-bytes`` says so; None: as many as that says."""
    taken: Taken | None = None
    """What it may be in place of ``limit`` and beside JSON; None: no other."""
    is_optional: bool = False
    """Whether no body is as good as an empty object."""


NOTHING: Final = Body(None)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A query parameter, or a header."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Links:
    """Calls that can be made with what an answer has."""

    id: str
    """Where the answer has their ``id``, as a runtime expression of OpenAPI."""
    operation_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of a call, other than a refusal."""

    description: str
    status: int = 200
    shape: type[msgspec.Struct] | Shape | None = None
    """None: it has no body."""
    is_list: bool = False
    """Whether it is an array of that shape."""
    media_type: str = "application/json"
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    links: Links | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the handlers of a server work with."""

    service: Service
    registry: Registry
    new_tasks: NewTaskDecoder
    patches: PatchDecoder
    max_body_bytes: int
    description: bytes
    """The description of all calls, in JSON."""
    calls: Sequence[str]
    """All calls, as ``GET /tasks/{id}``."""
    root_path: str
    """What stands in front of all paths in links; empty: nothing."""
    has_dashboard: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One request, once its caller is known, its parameters are checked and its body is decoded."""

    context: Context
    caller: Caller
    path: str
    values: Mapping[str, str]
    """What stands in the path where the call's has a name in braces."""
    query: Mapping[str, str]
    """Only parameters that the call declares. Of one that comes twice, the last value."""
    pairs: Sequence[tuple[str, str]]
    """The same as it was sent: all values."""
    body: Any
    """In the shape that the call declares; None if it takes none. Of new tasks and changes: the bytes."""
    when_left: Callable[[Callable[[], None]], None]
    """Takes what is to be called, without arguments, once the caller may no longer wait for the
    answer."""
    repeated: Repeated | None = None
    """What it is known by if it has an idempotency key."""
    revisions: frozenset[int] | None = None
    """At which of its revisions a task may be changed, by ``If-Match``; None: at any."""
    asgi: Mapping[str, Any] = field(default_factory=dict)
    """Its ASGI scope, for what a single call asks of it."""
    claim: Claim | None = None
    """Whose token it shows, of a call that takes one; None: it takes none."""

    @property
    def service(self) -> Service:
        """What callers can do."""
        return self.context.service

    @property
    def shown_claim(self) -> Claim:
        """The claim whose token it shows, of a call that takes one."""
        assert self.claim is not None  # noqa: S101 - nobody comes so far without
        return self.claim

    async def once(
        self,
        make: Callable[[Repeatable[T] | None], Awaitable[KeptAnswer | T]],
        answer: Callable[[T], MadeAnswer],
    ) -> Response:
        """Return the *answer* to what *make* makes; with an idempotency key: to what it made at the first request.

        So a call that makes something takes the header ``Idempotency-Key``: it is declared with
        ``is_repeatable``, and its handler ends with::

            return await request.once(lambda once: request.service.orders.create(asked, once), answer)

        The service hands ``once`` on to the store, which makes what is asked for within
        ``KeptAnswers.once``. Without a key it is None there, and nothing else differs.

        Args:
            make: see ``RepeatableRequests.run``.
            answer: see ``Repeatable``.

        Raises:
            IdempotencyKeyReusedError, IdempotencyInFlightError: see ``RepeatableRequests.run``.
        """
        if self.repeated is None:
            made = await make(None)
            assert not isinstance(made, KeptAnswer)  # noqa: S101 - nothing is kept without a key
            return answer(made).response()
        answered = await self.service.repeatable.run(
            self.repeated.id, self.repeated.fingerprint, make, lambda made: answer_bytes(answer(made))
        )
        return answer_of(answered.answer).response(replayed=answered.is_replay)


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
BareHandler: TypeAlias = Callable[[Context, Caller, Receive, Send], Awaitable[None]]
"""Reads the body and sends the answer itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """A call, as it is declared."""

    method: str
    path: str
    """With names in braces where any text stands that has no slash."""
    summary: str
    scope: Scope
    """What a key needs for it."""
    answers: tuple[Answer, ...]
    """The usual one first."""
    page: str
    """Where the documentation describes it, in ``docs/rest``."""
    value: Mapping[str, Any] | Shape | None = None
    """The JSON schema of what stands at the name in the path."""
    body: Body | None = None
    """None: a body is neither expected nor read."""
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    """Headers that it reads itself."""
    errors: tuple[type[TaskerError], ...] = ()
    """What it may raise, apart from what every call may and what its body may cause."""
    operation_id: str = ""
    """The handler's name."""
    handler: Handler | None = None
    bare: BareHandler | None = None
    """In place of ``handler``; in addition to it, it answers where there is no idempotency key."""
    is_repeatable: bool = False
    """Whether it makes something, and therefore recognises an idempotency key: see ``Request.once``."""
    is_conditional: bool = False
    """Whether it changes a task, and therefore obeys ``If-Match``."""
    takes_token: bool = False
    """Whether the token of an attempt lets a caller in, in place of a key: its scope is ``open``."""

    def answered_by(self, handler: Handler) -> "Call":
        """Return this call with its handler: a decorator."""
        return replace(self, handler=handler, operation_id=self.operation_id or _camel_case(handler.__name__))

    def answered_bare_by(self, handler: BareHandler) -> "Call":
        """Return this call with a bare handler: a decorator."""
        return replace(self, bare=handler, operation_id=_camel_case(handler.__name__))

    @property
    def raises(self) -> frozenset[type[TaskerError]]:
        """All errors that this call may raise, apart from those that every call may."""
        errors = self.errors
        if self.is_repeatable:
            errors += (IdempotencyInFlightError, IdempotencyKeyReusedError)
        if self.is_conditional:
            errors += (InvalidRequestError, RevisionPassedError)
        if self.body is None:
            return frozenset(errors)
        unreadable = () if self.body.shape in UNREAD else (InvalidRequestError,)  # else it is an InvalidTaskError
        return frozenset((*errors, *unreadable, BodyTooLargeError, UnsupportedMediaTypeError))

    def check_query(self, query: Mapping[str, str]) -> None:
        """Return if the call declares all parameters of *query*.

        Raises:
            InvalidQueryError: it does not.
        """
        known = [parameter.name for parameter in self.query]
        for name in query:
            if name not in known:
                right = f"expected {', '.join(known)}" if known else "this call takes no parameters"
                raise InvalidQueryError(cut(name), f"unknown here; {right}")


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Found(NamedTuple):
    """What there is for a method and a path."""

    call: Call | None
    """None: nothing."""
    scope: Scope | None
    """What a caller needs to be told so much; None: no particular scope."""
    values: Mapping[str, str] = _NO_VALUES
    allowed: tuple[str, ...] = ()
    """Where the path takes other methods: these."""


_NOTHING_FOUND: Final = Found(None, None)


class Calls:
    """Finds calls by method and path."""

    def __init__(self, calls: Iterable[Call]) -> None:
        by_path: dict[str, dict[str, Found]] = {}
        for each in calls:
            methods = by_path.setdefault(each.path, {})
            for method in ("GET", "HEAD") if each.method == "GET" else (each.method,):
                methods[method] = Found(each, each.scope)
        self.fixed: Mapping[tuple[str, str], Found] = {
            (method, path): found
            for path, methods in by_path.items()
            for method, found in methods.items()
            if "{" not in path
        }
        """What ``find`` returns for methods and paths in which nothing varies: a quick look."""
        # Where two fit, the one that begins with more fixed text comes first.
        paths = sorted(by_path, key=lambda path: -len(path.partition("{")[0]))
        self._paths = [(_pattern(path), by_path[path]) for path in paths]

    def find(self, method: str, path: str) -> Found:
        """Return the call for *method* and *path*, and what stands at the names in its path."""
        for pattern, methods in self._paths:
            match = pattern.fullmatch(path)
            if match is not None:
                found = methods.get(method) or _wrong_method(methods)
                return found._replace(values={name: _whole(text) for name, text in match.groupdict().items()})
        return _NOTHING_FOUND


_SLASH: Final = "\udc2f"
"""In place of a slash that stands in a part of a path. No path can have it: it is half a character."""


def path_of(request: Mapping[str, Any]) -> str:
    """Return the path of an ASGI scope, as ``Calls`` looks for it: a slash that is written ``%2F`` parts nothing."""
    path: str = request["path"]
    if b"%2" not in request["raw_path"]:
        return path
    parts = request["raw_path"].decode("ascii").split("/")
    return "/".join(unquote(part).replace("/", _SLASH) for part in parts)


def _whole(text: str) -> str:
    return text.replace(_SLASH, "/")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _wrong_method(methods: Mapping[str, Found]) -> Found:
    is_open = all(found.scope is Scope.OPEN for found in methods.values())
    return Found(None, Scope.OPEN if is_open else None, allowed=tuple(sorted(methods)))
