"""A changed task starts when it is to, in its new form: the service, the engine and the store together."""

import json

import pytest

from tasker.api.new_task import NewTaskDecoder
from tasker.api.patches import PatchDecoder
from tasker.callers import OWNER
from tasker.model.instants import SECOND, text
from tasker.model.task import State
from tasker.service.service import Service
from tasker.task_types.registry import Registry

pytestmark = pytest.mark.anyio


@pytest.fixture
def change(bench, clock):
    """Give a task other members. ``at`` is a time, in seconds from the beginning."""
    registry = Registry(bench.types)
    service = Service(bench.store, bench.engine, registry)
    beginning = clock.now()

    async def change(task_id, *, at=None, **members):
        if at is not None:
            members["execution_time"] = text(beginning + round(at * SECOND))
        patch = PatchDecoder(registry).decode(json.dumps({"scripted": members}).encode())
        return await service.tasks.change(OWNER, task_id, patch, decode=NewTaskDecoder(registry).decode)

    return change


async def test_a_task_that_is_moved_later_never_starts_at_its_old_time(bench, clock, change):
    task = await bench.add("succeed", at=5)
    await clock.advance(4.999999)
    await change(task, at=8)
    await clock.advance(3)
    assert bench.starts == []
    await clock.advance(0.000001)
    assert bench.starts == [(task, 1, 8)]


async def test_a_task_that_is_moved_earlier_starts_on_time(bench, clock, change):
    task = await bench.add("succeed", at=500)
    await clock.advance(1)
    await change(task, at=1.5)
    await clock.advance(0.499999)
    assert bench.starts == []
    await clock.advance(0.000001)
    assert bench.starts == [(task, 1, 1.5)]
    assert (await bench.telemetry.lateness())[0].max == 0


async def test_a_task_that_is_to_run_now_starts_at_once(bench, clock, change):
    task = await bench.add("succeed", at=500)
    await clock.advance(1.25)
    await change(task, delay=0)
    await clock.advance(0)
    assert bench.starts == [(task, 1, 1.25)]


async def test_a_changed_task_runs_in_its_new_form(bench, clock, change):
    task = await bench.add("fail", at=5)
    await clock.advance(4.999999)
    await change(task, do="succeed")
    await clock.advance(1)
    assert (await bench.store.get(task)).state is State.DONE


async def test_a_retry_that_is_waited_for_comes_at_the_new_time(bench, clock, change):
    task = await bench.add("fail", at=1, max_attempts=2, initial_delay=100, jitter=0)
    await clock.advance(1)
    changed = await change(task, at=3, do="succeed")
    assert changed.execution_time == "t", "it stays"
    await clock.advance(2)
    assert bench.starts == [(task, 1, 1), (task, 2, 3)]
    assert (await bench.store.get(task)).state is State.DONE


async def test_a_new_retry_policy_counts_from_the_next_failure(bench, clock, change):
    task = await bench.add("fail", at=1, max_attempts=5, initial_delay=10, jitter=0)
    await clock.advance(1)
    await change(task, retry={"max_attempts": 2})
    await clock.advance(10)
    assert (await bench.store.get(task)).state is State.FAILED


async def test_a_new_time_of_expiry_is_kept(bench, clock, change):
    sooner = await bench.add("succeed", at=500)
    later = await bench.add("succeed", at=2, expires=3)
    await change(sooner, expires_at=text(clock.now() + 600 * SECOND))
    await change(later, at=9, expires_at=text(clock.now() + 10 * SECOND))
    await clock.advance(5)
    assert (await bench.store.get(later)).state is State.TODO
    await clock.advance(5)
    assert bench.starts == [(later, 1, 9)]
    await change(sooner, at=590)
    await clock.advance(575)
    assert (await bench.store.get(sooner)).state is State.TODO
