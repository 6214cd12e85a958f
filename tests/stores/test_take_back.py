"""Taking back what a dead node was running."""

import msgspec
import pytest
from steps import HASH, WEBHOOK, a_hash, another_try, claimed, got, next_due, running, success

from tasker.errors import ClaimLostError
from tasker.interfaces.queue import TakenBack
from tasker.model.lifecycle import MAX_CRASHES
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_a_node_leaves_alone_what_it_runs_itself(store, clock):
    attempt = await running(store, clock)
    stored = await store.get(attempt.task_id)
    assert await store.take_back() == TakenBack(todo=0, failed=0)
    assert await store.get(attempt.task_id) == stored


async def test_with_nothing_running_there_is_nothing_to_take_back(store, clock):
    await store.create([a_task(due_at=clock.now())])
    assert await store.take_back() == TakenBack(todo=0, failed=0)


async def test_what_a_dead_node_was_running_runs_again_at_once_and_no_attempt_is_used(store, clock, after_death):
    tasks = [a_task(due_at=clock.now()), a_hash(due_at=clock.now()), a_task(due_at=clock.now())]
    await store.create(tasks)
    began = clock.now()
    await store.claim_due({WEBHOOK: 1, HASH: 1})
    store = await after_death(store)

    assert (await store.get(tasks[0].id)).state is State.IN_PROGRESS
    assert await store.take_back() == TakenBack(todo=2, failed=0)
    for task in tasks[:2]:
        assert await got(store, task.id) == msgspec.structs.replace(task, started_at=began, crashes=1)
    assert await got(store, tasks[2].id) == tasks[2]
    attempts = (await store.claim_due({WEBHOOK: 9, HASH: 9})).attempts
    assert [(each.task_id, each.number, each.due_at) for each in attempts] == [
        (task.id, 1, task.due_at) for task in tasks
    ]


async def test_it_is_taken_back_once(store, clock, after_death):
    await running(store, clock)
    store = await after_death(store)
    assert await store.take_back() == TakenBack(todo=1, failed=0)
    assert await store.take_back() == TakenBack(todo=0, failed=0)


async def test_the_dead_nodes_claim_is_lost(store, clock, after_death):
    attempt = await running(store, clock)
    store = await after_death(store)
    await store.take_back()
    taken = await store.get(attempt.task_id)
    for late in (store.settle(attempt, success(clock)), store.give_back(attempt)):
        with pytest.raises(ClaimLostError):
            await late
    assert await store.get(attempt.task_id) == taken


async def test_the_last_of_too_many_crashes_in_a_row_ends_a_task(store, clock, after_death):
    attempt = await running(store, clock)
    for crashes in range(1, MAX_CRASHES):
        store = await after_death(store)
        assert await store.take_back() == TakenBack(todo=1, failed=0)
        assert (await store.get(attempt.task_id)).crashes == crashes
        assert (await claimed(store)).number == 1
    store = await after_death(store)

    assert await store.take_back() == TakenBack(todo=0, failed=1)

    task = await store.get(attempt.task_id)
    assert (task.state, task.last_fault.code, task.attempts) == (State.FAILED, "crashed_worker", 0)
    assert (task.crashes, task.ended_at) == (MAX_CRASHES, clock.now())
    assert await next_due(store, WEBHOOK) is None


async def test_a_settled_attempt_resets_the_count_of_crashes(store, clock, after_death):
    attempt = await running(store, clock)
    for _ in range(2):
        for _ in range(MAX_CRASHES - 1):
            store = await after_death(store)
            assert await store.take_back() == TakenBack(todo=1, failed=0)
            attempt = await claimed(store)
        await store.settle(attempt, another_try(clock, in_seconds=1))
        assert (await store.get(attempt.task_id)).crashes == 0
        await clock.advance(1)
        attempt = await claimed(store)
    assert attempt.number == 3


async def test_giving_back_does_not_reset_the_count_of_crashes(store, clock, after_death):
    await running(store, clock)
    store = await after_death(store)
    await store.take_back()
    attempt = await claimed(store)
    await store.give_back(attempt)
    assert (await store.get(attempt.task_id)).crashes == 1
