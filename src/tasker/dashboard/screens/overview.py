"""The first page: whether tasks run on time, and what is wrong."""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard import plots, troubles
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError
from tasker.filters import query_of
from tasker.model import instants
from tasker.model.instants import SECOND, Instant
from tasker.model.overdue import OVERDUE_COUNTED_TO, Overdue
from tasker.model.steps import Steps, readable_length
from tasker.model.task import State

pages = Pages(place="Overview")

SPANS: Final = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
"""How far back the plots look."""

TROUBLES: Final = 10
"""Destinations in trouble that are named; the others are on their own page."""

_LENGTHS: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_DAY: Final = timedelta(days=1)
_MINUTE: Final = 60 * SECOND


@pages.get("/", Scope.TASKS_READ)
async def overview(visit: Visit) -> Response:
    """Show how the server is."""
    span, cause = visit.asked("span") or "24h", visit.asked("cause") or plots.CAUSES[0]
    if span not in SPANS or cause not in plots.CAUSES:
        raise InvalidQueryError("span", f"expected one of {', '.join(SPANS)}, and a cause of {', '.join(plots.CAUSES)}")
    service, now = visit.service, visit.now
    figures = await service.metrics.read()
    stats = await service.server.stats()
    since = instants.text(instants.after(now, -_DAY))
    failed = await service.finding.count(query_of({"state": ["failed"], "ended_after": [since]}))
    back = await _back(visit, now, _LENGTHS[span])
    found = await service.statistics.history(back)
    ahead = Steps.over(now, now + 60 * _MINUTE, _MINUTE)
    troubled = await service.destinations.troubled(limit=TROUBLES + 1)
    return visit.show(
        "overview.html",
        title="Overview",
        stats=stats,
        counts={state.word: stats.tasks.get(state, 0) for state in State},
        counted_to=stats.tasks_counted_to,
        overdue=figures.overdue,
        due_now=_due_now(figures.overdue),
        failed=failed,
        since=since,
        wrong=[
            *troubles.of_nodes(service.server.unready()),
            *troubles.of_overdue(figures.overdue),
            *troubles.of_destinations(troubled[:TROUBLES]),
        ],
        has_more_wrong=len(troubled) > TROUBLES,
        throughput=plots.throughput(back, found.tallies),
        lateness=plots.lateness(back, found.tallies, cause),
        lateness_bars=plots.lateness_bars(found.tallies, cause),
        due=plots.due_bars(ahead, await service.statistics.due(ahead)),
        nodes=await service.server.nodes() if visit.caller.may(Scope.METRICS) else [],
        spans=SPANS,
        span=span,
        causes=plots.CAUSES,
        cause=cause,
    )


async def _back(visit: Visit, now: Instant, length: timedelta) -> Steps:
    first = max(instants.after(now, -length), 0)
    finest = visit.service.statistics.finest(first)
    return Steps.over(first, now + 1, readable_length(now - first, least=finest))


def _due_now(overdue: Overdue | None) -> tuple[int, bool, Instant | None, str]:
    """Return how many tasks are overdue, whether all were counted, since when the oldest is, and why it waits."""
    if overdue is None:
        return 0, False, None, ""
    count = sum(tasks.count for tasks in overdue.by_reason.values())
    is_exact = all(tasks.count < OVERDUE_COUNTED_TO for tasks in overdue.by_reason.values())
    oldest = min(
        ((tasks.oldest, reason) for reason, tasks in overdue.by_reason.items() if tasks.oldest is not None),
        default=(None, ""),
    )
    return count, is_exact, *oldest
