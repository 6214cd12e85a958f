"""The timeline: what is due, on an axis with a line for now, and how late it was just before."""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from tasker.dashboard import timelines
from tasker.dashboard.gists import gist_of
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError
from tasker.filters import Order, query_of
from tasker.model import instants
from tasker.model.instants import SECOND, Instant, microseconds
from tasker.model.steps import Steps, readable_length
from tasker.model.task import Task

pages = Pages(place="Timeline")

SPANS: Final = {
    "15m": ("15 min", timedelta(minutes=15)),
    "1h": ("1 hour", timedelta(hours=1)),
    "6h": ("6 hours", timedelta(hours=6)),
    "24h": ("24 hours", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
"""How much the axis spans."""

_FARTHEST: Final = 1_000
"""Spans by which the axis can be moved."""


@pages.get("/timeline")
async def show(visit: Visit) -> Response:
    """Show what is due."""
    span, moved = visit.asked("span") or "1h", visit.asked("moved") or "0"
    if span not in SPANS:
        raise InvalidQueryError("span", f"expected one of {', '.join(SPANS)}")
    if not moved.removeprefix("-").isdecimal() or not -_FARTHEST <= int(moved) <= _FARTHEST:
        raise InvalidQueryError("moved", f"expected a whole number from -{_FARTHEST} to {_FARTHEST}")
    now, length = visit.now, microseconds(SPANS[span][1])
    axis = timelines.axis_of(now, length, ahead=int(moved) * length * 4 // 5)
    first, until = max(axis.first, now), min(axis.until, instants.LAST)
    singles: list[Task] | None = None
    bars: list[timelines.Density] = []
    total, is_exact = 0, True
    if until > first:
        steps = Steps.over(first, until, max(readable_length(until - first), SECOND))
        counted = await visit.service.statistics.due(steps)
        total, is_exact = sum(counted.counts), all(counted.is_exact)
        bars = timelines.densities(axis, steps, counted)
        if is_exact and total <= timelines.SINGLE:
            singles = await _single(visit, steps, total)
    return visit.show(
        "timeline.html",
        title="Timeline",
        axis=axis,
        spans={word: said for word, (said, _) in SPANS.items()},
        span=span,
        moved=int(moved),
        total=total,
        is_exact=is_exact,
        bars=bars,
        dots=None if singles is None else [(dot, gist_of(dot.task)) for dot in timelines.dots(axis, singles)],
        lates=await _lates(visit, axis),
        now_x=axis.x(now) if axis.first <= now <= axis.until else None,
    )


async def _single(visit: Visit, steps: Steps, count: int) -> list[Task] | None:
    """Return the tasks of *steps* one by one; None: they are not found by their time alone."""
    given = {"state": ["todo"], "due_after": [instants.text(steps.start)], "due_before": [instants.text(steps.end)]}
    page = await visit.service.finding.page(
        visit.caller, query_of(given, Order.DUE.value), cursor=None, limit=timelines.SINGLE + 1
    )
    return page.tasks if len(page.tasks) == count else None


async def _lates(visit: Visit, axis: timelines.Axis) -> list[timelines.Late]:
    first, until = max(axis.first, 0), min(axis.until, axis.now + 1)
    if until <= first:
        return []
    steps = _steps_back(visit, first, until)
    found = await visit.service.statistics.history(steps)
    return timelines.lates(axis, steps, found.tallies)


def _steps_back(visit: Visit, first: Instant, until: Instant) -> Steps:
    return Steps.over(first, until, readable_length(until - first, least=visit.service.statistics.finest(first)))
