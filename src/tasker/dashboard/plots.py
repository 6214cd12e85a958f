"""What plots show: columns of numbers over steps of time, or over ranges. Pure. Each plot has a table behind it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tasker.model import instants
from tasker.model.histogram import LATENESS_BOUNDS, quantile
from tasker.model.history import BUCKETS, Tally
from tasker.model.instants import Instant
from tasker.model.stats import ATTEMPT_OUTCOMES
from tasker.model.steps import DueCounts, Steps

CAUSES: Final = ("own", "held", "down")
"""Where lateness comes from, in the order of plots."""

QUANTILES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


class Column(Struct, frozen=True):
    """The numbers of a plot that belong together."""

    name: str
    values: Sequence[float | None]


class Series(Struct, frozen=True):
    """Columns over steps of time."""

    starts: Sequence[Instant]
    columns: Sequence[Column]


class Bar(Struct, frozen=True):
    """A bar, in hundredths of the plot."""

    name: str
    count: int
    is_exact: bool
    x: float
    width: float
    height: float
    begins: Instant | None = None
    ends: Instant | None = None


def throughput(steps: Steps, tallies: Sequence[Tally]) -> Series:
    """Return how many attempts ended in each step, by what came of them."""
    return Series(
        steps.starts,
        [
            Column(outcome, [sum(tally.attempts.get(outcome, {}).values()) for tally in tallies])
            for outcome in ATTEMPT_OUTCOMES
        ],
    )


def lateness(steps: Steps, tallies: Sequence[Tally], cause: str) -> Series:
    """Return how late attempts began in each step, in seconds: as much of it as *cause* is to blame for."""
    counts = [_counts(tally, cause) for tally in tallies]
    return Series(
        steps.starts,
        [
            Column(name, [_seconds(quantile(LATENESS_BOUNDS, each, part)) for each in counts])
            for name, part in QUANTILES
        ],
    )


def lateness_bars(tallies: Sequence[Tally], cause: str) -> list[Bar]:
    """Return how many attempts began how late, by ranges that grow."""
    total = [sum(each) for each in zip(*(_counts(tally, cause) for tally in tallies), strict=True)]
    names = [*(f"up to {_length(bound)}" for bound in LATENESS_BOUNDS), f"above {_length(LATENESS_BOUNDS[-1])}"]
    used = [place for place, count in enumerate(total) if count]
    if not used:
        return []
    shown = range(used[0], used[-1] + 1)
    return _bars([(names[place], total[place], True, None, None) for place in shown])


def due_bars(steps: Steps, counted: DueCounts) -> list[Bar]:
    """Return how many tasks are due in each step."""
    starts = list(steps.starts)
    ends = [*starts[1:], steps.end]
    rows = zip(starts, ends, counted.counts, counted.is_exact, strict=True)
    return _bars([("", count, is_exact, start, end) for start, end, count, is_exact in rows])


def _bars(rows: Sequence[tuple[str, int, bool, Instant | None, Instant | None]]) -> list[Bar]:
    most = max((count for _, count, *_ in rows), default=0) or 1
    width = 100 / max(len(rows), 1)
    return [
        Bar(name, count, is_exact, round(place * width, 3), round(width * 0.9, 3), round(100 * count / most, 2), *span)
        for place, (name, count, is_exact, *span) in enumerate(rows)
    ]


def _counts(tally: Tally, cause: str) -> list[int]:
    counts = list(tally.lateness.get(cause, ()))
    return [*counts, *[0] * (BUCKETS - len(counts))]


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else instants.seconds(micros)


def _length(micros: int) -> str:
    seconds = instants.seconds(micros)
    for unit, size in (("h", 3_600), ("min", 60), ("s", 1), ("ms", 0.001)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds * 1_000_000:g} µs"
