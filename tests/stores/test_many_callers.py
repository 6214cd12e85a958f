"""Many callers at once: each gets exactly one outcome, and none holds up another."""

import asyncio
from collections import Counter

import pytest
from steps import WEBHOOK, claimed, got, listed, running, success

from tasker.errors import ClaimLostError, TaskExistsError, TaskNotFoundError, TaskRunningError
from tasker.interfaces.queue import Settled
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

CALLERS = 200


def outcomes(results):
    return Counter(type(result) for result in results)


async def test_of_callers_that_create_the_same_task_one_succeeds(store, clock):
    tasks = [a_task(due_at=clock.now()) for _ in range(CALLERS)]
    calls = [store.create([task]) for _ in range(3) for task in tasks]
    results = await asyncio.gather(*calls, return_exceptions=True)

    assert outcomes(results) == {type(None): CALLERS, TaskExistsError: 2 * CALLERS}
    for place in range(CALLERS):
        assert outcomes(results[place::CALLERS])[type(None)] == 1
    assert sorted(task.id for task in await listed(store)) == sorted(task.id for task in tasks)


async def test_a_claim_and_a_delete_never_both_have_the_task(store, clock):
    tasks = [a_task(due_at=clock.now()) for _ in range(CALLERS)]
    await store.create(tasks)
    deletes = [store.delete(task.id) for task in tasks]
    claims = [store.claim_due({WEBHOOK: 5}) for _ in range(CALLERS // 10)]
    mixed = [call for place in range(0, CALLERS, 10) for call in (*deletes[place : place + 10], claims[place // 10])]
    results = dict(zip(mixed, await asyncio.gather(*mixed, return_exceptions=True), strict=True))

    claimed = [attempt.task_id for claim in claims for attempt in results[claim].attempts]
    assert len(claimed) == len(set(claimed)), "nothing is claimed twice"
    for task, call in zip(tasks, deletes, strict=True):
        if task.id in claimed:
            assert isinstance(results[call], TaskRunningError)
            assert (await store.get(task.id)).state is State.IN_PROGRESS
        else:
            assert results[call] is None
            with pytest.raises(TaskNotFoundError):
                await store.get(task.id)


async def test_of_callers_that_delete_the_same_task_one_succeeds(store, clock):
    task = a_task(due_at=clock.now())
    await store.create([task])
    results = await asyncio.gather(*(store.delete(task.id) for _ in range(CALLERS)), return_exceptions=True)
    assert outcomes(results) == {type(None): 1, TaskNotFoundError: CALLERS - 1}


async def test_claims_at_once_share_what_is_due(store, clock):
    tasks = [a_task(due_at=clock.now()) for _ in range(CALLERS)]
    await store.create(tasks)
    found = await asyncio.gather(*(store.claim_due({WEBHOOK: 7}) for _ in range(CALLERS)))
    ids = [attempt.task_id for claim in found for attempt in claim.attempts]
    assert sorted(ids) == sorted(task.id for task in tasks)


async def test_of_callers_that_settle_one_attempt_one_succeeds(store, clock):
    attempt = await running(store, clock)
    calls = [store.settle(attempt, success(clock, b"%d" % n)) for n in range(CALLERS)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert outcomes(results) == {Settled: 1, ClaimLostError: CALLERS - 1}
    assert (await store.get(attempt.task_id)).result == b"%d" % [type(result) for result in results].index(Settled)


async def test_a_caller_that_leaves_strands_nobody(store, clock):
    await store.create([a_task(due_at=clock.now())])
    tasks = [a_task(due_at=clock.now() + 1) for _ in range(CALLERS)]
    calls = [asyncio.ensure_future(store.create([task])) for task in tasks]
    await asyncio.sleep(0)  # they are on their way
    for call in calls[::2]:
        call.cancel()
    async with asyncio.timeout(30):  # whoever is stranded waits for ever
        results = await asyncio.gather(*calls, return_exceptions=True)

    assert results[1::2] == [None] * (CALLERS // 2)
    found = {task.id for task in await listed(store)}
    assert {task.id for task in tasks[1::2]} <= found
    await store.settle(await claimed(store), success(clock))
    more = a_task(due_at=clock.now() + 1)
    await store.create([more])
    assert await got(store, more.id) == more


async def test_closing_finishes_what_was_handed_in(store, clock, after_death):
    tasks = [a_task(due_at=clock.now()) for _ in range(CALLERS)]
    calls = [asyncio.ensure_future(store.create([task])) for task in tasks]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*calls) == [None] * CALLERS
    await store.close()
    store = await after_death(store)
    assert sorted(task.id for task in await listed(store)) == sorted(task.id for task in tasks)
