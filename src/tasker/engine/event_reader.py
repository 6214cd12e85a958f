"""Somebody who reads events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import islice
from typing import Final

from tasker.engine.event_channel import Channel, Subscriber
from tasker.engine.event_streams import EventStreams
from tasker.event_filters import Interest
from tasker.model.event import EventId
from tasker.model.event_ring import EventRing
from tasker.model.pace import MOST
from tasker.wire import events as frames

KEEP_ALIVE: Final = timedelta(seconds=15)
"""After this time without an event a reader is told that the stream is still there; the first time up
to 5 s earlier."""

_RETRY: Final = timedelta(seconds=2)
"""After which a reader is to come back, once the stream has ended."""

_LEFT: Final = ""
"""Why a stream ends whose reader is gone: nothing is told any more."""

_REPLAYED_AT_ONCE: Final = 1_000
"""Events that are looked through at a time for a reader who comes back."""


class Reader:
    """Somebody who reads events."""

    def __init__(
        self,
        streams: EventStreams,
        interest: Interest,
        *,
        is_signals: bool,
        partial: str | None,
        push: Callable[[bytes], bool],
        cut: Callable[[], None],
        left: Callable[["Reader"], None],
    ) -> None:
        """Let somebody read what is recorded.

        Args:
            is_signals: whether only the kinds of events are told.
            partial: why not all nodes are told of; None: they are.
            push: sends a part past ``parts``, while that waits for news; returns False if it cannot.
            cut: called once the reader is too slow.
            left: called once it has left.
        """
        self._streams = streams
        self._interest = interest
        self._is_signals = is_signals
        self.needs_whole = not is_signals or bool(interest.given)
        """Whether it needs more of an event than its kind."""
        self._partial = partial
        self._subscriber = Subscriber(push, cut)
        self._left = left
        self._channel: Channel | None = None
        self._rest = b""
        """What it was to be told when the stream ended."""
        self._ended: str | None = None

    def end(self, reason: str) -> None:
        """Tell the reader what there is, that nothing follows, and why. The first reason counts."""
        if self._ended is None:
            self._ended = reason
            if self._channel is not None:
                self._rest = self._channel.after(self._subscriber)
                self._streams.unsubscribe(self._channel, self._subscriber)
                self._channel = None
        self._subscriber.news.set()

    def leave(self) -> None:
        """The reader is gone. May be called twice."""
        self.end(_LEFT)
        self._left(self)

    async def parts(self, last_id: str | None) -> AsyncIterator[bytes]:
        """Yield what the reader is to be told, as server-sent events, until ``end`` or ``leave``.

        Args:
            last_id: of the last event that it knows; None: it knows none.
        """
        streams = self._streams
        ring = streams.ring
        after, reason = self._resumed(last_id)
        begin = [frames.opening_frame(streams.id_of(after), retry_milliseconds=_RETRY // timedelta(milliseconds=1))]
        if reason is not None:
            begin.append(frames.reset_frame(reason, streams.id_of(after)))
        if self._partial is not None:
            begin.append(frames.partial_frame(self._partial))
        yield b"".join(begin)
        async for part in self._missed(after, ring):
            yield part
        async for part in self._live():
            yield part
        if self._ended:
            yield self._rest + frames.closing_frame(self._ended)

    def _resumed(self, last_id: str | None) -> tuple[int, str | None]:
        """Return the number behind which the reader goes on, and why it cannot do so where it was."""
        streams = self._streams
        last = streams.ring.last
        if last_id is None:
            return last, None
        known = EventId.of(last_id)
        if known is None:
            return last, "the id is not one of an event of this server"
        if streams.id_of(known.number) != known:
            return last, "the id is one of another node, or of an earlier recording"
        if not streams.ring.has_all_after(known.number, whole=self.needs_whole):
            return last, "there were more events since than are kept"
        return known.number, None

    async def _missed(self, number: int, ring: EventRing) -> AsyncIterator[bytes]:
        """Yield what has happened behind an event of a recording, and begin to listen."""
        streams = self._streams
        kinds: dict[str, None] = {}
        while self._ended is None:
            if streams.ring is not ring or not ring.has_all_after(number, whole=self.needs_whole):
                ring = streams.ring
                number = ring.last
                yield frames.reset_frame("events since are not known any more", streams.id_of(number))
                continue
            number, parts = self._some_behind(number, kinds)
            is_last = number == streams.ring.last
            if is_last:
                self._channel = streams.subscribe(
                    self._interest, is_signals=self._is_signals, subscriber=self._subscriber
                )
                if self._is_signals and kinds:
                    parts.append(frames.signal_frame(list(kinds), streams.id_of(number)))
            if parts:
                yield b"".join(parts)
            if is_last:
                return
            if parts:
                await streams.rest()
            else:
                await asyncio.sleep(0)

    def _some_behind(self, number: int, kinds: dict[str, None]) -> tuple[int, list[bytes]]:
        """Return how far it has looked, and what it is told of that. Add the kinds of what passes to *kinds*."""
        streams = self._streams
        parts: list[bytes] = []
        if not self.needs_whole:
            for each, kind in islice(streams.ring.kinds_after(number), _REPLAYED_AT_ONCE):
                number = each
                kinds[kind] = None
            return number, parts
        for looked, (each, event) in enumerate(streams.ring.after(number)):
            if len(parts) == MOST or looked == _REPLAYED_AT_ONCE:
                break
            number = each
            if self._interest.passes(event):
                kinds[event.kind] = None
                if not self._is_signals:
                    parts.append(frames.event_frame(event, streams.id_of(each)))
        return number, parts

    async def _live(self) -> AsyncIterator[bytes]:
        """Yield what happens, until ``end``."""
        streams, subscriber = self._streams, self._subscriber
        subscriber.told_at = streams.monotonic() - streams.head_start()
        while (channel := self._channel) is not None:  # until it has ended
            left = subscriber.told_at + KEEP_ALIVE.total_seconds() - streams.monotonic()
            if part := channel.after(subscriber):
                yield part
            elif left <= 0:
                yield frames.keep_alive_frame(None if channel.has_untold else streams.id_of(streams.ring.last))
            else:
                await streams.wait(subscriber, longest=left)
                continue
            subscriber.told_at = streams.monotonic()
