"""The timeline as a picture: what is due to the right of now, how late it was to the left. Pure."""

import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tasker.model import instants
from tasker.model.histogram import LATENESS_BOUNDS, quantile
from tasker.model.history import BUCKETS, Tally
from tasker.model.instants import SECOND, Instant
from tasker.model.steps import DueCounts, Steps
from tasker.model.task import Task

PAST: Final = 0.2
"""The part of the picture that lies to the left of now."""

SINGLE: Final = 60
"""So many tasks at most are shown one by one."""

SPIKE: Final = 4
"""A step with so many times what the middle one has, and at least ``SPIKE_LEAST``, is marked."""

SPIKE_LEAST: Final = 20

_LANES: Final = 8
_LEAST: Final = 1_000
_MOST: Final = 3_600 * SECOND
"""Microseconds of lateness: a mark stands at the bottom below the one, at the top above the other."""


class Axis(Struct, frozen=True):
    """What the picture spans."""

    first: Instant
    now: Instant
    until: Instant

    def x(self, moment: Instant) -> float:
        """Return where a moment stands, in hundredths."""
        return round(100 * (moment - self.first) / (self.until - self.first), 3)

    @property
    def ticks(self) -> Sequence[Instant]:
        """The moments that are named below it."""
        return [self.first + (self.until - self.first) * place // 4 for place in range(5)]


class Density(Struct, frozen=True):
    """How many tasks are due in a step."""

    begins: Instant
    ends: Instant
    count: int
    is_exact: bool
    is_spike: bool
    x: float
    width: float
    height: float


class Dot(Struct, frozen=True):
    """A single task."""

    task: Task
    x: float
    y: float


class Late(Struct, frozen=True):
    """How late attempts began in a step that is over: 99 of 100 were no later."""

    begins: Instant
    seconds: float
    attempts: int
    x: float
    y: float
    grade: str
    """``good`` up to 100 ms, ``warn`` up to 10 s, ``bad`` above."""


def axis_of(now: Instant, span: int, *, ahead: int = 0) -> Axis:
    """Return the axis of a span; *ahead*: so many microseconds later than the one with now in it."""
    past = int(span * PAST)
    return Axis(now - past + ahead, now, now - past + ahead + span)


def densities(axis: Axis, steps: Steps, counted: DueCounts) -> list[Density]:
    """Return how many tasks are due in each step, with those marked that stand out."""
    filled = sorted(count for count in counted.counts if count)
    middle = filled[len(filled) // 2] if filled else 0
    most = max(counted.counts, default=0) or 1
    starts = list(steps.starts)
    found = []
    for begins, ends, count, is_exact in zip(
        starts, [*starts[1:], steps.end], counted.counts, counted.is_exact, strict=True
    ):
        if count:
            is_spike = count >= max(SPIKE * middle, SPIKE_LEAST)
            x = axis.x(max(begins, axis.first, min(axis.now, ends - 1)))
            width = round(max(axis.x(min(ends, axis.until)) - x, 0.2) * 0.92, 3)
            found.append(Density(begins, ends, count, is_exact, is_spike, x, width, round(92 * count / most, 2) + 4))
    return found


def dots(axis: Axis, tasks: Sequence[Task]) -> list[Dot]:
    """Return single tasks; those of about the same time stand above each other."""
    found: list[Dot] = []
    lane, before = 0, -100.0
    for task in sorted(tasks, key=lambda each: each.due_at):
        x = axis.x(task.due_at)
        lane = (lane + 1) % _LANES if x - before < 1 else 0
        before = x
        found.append(Dot(task, x, 92 - lane * 80 / _LANES))
    return found


def lates(axis: Axis, steps: Steps, tallies: Sequence[Tally]) -> list[Late]:
    """Return how late attempts began in the steps to the left of now."""
    found = []
    for begins, tally in zip(steps.starts, tallies, strict=True):
        counts = [*tally.lateness.get("own", ()), *[0] * BUCKETS][:BUCKETS]
        late = quantile(LATENESS_BOUNDS, counts, 0.99)
        if late is not None:
            grade = "good" if late <= SECOND // 10 else "warn" if late <= 10 * SECOND else "bad"
            x = axis.x(begins + steps.length // 2)
            found.append(Late(begins, instants.seconds(late), sum(counts), x, _height(late), grade))
    return found


def _height(late: int) -> float:
    """Return where a lateness stands: 96 at the bottom, 4 at the top, by its logarithm."""
    part = math.log(min(max(late, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return round(96 - 92 * part, 2)
