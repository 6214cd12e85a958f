"""Timers that let what has arrived be read first."""

import asyncio
import gc
import socket
import weakref

import pytest

from tasker.timing.clock import ManualClock
from tasker.timing.patience import PatientTimer, Within

pytestmark = pytest.mark.anyio


async def test_what_has_arrived_is_read_and_acted_on_before_the_timer_rings():
    clock, happened = ManualClock(), []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)

        async def read():
            happened.append(await asyncio.get_running_loop().sock_recv(ours, 10))

        reading = asyncio.create_task(read())
        rang = asyncio.Event()

        def ring():
            happened.append("rang")
            rang.set()

        timer = PatientTimer(clock.call_later, 5, ring)
        await clock.advance(4.999999)
        assert not timer.is_due

        theirs.send(b"in time")
        clock._move(1)  # the timer is due before the loop has looked for bytes
        assert timer.is_due
        await rang.wait()
        await reading

    assert happened == [b"in time", "rang"]


async def test_a_timer_that_is_cancelled_does_not_ring_even_if_it_is_due():
    clock, rang = ManualClock(), []
    early, late = (PatientTimer(clock.call_later, 5, lambda: rang.append(1)) for _ in range(2))

    early.cancel()
    clock._move(5_000_000)
    late.cancel()
    for _ in range(20):
        await asyncio.sleep(0)

    assert (early.is_due, late.is_due, rang) == (False, True, [])


async def test_what_does_not_end_in_time_is_cancelled():
    within = Within(0.01)

    async def wait():
        with within:
            within.check()
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await wait()
    with pytest.raises(TimeoutError):
        within.check()


async def test_what_ends_in_time_is_let_be():
    with Within(60) as within:
        await asyncio.sleep(0)

    within.check()


async def test_a_cancellation_from_outside_stays_one():
    async def wait():
        with Within(60):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_ended_in_time_is_gone_without_the_garbage_collector():
    async def call():
        with Within(60) as within:
            await asyncio.sleep(0)
            within.check()

    task = asyncio.create_task(call())
    left = weakref.ref(task)
    gc.disable()
    try:
        await task
        del task
        await asyncio.sleep(0)

        assert left() is None
    finally:
        gc.enable()
