"""Deleting tasks."""

import pytest
from steps import WEBHOOK, another_try, failure, listed, next_due, running, success

from tasker.errors import ClaimLostError, TaskNotFoundError, TaskRunningError
from tasker.model.task import State, TaskId
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def assert_gone(store, task_id):
    with pytest.raises(TaskNotFoundError):
        await store.get(task_id)
    with pytest.raises(TaskNotFoundError):
        await store.delete(task_id)
    assert task_id not in {task.id for task in await listed(store)}


async def test_a_deleted_task_never_starts(store, clock):
    task = a_task(due_at=clock.now() + 10)
    await store.create([task])
    await store.delete(task.id)
    await assert_gone(store, task.id)
    await clock.advance(1)
    assert await next_due(store, WEBHOOK) is None


async def test_a_running_task_is_not_deleted_and_goes_on(store, clock):
    attempt = await running(store, clock)
    stored = await store.get(attempt.task_id)
    with pytest.raises(TaskRunningError) as refusal:
        await store.delete(attempt.task_id)
    assert refusal.value.task_id == attempt.task_id
    assert await store.get(attempt.task_id) == stored
    await store.settle(attempt, success(clock))


@pytest.mark.parametrize("settlement", [success, failure, another_try])
async def test_a_settled_task_is_deleted_whatever_became_of_it(store, clock, settlement):
    attempt = await running(store, clock)
    await store.settle(attempt, settlement(clock))
    await store.delete(attempt.task_id)
    await assert_gone(store, attempt.task_id)
    assert sum((await store.count(up_to=10)).values()) == 0
    for late in (store.settle(attempt, success(clock)), store.give_back(attempt)):
        with pytest.raises(ClaimLostError):
            await late
    await assert_gone(store, attempt.task_id)


async def test_a_task_given_back_is_deleted(store, clock):
    attempt = await running(store, clock)
    await store.give_back(attempt)
    await store.delete(attempt.task_id)
    await assert_gone(store, attempt.task_id)


async def test_deleting_takes_no_other_task_along(store, clock):
    tasks = [a_task(due_at=clock.now()) for _ in range(3)]
    await store.create(tasks)
    await store.delete(tasks[1].id)
    assert await listed(store) == [tasks[0], tasks[2]]
    assert (await store.count(up_to=10))[State.TODO] == 2


async def test_a_task_that_was_never_there_is_not_found(store):
    with pytest.raises(TaskNotFoundError) as refusal:
        await store.delete(TaskId("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
    assert refusal.value.task_id == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


async def test_a_deleted_task_stays_away_after_its_node_has_died(store, clock, after_death):
    task = a_task(due_at=clock.now())
    await store.create([task])
    await store.delete(task.id)
    store = await after_death(store)
    await assert_gone(store, task.id)
