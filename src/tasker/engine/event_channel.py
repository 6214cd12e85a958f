"""What readers with the same filters are told: each part is made once, and handed to all of them."""

import asyncio
from collections.abc import Callable
from typing import Final

from tasker.event_filters import Interest
from tasker.model.event import Event
from tasker.model.pace import Pace

LAG: Final = 1_000
"""Parts that a reader may be behind. One who is further behind is cut off."""


class Subscriber:
    """A reader, as its channel knows it."""

    __slots__ = ("cursor", "cut", "is_queued", "news", "push", "told_at", "waits")

    def __init__(self, push: Callable[[bytes], bool], cut: Callable[[], None]) -> None:
        """Make it.

        Args:
            push: sends a part at once, while the reader waits; returns False if it cannot.
            cut: called once the reader is too slow.
        """
        self.push = push
        self.cut = cut
        self.cursor = 0
        """The place of the next part that it is to be told."""
        self.news = asyncio.Event()
        """There are parts behind the cursor, or nothing follows any more."""
        self.waits = False
        """Whether it waits for news: then what there is may be pushed."""
        self.told_at = 0.0
        """When it was told something last."""
        self.is_queued = False
        """Whether it is to have a turn: see ``Turns``."""


class Channel:
    """The parts of a stream that has one set of filters. Belongs to one event loop; reads no clock."""

    def __init__(self, interest: Interest, *, is_signals: bool) -> None:
        """Make it.

        Args:
            is_signals: whether it has no single events, but the kinds of those that there were.
        """
        self.interest = interest
        self.is_signals = is_signals
        self.passes: Callable[[Event], bool] | None = None if interest.is_exact else interest.passes
        """Whether an event is wanted; None: each is that the index finds."""
        self.subscribers: set[Subscriber] = set()
        self.number = 0
        """Of the latest event that it has heard of."""
        self.pace = Pace()
        self.due: float | None = None
        """When its readers are woken next; None: they need not be."""
        self.next_at = 0.0
        """Before this moment they are not."""
        self._kinds: dict[str, None] = {}
        self._parts: list[bytes] = []
        self._first = 0
        """The place of the first of the parts."""
        self._joined: tuple[int, int, bytes] = (0, 0, b"")

    @property
    def end(self) -> int:
        """The place behind the last part."""
        return self._first + len(self._parts)

    @property
    def has_untold(self) -> bool:
        """Whether it has heard of events of which no part tells yet."""
        return bool(self._kinds) or self.pace.gap_at is not None

    def add(self, part: bytes) -> None:
        """Add a part."""
        self._parts.append(part)

    def has_heard(self, kind: str) -> bool:
        """Return whether it has heard of events of this kind since: then nothing more is to be done."""
        return kind in self._kinds

    def hears(self, *kinds: str) -> None:
        """Take note that there were events of these kinds, of which no more is told."""
        self._kinds.update(dict.fromkeys(kinds))

    def take_kinds(self) -> list[str]:
        """Return the kinds of events that it has heard of since, and forget them."""
        kinds = list(self._kinds)
        self._kinds.clear()
        return kinds

    def after(self, subscriber: Subscriber) -> bytes:
        """Return what a reader is to be told, which it has been told then; empty: nothing."""
        start, end = subscriber.cursor, self.end
        if start == end:
            return b""
        if self._joined[:2] != (start, end):  # others stand where this one does
            self._joined = (start, end, b"".join(self._parts[start - self._first :]))
        subscriber.cursor = end
        return self._joined[2]

    def forget(self) -> None:
        """Forget what all readers have been told. Those who are too slow are cut off."""
        end = self.end
        oldest = max(end - LAG, self._first)
        for slow in [each for each in self.subscribers if each.cursor < oldest]:
            self.subscribers.discard(slow)
            slow.cut()
        first = min((each.cursor for each in self.subscribers), default=end)
        del self._parts[: first - self._first]
        self._first = first
