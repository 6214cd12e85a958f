"""Whether the jobs of the engine get on: one that hangs, or has died, is named; one that fails is not."""

import asyncio
from datetime import timedelta

import pytest

from tasker.engine.pulse import Pulse
from tasker.errors import StoreUnavailableError

pytestmark = pytest.mark.anyio

LONGEST = 30


async def fail(*_args, **_kwargs):
    raise StoreUnavailableError("the database is down")


def test_a_job_is_silent_only_after_its_rest_and_the_longest_time(clock):
    pulse = Pulse(clock)
    assert pulse.silent(LONGEST) is None, "no job has begun"
    pulse.beat("one")
    pulse.beat("two", rest=10)
    clock._elapsed += 30_000_000
    assert pulse.silent(LONGEST) is None
    clock._elapsed += 1
    assert pulse.silent(LONGEST) == "one"
    pulse.beat("one")
    assert pulse.silent(LONGEST) is None
    clock._elapsed += 10_000_000
    assert pulse.silent(LONGEST) == "two"
    pulse.end("two")
    assert pulse.silent(LONGEST) is None


async def test_all_jobs_get_on_while_nothing_is_to_do_and_while_the_store_is_down(bench, clock, monkeypatch):
    for _ in range(10):
        await clock.advance(10)
        assert bench.engine.pulse.silent(2) is None
    for name in ("claim_due", "expire", "renew", "take_back"):
        monkeypatch.setattr(bench.store, name, fail)
    await clock.advance(100)
    assert bench.engine.pulse.silent(2) is None


@pytest.mark.parametrize(
    ("call", "job"),
    [
        ("claim_due", "delay queue"),
        ("expire", "expiry"),
        ("due_schedules", "schedules"),
        ("renew", "lease"),
        ("take_back", "recovery"),
    ],
)
async def test_a_job_whose_call_of_the_store_never_returns_is_silent(bench, clock, monkeypatch, call, job):
    await clock.advance(5)
    returns = asyncio.Event()

    async def hang(*_args, **_kwargs):
        await returns.wait()
        await fail()

    monkeypatch.setattr(bench.store, call, hang)
    await clock.advance(LONGEST)
    assert bench.engine.pulse.silent(LONGEST) is None
    await clock.advance(12)
    assert bench.engine.pulse.silent(LONGEST) == job
    returns.set()


async def test_a_delay_queue_that_has_died_is_silent(bench, clock, monkeypatch):
    await clock.advance(5)

    def die(_attempts):
        raise ArithmeticError

    monkeypatch.setattr(bench.engine._worker, "_begin", die)
    await bench.add("succeed", at=6)
    with pytest.raises(ArithmeticError):
        await asyncio.gather(bench.engine._job, clock.advance(40))
    bench.engine._job = None
    await clock.advance(40)
    assert bench.engine.pulse.silent(LONGEST) == "delay queue"


async def test_a_node_that_claims_nothing_more_while_its_workers_stop_is_not_silent(bench, clock):
    bench.engine.stop_claiming()
    await clock.advance(100)
    assert bench.engine.pulse.silent(2) is None
    await bench.engine.drain(timedelta(0))
