"""What failed: attempts that failed alike are one group."""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError
from tasker.model import instants
from tasker.wire.statistics import failures_view

pages = Pages(place="Failures")

SPANS: Final = {
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
"""How far back it is looked."""


@pages.get("/failures")
async def find(visit: Visit) -> Response:
    """Show what failed, what failed most first."""
    span = visit.asked("span") or "24h"
    if span not in SPANS:
        raise InvalidQueryError("span", f"expected one of {', '.join(SPANS)}")
    now = visit.now
    first = max(instants.after(now, -SPANS[span][1]), 0)
    found = await visit.service.statistics.failures(first, now + 1)
    view = failures_view(found.first, found.until, found.groups, found.others)
    return visit.show(
        "failures.html",
        title="Failures",
        found=view,
        total=sum(group.count for group in view.failures) + view.others,
        spans={word: said for word, (said, _) in SPANS.items()},
        span=span,
    )
