"""The latest events that a node has recorded, by number."""

from collections.abc import Iterator
from typing import Final

from tasker.model.event import Event, EventKind

KEPT: Final = 10_000
"""Events that a reader who comes back can still be told."""


class EventRing:
    """Keeps the latest events, or of some the kind alone. Their numbers begin at 1, and never skip one."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._events: list[Event | EventKind | None] = [None] * kept
        self._last_bare = 0
        """The number of the latest of which the kind alone is kept."""
        self.last = 0
        """The number of the latest event; 0: there is none."""

    def add(self, event: Event) -> int:
        """Keep *event*, in place of the oldest if need be, and return its number."""
        self.last = number = self.last + 1
        self._events[number % self._kept] = event
        return number

    def add_kind(self, kind: EventKind) -> int:
        """Keep of an event its *kind* alone, and return its number."""
        self.last = self._last_bare = number = self.last + 1
        self._events[number % self._kept] = kind
        return number

    def has_all_after(self, number: int, *, whole: bool = True) -> bool:
        """Return whether every event behind this number is still kept. False for a number that was not given yet.

        Args:
            whole: whether its kind alone is too little.

        >>> ring = EventRing(kept=2)
        >>> [ring.has_all_after(number) for number in (0, 1)]
        [True, False]
        >>> ring.add_kind(EventKind.ENDED)
        1
        >>> [ring.has_all_after(0, whole=whole) for whole in (True, False)]
        [False, True]
        """
        oldest = max(self.last - self._kept, self._last_bare if whole else 0)
        return oldest <= number <= self.last

    def after(self, number: int) -> Iterator[tuple[int, Event]]:
        """Yield the events behind this number, oldest first, each with its own. Nothing is to be added meanwhile.

        Those of which the kind alone is kept are passed over.
        """
        for each, event in self._after(number):
            if isinstance(event, Event):
                yield each, event

    def kinds_after(self, number: int) -> Iterator[tuple[int, EventKind]]:
        """Yield the kinds of the events behind this number, as ``after`` does: of all that are kept."""
        for each, event in self._after(number):
            yield each, event.kind if isinstance(event, Event) else event

    def _after(self, number: int) -> Iterator[tuple[int, Event | EventKind]]:
        for each in range(max(number, self.last - self._kept) + 1, self.last + 1):
            event = self._events[each % self._kept]
            assert event is not None  # noqa: S101 - it was added
            yield each, event
