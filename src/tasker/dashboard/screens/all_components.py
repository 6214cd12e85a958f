"""All parts that pages are made of, side by side, for those who make pages. Only ``tasker demo`` shows it."""

from starlette.responses import Response

from tasker.dashboard.visits import Pages, Visit

pages = Pages()


@pages.get("/components")
async def components(visit: Visit) -> Response:
    """Show them."""
    return visit.show("all_components.html", title="Components")
