"""The latest events that a node has recorded, by number."""

from collections.abc import Iterator
from typing import Final

from tasker.model.event import Event

KEPT: Final = 10_000
"""Events that a reader who comes back can still be told."""


class EventRing:
    """Keeps the latest events. Their numbers begin at 1, and never skip one."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._events: list[Event | None] = [None] * kept
        self.last = 0
        """The number of the latest event; 0: there is none."""

    def add(self, event: Event) -> int:
        """Keep *event*, in place of the oldest if need be, and return its number."""
        self.last = number = self.last + 1
        self._events[number % self._kept] = event
        return number

    def has_all_after(self, number: int) -> bool:
        """Return whether every event behind this number is still kept. False for a number that was not given yet.

        >>> ring = EventRing(kept=2)
        >>> [ring.has_all_after(number) for number in (0, 1)]
        [True, False]
        """
        return self.last - self._kept <= number <= self.last

    def after(self, number: int) -> Iterator[tuple[int, Event]]:
        """Yield the events behind this number, oldest first, each with its own. Nothing is to be added meanwhile."""
        for each in range(max(number, self.last - self._kept) + 1, self.last + 1):
            event = self._events[each % self._kept]
            assert event is not None  # noqa: S101 - it was added
            yield each, event
