"""One timer for many things that have the same time: each is called for at its own moment, or not at all."""

from datetime import timedelta

import pytest

from tasker.engine.timeouts import Timeouts
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def late():
    """What was called for."""
    return []


@pytest.fixture
def timeouts(clock, late):
    return Timeouts(clock, timedelta(seconds=5), late.append)


async def test_what_has_not_ended_is_called_for_at_its_moment_and_not_before(timeouts, clock, late):
    timeouts.begin("first")
    await clock.advance(2)
    timeouts.begin("second")
    await clock.advance(2.999)
    assert late == []
    await clock.advance(0.001)
    assert late == ["first"]
    await clock.advance(1.999)
    assert late == ["first"]
    await clock.advance(0.001)
    assert late == ["first", "second"]


async def test_what_has_ended_is_not_called_for_and_does_not_hold_up_the_others(timeouts, clock, late):
    timeouts.begin("first")
    await clock.advance(1)
    timeouts.begin("second")
    timeouts.end("first")
    timeouts.end("first")
    await clock.advance(5)
    assert late == ["second"]
    timeouts.end("second")


async def test_it_goes_on_after_all_have_ended(timeouts, clock, late):
    timeouts.begin("first")
    timeouts.end("first")
    await clock.advance(60)
    timeouts.begin("second")
    await clock.advance(4.999)
    assert late == []
    await clock.advance(0.001)
    assert late == ["second"]


async def test_what_is_called_for_may_begin_again(clock):
    late = []

    def overrun(thing):
        late.append(thing)
        if len(late) < 3:
            timeouts.begin(thing)

    timeouts = Timeouts(clock, timedelta(seconds=5), overrun)
    timeouts.begin("again")
    for _ in range(4):
        await clock.advance(5)
    assert late == ["again"] * 3
