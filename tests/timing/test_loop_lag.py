"""How late the event loop is."""

import pytest

from tasker.timing.clock import ManualClock
from tasker.timing.loop_lag import LoopLag

pytestmark = pytest.mark.anyio


class LateClock(ManualClock):
    """Its calls come late."""

    late = 0.0

    def call_later(self, delay, call):
        return super().call_later(delay + self.late, call)


async def test_it_is_measured_every_second_until_it_is_closed():
    clock = LateClock()
    lag = LoopLag(clock)
    await clock.advance(1)
    assert (lag.micros.count, lag.micros.sum) == (1, 0)
    clock.late = 0.25
    await clock.advance(1)  # asked for before
    await clock.advance(1.25)
    assert (lag.micros.count, lag.micros.sum) == (3, 250_000)
    lag.close()
    await clock.advance(10)
    assert lag.micros.count == 3
