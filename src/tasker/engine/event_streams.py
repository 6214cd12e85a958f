"""What readers are told of what was recorded: who wants what, and when each is woken."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tasker.engine.event_channel import Channel, Subscriber
from tasker.engine.event_turns import Turns
from tasker.event_filters import Index, Interest
from tasker.model.event import Event, EventId, EventKind
from tasker.model.event_ring import EventRing
from tasker.model.instants import Instant
from tasker.timing.alarm import sleep
from tasker.timing.clock import Clock
from tasker.wire import events as frames

APART: Final = timedelta(seconds=0.25)
"""Between two parts that a reader is told, at least."""

LONGEST_APART: Final = timedelta(seconds=1)
"""The same where there are many readers."""

PARTS_PER_SECOND: Final = 500
"""So many parts are told to all readers of single events together. Beyond that each is told less often, and more."""

SIGNALS_PER_SECOND: Final = 20
"""So many signals are told to all readers of signals together. Those are pages, which hardly look again as often."""

_HEAD_STARTS: Final = 100
_LONGEST_HEAD_START: Final = 5.0
"""Seconds over which the keep-alives of readers that come together are spread, and in how many steps."""


class EventStreams:
    """Records events, and hands them to those who want them. Belongs to one event loop."""

    def __init__(self, clock: Clock, node: str) -> None:
        """Record nothing yet.

        Args:
            node: the id of this node.
        """
        self._clock = clock
        self._node = node
        self.keeps_whole = False
        """Whether events are kept whole; else nobody needs more than their kinds, so ``hear`` is enough."""
        self.heard: set[EventKind] = set()
        """Kinds of which nothing more need be recorded for now: whoever reads will be told of them in any case."""
        self._ring: EventRing | None = None
        self._start: Instant = 0
        self._channels: dict[tuple[Interest, bool], Channel] = {}
        self._index: Index[Channel] = Index()
        self._turns = Turns(clock, flush=self._flush)
        self._readers = 0
        """Of single events."""
        self._watchers = 0
        """Readers of signals."""
        self._came = 0
        """Readers so far."""

    @property
    def is_recording(self) -> bool:
        """Whether events are recorded."""
        return self._ring is not None

    def begin(self, *, whole: bool = True) -> None:
        """Record, unless that is done already.

        Args:
            whole: whether events are to be kept whole from now on, until ``stop``.
        """
        self.keeps_whole |= whole
        if self._ring is None:
            self._ring, self._start = EventRing(), self._clock.now()

    def stop(self) -> None:
        """Forget everything. Nobody reads."""
        self._ring, self.keeps_whole = None, False

    def lost(self, reason: str) -> None:
        """Events may have been lost: what is recorded begins anew, and readers are told so."""
        if self._ring is None:
            return
        self._ring, self._start = EventRing(), max(self._clock.now(), self._start + 1)
        now = self._clock.monotonic()
        for channel in self._channels.values():
            channel.number = 0
            channel.add(frames.reset_frame(reason, self.id_of(0)))
            self._stir(channel, now, now)

    def missed(self, counts: Mapping[str, int]) -> None:
        """Of so many events nothing more is known: all readers are told of a gap."""
        now = self._clock.monotonic()
        for channel in self._channels.values():
            self._tell_gap(channel, now)
            channel.number = self.ring.last
            if channel.is_signals:
                channel.hears(*counts)
                self._stir(channel, now, now)
            else:
                channel.pace.miss(counts, now)
                self._stir(channel, channel.pace.gap_at or now, now)

    def id_of(self, number: int) -> EventId:
        """Return the id of an event, for somebody who may come back with it: all that follows is recorded."""
        self.heard.clear()
        return EventId(self._node, self._start, number)

    def subscribe(self, interest: Interest, *, is_signals: bool, subscriber: Subscriber) -> Channel:
        """Let a reader be told of what happens from now on."""
        channel = self._channels.get((interest, is_signals))
        if channel is None:
            channel = self._channels[interest, is_signals] = Channel(interest, is_signals=is_signals)
            self._index.add(interest, channel)
        subscriber.cursor = channel.end
        channel.subscribers.add(subscriber)
        self._readers += not is_signals
        self._watchers += is_signals
        return channel

    def unsubscribe(self, channel: Channel, subscriber: Subscriber) -> None:
        """Let a reader be told no more. It was told until now, or was cut off."""
        self._readers -= not channel.is_signals
        self._watchers -= channel.is_signals
        channel.subscribers.discard(subscriber)
        place = (channel.interest, channel.is_signals)
        if not channel.subscribers and self._channels.get(place) is channel:
            del self._channels[place]
            self._index.remove(channel.interest, channel)

    @property
    def ring(self) -> EventRing:
        """What was recorded lately. There is a reader."""
        assert self._ring is not None  # noqa: S101 - as long as there is one
        return self._ring

    def record(self, event: Event) -> None:
        """Record an event, and have those told who want it."""
        number = self.ring.add(event)
        part = b""
        for channel in self._index.find(event):
            if channel.passes is not None and not channel.passes(event):
                continue
            if channel.is_signals:
                self._signal(channel, event.kind, number)
                continue
            now = self._clock.monotonic()
            if channel.pace.gap_at is not None:
                self._tell_gap(channel, now)
            channel.number = number
            if channel.pace.passes(event.kind, now):
                part = part or frames.event_frame(event, self.id_of(number))
                channel.add(part)
                self._stir(channel, now, now)
            else:
                self._stir(channel, channel.pace.gap_at or now, now)

    def hear(self, kind: EventKind) -> None:
        """Record of an event its kind alone. Only while not ``keeps_whole``: all readers want signals of everything.

        Need not be called while the kind is in ``heard``.
        """
        number = self.ring.add_kind(kind)
        self.heard.add(kind)
        for channel in self._channels.values():
            self._signal(channel, kind, number)

    def _signal(self, channel: Channel, kind: EventKind, number: int) -> None:
        channel.number = number
        if not channel.has_heard(kind):  # nearly always it has
            channel.hears(kind)
            now = self._clock.monotonic()
            self._stir(channel, now, now)

    def _tell_gap(self, channel: Channel, now: float) -> None:
        """Tell how much was left out, once its second has ended."""
        gap_at = channel.pace.gap_at
        if gap_at is not None and now >= gap_at:
            channel.add(frames.gap_frame(channel.pace.gap(), self.id_of(channel.number)))

    def _stir(self, channel: Channel, at: float, now: float) -> None:
        """Have the readers of a channel woken at a moment, or a little later."""
        at = max(at, channel.next_at)
        if channel.due is not None and channel.due <= at:
            return
        if at <= now:
            self._flush(channel, now)
        else:
            self._turns.set(channel, at)

    def _flush(self, channel: Channel, now: float) -> None:
        """Have the readers of a channel told what there is."""
        channel.due, channel.next_at = None, now + self._apart(channel)
        if kinds := channel.take_kinds():
            channel.add(frames.signal_frame(kinds, self.id_of(channel.number)))
        self._tell_gap(channel, now)
        channel.forget()
        self._turns.serve(channel, now)
        if channel.pace.gap_at is not None:
            self._stir(channel, channel.pace.gap_at, now)

    def _apart(self, channel: Channel) -> float:
        """Seconds between two parts that a reader is told."""
        many = self._watchers / SIGNALS_PER_SECOND if channel.is_signals else self._readers / PARTS_PER_SECOND
        return min(max(APART.total_seconds(), many), LONGEST_APART.total_seconds())

    def monotonic(self) -> float:
        """See ``Clock``."""
        return self._clock.monotonic()

    def head_start(self) -> float:
        """Seconds by which the first keep-alive of another reader comes earlier: not all at once."""
        step = self._came % _HEAD_STARTS
        self._came += 1
        return step * _LONGEST_HEAD_START / _HEAD_STARTS

    async def wait(self, subscriber: Subscriber, *, longest: float) -> None:
        """Return once there is news that was not pushed, or after so many seconds."""
        subscriber.waits = True
        try:
            await sleep(self._clock, longest, rung=subscriber.news)
        finally:
            subscriber.waits = False
        subscriber.news.clear()

    async def rest(self) -> None:
        """Return when the next second of a replay begins."""
        await sleep(self._clock, 1)
