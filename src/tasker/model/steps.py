"""A span of time in steps of one length, as statistics are given."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from tasker.model.instants import LAST, SECOND, Instant, microseconds

MOST_STEPS: Final = 500
"""As many as an answer has."""

_READABLE: Final = 60
"""Steps that a span has at most if nobody says how long they are."""

_LENGTHS: Final = tuple(
    microseconds(timedelta(seconds=seconds))
    for seconds in (1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 7 * 86_400, 30 * 86_400)
)
"""Those that are chosen from then."""


class Steps(Struct, frozen=True):
    """Steps one after the other. Each begins at a multiple of its length since 1970 in UTC, and ends before the next.

    So steps of an hour begin at the full hour in UTC, those of a day at midnight in UTC, those of
    seven days on Thursdays.
    """

    start: Instant
    length: int
    """Microseconds, at least a second."""
    count: int

    @staticmethod
    def over(first: Instant, until: Instant, length: int) -> "Steps":
        """Return the steps that all moments from *first* on, before *until*, lie in: they may begin earlier, end later.

        >>> Steps.over(61_000_000, 180_000_001, 60_000_000)
        Steps(start=60000000, length=60000000, count=3)
        """
        start = first // length * length
        return Steps(start, length, max(-(-(until - start) // length), 1))

    @property
    def end(self) -> Instant:
        """The moment before which the last one ends."""
        return min(self.start + self.length * self.count, LAST)

    def place(self, moment: Instant) -> int:
        """Return the number, from 0, of the step that *moment* lies in; below 0, or too large, if in none."""
        return (moment - self.start) // self.length

    @property
    def starts(self) -> Sequence[Instant]:
        """Where they begin."""
        return range(self.start, self.start + self.length * self.count, self.length)


def readable_length(span: int, *, least: int = SECOND) -> int:
    """Return a length, of those that people like, in which *span* has few enough steps to be read.

    Args:
        least: the shortest that may be, in microseconds.

    >>> readable_length(24 * 3_600 * SECOND) == 3_600 * SECOND
    True
    """
    for length in _LENGTHS:
        if length >= least and -(-span // length) <= _READABLE:
            return length
    day = microseconds(timedelta(days=1))
    return -(-span // (_READABLE * day)) * day


class DueCounts(Struct, frozen=True):
    """How many tasks are due in each step."""

    counts: Sequence[int]
    is_exact: Sequence[bool]
    """Whether there are no more than were counted."""
