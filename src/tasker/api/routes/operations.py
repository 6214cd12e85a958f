"""One move of many tasks: begin, look, cancel."""

from typing import Final

from msgspec import UNSET
from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import NOTHING, READING, WRITING, Answer, Body, Call, Links, Request
from tasker.api.idempotency import MadeAnswer
from tasker.api.new_operation import NewOperation, asked_of
from tasker.api.routes import pages
from tasker.callers import Scope
from tasker.errors import (
    InvalidQueryError,
    InvalidRequestError,
    InvalidTaskError,
    OperationNotFoundError,
    UpgradeUnfinishedError,
)
from tasker.ids import parse_id
from tasker.model.operation import Asked, Operation
from tasker.model.task import TaskId
from tasker.wire.operations import OperationPage, OperationView, operation_view

_ID: Final = {"type": "string", "format": "uuid"}
_LOCATION: Final = {"Location": {"description": "The path of the operation.", "schema": {"type": "string"}}}
_LINKS: Final = Links(id="$response.body#/id", operation_ids=("getOperation", "cancelOperation"))


@Call(
    method="POST",
    path="/operations",
    summary="Run, retry, cancel, postpone, change or delete many tasks, in the background.",
    scope=Scope.OPERATE,
    body=Body(NewOperation, limit=None),
    answers=(
        Answer(description="The operation, which has begun.", status=202, shape=OperationView, headers=_LOCATION),
        Answer(
            description="A dry run that is done already.",
            status=200,
            shape=OperationView,
            headers=_LOCATION,
            links=_LINKS,
        ),
    ),
    errors=(InvalidRequestError, InvalidQueryError, UpgradeUnfinishedError, *WRITING),
    page="operations.md#begin-an-operation",
    is_repeatable=True,
).answered_by
async def create_operation(request: Request) -> Response:
    """Begin an operation."""
    new: NewOperation = request.body
    action, asked = asked_of(new)
    _check_change(request, asked)
    return await request.once(
        lambda once: request.service.operations.create(
            request.caller, action, asked, is_dry_run=new.dry_run, repeatable=once
        ),
        _made,
    )


def _check_change(request: Request, asked: Asked) -> None:
    """Raise ``InvalidRequestError`` if what tasks are to be given anew is no change."""
    if asked.change is not UNSET:
        try:
            request.context.patches.decode(bytes(asked.change))
        except InvalidTaskError as error:
            raise InvalidRequestError(f"change.{error.field}".rstrip("."), error.problem) from None


def _made(operation: Operation) -> MadeAnswer:
    body = bytes(answer(operation_view(operation)).body)
    return MadeAnswer(202 if operation.is_running else 200, body, f"/operations/{operation.id}")


@Call(
    method="GET",
    path="/operations",
    summary="List operations, the latest first, a page at a time.",
    scope=Scope.TASKS_READ,
    query=pages.parameters("operations", cursor=_ID),
    answers=(Answer(description="Operations.", shape=OperationPage, headers=pages.HEADERS),),
    errors=(InvalidQueryError, *READING),
    page="operations.md#follow-an-operation",
).answered_by
async def list_operations(request: Request) -> Response:
    """Answer with operations."""
    length = pages.length_of(request)
    found = await request.service.operations.page(before=_position(request), limit=length)
    path = pages.next_path(request, found[-1].id if len(found) == length else None)
    return pages.answer_page(OperationPage([operation_view(operation) for operation in found], path))


@Call(
    method="GET",
    path="/operations/{id}",
    summary="Read an operation: how far it has come.",
    scope=Scope.TASKS_READ,
    value=_ID,
    answers=(Answer(description="The operation.", shape=OperationView),),
    errors=(OperationNotFoundError, *READING),
    page="operations.md#follow-an-operation",
).answered_by
async def get_operation(request: Request) -> Response:
    """Answer with an operation."""
    return answer(operation_view(await request.service.operations.get(request.values["id"])))


@Call(
    method="POST",
    path="/operations/{id}/cancel",
    summary="Have an operation go no further; what it has changed stays so. Takes no body.",
    scope=Scope.OPERATE,
    value=_ID,
    body=NOTHING,
    answers=(Answer(description="The operation, which has ended.", shape=OperationView),),
    errors=(OperationNotFoundError, *WRITING),
    page="operations.md#follow-an-operation",
).answered_by
async def cancel_operation(request: Request) -> Response:
    """Cancel an operation."""
    return answer(operation_view(await request.service.operations.cancel(request.caller, request.values["id"])))


def _position(request: Request) -> TaskId | None:
    cursor = pages.cursor_of(request)
    if cursor is None:
        return None
    try:
        return parse_id(cursor)
    except ValueError:
        raise InvalidQueryError("cursor", "expected the cursor of a page before, as its next gives it") from None


CALLS: Final = (create_operation, list_operations, get_operation, cancel_operation)
