"""The first page: whether tasks run on time, and what is wrong."""

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard.visits import Pages, Visit

pages = Pages(place="Overview")


@pages.get("/", Scope.TASKS_READ)
async def overview(visit: Visit) -> Response:
    """Show how the server is."""
    stats = await visit.service.server.stats()
    nodes = await visit.service.server.nodes()
    return visit.show("overview.html", title="Overview", stats=stats, nodes=nodes)
