"""That the clock of the machine was set."""

import pytest

from tasker.timing.clock import ManualClock
from tasker.timing.clock_steps import ClockSteps

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("seconds", "forward", "back"), [(0.24, 0, 0), (0.25, 1, 0), (3_600, 1, 0), (-0.24, 0, 0), (-0.25, 0, 1)]
)
async def test_a_step_counts_once_and_only_if_it_is_one(seconds, forward, back):
    clock = ManualClock()
    steps = ClockSteps(clock, clock.monotonic)
    await clock.advance(5)
    await clock.step(seconds)
    await clock.advance(5)
    assert steps.counts == {"forward": forward, "back": back}
    steps.close()
    await clock.step(100)
    await clock.advance(5)
    assert steps.counts == {"forward": forward, "back": back}


async def test_a_process_that_is_held_up_between_the_two_clocks_sees_no_step():
    clock = ManualClock()
    held_up = [0.0]

    def steady():
        held_up[0] += 0.03
        return clock.monotonic() + held_up[0]

    steps = ClockSteps(clock, steady)
    await clock.advance(3)
    assert steps.counts.total() == 0

    def long():
        held_up[0] += 1.0
        return clock.monotonic() + held_up[0]

    steps._steady = long
    await clock.advance(3)
    assert steps.counts.total() == 0
