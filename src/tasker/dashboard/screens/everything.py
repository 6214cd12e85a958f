"""What is on every page: everything is paused, or goes on; how pages look."""

from typing import Final

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard.cookies import set_cookie
from tasker.dashboard.rendering import THEME_COOKIE, THEMES
from tasker.dashboard.visits import Pages, Visit

pages = Pages()

_YEAR: Final = 366 * 86_400


@pages.post("/everything/pause", Scope.OPERATE)
async def pause(visit: Visit) -> Response:
    """Start no more tasks, on any node."""
    await visit.service.server.pause(visit.caller)
    return visit.go(visit.page_at(visit.said("to")), done="pause_all")


@pages.post("/everything/resume", Scope.OPERATE)
async def resume(visit: Visit) -> Response:
    """Let tasks start again."""
    await visit.service.server.resume(visit.caller)
    return visit.go(visit.page_at(visit.said("to")), done="resume_all")


@pages.post("/theme", Scope.OPEN)
async def choose_theme(visit: Visit) -> Response:
    """Let this browser show pages light, dark, or as the system is."""
    chosen = visit.said("theme")
    response = visit.go(visit.page_at(visit.said("to")))
    response.headers["set-cookie"] = set_cookie(
        THEME_COOKIE,
        chosen if chosen in THEMES else THEMES[0],
        path=visit.url(""),
        is_secure=visit.way.is_encrypted,
        same_site="Lax",
        max_age=_YEAR,
    )
    return response
