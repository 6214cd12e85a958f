"""Moving the clock of a server for tests: what is waited for, and what is not."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from polling import holds
from tasker.engine import clock_mover
from tasker.engine.clock_mover import ClockMover
from tasker.errors import StoreUnavailableError
from tasker.interfaces.queue import Claim
from tasker.model.attempt import Succeeded
from tasker.model.gate import queue_named
from tasker.model.instants import SECOND
from tasker.model.task import State
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock
from tasker.timing.movable_clock import MovableClock

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
REPORTS = queue_named("reports")


class Clock(MovableClock):
    """The one that is moved, above the machine's."""

    async def advance(self, seconds):
        """What the end of ``bench`` asks of a clock that stands still: seconds of the machine pass by themselves."""


@pytest.fixture
def clock():
    return Clock(SystemClock(), frozen=True)


@pytest.fixture
def mover(bench, clock):
    return ClockMover(bench.engine, bench.store, clock)


async def a_job(bench, *, at):
    task = a_task(due_at=bench.clock.now() + round(at * SECOND), queue="reports")
    await bench.store.create([task])
    bench.engine.announce(task.due_at, task.pool, queue=REPORTS)
    return task.id


def waiting_worker(bench):
    pull = bench.engine.pulls.pull(
        [REPORTS], most=1, lease=timedelta(hours=10), longest=timedelta(seconds=30), when_left=lambda _: None
    )
    return asyncio.ensure_future(pull)


async def test_each_thing_happens_at_its_own_moment(bench, mover):
    for at in (3_600, 60, 7_200, 60.000001):
        await bench.add("succeed", at=at)
    await mover.advance(HOUR)
    assert [at for _, _, at in bench.starts] == [60, 60.000001, 3_600]
    await mover.advance(HOUR)
    assert [at for _, _, at in bench.starts] == [60, 60.000001, 3_600, 7_200]


async def test_more_than_there_are_slots_run_one_after_the_other_at_one_moment(bench, mover):
    for _ in range(50):
        await bench.add("succeed", at=60)
    await mover.advance(HOUR)
    assert [at for _, _, at in bench.starts] == [60] * 50


async def test_it_waits_for_what_runs(bench, mover, clock):
    await bench.add("wait", at=60)
    began = clock.now()
    advancing = asyncio.ensure_future(mover.advance(HOUR))
    await holds(lambda: bench.starts)
    assert clock.now() == began + 60 * SECOND
    await asyncio.sleep(0.02)
    assert not advancing.done()
    bench.types[0].may_end.set()
    await advancing
    assert clock.now() == began + 3_600 * SECOND


async def test_a_worker_that_waited_is_waited_for(bench, mover, clock):
    id_ = await a_job(bench, at=60)
    worker = waiting_worker(bench)
    await asyncio.sleep(0)
    advancing = asyncio.ensure_future(mover.advance(HOUR))
    (attempt,) = (await worker).attempts
    at = clock.now()
    await asyncio.sleep(0.05)
    assert not advancing.done()
    assert clock.now() == at
    await bench.engine.completions.end(Claim(id_, attempt.fence), Succeeded())
    await advancing
    assert (await bench.store.get(id_)).ended_at == at


async def test_a_worker_that_tells_nothing_is_waited_for_no_longer_than_so_long(bench, mover, monkeypatch):
    monkeypatch.setattr(clock_mover, "PATIENCE", timedelta(seconds=0.05))
    id_ = await a_job(bench, at=60)
    worker = waiting_worker(bench)
    await asyncio.sleep(0)
    await mover.advance(HOUR)
    await worker
    assert (await bench.store.get(id_)).state is State.IN_PROGRESS


async def test_what_was_claimed_before_is_not_waited_for(bench, mover):
    id_ = await a_job(bench, at=0)
    await waiting_worker(bench)
    await mover.advance(HOUR)
    assert (await bench.store.get(id_)).state is State.IN_PROGRESS


async def test_while_everything_is_paused_time_passes(bench, mover, clock):
    await bench.add("succeed", at=60)
    await bench.store.pause_all()
    began = clock.now()
    await mover.advance(HOUR)
    assert (clock.now() - began, bench.starts) == (3_600 * SECOND, [])
    await bench.store.resume_all()
    await mover.settle()
    assert [at for _, _, at in bench.starts] == [3_600]


async def test_who_gives_up_stops_the_clock_on_its_way(bench, mover, clock):
    for at in (60, 120):
        await bench.add("succeed", at=at)
    began = clock.now()
    await mover.advance(HOUR, is_given_up=lambda: bool(bench.starts))
    assert clock.now() == began + 60 * SECOND


async def test_a_server_that_stops_ends_an_advance(bench, mover):
    await bench.add("wait", at=60)
    advancing = asyncio.ensure_future(mover.advance(HOUR))
    await holds(lambda: bench.starts)
    bench.types[0].may_end.set()
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=5)))
    with pytest.raises(StoreUnavailableError):
        await advancing
    await draining


async def test_the_looks_are_made_at_the_end_of_each_move(bench, clock):
    seen = []

    async def look():
        seen.append(clock.now())

    mover = ClockMover(bench.engine, bench.store, clock, looks=[look])
    began = clock.now()
    await mover.advance(HOUR)
    await mover.set(began)
    assert seen == [began + 3_600 * SECOND, began]


async def test_a_clock_that_ran_runs_on_even_if_the_store_fails(bench, mover, clock, monkeypatch):
    clock.run()

    async def fail():
        raise StoreUnavailableError("it is closed")

    monkeypatch.setattr(bench.engine, "settle", fail)
    with contextlib.suppress(StoreUnavailableError):
        await mover.advance(HOUR)
    assert not clock.is_frozen


async def test_a_worker_that_comes_back_for_more_has_each_job_in_time(bench, mover):
    """Between two jobs it does not wait, and the clock does."""
    ids = [await a_job(bench, at=at) for at in (60, 120, 180)]

    async def work():
        while True:
            (attempt,) = (await waiting_worker(bench)).attempts
            await asyncio.sleep(0.02)
            await bench.engine.completions.end(Claim(attempt.task_id, attempt.fence), Succeeded())
            await asyncio.sleep(0.02)

    working = asyncio.ensure_future(work())
    await holds(lambda: REPORTS in bench.engine.pulls.waited_for)
    began = bench.clock.now()
    await mover.advance(HOUR)
    working.cancel()
    ended = [(await bench.store.get(id_)).ended_at - began for id_ in ids]
    assert ended == [60 * SECOND, 120 * SECOND, 180 * SECOND]


async def test_a_worker_of_the_servers_own_is_waited_for_to_begin(bench, clock):
    id_ = await a_job(bench, at=60)
    mover = ClockMover(bench.engine, bench.store, clock, own_queues=[REPORTS])
    began = clock.now()
    advancing = asyncio.ensure_future(mover.advance(HOUR))
    await asyncio.sleep(0.05)
    assert clock.now() == began
    (attempt,) = (await waiting_worker(bench)).attempts
    await bench.engine.completions.end(Claim(id_, attempt.fence), Succeeded())
    waiting_worker(bench)
    await advancing
    assert (await bench.store.get(id_)).ended_at == began + 60 * SECOND


async def test_a_worker_that_does_not_come_back_is_not_waited_for_long(bench, mover, clock, monkeypatch):
    monkeypatch.setattr(clock_mover, "COMES_BACK", timedelta(seconds=0.05))
    id_ = await a_job(bench, at=60)
    worker = waiting_worker(bench)
    await asyncio.sleep(0)
    began = clock.now()
    advancing = asyncio.ensure_future(mover.advance(HOUR))
    (attempt,) = (await worker).attempts
    await bench.engine.completions.end(Claim(id_, attempt.fence), Succeeded())
    await advancing
    assert clock.now() == began + 3_600 * SECOND


async def test_a_clock_that_stands_just_before_the_next_look_does_not_keep_the_node_busy(bench, mover, clock):
    await mover.set(clock.now() // (10 * SECOND) * 10 * SECOND + 10 * SECOND - 1)
    assert await bench.engine.history.run_once() >= timedelta(seconds=0.1)
