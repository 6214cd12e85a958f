"""How many single events a reader is told: a pure rule."""

import math
from collections.abc import Mapping
from typing import Final

MOST: Final = 100
"""Events in a second. Of those beyond it only is told how many of each kind there were."""

SECOND: Final = 1.0


class Pace:
    """Lets ``MOST`` events pass in a second, and counts the others. Reads no clock.

    A second begins with the first event after the one before has ended. What it has not let pass is
    told when it has ended: see ``gap_at``.

    >>> pace = Pace(most=1)
    >>> [pace.passes("created", at) for at in (0.0, 0.5, 0.999)]
    [True, False, False]
    >>> pace.gap_at, pace.gap(), pace.passes("created", 1.0)
    (1.0, {'created': 2}, True)
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ends_at = -math.inf
        self._passed = 0
        self._missed: dict[str, int] = {}

    def passes(self, kind: str, now: float) -> bool:
        """Return whether an event of *kind* is told that comes at *now*; False: it is counted.

        Call ``gap`` first if its time has come.
        """
        if now >= self._ends_at:
            self._ends_at, self._passed = now + SECOND, 0
        if self._passed < self._most and not self._missed:
            self._passed += 1
            return True
        self._missed[kind] = self._missed.get(kind, 0) + 1
        return False

    def miss(self, counts: Mapping[str, int], now: float) -> None:
        """Count events that cannot be told, whatever there is room for.

        Call ``gap`` first if its time has come.
        """
        if now >= self._ends_at:
            self._ends_at, self._passed = now + SECOND, 0
        for kind, count in counts.items():
            self._missed[kind] = self._missed.get(kind, 0) + count

    @property
    def gap_at(self) -> float | None:
        """When it is to be told what did not pass; None: everything did."""
        return self._ends_at if self._missed else None

    def gap(self) -> Mapping[str, int]:
        """Return how many events of each kind did not pass, and forget them. Empty: none."""
        missed, self._missed = self._missed, {}
        return missed
