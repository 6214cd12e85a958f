"""Attempts that are accepted: the slot is free at once, and the deadline is kept to."""

import asyncio
from datetime import timedelta

import pytest

from tasker.model.attempt import Accepted
from tasker.model.instants import SECOND
from tasker.model.task import State

pytestmark = pytest.mark.anyio


@pytest.fixture
def slots():
    return 1


@pytest.fixture
def accepting(bench):
    """Has every attempt of the first type that is to ``accept`` be accepted for a minute."""
    task_type = bench.types[0]
    end = task_type._end

    async def accept(do):
        return Accepted(timedelta(minutes=1)) if do == "accept" else await end(do)

    task_type._end = accept
    return bench


async def states(bench, *task_ids):
    return [(await bench.store.get(task_id)).state for task_id in task_ids]


async def test_an_accepted_attempt_holds_no_slot_and_no_drain(accepting):
    first = await accepting.add("accept", at=1)
    second = await accepting.add("succeed", at=1)
    await accepting.clock.advance(1)
    assert [task_id for task_id, *_ in accepting.starts] == [first, second], "there is one slot"
    assert await states(accepting, first, second) == [State.IN_PROGRESS, State.DONE]
    assert accepting.telemetry.done == 1

    draining = asyncio.ensure_future(accepting.engine.drain(timedelta(seconds=30)))
    await accepting.clock.advance(0.001)
    assert draining.done(), "nothing is waited for"
    assert await states(accepting, first) == [State.IN_PROGRESS]


async def test_a_deadline_that_passes_fails_the_attempt_and_its_retry_comes(accepting):
    task_id = await accepting.add("accept", at=1, max_attempts=2, initial_delay=10, jitter=0)
    await accepting.clock.advance(1)
    task = await accepting.store.get(task_id)
    assert task.deadline == accepting.clock.now() + 60 * SECOND
    await accepting.clock.advance(59.999)
    assert await states(accepting, task_id) == [State.IN_PROGRESS]

    await accepting.clock.advance(0.001)
    task = await accepting.store.get(task_id)
    assert (task.state, task.last_fault.code) == (State.TODO, "completion_timeout")
    assert accepting.telemetry.retried == 1
    await accepting.clock.advance(10)
    assert [number for _, number, _ in accepting.starts] == [1, 2]
    await accepting.clock.advance(60)
    assert await states(accepting, task_id) == [State.FAILED]
    assert accepting.telemetry.failed == 1
    (first, second) = await accepting.store.attempts(task_id)
    assert (first.fault.code, second.fault.code) == ("completion_timeout", "completion_timeout")


async def test_whoever_waits_for_the_end_is_told_of_a_deadline(accepting):
    task_id = await accepting.add("accept", at=1, max_attempts=1)
    with accepting.engine.waiters.joined(task_id) as over:
        await accepting.clock.advance(60.9)
        assert not over.is_set()
        await accepting.clock.advance(0.1)
        assert over.is_set()
