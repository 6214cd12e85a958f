"""How often a measured value fell into each of some fixed ranges: plain integers, cheap to count up.

What is measured at every attempt is counted ``TOGETHER``, which costs an eighth.

Every node uses the same bounds, so that what two nodes or two minutes have counted can be added up.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from tasker.model.instants import SECOND

LATENESS_BOUNDS: Final[Sequence[int]] = (
    *(100, 250, 500),
    *(1_000, 2_500, 5_000),
    *(10_000, 25_000, 50_000),
    *(100_000, 250_000, 500_000),
    *(1 * SECOND, 2_500_000, 5 * SECOND),
    *(10 * SECOND, 30 * SECOND, 60 * SECOND),
    *(150 * SECOND, 300 * SECOND, 600 * SECOND),
    *(1_800 * SECOND, 3_600 * SECOND),
)
"""The upper bounds of lateness, in microseconds: from 100 us to 1 h, each two to three times the one before."""

TOGETHER: Final = 1_000
"""So many values at most wait to be counted: to do so holds nobody up."""

PHASE_BOUNDS: Final[Sequence[int]] = LATENESS_BOUNDS[: LATENESS_BOUNDS.index(60 * SECOND) + 1]
"""Those of shorter spans, such as the phases of a call: from 100 us to 60 s."""


class Histogram:
    """Counts of a value by range, and its sum. Whole numbers only.

    >>> histogram = Histogram([10, 20])
    >>> for value in (3, 10, 11, 99):
    ...     histogram.observe(value)
    >>> histogram.counts, histogram.count, histogram.sum
    ([2, 1, 1], 4, 123)
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[int]) -> None:
        """Make one that has counted nothing.

        Args:
            bounds: the upper bound of each range, itself included, in ascending order.
        """
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """How many values fell into each range; the last one is what lies beyond all bounds. Not
        added up: each value is counted once."""
        self.sum = 0

    def observe(self, value: int) -> None:
        """Count *value*, which is 0 or more."""
        if value:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value
        else:
            self.counts[0] += 1

    def observe_all(self, values: Iterable[int]) -> None:
        """Count *values*, each as ``observe`` does."""
        ordered = sorted(values)
        ends = [0, *(bisect_right(ordered, bound) for bound in self.bounds), len(ordered)]
        for place, (begin, end) in enumerate(pairwise(ends)):
            self.counts[place] += end - begin
        self.sum += sum(ordered)

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(self.counts)


def quantile(bounds: Sequence[int], counts: Sequence[int], part: float) -> int | None:
    """Return the value below which so large a *part* of what was counted lies; None: nothing was counted.

    It is placed evenly within its range, so it is right to the width of that; beyond the last bound it
    is that bound. Source: the function ``histogram_quantile`` of Prometheus.

    >>> quantile([10, 20], [1, 1, 0], 0.5), quantile([10, 20], [0, 4, 0], 0.25), quantile([10, 20], [0, 0, 5], 0.5)
    (10, 12, 20)
    >>> quantile([10, 20], [0, 0, 0], 0.5) is None
    True
    """
    rank = part * sum(counts)
    if not rank:
        return None
    below = 0
    for place, count in enumerate(counts[: len(bounds)]):
        if below + count >= rank:
            begin = bounds[place - 1] if place else 0
            return begin + int((bounds[place] - begin) * (rank - below) / count)
        below += count
    return bounds[-1]
