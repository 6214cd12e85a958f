"""The timeline as a picture: what is due to the right of now, how late it was to the left. Pure."""

import math
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from tasker.model import instants, walls
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

_LANES: Final = 9
_LETTERS: Final = 24
"""Of the name of a single task, as many as are shown."""
_LETTER: Final = 0.75
"""The width of one, in hundredths of a usual picture."""
_LEAST: Final = 1_000
_MOST: Final = 3_600 * SECOND
"""Microseconds of lateness: a mark stands at the bottom below the one, at the top above the other."""

_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_TICKS: Final = (
    (20 * _MINUTE, 5 * _MINUTE, _MINUTE),
    (2 * _HOUR, 10 * _MINUTE, 5 * _MINUTE),
    (8 * _HOUR, _HOUR, 15 * _MINUTE),
    (2 * _DAY, 4 * _HOUR, _HOUR),
    (10 * _DAY, _DAY, 6 * _HOUR),
    (40 * _DAY, 5 * _DAY, _DAY),
)
"""For spans up to the first: how far the times that are named, and the lines, are apart."""


class Axis(Struct, frozen=True):
    """What the picture spans."""

    first: Instant
    now: Instant
    until: Instant

    def x(self, moment: Instant) -> float:
        """Return where a moment stands, in hundredths."""
        return round(100 * (moment - self.first) / (self.until - self.first), 3)

    @property
    def past(self) -> float:
        """Where now stands, in hundredths: at an end of the picture if it lies before or behind it."""
        return min(max(self.x(self.now), 0.0), 100.0)

    def ticks(self, zone: ZoneInfo) -> list["Tick"]:
        """Return its lines: at round times of the clocks of *zone*."""
        span = self.until - self.first
        named, apart = next((named, apart) for most, named, apart in _TICKS if span <= most)
        begins = walls.wall_at(self.first, zone) // apart * apart
        shown = range(begins, begins + span + 2 * apart, apart)
        ticks = [(wall, walls.place(wall, zone).first) for wall in shown]
        return [
            Tick(at=at, x=self.x(at), is_named=wall % named == 0, is_day=wall % _DAY == 0)
            for wall, at in ticks
            if self.first <= at <= self.until
        ]


class Tick(Struct, frozen=True):
    """A line of the picture."""

    at: Instant
    x: float
    is_named: bool
    is_day: bool
    """Whether a day begins there."""


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
    name: str
    label: str
    """As much of its name as there is room for; empty: there is none."""
    is_left: bool
    """Whether its label stands to its left."""
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
            found.append(Density(begins, ends, count, is_exact, is_spike, x, width, round(84 * count / most, 2) + 4))
    return found


def dots(axis: Axis, tasks: Sequence[tuple[Task, str]]) -> list[Dot]:
    """Return single tasks, each with its name where there is room. Those of about the same time stand in lanes."""
    found: list[Dot] = []
    free = [-100.0] * _LANES
    for task, name in sorted(tasks, key=lambda each: each[0].due_at):
        x = axis.x(task.due_at)
        short = _short(name)
        width = 2 + len(short) * _LETTER
        is_left = x + width > 100
        begins = x - width if is_left else x - 1
        lane = next((lane for lane, end in enumerate(free) if end <= begins), None)
        if lane is None:
            lane, short, is_left = free.index(min(free)), "", False
        free[lane] = max(free[lane], x + 1.5 if is_left or not short else x + width)
        found.append(Dot(task, name, short, is_left, x, round(90 - lane * 80 / (_LANES - 1), 2)))
    return found


def _short(name: str) -> str:
    """Return what fits of the name of a task: of one that is too long rather its path than its host.

    >>> _short("shop.example/carts"), _short("shop.example/carts/7/reminder")
    ('shop.example/carts', '/carts/7/reminder')
    """
    if len(name) > _LETTERS and "/" in name:
        name = name[name.index("/") :]
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"


def lates(axis: Axis, steps: Steps, tallies: Sequence[Tally]) -> list[Late]:
    """Return how late attempts began in the steps to the left of now."""
    found = []
    for begins, tally in zip(steps.starts, tallies, strict=True):
        counts = [*tally.lateness.get("own", ()), *[0] * BUCKETS][:BUCKETS]
        late = quantile(LATENESS_BOUNDS, counts, 0.99)
        if late is not None:
            grade = "good" if late <= SECOND // 10 else "warn" if late <= 10 * SECOND else "bad"
            x = axis.x(begins + steps.length // 2)
            found.append(Late(begins, instants.seconds(late), sum(counts), x, height(late), grade))
    return found


MARKS: Final = (SECOND // 100, SECOND, 60 * SECOND, _MOST)
"""The lengths of lateness that are named at the left."""


def height(late: int) -> float:
    """Return where a lateness stands: 96 at the bottom, 8 at the top, by its logarithm."""
    part = math.log(min(max(late, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return round(96 - 88 * part, 2)
