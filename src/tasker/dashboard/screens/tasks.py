"""Finding tasks, and taking what was found elsewhere."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from tasker.dashboard.gists import gist_of
from tasker.dashboard.routes import NoPageError
from tasker.dashboard.visits import PRIVATE, Pages, Pairs, Visit
from tasker.errors import InvalidQueryError
from tasker.filters import FILTERS, REASONS, SORTS, Query, query_of, usual_sort
from tasker.interfaces.tasks import Counted
from tasker.model import instants, time_words, zones
from tasker.model.operation import Action
from tasker.model.task import Task
from tasker.service.finding import FoundPage
from tasker.wire.masking import masked
from tasker.wire.spreadsheets import as_text
from tasker.wire.task_views import wrapped_task_json

pages = Pages(place="Tasks")

LENGTH: Final = 50
"""Tasks on a page."""

RANGES: Final = ("due", "ended", "created")
"""The parameters that take a range in words, such as *last night*. Each stands for two filters."""

_EXPORTED: Final = 1_000
"""Tasks that are read at a time for a file."""

_NAMES: Final = frozenset(each.name for each in FILTERS)
_NOTHING_WRONG: Final[Mapping[str, str]] = {}


class Searched(Struct, frozen=True, kw_only=True):
    """What a visitor looks for."""

    pairs: Pairs
    """In the visitor's words: what the address says, without what only turns pages."""
    given: Mapping[str, Sequence[str]]
    """As filters."""
    sort: str

    def first(self, name: str) -> str:
        """Return the first value of a parameter; empty: there is none."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        return [value for key, value in self.pairs if key == name]

    def without(self, name: str, value: str) -> Pairs:
        """Return the same words without one."""
        return [pair for pair in self.pairs if pair != (name, value)]


def searched(visit: Visit) -> Searched:
    """Return what the address of a page, or a form, looks for.

    Raises:
        InvalidQueryError: a range cannot be understood. The message says what would be right.
    """
    pairs = [
        (name, value.strip())
        for name, value in (visit.form or visit.query)
        if value.strip() and (name in _NAMES or name in RANGES or name == "sort")
    ]
    given: dict[str, list[str]] = {}
    sort = ""
    for name, value in pairs:
        if name == "sort":
            sort = value
        elif name in RANGES:
            try:
                begins, ends = time_words.range_of(value, visit.now, zones.zone_named(visit.zone))
            except ValueError as error:
                raise InvalidQueryError(name, str(error)) from None
            for end, moment in (("after", begins), ("before", ends)):
                if moment is not None:
                    given[f"{name}_{end}"] = [instants.text(moment)]
        else:
            given.setdefault(name, []).append(value)
    return Searched(pairs=pairs, given=given, sort=sort)


def query_for(search: Searched) -> Query:
    """Return the query of a search; without an order of its own, in the usual one of ``filters.usual_sort``.

    Raises:
        InvalidQueryError: see ``query_of``.
    """
    return query_of(search.given, search.sort or usual_sort(query_of(search.given)))


@pages.get("/tasks")
async def find(visit: Visit) -> Response:
    """Show a page of what is found; what cannot be looked for is said at its field."""
    search = Searched(pairs=[pair for pair in visit.query if pair[0] != "cursor"], given={}, sort="")
    finding = visit.service.finding
    try:
        search = searched(visit)
        query = query_for(search)
        page = await finding.page(visit.caller, query, cursor=visit.asked("cursor"), limit=LENGTH)
        counted = await finding.count(query)
    except InvalidQueryError as error:
        return _shown(visit, search, wrong={_field_of(error.parameter): error.problem})
    return _shown(visit, search, page=page, counted=counted)


def _field_of(parameter: str) -> str:
    """Return the field that a parameter is typed into: the ends of a range have one together."""
    name, _, end = parameter.rpartition("_")
    return name if name in RANGES and end in ("after", "before") else parameter


def _shown(
    visit: Visit,
    search: Searched,
    *,
    page: FoundPage | None = None,
    counted: Counted | None = None,
    wrong: Mapping[str, str] = _NOTHING_WRONG,
) -> Response:
    tasks, following = ([], None) if page is None else (page.tasks, page.next)
    return visit.show(
        "tasks.html",
        status=400 if wrong else 200,
        title="Tasks",
        search=search,
        rows=[(task, gist_of(task)) for task in tasks],
        counted=counted,
        following=following and visit.url("/tasks", [*search.pairs, ("cursor", following)]),
        wrong=wrong,
        types=[task_type.name for task_type in visit.context.registry.types],
        reasons=REASONS,
        sorts=SORTS,
        suggested=time_words.SUGGESTED,
        actions=[action.value for action in Action if action is not Action.CHANGE],
    )


@pages.get("/tasks/export.{form}")
async def export(visit: Visit) -> Response:
    """Send all that is found as a file: ``ndjson``, or ``csv``."""
    is_csv = visit.values["form"] == "csv"
    if not is_csv and visit.values["form"] != "ndjson":
        raise NoPageError(HTTPStatus.NOT_FOUND)
    query = query_for(searched(visit))
    first = await visit.service.finding.page(visit.caller, query, cursor=None, limit=_EXPORTED)
    write = _csv if is_csv else _ndjson
    headers = {**PRIVATE, "content-disposition": f'attachment; filename="tasks.{"csv" if is_csv else "ndjson"}"'}
    media_type = "text/csv; charset=utf-8" if is_csv else "application/x-ndjson"

    async def parts() -> AsyncIterator[bytes]:
        if visit.asgi["method"] == "HEAD":
            return
        page = first
        if is_csv:
            yield _row(_COLUMNS)
        while True:
            yield b"".join(write(masked(task)) for task in page.tasks)
            if page.next is None:
                return
            page = await visit.service.finding.page(visit.caller, query, cursor=page.next, limit=_EXPORTED)

    return StreamingResponse(parts(), headers=headers, media_type=media_type)


def _ndjson(task: Task) -> bytes:
    return wrapped_task_json(task) + b"\n"


_COLUMNS: Final = (
    *("id", "type", "state", "key", "tags", "group", "schedule", "to", "created_at", "execution_time"),
    *("attempts", "started_at", "ended_at", "error", "msg"),
)


def _csv(task: Task) -> bytes:
    gist = gist_of(task)
    fault = task.last_fault
    moments = [None if at is None else instants.text(at) for at in (task.started_at, task.ended_at)]
    return _row(
        (
            *(task.id, task.type, task.state.word, task.key, " ".join(gist.tags), gist.group, task.schedule, gist.text),
            *(instants.text(task.created_at), task.execution_time, task.attempts, *moments),
            *((fault.code, fault.msg) if fault else (None, None)),
        )
    )


def _row(cells: Sequence[object]) -> bytes:
    """Return a line of a table. What a spreadsheet would compute is a text to it."""
    texts = ["" if cell is None else str(cell) for cell in cells]
    written = io.StringIO()
    csv.writer(written).writerow(map(as_text, texts))
    return written.getvalue().encode()
