"""The system: nodes, the database, settings with their origin, versions."""

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard.visits import Pages, Visit
from tasker.model import zones

pages = Pages(place="System")


@pages.get("/system", Scope.METRICS)
async def show(visit: Visit) -> Response:
    """Show what the server is made of, and how it is."""
    figures = await visit.service.metrics.read()
    return visit.show(
        "system.html",
        title="System",
        figures=figures,
        slots=visit.service.server.slots(),
        started_at=visit.service.server.started_at,
        nodes=await visit.service.server.nodes(),
        unready=visit.service.server.unready(),
        paused_at=visit.service.server.paused_at(),
        said=visit.settings.said if visit.caller.may(Scope.ADMIN) else (),
        zones_version=zones.VERSION,
    )
