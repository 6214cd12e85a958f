"""Who has changed what, when."""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import READING, Answer, Call, Parameter, Request
from tasker.api.routes import pages
from tasker.api.routes.parameters import given_in, one_of, word_of
from tasker.callers import Scope
from tasker.errors import InvalidQueryError, TaskNotFoundError, cut
from tasker.model import instants
from tasker.model.audit import AuditQuery
from tasker.model.instants import Instant
from tasker.wire.audit import ACTIONS, KINDS, AuditPageView, HistoryView, change_view, history_view

_MOMENT: Final = {"type": "string", "format": "date-time"}


@Call(
    method="GET",
    path="/audit",
    summary="List who has changed what, the latest first, a page at a time.",
    scope=Scope.ADMIN,
    query=(
        Parameter(
            name="subject",
            description="The id of what was changed; of a task also the operations that have changed it.",
            schema={"type": "string"},
        ),
        Parameter(name="kind", description="What was changed.", schema={"type": "string", "enum": list(KINDS)}),
        Parameter(name="action", description="What was done to it.", schema={"type": "string", "enum": list(ACTIONS)}),
        Parameter(name="by", description="The id of the API key, local or tasker.", schema={"type": "string"}),
        Parameter(name="after", description="At this time or later.", schema=_MOMENT),
        Parameter(name="before", description="Earlier than this.", schema=_MOMENT),
        *pages.parameters("changes"),
    ),
    answers=(
        Answer(
            description="The changes. A page may be empty before the last one.",
            shape=AuditPageView,
            headers=pages.HEADERS,
        ),
    ),
    errors=(InvalidQueryError, *READING),
    page="audit.md#list-changes",
).answered_by
async def list_changes(request: Request) -> Response:
    """Answer with rows of the audit log."""
    given = given_in(request.pairs)
    kind, action = word_of(given, "kind", tuple(KINDS)), word_of(given, "action", tuple(ACTIONS))
    query = AuditQuery(
        subject=_id(given, "subject"),
        kind=None if kind is None else KINDS[kind],
        action=None if action is None else ACTIONS[action],
        by=_id(given, "by"),
        since=_moment(given, "after"),
        before=_moment(given, "before"),
    )
    length = pages.length_of(request)
    found = await request.service.audit.page(query, after=pages.cursor_of(request), limit=length)
    path = pages.next_path(request, found.next)
    return pages.answer_page(AuditPageView([change_view(record) for record in found.records], path))


@Call(
    method="GET",
    path="/tasks/{id}/history",
    summary="Say what happened to a task: its attempts and its changes, in one line of time.",
    scope=Scope.TASKS_READ,
    value={"type": "string", "format": "uuid"},
    answers=(Answer(description="What happened, the earliest first.", shape=HistoryView),),
    errors=(TaskNotFoundError, *READING),
    page="audit.md#the-history-of-a-task",
).answered_by
async def get_history(request: Request) -> Response:
    """Answer with what happened to a task."""
    history = await request.service.audit.history(request.values["id"])
    return answer(history_view(history.task, history.attempts, history.changes, has_all=history.has_all))


def _id(given: Mapping[str, Sequence[str]], name: str) -> str | None:
    text = one_of(given, name)
    if text is not None and not text.isprintable():
        raise InvalidQueryError(name, f"expected an id, got: {cut(text)!r}")
    return text


def _moment(given: Mapping[str, Sequence[str]], name: str) -> Instant | None:
    text = one_of(given, name)
    if text is None:
        return None
    try:
        return instants.parse(text)
    except ValueError as error:
        raise InvalidQueryError(name, str(error)) from None


CALLS: Final = (list_changes, get_history)
