"""The alarm on the manual clock: when it wakes its sleeper, and when not."""

import asyncio

import pytest

from tasker.model.instants import LAST, SECOND
from tasker.timing.alarm import Alarm, sleep
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def alarm(clock, anyio_backend):
    return Alarm(clock)


async def test_it_wakes_at_its_moment_and_not_before(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + SECOND // 2))
    await clock.advance(0.499999)
    assert not sleeping.done()

    await clock.advance(0.000001)
    assert sleeping.done()


async def test_a_microsecond_ahead_is_ahead(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + 1))
    await clock.advance(0)
    assert not sleeping.done()

    await clock.advance(0.000001)
    assert sleeping.done()


async def test_it_does_not_sleep_for_a_moment_that_has_come(alarm, clock):
    async with asyncio.timeout(10):
        await alarm.sleep_until(clock.now())
        await alarm.sleep_until(clock.now() - 1)


@pytest.mark.parametrize("moment", [None, LAST, LAST + 1])
async def test_it_wakes_after_a_second_whatever_it_was_told(alarm, clock, moment):
    sleeping = asyncio.ensure_future(alarm.sleep_until(moment))
    await clock.advance(0.999999)
    assert not sleeping.done()

    await clock.advance(0.000001)
    assert sleeping.done()


async def test_a_second_passes_also_while_the_clock_is_set_back(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + SECOND // 2))
    await clock.advance(0.4)
    await clock.step(-3600)
    await clock.advance(0.6)

    assert sleeping.done()


async def test_it_wakes_when_the_clock_is_set_past_its_moment(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + SECOND // 2))
    await clock.step(3600)

    assert sleeping.done()


async def test_a_ring_wakes_it_at_once(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(None))
    await clock.advance(0.1)
    alarm.ring()
    await clock.advance(0)

    assert sleeping.done()


async def test_a_ring_while_nobody_sleeps_ends_the_next_sleep_and_rings_do_not_add_up(alarm, clock):
    alarm.ring()
    alarm.ring()
    async with asyncio.timeout(10):
        await alarm.sleep_until(None)
    sleeping = asyncio.ensure_future(alarm.sleep_until(None))
    await clock.advance(0.5)
    assert not sleeping.done()
    sleeping.cancel()


async def test_a_sleeper_that_is_cancelled_leaves_nothing_set(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + SECOND // 4))
    await clock.advance(0.1)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping

    following = asyncio.ensure_future(alarm.sleep_until(LAST))
    await clock.advance(0.999999)
    assert not following.done()
    following.cancel()


async def test_sleeping_counts_the_seconds_that_pass_not_those_by_which_the_clock_is_set(clock):
    sleeping = asyncio.ensure_future(sleep(clock, 5))
    await clock.step(3600)
    await clock.advance(4.999999)
    assert not sleeping.done()

    await clock.advance(0.000001)
    assert sleeping.done()


async def test_an_earlier_moment_that_is_announced_wakes_a_sleeper_and_a_later_one_does_not(alarm, clock):
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + SECOND // 2))
    await clock.advance(0)
    alarm.announce(clock.now() + SECOND // 2)
    await clock.advance(0)
    assert not sleeping.done()
    alarm.announce(clock.now() + SECOND // 2 - 1)
    await clock.advance(0)
    assert sleeping.done()


async def test_what_was_announced_before_a_sleep_counts_in_it(alarm, clock):
    alarm.announce(clock.now() + SECOND // 4)
    alarm.announce(clock.now() + SECOND // 3)
    sleeping = asyncio.ensure_future(alarm.sleep_until(clock.now() + SECOND // 2))
    await clock.advance(0.249999)
    assert not sleeping.done()
    await clock.advance(0.000001)
    assert sleeping.done()


async def test_what_was_forgotten_does_not_count(alarm, clock):
    alarm.announce(clock.now() + SECOND // 4)
    alarm.forget()
    sleeping = asyncio.ensure_future(alarm.sleep_until(None))
    await clock.advance(0.999999)
    assert not sleeping.done()
    await clock.advance(0.000001)
    assert sleeping.done()


async def test_a_sleep_of_no_length_gives_others_a_turn_and_ends_on_a_clock_that_stands(clock):
    turns = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    await asyncio.wait_for(sleep(clock, 0), timeout=30)
    assert turns == [1]
