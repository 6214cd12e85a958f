"""What receivers of long jobs call, with the token that they got instead of a key."""

from datetime import timedelta
from typing import Final

from msgspec import UNSET, UnsetType
from starlette.responses import Response

from tasker.api.bodies import answer, read_member
from tasker.api.calls import NOTHING, WRITING, Answer, Body, Call, Request
from tasker.callers import Scope
from tasker.errors import (
    CompletedBeforeError,
    CompletionLateError,
    ForbiddenError,
    InvalidRequestError,
    InvalidTokenError,
    NotPulledError,
    TaskCancelledError,
    TaskNotFoundError,
)
from tasker.model import lengths
from tasker.model.task import State
from tasker.wire.completions import (
    LONGEST_DETAILS,
    LONGEST_RESULT,
    Complete,
    CompletionView,
    Fail,
    Heartbeat,
    checked_line,
    completion_view,
    fault_of,
    result_of,
)

_ROOM: Final = 4 * 1024
"""Bytes of a body beside what is the largest in it."""

_LONGEST: Final = timedelta(days=30)

_ERRORS: Final = (
    InvalidTokenError,
    ForbiddenError,
    TaskNotFoundError,
    TaskCancelledError,
    CompletedBeforeError,
    CompletionLateError,
    *WRITING,
)
_ANSWERS: Final = (Answer(description="How the task stands now.", shape=CompletionView),)


@Call(
    method="POST",
    path="/completions/complete",
    summary="Say that the work of an attempt is done. Needs its token, and no key. The body may be left out.",
    scope=Scope.OPEN,
    takes_token=True,
    body=Body(Complete, limit=LONGEST_RESULT + _ROOM, is_optional=True),
    answers=_ANSWERS,
    errors=_ERRORS,
    page="completions.md#complete",
).answered_by
async def complete_attempt(request: Request) -> Response:
    """End an attempt well."""
    claim = request.shown_claim
    complete: Complete = request.body
    state = await request.service.completions.complete(claim, result_of(complete))
    return answer(completion_view(claim.task_id, state))


@Call(
    method="POST",
    path="/completions/fail",
    summary="Say that the work of an attempt has failed. Needs its token, and no key. The body may be left out.",
    scope=Scope.OPEN,
    takes_token=True,
    body=Body(Fail, limit=LONGEST_DETAILS + _ROOM, is_optional=True),
    answers=_ANSWERS,
    errors=_ERRORS,
    page="completions.md#fail",
).answered_by
async def fail_attempt(request: Request) -> Response:
    """End an attempt as failed."""
    claim = request.shown_claim
    fail: Fail = request.body
    state = await request.service.completions.fail(
        claim, fault_of(fail), retry=fail.retry, retry_after=_length(fail.retry_after, "retry_after")
    )
    return answer(completion_view(claim.task_id, state))


@Call(
    method="POST",
    path="/completions/heartbeat",
    summary="Say that the work of an attempt goes on. Needs its token, and no key. The body may be left out.",
    scope=Scope.OPEN,
    takes_token=True,
    body=Body(Heartbeat, is_optional=True),
    answers=_ANSWERS,
    errors=_ERRORS,
    page="completions.md#heartbeat",
).answered_by
async def beat_attempt(request: Request) -> Response:
    """Hear that an attempt goes on."""
    claim = request.shown_claim
    told: Heartbeat = request.body
    deadline = _length(told.deadline, "deadline")
    if deadline is not None and not timedelta(0) < deadline <= _LONGEST:
        raise InvalidRequestError(
            "deadline", f"expected more than 0 seconds and at most {lengths.shown(_LONGEST)}, got: {told.deadline}"
        )
    beat = await request.service.completions.heartbeat(
        claim,
        progress=None if told.progress is UNSET else told.progress,
        msg=None if told.msg is UNSET else checked_line(told.msg),
        deadline=deadline,
    )
    return answer(completion_view(claim.task_id, State.IN_PROGRESS, beat.deadline))


@Call(
    method="POST",
    path="/completions/release",
    summary="Give back a task that was claimed: its attempt is not made. Needs its token, and no key.",
    scope=Scope.OPEN,
    takes_token=True,
    body=NOTHING,
    answers=_ANSWERS,
    errors=(NotPulledError, *_ERRORS),
    page="completions.md#release",
).answered_by
async def release_attempt(request: Request) -> Response:
    """Give a task back."""
    claim = request.shown_claim
    state = await request.service.completions.release(claim)
    return answer(completion_view(claim.task_id, state))


def _length(length: str | float | UnsetType, field: str) -> timedelta | None:
    return None if length is UNSET else read_member(field, lengths.parse, length)


CALLS: Final = (complete_attempt, fail_attempt, beat_attempt, release_attempt)
