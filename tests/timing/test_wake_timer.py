"""The timers of the operating system, in real time: they may be late, never early."""

import asyncio
import sys

import pytest

from tasker.model.instants import LAST
from tasker.timing.alarm import Alarm
from tasker.timing.clock import SystemClock
from tasker.timing.wake_timer import _LoopTimer, _TimerFd

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize(
        "anyio_backend", [("asyncio", {"use_uvloop": loop}) for loop in (False, True)], ids=["asyncio", "uvloop"]
    ),
]

CLOCK = SystemClock()
TIMERS = {"loop": lambda ring: _LoopTimer(ring, int, CLOCK.now)} | (
    {"timerfd": lambda ring: _TimerFd(0, ring, int)} if sys.platform == "linux" else {}
)


class Bell:
    """Keeps the moments at which it was rung."""

    def __init__(self):
        self.rings = []
        self._rung = asyncio.Event()

    def ring(self):
        self.rings.append(CLOCK.now())
        self._rung.set()

    async def wait(self):
        async with asyncio.timeout(10):
            await self._rung.wait()
        self._rung.clear()


@pytest.fixture
def bell(anyio_backend):
    return Bell()


@pytest.fixture(params=TIMERS)
async def timer(request, bell, anyio_backend):
    timer = TIMERS[request.param](bell.ring)
    yield timer
    timer.close()


async def test_a_timer_never_rings_early_and_once(timer, bell):
    for microseconds in [*range(1, 3_000, 97), 10_001, 20_999]:
        moment = CLOCK.now() + microseconds
        timer.set(moment)
        await bell.wait()
        [rung] = bell.rings
        assert rung >= moment
        bell.rings.clear()


@pytest.mark.parametrize("moment", [0, 1, -1, -(10**18)])
async def test_a_moment_that_has_passed_rings_at_once(timer, bell, moment):
    timer.set(moment)
    await bell.wait()

    assert len(bell.rings) == 1


@pytest.mark.parametrize("moment", [LAST, LAST + 1])
async def test_the_last_moment_there_is_can_be_set(timer, bell, moment):
    timer.set(moment)
    await asyncio.sleep(0.01)
    assert bell.rings == []

    timer.set(CLOCK.now())
    await bell.wait()


async def test_setting_it_anew_replaces_what_was_set(timer, bell):
    timer.set(CLOCK.now() + 1_000)
    timer.set(None)
    timer.set(CLOCK.now() + 1_000)
    later = CLOCK.now() + 30_000
    timer.set(later)
    await bell.wait()

    [rung] = bell.rings
    assert rung >= later


async def test_a_timer_that_is_set_to_nothing_or_closed_does_not_ring(timer, bell):
    timer.set(CLOCK.now() + 1_000)
    timer.set(None)
    await asyncio.sleep(0.01)
    timer.set(CLOCK.now() + 1_000)
    timer.close()
    timer.close()
    await asyncio.sleep(0.01)

    assert bell.rings == []


async def test_an_alarm_on_the_systems_clock_is_never_early_and_can_be_rung(anyio_backend, monkeypatch):
    monkeypatch.setattr("tasker.timing.alarm.LONGEST_SLEEP", 3_600)  # what wakes it is its moment, or the ring
    alarm = Alarm(CLOCK)
    async with asyncio.timeout(10):
        for microseconds in range(1, 3_000, 307):
            moment = CLOCK.now() + microseconds
            await alarm.sleep_until(moment)
            assert CLOCK.now() >= moment
        asyncio.get_running_loop().call_soon(alarm.ring)
        await alarm.sleep_until(LAST)
    alarm.close()
