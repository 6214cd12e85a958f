"""Which tasks have ended."""

import uuid

import pytest
from steps import another_try, claimed, failure, running, success

from tasker.model.task import TaskId
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_those_that_are_done_failed_cancelled_or_gone_have_ended(store, clock):
    done, failed = await running(store, clock), await running(store, clock)
    await store.settle(done, success(clock))
    await store.settle(failed, failure(clock))
    cancelled, deleted = (a_task(due_at=clock.now()) for _ in range(2))
    await store.create([cancelled, deleted])
    await store.cancel(cancelled.id)
    await store.delete(deleted.id)
    unknown = TaskId(str(uuid.uuid4()))
    over = [done.task_id, failed.task_id, cancelled.id, deleted.id, unknown]

    assert sorted(await store.ended(over)) == sorted(over)


async def test_those_that_wait_run_or_wait_for_a_retry_have_not(store, clock):
    retrying = await running(store, clock)
    await store.settle(retrying, another_try(clock))
    runs = await running(store, clock)
    stopping = await running(store, clock)
    await store.cancel(stopping.task_id)
    waits = a_task(due_at=clock.now() + 1)
    await store.create([waits])

    assert list(await store.ended([waits.id, runs.task_id, stopping.task_id, retrying.task_id])) == []


async def test_one_that_is_run_again_has_not_ended_any_more(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, failure(clock))
    await store.retry(attempt.task_id)
    assert list(await store.ended([attempt.task_id])) == []
    await store.settle(await claimed(store), success(clock))
    assert list(await store.ended([attempt.task_id])) == [attempt.task_id]


async def test_of_none_none_has_ended_and_of_many_those_that_have(store, clock):
    assert list(await store.ended([])) == []
    tasks = [a_task(due_at=clock.now()) for _ in range(1_000)]
    await store.create(tasks)
    ended = {attempt.task_id for attempt in (await store.claim_due({tasks[0].pool: 10})).attempts}
    for task_id in ended:
        await store.cancel(task_id)
    assert list(await store.ended([task.id for task in tasks])) == []
    others = [task.id for task in tasks if task.id not in ended][:10]
    for task_id in others:
        await store.delete(task_id)
    assert sorted(await store.ended([task.id for task in tasks])) == sorted(others)
