"""How often tasks may start, as a pure rule: the generic cell rate algorithm (GCRA).

Source: ITU-T I.371, annex A. One moment is all that is remembered, however high the rate.
"""

import math

import msgspec

from tasker.model.instants import SECOND, Instant


class Rate(msgspec.Struct, frozen=True):
    """So many starts a second, evenly spaced.

    In any span of T seconds no more than ``per_second * T + burst`` start.
    """

    per_second: float
    """Above 0; fractions too."""
    burst: int = 1
    """How many may start at one moment after a rest, at least 1."""

    @property
    def interval(self) -> int:
        """Microseconds from one start to the next, rounded up.

        >>> Rate(0.5).interval, Rate(3).interval
        (2000000, 333334)
        """
        return math.ceil(SECOND / self.per_second)

    def permits(self, next_at: Instant, now: Instant, *, late: int = 0) -> int:
        """Return how many may start at *now*, 0 or more.

        Args:
            next_at: what ``spent`` returned last; 0: nothing has started yet.
            late: as ``lateness`` says.

        >>> Rate(10, burst=3).permits(0, now=1_000_000)
        3
        """
        ahead = max(next_at, now - late) - now
        return max(((self.burst - 1) * self.interval - ahead) // self.interval + 1, 0)

    def spent(self, starts: int, next_at: Instant, now: Instant, *, late: int = 0) -> Instant:
        """Return what is to be remembered after so many *starts* at *now*.

        With a burst of 1 it is the next permitted moment.
        """
        return next_at if starts == 0 else max(next_at, now - late) + starts * self.interval

    def lateness(self, since: Instant, now: Instant) -> int:
        """Return by how many microseconds the next start may be earlier: this one was due at *since*.

        Half of the interval at most: no more than a burst ever start at one moment, and in any span no
        more than one start beyond what the rate says.
        """
        return max(min(now - since, self.interval // 2), 0)

    def permitted_at(self, next_at: Instant) -> Instant:
        """Return the next permitted moment, which may have passed."""
        return next_at - (self.burst - 1) * self.interval

    def expected_at(self, next_at: Instant, now: Instant, *, ahead: int) -> Instant:
        """Return when one may start, at the earliest, if *ahead* others do before it; *now* or later.

        >>> Rate(10, burst=2).expected_at(0, 1_000_000, ahead=4)
        1300000
        """
        return max(self.permitted_at(max(next_at, now) + ahead * self.interval), now)

    def adopted(self, next_at: Instant, now: Instant) -> Instant:
        """Return *next_at*, remembered under another rate, for this one: nobody waits longer than by its own."""
        return min(next_at, now + self.interval)
