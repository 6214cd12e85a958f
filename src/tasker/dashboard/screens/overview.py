"""The first page: whether tasks run on time, and what is wrong."""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard import plots, troubles
from tasker.dashboard.spans import BACK, begin_of, choices, span_of, steps_back
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError
from tasker.filters import query_of
from tasker.model import instants
from tasker.model.instants import SECOND, Instant
from tasker.model.overdue import OVERDUE_COUNTED_TO, Overdue
from tasker.model.steps import Steps
from tasker.model.task import State

pages = Pages(place="Overview")

TROUBLES: Final = 10
"""Destinations in trouble that are named; the others are on their own page."""

_DAY: Final = timedelta(days=1)
_MINUTE: Final = 60 * SECOND


@pages.get("/", Scope.TASKS_READ)
async def overview(visit: Visit) -> Response:
    """Show how the server is."""
    span = span_of(visit, BACK, usual="24h")
    cause = visit.asked("cause") or plots.CAUSES[0]
    if cause not in plots.CAUSES:
        raise InvalidQueryError("cause", f"expected one of {', '.join(plots.CAUSES)}")
    service, now = visit.service, visit.now
    overdue, inbox = await service.metrics.overdue(), await service.metrics.inbox()
    stats = await service.server.stats([State.TODO, State.IN_PROGRESS])
    since = instants.text(instants.after(now, -_DAY))
    failed = await service.finding.count(query_of({"state": ["failed"], "ended_after": [since]}))
    back = steps_back(visit, begin_of(span, now), now + 1)
    found = await service.statistics.history(back)
    ahead = Steps.over(now, now + 60 * _MINUTE, _MINUTE)
    troubled = await service.destinations.troubled(limit=TROUBLES + 1)
    return visit.show(
        "overview.html",
        title="Overview",
        stats=stats,
        counts={state.word: count for state, count in stats.tasks.items()},
        counted_to=stats.tasks_counted_to,
        overdue=overdue,
        overdue_counted_to=OVERDUE_COUNTED_TO,
        due_now=_due_now(overdue),
        failed=failed,
        wrong=[
            *troubles.of_nodes(service.server.unready()),
            *troubles.of_overdue(overdue),
            *troubles.of_inbox(inbox),
            *troubles.of_destinations(troubled[:TROUBLES]),
        ],
        has_more_wrong=len(troubled) > TROUBLES,
        throughput=plots.throughput(back, found.tallies),
        lateness=plots.lateness(back, found.tallies, cause),
        lateness_bars=plots.lateness_bars(found.tallies, cause),
        due=plots.due_bars(ahead, await service.statistics.due(ahead)),
        nodes=await service.server.nodes() if visit.caller.may(Scope.METRICS) else [],
        spans=choices(BACK),
        span=span.word,
        causes=plots.CAUSES,
        cause=cause,
    )


def _due_now(overdue: Overdue | None) -> tuple[int, bool, Instant | None]:
    """Return how many tasks are overdue, whether all were counted, and since when the oldest is; None: none is."""
    found = [] if overdue is None else list(overdue.by_reason.values())
    oldest = min((tasks.oldest for tasks in found if tasks.oldest is not None), default=None)
    return sum(tasks.count for tasks in found), all(tasks.count < OVERDUE_COUNTED_TO for tasks in found), oldest
