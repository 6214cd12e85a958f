"""Which HTTP answer each error gets: one table."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tasker.errors import (
    ApiKeyNotFoundError,
    BodyTooLargeError,
    CompletedBeforeError,
    CompletionLateError,
    ConflictsError,
    DestinationNotFoundError,
    ForbiddenError,
    HeadersNeededError,
    IdempotencyInFlightError,
    IdempotencyKeyReusedError,
    IdInUseError,
    InboxRowNotFoundError,
    InvalidQueryError,
    InvalidRequestError,
    InvalidTaskError,
    InvalidTasksError,
    InvalidTokenError,
    KeyInUseError,
    LastAdminKeyError,
    MaskedValueError,
    NoAdminKeyError,
    NoDevClockError,
    NothingToProbeError,
    NotPulledError,
    OperationNotFoundError,
    RevisionPassedError,
    ScheduleNotFoundError,
    ScopeMissingError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
    TaskCancelledError,
    TaskEndedError,
    TaskerError,
    TaskExistsError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskNotWaitingError,
    TaskRunningError,
    TasksRefusedError,
    TimeZoneUnknownError,
    TooManyBatchesError,
    TooManyCallsError,
    TooManyReadersError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
    UpgradeUnfinishedError,
)
from tasker.wire.server import Problem, Refusal

MEDIA_TYPE: Final = "application/problem+json"

PRIVATE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Headers of every answer that may show a task: tasks may hold secrets."""

_NO_MEMBERS: Final[Mapping[str, Any]] = MappingProxyType({})

PROBLEMS: Final[Mapping[type[TaskerError], tuple[int, str]]] = {
    InvalidRequestError: (400, "invalid_request"),
    InvalidTaskError: (400, InvalidTaskError.code),
    MaskedValueError: (400, MaskedValueError.code),
    InvalidQueryError: (400, "invalid_query"),
    UnauthorizedError: (401, "unauthorized"),
    InvalidTokenError: (401, "invalid_token"),
    ForbiddenError: (403, "forbidden"),
    ScopeMissingError: (403, "scope_missing"),
    TaskNotFoundError: (404, TaskNotFoundError.code),
    DestinationNotFoundError: (404, "destination_not_found"),
    OperationNotFoundError: (404, "operation_not_found"),
    ScheduleNotFoundError: (404, "schedule_not_found"),
    ApiKeyNotFoundError: (404, "api_key_not_found"),
    InboxRowNotFoundError: (404, "inbox_row_not_found"),
    NoDevClockError: (404, "no_dev_clock"),
    TaskExistsError: (409, "task_exists"),
    IdInUseError: (409, "id_in_use"),
    KeyInUseError: (409, KeyInUseError.code),
    TaskRunningError: (409, TaskRunningError.code),
    TaskEndedError: (409, TaskEndedError.code),
    TaskNotWaitingError: (409, TaskNotWaitingError.code),
    TaskNotFailedError: (409, TaskNotFailedError.code),
    TaskExpiredError: (409, TaskExpiredError.code),
    HeadersNeededError: (409, HeadersNeededError.code),
    InvalidTasksError: (400, "invalid_tasks"),
    ConflictsError: (409, "conflicts"),
    IdempotencyInFlightError: (409, "idempotency_in_flight"),
    TaskCancelledError: (409, "cancelled"),
    CompletedBeforeError: (409, "completed_before"),
    CompletionLateError: (409, "completion_late"),
    NotPulledError: (409, NotPulledError.code),
    NothingToProbeError: (409, "nothing_to_probe"),
    NoAdminKeyError: (409, "no_admin_key"),
    LastAdminKeyError: (409, "last_admin_key"),
    RevisionPassedError: (412, RevisionPassedError.code),
    BodyTooLargeError: (413, "body_too_large"),
    UnsupportedMediaTypeError: (415, "unsupported_media_type"),
    IdempotencyKeyReusedError: (422, "idempotency_key_reused"),
    TooManyCallsError: (429, "too_many_calls"),
    StoreUnavailableError: (503, "store_unavailable"),
    TooManyBatchesError: (503, "too_many_batches"),
    TooManyReadersError: (503, "too_many_readers"),
    StoreBusyError: (503, "store_busy"),
    UpgradeUnfinishedError: (503, "upgrade_unfinished"),
    TimeZoneUnknownError: (503, "time_zone_unknown"),
    StoreFullError: (507, "store_full"),
    TaskerError: (500, "internal_error"),
}
"""The status and the ``code`` of each error; a subclass that is not named has those of its base. What has no other
base is a defect."""


def status_and_code(error: type[TaskerError]) -> tuple[int, str]:
    """Return the status and the code of the answer to an error."""
    return next(PROBLEMS[kind] for kind in error.__mro__ if kind in PROBLEMS)


def response(error: TaskerError) -> Response:
    """Return the answer to a request that failed with *error*."""
    known = status_and_code(type(error))
    if known == PROBLEMS[TaskerError]:
        return internal_error()
    return _response(*known, str(error), members=_members(error), headers=_headers(error))


def internal_error() -> Response:
    """Return the answer to a request that found a defect. It shows nothing of it: that is the log's business."""
    return _response(500, "internal_error", "the server has a defect and could not answer; its log says more")


_WAYS: Final = "POST /tasks/new creates a task, and GET /openapi.json describes every call"


def code_of(error: TaskerError) -> str:
    """Return the code of the answer to a request that failed with *error*."""
    return status_and_code(type(error))[1]


def nothing_but_metrics() -> Response:
    """Return the answer to any other path at an address that serves the metrics alone."""
    return _response(404, "not_found", "this address serves GET /metrics and nothing else")


def not_found() -> Response:
    """Return the answer to a path at which there is nothing."""
    return _response(404, "not_found", f"there is nothing at this path; {_WAYS}")


def method_not_allowed(allowed: Sequence[str]) -> Response:
    """Return the answer to a method that the path does not take; *allowed* are those that it does."""
    methods = ", ".join(allowed)
    text = f"expected one of the methods that this path takes: {methods}; {_WAYS}"
    return _response(405, "method_not_allowed", text, headers={"allow": methods})


def status_of(error: type[TaskerError]) -> int:
    """Return the status of the answer to an error; 500 if the table does not know it."""
    return status_and_code(error)[0]


def body(status: int, code: str, text: str, members: Mapping[str, Any] = _NO_MEMBERS) -> bytes:
    """Return the JSON of a problem, indented and with a line end: people read it in a terminal."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=text, msg=text, **members)
    return msgspec.json.format(msgspec.json.encode(problem)) + b"\n"


def _members(error: TaskerError) -> dict[str, Any]:
    """Return the members of a problem that not every one has."""
    match error:
        case InvalidRequestError() if error.field:
            return {"field": error.field}
        case InvalidQueryError() if error.parameter:
            return {"field": error.parameter}
        case KeyInUseError():
            return {"holder": error.holder}
        case TasksRefusedError():
            return {"refusals": [_refusal(index, each) for index, each in error.refusals.items()]}
        case _:
            return {}


def _refusal(index: int, error: TaskerError) -> Refusal:
    return Refusal(index=index, code=code_of(error), msg=str(error), **_members(error))


def _headers(error: TaskerError) -> dict[str, str]:
    match error:
        case (
            StoreUnavailableError()
            | StoreBusyError()
            | TooManyBatchesError()
            | TooManyCallsError()
            | TooManyReadersError()
            | UpgradeUnfinishedError()
            | TimeZoneUnknownError()
            | IdempotencyInFlightError()
        ):
            return {"retry-after": str(error.retry_after)}
        case UnauthorizedError() | InvalidTokenError():
            return {"www-authenticate": "Bearer"}
        case BodyTooLargeError():
            return {"connection": "close"}  # the rest is not read: the client cannot use the connection again
        case _:
            return {}


def _response(
    status: int,
    code: str,
    text: str,
    *,
    members: Mapping[str, Any] = _NO_MEMBERS,
    headers: Mapping[str, str] | None = None,
) -> Response:
    content = body(status, code, text, members)
    return Response(content, status, headers={**PRIVATE, **(headers or {})}, media_type=MEDIA_TYPE)
