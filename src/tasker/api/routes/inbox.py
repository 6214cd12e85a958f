"""The inbox: what applications have written into it, and what was refused of that."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from tasker.api.calls import NOTHING, READING, WRITING, Answer, Call, Request
from tasker.api.problems import PRIVATE
from tasker.api.routes import pages
from tasker.callers import Scope
from tasker.errors import InboxRowNotFoundError, InvalidQueryError
from tasker.wire.inbox import InboxPage, inbox_row_view

_ID: Final = {"type": "string", "format": "uuid"}


@Call(
    method="GET",
    path="/inbox",
    summary="List what stands in the inbox: requests that were refused, or are to be taken. A page at a time.",
    scope=Scope.TASKS_READ,
    query=pages.parameters("rows"),
    answers=(
        Answer(description="Rows. Always empty with SQLite, which has none.", shape=InboxPage, headers=pages.HEADERS),
    ),
    errors=(InvalidQueryError, *READING),
    page="inbox.md#list-rows",
).answered_by
async def list_inbox(request: Request) -> Response:
    """Answer with rows of the inbox."""
    rows, cursor = await request.service.inbox.page(after=pages.cursor_of(request), limit=pages.length_of(request))
    has_request = request.caller.may(Scope.SECRETS_READ)
    shown = [inbox_row_view(row, has_request=has_request) for row in rows]
    return pages.answer_page(InboxPage(shown, pages.next_path(request, cursor)))


@Call(
    method="POST",
    path="/inbox/{id}/retry",
    summary="Try a row of the inbox again that was refused, at once. Takes no body.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    body=NOTHING,
    answers=(Answer(description="It is tried again. If it is refused, it stays with the new error.", status=204),),
    errors=(InboxRowNotFoundError, *WRITING),
    page="inbox.md#try-a-row-again",
).answered_by
async def retry_inbox_row(request: Request) -> Response:
    """Have a row be taken again."""
    await request.service.inbox.retry(request.caller, request.values["id"])
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=PRIVATE)


@Call(
    method="DELETE",
    path="/inbox/{id}",
    summary="Delete a row of the inbox: no task comes of it.",
    scope=Scope.TASKS_WRITE,
    value=_ID,
    answers=(Answer(description="It is gone.", status=204),),
    errors=(InboxRowNotFoundError, *WRITING),
    page="inbox.md#delete-a-row",
).answered_by
async def delete_inbox_row(request: Request) -> Response:
    """Delete a row."""
    await request.service.inbox.delete(request.caller, request.values["id"])
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=PRIVATE)


CALLS: Final = (list_inbox, retry_inbox_row, delete_inbox_row)
