"""When each reader has its turn: a few at a time, so that nothing else waits long for many of them."""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from typing import Final

from tasker.engine.event_channel import Channel, Subscriber
from tasker.timing.clock import Cancellable, Clock

APART: Final = 0.005
"""Seconds between two rounds, at least."""

AT_ONCE: Final = 8
"""Readers that are told something in a round, unless more of them wait than can be told soon."""

SOON: Final = 100
"""Rounds in which all who wait, or will soon, have their turn: some 500 ms."""

_EARLY: Final = 0.001
"""Seconds by which a timer may ring early: it counts milliseconds."""


class Turns:
    """Tells readers what their channels have for them, in rounds. One timer serves all of them.

    Belongs to one event loop.
    """

    def __init__(self, clock: Clock, *, flush: Callable[[Channel, float], None]) -> None:
        """Wait for nothing yet.

        Args:
            flush: called when a channel is due, with the moment: it is to call ``serve``.
        """
        self._clock = clock
        self._flush = flush
        self._due: list[tuple[float, int, Channel]] = []
        self._order = itertools.count()
        self._queue: deque[tuple[Channel, Subscriber]] = deque()
        self._left = AT_ONCE
        """Readers that may still be told something in this round."""
        self._next_at = -math.inf
        """When the next round may begin."""
        self._rings_at = math.inf
        self._timer: Cancellable | None = None

    def set(self, channel: Channel, at: float) -> None:
        """Have a channel flushed at a moment that is to come, or a little later, instead of when it was due before."""
        channel.due = at
        heapq.heappush(self._due, (at, next(self._order), channel))
        self._arm(at)

    def serve(self, channel: Channel, now: float) -> None:
        """Have the readers of a channel told what there is, at once or soon."""
        end = channel.end
        for each in channel.subscribers:
            if each.cursor < end and not each.is_queued:
                each.is_queued = True
                self._queue.append((channel, each))
        if now >= self._next_at:
            self._begin(now)
        self._tell(now)
        if self._queue:
            self._arm(self._next_at)

    def _begin(self, now: float) -> None:
        self._next_at = now + APART
        self._left = max(AT_ONCE, (len(self._queue) + len(self._due)) // SOON)

    def _tell(self, now: float) -> None:
        """Tell those who wait as long as the round lasts."""
        while self._left > 0 and self._queue:
            channel, subscriber = self._queue.popleft()
            subscriber.is_queued = False
            start = subscriber.cursor
            if start == channel.end or subscriber not in channel.subscribers:
                continue  # it was told by its own task, or has left
            self._left -= 1
            if subscriber.waits and subscriber.push(channel.after(subscriber)):
                subscriber.told_at = now
            else:
                subscriber.cursor = start
                subscriber.news.set()

    def _arm(self, at: float) -> None:
        at = max(at, self._next_at)
        if at < self._rings_at:
            if self._timer is not None:
                self._timer.cancel()
            self._rings_at = at
            self._timer = self._clock.call_later(at - self._clock.monotonic(), self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_at = None, math.inf
        now = self._clock.monotonic()
        self._begin(now)
        self._tell(now)
        while self._due and self._due[0][0] <= now + _EARLY and self._left > 0:
            at, _, channel = heapq.heappop(self._due)
            if channel.due == at:  # it was not flushed earlier
                self._flush(channel, now)
        if self._queue:
            self._arm(self._next_at)
        if self._due:
            self._arm(self._due[0][0])
