"""Attempts that must not begin: whatever their task type makes of it, they are given back and no attempt is used up."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from test_lease import LAST_SAFE, LeasedStore

from tasker.errors import AttemptMustNotBeginError
from tasker.model.task import State

pytestmark = pytest.mark.anyio

SWALLOWED = ["catch the refusal and succeed", "catch the refusal and fail", "catch the refusal and raise"]


@pytest.fixture
def store_class():
    return LeasedStore


@pytest.mark.parametrize("do", ["succeed", *SWALLOWED])
async def test_without_a_lease_an_attempt_is_given_back_though_its_type_catches_the_error(bench, clock, do):
    bench.types[0].connecting = 3.0
    bench.store.away = True
    task = await bench.add(do, at=LAST_SAFE - 2, max_attempts=1)
    with capture_logs() as logged:
        await clock.advance(LAST_SAFE + 1)

    given_back = await bench.store.get(task)
    assert (given_back.state, given_back.attempts, given_back.last_fault) == (State.TODO, 0, None)
    assert (bench.telemetry.given_back, bench.telemetry.attempts) == (1, 0)
    assert [line for line in logged if line["log_level"] == "error"] == []
    assert bench.engine.has_slot(bench.types[0].pool)


@pytest.mark.parametrize("do", ["succeed", *SWALLOWED])
async def test_when_its_task_has_expired_an_attempt_does_not_count_though_its_type_catches_the_error(bench, clock, do):
    bench.types[0].connecting = 3.0
    task = await bench.add(do, at=1, expires=4, max_attempts=1)
    await clock.advance(4)

    expired = await bench.store.get(task)
    assert (expired.state, expired.attempts, expired.last_fault.code) == (State.FAILED, 0, "expired")
    assert bench.telemetry.given_back == 1


async def test_of_several_starts_the_last_one_counts(bench, clock):
    bench.types[0].connecting = 3.0
    bench.store.away = True
    task = await bench.add("start when it may", at=LAST_SAFE - 2)
    await clock.advance(LAST_SAFE + 2)
    assert bench.starts == [], "it tries again and again"

    bench.store.away = False
    await clock.advance(2)

    done = await bench.store.get(task)
    assert (done.state, done.attempts, bench.telemetry.given_back) == (State.DONE, 1, 0)
    [(_, _, began)] = bench.starts
    assert done.started_at == done.due_at + round((began - LAST_SAFE + 2) * 1e6)


async def test_an_attempt_that_was_cancelled_does_not_begin_any_more(bench, clock):
    scripted = bench.types[0]
    task = await bench.add("wait, then start", at=1)
    await clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=3)))
    await clock.advance(3)
    scripted.may_end.set()
    await clock.advance(0)
    await draining

    assert bench.starts == []
    assert ((await bench.store.get(task)).state, bench.telemetry.given_back) == (State.TODO, 1)


async def test_a_task_type_may_say_itself_that_its_attempt_must_not_begin(bench, clock, monkeypatch):
    async def run(*_):
        monkeypatch.undo()
        raise AttemptMustNotBeginError("there is no memory left")

    monkeypatch.setattr(bench.types[0], "run", run)
    task = await bench.add("succeed", at=1)
    await clock.advance(2)

    assert bench.starts == [(task, 1, 2)], "no attempt was used up, and it was not tried over and over"
    assert ((await bench.store.get(task)).state, bench.telemetry.given_back) == (State.DONE, 1)
