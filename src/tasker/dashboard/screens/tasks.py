"""Finding tasks."""

from starlette.responses import Response

from tasker.dashboard.visits import Pages, Visit
from tasker.filters import FILTERS, query_of

pages = Pages(place="Tasks")

_LENGTH = 50
_NAMES = frozenset(each.name for each in FILTERS)


@pages.get("/tasks")
async def find(visit: Visit) -> Response:
    """Show a page of what is found."""
    given: dict[str, list[str]] = {}
    for name, value in visit.query:
        if name in _NAMES and value:
            given.setdefault(name, []).append(value)
    query = query_of(given, visit.asked("sort"))
    finding = visit.service.finding
    page = await finding.page(visit.caller, query, cursor=visit.asked("cursor"), limit=_LENGTH)
    counted = await finding.count(query)
    kept = [(name, value) for name, value in visit.query if name in _NAMES and value]
    following = None if page.next is None else visit.url("/tasks", [*kept, ("cursor", page.next)])
    return visit.show("tasks.html", title="Tasks", tasks=page.tasks, counted=counted, given=given, following=following)
