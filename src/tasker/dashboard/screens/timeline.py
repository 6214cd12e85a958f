"""The timeline: what is due, on an axis with a line for now, and how late it was just before."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from starlette.responses import Response

from tasker.dashboard import timelines
from tasker.dashboard.gists import gist_of
from tasker.dashboard.numbers import whole
from tasker.dashboard.spans import SPANS, choices, span_of, steps_back
from tasker.dashboard.visits import Pages, Visit
from tasker.errors import InvalidQueryError
from tasker.filters import Order, query_of
from tasker.model import instants, zones
from tasker.model.instants import SECOND, Instant, microseconds
from tasker.model.steps import Steps, readable_length
from tasker.model.task import Task

pages = Pages(place="Timeline")

_FARTHEST: Final = 1_000
"""Spans by which the axis can be moved."""

_FROM_THE_END: Final = microseconds(timedelta(days=32))
"""Before the last moment of all: an axis that begins then ends in time, by the clocks of every zone."""

_MOVE: Final = (4, 5)
"""The part of a span by which *Earlier* and *Later* move the axis."""


@pages.get("/timeline")
async def show(visit: Visit) -> Response:
    """Show what is due. The axis goes with now, or begins at a moment that the address names."""
    chosen, moved = span_of(visit, SPANS, usual="1h"), _moved(visit.asked("moved") or "0")
    span, now, length = chosen.word, visit.now, microseconds(chosen.length)
    move = length * _MOVE[0] // _MOVE[1]
    begins = _begins(visit)
    if begins is None:
        axis = timelines.axis_of(now, length, ahead=moved * move)
        earlier, later = ((("span", span), ("moved", str(moved + by))) for by in (-1, 1))
    else:
        axis = timelines.Axis(begins, now, begins + length)
        earlier, later = ((("span", span), ("at", _at(begins + by))) for by in (-move, move))
    first, until = max(axis.first, now), min(axis.until, instants.LAST)
    singles: list[Task] | None = None
    bars: list[timelines.Density] = []
    step = 0
    total, is_exact = 0, True
    if until > first:
        steps = Steps.over(first, until, max(readable_length(until - first), SECOND))
        counted = await visit.service.statistics.due(steps)
        step = steps.length
        total, is_exact = sum(counted.counts), all(counted.is_exact)
        bars = timelines.densities(axis, steps, counted)
        if is_exact and total <= timelines.SINGLE:
            singles = await _single(visit, steps, total)
    return visit.show(
        "timeline.html",
        title="Timeline",
        axis=axis,
        spans=choices(SPANS),
        span=span,
        is_with_now=begins is None and moved == 0,
        earlier=earlier,
        later=later,
        total=total,
        is_exact=is_exact,
        first=first,
        until=until,
        bars=bars,
        peak=max((bar for bar in bars if bar.is_spike), key=lambda bar: bar.count, default=None),
        closer=_closer(bars, step, length),
        dots=None if singles is None else timelines.dots(axis, [(task, _name(task)) for task in singles]),
        lates=await _lates(visit, axis),
        ticks=axis.ticks(zones.zone_named(visit.zone)),
        marks=[(instants.seconds(late), timelines.height(late)) for late in timelines.MARKS],
        now_x=axis.x(now) if axis.first <= now <= axis.until else None,
    )


def _begins(visit: Visit) -> Instant | None:
    said = visit.asked("at")
    if not said:
        return None
    try:
        return min(max(instants.parse(said), 0), instants.LAST - _FROM_THE_END)
    except ValueError as error:
        raise InvalidQueryError("at", str(error)) from None


def _at(moment: Instant) -> str:
    return instants.text(min(max(moment, 0), instants.LAST))


def _closer(bars: Sequence[timelines.Density], step: int, span: int) -> list[Sequence[tuple[str, str]] | None]:
    """Return, for each bar, how the timeline is asked to show its step closer; None: it cannot be closer."""
    for each in SPANS:
        shown = microseconds(each.length)
        if step <= shown < span:
            return [(("span", each.word), ("at", _at((bar.begins + bar.ends - shown) // 2))) for bar in bars]
    return [None] * len(bars)


def _name(task: Task) -> str:
    return gist_of(task).text or task.type


def _moved(text: str) -> int:
    number = whole(text.removeprefix("-"))
    if number is None or number > _FARTHEST:
        raise InvalidQueryError("moved", f"expected a whole number from -{_FARTHEST} to {_FARTHEST}")
    return -number if text.startswith("-") else number


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
    steps = steps_back(visit, first, until)
    found = await visit.service.statistics.history(steps)
    return timelines.lates(axis, steps, found.tallies)
