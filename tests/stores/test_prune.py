"""Deleting what ended long ago."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, claimed, failure, listed, running, success

from tasker.errors import TaskNotFoundError
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def ended(store, clock, settle):
    attempt = await running(store, clock)
    await store.settle(attempt, settle(clock))
    return attempt.task_id


async def test_a_task_is_pruned_once_it_ended_longer_ago_than_it_is_kept_and_not_before(store, clock):
    task_id = await ended(store, clock, success)
    await clock.advance(DAY.total_seconds())
    assert await store.prune(State.DONE, older_than=DAY) == 0
    await store.get(task_id)

    await clock.advance(0.000001)
    assert await store.prune(State.DONE, older_than=DAY) == 1

    with pytest.raises(TaskNotFoundError):
        await store.get(task_id)
    assert await store.prune(State.DONE, older_than=DAY) == 0


async def test_states_are_pruned_apart_and_what_has_not_ended_stays(store, clock):
    done, failed = await ended(store, clock, success), await ended(store, clock, failure)
    attempt = await running(store, clock)
    waiting = a_task(due_at=clock.now() - DAY // timedelta(microseconds=1))
    await store.create([waiting])
    await clock.advance(10)

    assert await store.prune(State.FAILED, older_than=timedelta(0)) == 1
    assert {task.id for task in await listed(store)} == {done, attempt.task_id, waiting.id}
    assert await store.prune(State.DONE, older_than=timedelta(0)) == 1
    assert {task.id for task in await listed(store)} == {attempt.task_id, waiting.id}
    assert failed not in {task.id for task in await listed(store)}


async def test_many_are_pruned_in_batches_oldest_first_until_none_is_left(store, clock):
    count = PRUNE_LIMIT + 100
    await store.create([a_task(due_at=clock.now()) for _ in range(count)])
    attempts = (await store.claim_due({WEBHOOK: count})).attempts
    for n, attempt in enumerate(attempts):
        ended_at = clock.now() - n * 1_000_000
        await store.settle(attempt, Settlement(move=Move.COMPLETE, started_at=ended_at, ended_at=ended_at))
    left = [attempt.task_id for attempt in attempts]
    pruned = 0
    while batch := await store.prune(State.DONE, older_than=timedelta(seconds=50)):
        assert batch <= PRUNE_LIMIT
        pruned += batch
        assert {task.id for task in await listed(store)} == set(left[: count - pruned]), "the oldest went"
    assert pruned == count - 51


@pytest.mark.parametrize("settle", [success, failure])
async def test_a_task_with_a_time_of_its_own_is_kept_for_that_whatever_the_settings_say(store, clock, settle):
    kept = {}
    for keep in (None, 0, 5 * SECOND, -1):
        task = replace(a_task(due_at=clock.now()), keep=keep)
        await store.create([task])
        attempt = await claimed(store)
        await store.settle(attempt, settle(clock))
        kept[keep] = task.id
    assert await store.prune_kept() == 0
    await clock.advance(0.000001)
    assert await store.prune_kept() == 1
    assert {task.id for task in await listed(store)} == {kept[keep] for keep in (None, 5 * SECOND, -1)}
    for state in (State.DONE, State.FAILED):
        await store.prune(state, older_than=timedelta(0))
    assert {task.id for task in await listed(store)} == {kept[keep] for keep in (5 * SECOND, -1)}

    await clock.advance(4.999999)
    assert await store.prune_kept() == 0
    await clock.advance(0.000001)
    assert await store.prune_kept() == 1
    assert [task.id for task in await listed(store)] == [kept[-1]]
    await clock.advance(10)
    assert await store.prune_kept() == 0
