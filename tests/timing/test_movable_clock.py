"""The clock whose hands can be stopped and moved."""

import pytest

from tasker.model.instants import SECOND
from tasker.timing.clock import ManualClock
from tasker.timing.movable_clock import MovableClock

pytestmark = pytest.mark.anyio

START = 1_800_000_000 * SECOND


@pytest.fixture
def base():
    return ManualClock(START)


@pytest.fixture
def rings():
    return []


def timer_at(clock, rings, seconds):
    timer = clock.timer(lambda: rings.append(clock.now() - START))
    timer.set(START + round(seconds * SECOND))
    return timer


async def test_it_runs_with_its_base_until_it_is_frozen(base):
    clock = MovableClock(base)
    await base.advance(5)
    assert clock.now() == START + 5 * SECOND
    clock.freeze()
    await base.advance(5)
    assert clock.now() == START + 5 * SECOND
    clock.run()
    await base.advance(1)
    assert clock.now() == START + 6 * SECOND


async def test_a_timer_rings_when_the_clock_leaps_to_its_moment_and_not_a_microsecond_before(base, rings):
    clock = MovableClock(base, frozen=True)
    timer_at(clock, rings, 10)
    clock.leap(START + 10 * SECOND - 1)
    assert rings == []
    clock.leap(START + 10 * SECOND)
    assert rings == [10 * SECOND]
    clock.leap(START + 20 * SECOND)
    assert rings == [10 * SECOND], "it rings once"


async def test_timers_of_a_frozen_clock_do_not_ring_by_themselves(base, rings):
    clock = MovableClock(base, frozen=True)
    timer_at(clock, rings, 10)
    await base.advance(60)
    assert rings == []
    clock.run()
    await base.advance(9.999999)
    assert rings == []
    await base.advance(0.000001)
    assert rings == [10 * SECOND]


async def test_a_timer_whose_moment_has_passed_rings_at_once_on_a_frozen_clock(base, rings):
    clock = MovableClock(base, frozen=True)
    timer_at(clock, rings, -1)
    await base.advance(0)
    assert rings == [0]


async def test_timers_of_a_clock_that_was_set_ahead_and_runs_ring_in_time(base, rings):
    clock = MovableClock(base)
    clock.set(START + 100 * SECOND)
    timer_at(clock, rings, 110)
    await base.advance(10)
    assert rings == [110 * SECOND]


async def test_a_leap_never_goes_back_and_setting_does(base, rings):
    clock = MovableClock(base, frozen=True)
    timer_at(clock, rings, 10)
    clock.leap(START - SECOND)
    assert clock.now() == START
    clock.set(START - SECOND)
    assert clock.now() == START - SECOND
    assert rings == []
    clock.leap(START + 10 * SECOND)
    assert rings == [10 * SECOND]


async def test_leaps_count_as_time_that_has_passed_and_setting_does_not(base):
    clock = MovableClock(base, frozen=True)
    before = clock.monotonic()
    clock.set(START + 7 * SECOND)
    assert clock.monotonic() == before
    clock.leap(START + 10 * SECOND)
    assert clock.monotonic() == before + 3


async def test_calls_are_made_after_seconds_of_the_base_however_the_clock_is_moved(base):
    clock, calls = MovableClock(base, frozen=True), []
    clock.call_later(5, lambda: calls.append("made"))
    clock.leap(START + 1_000 * SECOND)
    await base.advance(4.9)
    assert calls == []
    await base.advance(0.1)
    assert calls == ["made"]


async def test_the_next_ring_is_the_earliest_that_is_set(base, rings):
    clock = MovableClock(base, frozen=True)
    assert clock.next_ring() is None
    later = timer_at(clock, rings, 20)
    sooner = timer_at(clock, rings, 10)
    assert clock.next_ring() == START + 10 * SECOND
    sooner.close()
    assert clock.next_ring() == START + 20 * SECOND
    later.set(None)
    assert clock.next_ring() is None
