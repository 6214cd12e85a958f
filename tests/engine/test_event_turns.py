"""Readers of events have their turns: a few at a time, and all of them soon."""

import pytest

from tasker.engine.event_channel import Channel, Subscriber
from tasker.engine.event_turns import APART, AT_ONCE, SOON, Turns
from tasker.event_filters import Interest
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio


class Readers:
    """Readers of one channel or of one each, and what was pushed to them, with the moments."""

    def __init__(self, clock):
        self.clock = clock
        self.pushed = []
        self.turns = Turns(clock, flush=self.flush)

    def channel(self, readers=1):
        channel = Channel(Interest(), is_signals=False)
        for _ in range(readers):
            subscriber = Subscriber(self.push, cut=lambda: None)
            subscriber.waits = True
            channel.subscribers.add(subscriber)
        return channel

    def push(self, part):
        self.pushed.append((round(self.clock.monotonic(), 4), part))
        return True

    def flush(self, channel, now):
        channel.due = None
        self.turns.serve(channel, now)

    def tell(self, channel, part=b"x"):
        channel.add(part)
        self.turns.serve(channel, self.clock.monotonic())


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def readers(clock):
    return Readers(clock)


async def test_a_few_are_told_at_once_and_the_others_a_few_in_each_round(readers, clock):
    readers.tell(readers.channel(3 * AT_ONCE))
    assert len(readers.pushed) == AT_ONCE
    await clock.advance(APART)
    assert len(readers.pushed) == 2 * AT_ONCE
    await clock.advance(APART)
    assert len(readers.pushed) == 3 * AT_ONCE


async def test_so_it_is_with_channels_of_one_reader_each(readers, clock):
    channels = [readers.channel() for _ in range(2 * AT_ONCE)]
    for channel in channels:
        readers.tell(channel)
    assert len(readers.pushed) == AT_ONCE
    await clock.advance(1)
    for channel in channels:
        channel.add(b"y")
        readers.turns.set(channel, clock.monotonic() + 0.25)
    await clock.advance(0.25)
    assert len(readers.pushed) == 3 * AT_ONCE
    await clock.advance(APART)
    assert len(readers.pushed) == 4 * AT_ONCE


async def test_however_many_there_are_all_have_their_turn_soon(readers, clock):
    count = 20 * AT_ONCE * SOON
    readers.tell(readers.channel(count))
    await clock.advance(10 * SOON * APART)
    assert len(readers.pushed) == count


async def test_one_timer_serves_all(readers, clock):
    for place in range(100):
        channel = readers.channel()
        channel.add(b"x")
        readers.turns.set(channel, 0.25 + place / 1_000)
    assert len(clock._calls) == 1
    await clock.advance(0.249)
    assert not readers.pushed
    await clock.advance(0.001 + 0.1 + APART)
    assert len(readers.pushed) == 100


async def test_an_earlier_moment_counts(readers, clock):
    late, early = readers.channel(), readers.channel()
    for channel, at in ((late, 1.0), (early, 0.5), (late, 0.25)):
        channel.add(b"x")
        readers.turns.set(channel, at)
    await clock.advance(2)
    assert readers.pushed == [(0.25, b"xx"), (0.5, b"x")]


async def test_one_that_does_not_wait_or_takes_nothing_is_left_to_its_own_task(readers):
    channel = readers.channel()
    (subscriber,) = channel.subscribers
    subscriber.push = lambda _: False
    readers.tell(channel)
    assert subscriber.news.is_set()
    assert channel.after(subscriber) == b"x"
    subscriber.push, subscriber.waits = readers.push, False
    readers.tell(channel)
    assert not readers.pushed
    assert channel.after(subscriber) == b"x"


async def test_one_that_has_left_or_knows_it_already_is_told_nothing(readers, clock):
    channel = readers.channel(2 * AT_ONCE)
    readers.tell(channel)
    behind = [each for each in channel.subscribers if each.cursor < channel.end]
    channel.after(behind[0])
    channel.subscribers.discard(behind[1])
    await clock.advance(1)
    assert len(readers.pushed) == 2 * AT_ONCE - 2
