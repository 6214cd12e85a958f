"""What failed: attempts that failed alike are one group."""

from starlette.responses import Response

from tasker.dashboard.spans import BACK, begin_of, choices, span_of
from tasker.dashboard.visits import Pages, Visit
from tasker.wire.statistics import failures_view

pages = Pages(place="Failures")


@pages.get("/failures")
async def find(visit: Visit) -> Response:
    """Show what failed, what failed most first."""
    span, now = span_of(visit, BACK, usual="24h"), visit.now
    found = await visit.service.statistics.failures(begin_of(span, now), now + 1)
    view = failures_view(found.first, found.until, found.groups, found.others)
    return visit.show(
        "failures.html",
        title="Failures",
        found=view,
        total=sum(group.count for group in view.failures) + view.others,
        spans=choices(BACK),
        span=span.word,
    )
