"""Who has changed what, when."""

from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from tasker.api.bodies import answer
from tasker.api.calls import READING, Answer, Call, Parameter, Request
from tasker.api.routes.lists import MAX_LIMIT, limit_of
from tasker.callers import Scope
from tasker.errors import InvalidQueryError, TaskNotFoundError, cut
from tasker.model import instants
from tasker.model.audit import AuditQuery
from tasker.model.instants import Instant
from tasker.wire.audit import ACTIONS, KINDS, AuditPageView, HistoryView, change_view, history_view

T = TypeVar("T")

LIMIT: Final = 100
"""The length of a page, if none is asked for."""

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
        Parameter(
            name="limit",
            description="The most changes to answer with.",
            schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT},
        ),
        Parameter(name="cursor", description="Where to go on, from the page before.", schema={"type": "string"}),
    ),
    answers=(Answer(description="The changes. A page may be empty before the last one.", shape=AuditPageView),),
    errors=(InvalidQueryError, *READING),
    page="audit.md#list-changes",
).answered_by
async def list_changes(request: Request) -> Response:
    """Answer with rows of the audit log."""
    given = request.query
    limit = limit_of(given["limit"]) if "limit" in given else LIMIT
    query = AuditQuery(
        subject=_id(given, "subject"),
        kind=_word(given, "kind", KINDS),
        action=_word(given, "action", ACTIONS),
        by=_id(given, "by"),
        since=_moment(given, "after"),
        before=_moment(given, "before"),
    )
    found = await request.service.audit.page(query, after=given.get("cursor"), limit=limit)
    path = None if found.next is None else f"{request.path}?{urlencode({**given, 'cursor': found.next})}"
    page = AuditPageView([change_view(record) for record in found.records], path)
    return answer(page, headers={} if path is None else {"link": f'<{path}>; rel="next"'})


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


def _id(given: Mapping[str, str], name: str) -> str | None:
    if name in given and not given[name].isprintable():
        raise InvalidQueryError(name, f"expected an id, got: {cut(given[name])!r}")
    return given.get(name)


def _word(given: Mapping[str, str], name: str, known: Mapping[str, T]) -> T | None:
    if name not in given:
        return None
    if given[name] not in known:
        raise InvalidQueryError(name, f"expected one of {', '.join(known)}, got: {cut(given[name])!r}")
    return known[given[name]]


def _moment(given: Mapping[str, str], name: str) -> Instant | None:
    if name not in given:
        return None
    try:
        return instants.parse(given[name])
    except ValueError as error:
        raise InvalidQueryError(name, str(error)) from None


CALLS: Final = (list_changes, get_history)
