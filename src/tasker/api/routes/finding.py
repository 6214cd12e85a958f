"""Find tasks, a page at a time."""

from typing import Final

import msgspec
from starlette.responses import Response

from tasker.api.bodies import json_answer
from tasker.api.calls import READING, Answer, Call, Parameter, Request, Shape
from tasker.api.routes import pages
from tasker.api.routes.parameters import given_in, one_of, word_of
from tasker.callers import Scope
from tasker.errors import InvalidQueryError
from tasker.filters import FILTERS, SORTS, Query, query_of, schema_of
from tasker.wire.task_views import wrapped_summary_json, wrapped_task_json
from tasker.wire.tasks import AtLeast

_FILTERS: Final = tuple(
    Parameter(name=each.name, description=each.description, schema=schema_of(each)) for each in FILTERS
)
_COUNTS: Final = ("capped",)
_FIELDS: Final = ("summary",)
_OTHERS: Final = (
    Parameter(
        name="sort",
        description="What the tasks are ordered by. Without it: created together with key, key_prefix, tag "
        "or parent, which allow no other; else due.",
        schema={"type": "string", "enum": list(SORTS)},
    ),
    *pages.parameters("tasks", only="Only with the same filters and sort."),
    Parameter(
        name="fields",
        description="summary leaves out bodies and results.",
        schema={"type": "string", "enum": list(_FIELDS)},
    ),
    Parameter(
        name="count",
        description="capped: answer with how many tasks there are on all pages, too, or with a number that "
        "there are at least.",
        schema={"type": "string", "enum": list(_COUNTS)},
    ),
)


@Call(
    method="GET",
    path="/tasks",
    summary="Find tasks by what is known of them, a page at a time.",
    scope=Scope.TASKS_READ,
    query=(*_FILTERS, *_OTHERS),
    answers=(
        Answer(
            description="The tasks, without the values of their headers and the passwords in their URLs, and "
            "without secret unless the caller may see it. "
            "A page may be empty before the last one.",
            shape=Shape.TASK_PAGE,
            headers=pages.HEADERS,
        ),
    ),
    errors=(InvalidQueryError, *READING),
    page="finding.md#find-tasks",
).answered_by
async def find_tasks(request: Request) -> Response:
    """Answer with a page of what is found."""
    given = given_in(request.pairs)
    query = query_of(given, one_of(given, "sort"))
    length = pages.length_of(request)
    is_summary = word_of(given, "fields", _FIELDS) is not None
    is_counted = word_of(given, "count", _COUNTS) is not None
    finding = request.service.finding
    page = await finding.page(request.caller, query, cursor=pages.cursor_of(request), limit=length)
    members = [b'"count":' + await _count(request, query)] if is_counted else []
    path = pages.next_path(request, page.next)
    write = wrapped_summary_json if is_summary else wrapped_task_json
    tasks = b",\n".join(write(task) for task in page.tasks)
    body = b",\n".join([b'{"tasks":[%b]' % tasks, b'"next":' + msgspec.json.encode(path), *members]) + b"}"
    return json_answer(body, headers=pages.link_to(path))


async def _count(request: Request, query: Query) -> bytes:
    counted = await request.service.finding.count(query)
    return msgspec.json.encode(counted.count if counted.is_exact else AtLeast(counted.count))


CALLS: Final = (find_tasks,)
