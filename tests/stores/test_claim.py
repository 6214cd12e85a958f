"""Claiming what is due."""

import pytest
from steps import HASH, SECOND, WEBHOOK, a_hash, another_try, claimed, got, next_due, running

from tasker.model import instants
from tasker.model.task import Pool, State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


def ids(claimed):
    return [attempt.task_id for attempt in claimed.attempts]


async def test_a_task_is_claimed_at_its_due_time_and_not_a_microsecond_before(store, clock):
    task = a_task(due_at=clock.now() + SECOND)
    await store.create([task])

    await clock.advance(0.999999)
    early = await store.claim_due({WEBHOOK: 10})
    assert (len(early.attempts), early.next_due) == (0, task.due_at)
    assert await got(store, task.id) == task

    await clock.advance(0.000001)
    claimed = await store.claim_due({WEBHOOK: 10})
    assert ids(claimed) == [task.id]
    assert claimed.next_due is None


async def test_an_attempt_says_all_that_a_worker_needs(store, clock):
    task = a_task(due_at=clock.now() - SECOND)
    await store.create([task])

    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts

    assert (attempt.task_id, attempt.type, attempt.pool) == (task.id, "webhook", WEBHOOK)
    assert (attempt.number, attempt.due_at, attempt.payload) == (1, task.due_at, task.payload)
    stored = await store.get(task.id)
    assert (stored.state, stored.attempts, stored.due_at) == (State.IN_PROGRESS, 1, task.due_at)
    assert (stored.started_at, stored.ended_at, stored.last_fault) == (clock.now(), None, None)


async def test_a_claimed_task_is_not_claimed_again(store, clock):
    await running(store, clock)
    assert await next_due(store, WEBHOOK) is None


async def test_claims_come_earliest_first_and_in_the_order_of_creation(store, clock):
    now = clock.now()
    tasks = [a_task(due_at=now - ago) for ago in (1, 2, 1, 2, 0)]
    for task in tasks:
        await store.create([task])

    claimed = await store.claim_due({WEBHOOK: 10})

    assert ids(claimed) == [tasks[place].id for place in (1, 3, 0, 2, 4)]


async def test_a_claim_takes_as_many_as_there_are_slots_and_the_next_one_the_rest(store, clock):
    tasks = [a_task(due_at=clock.now()) for _ in range(5)]
    await store.create(tasks)
    found = [ids(await store.claim_due({WEBHOOK: 2})) for _ in range(4)]
    assert found == [[tasks[0].id, tasks[1].id], [tasks[2].id, tasks[3].id], [tasks[4].id], []]


async def test_attempts_of_two_pools_come_earliest_first(store, clock):
    now = clock.now()
    tasks = [a_hash(due_at=now - 3), a_task(due_at=now - 2), a_hash(due_at=now - 1), a_task(due_at=now)]
    await store.create(tasks[::-1])
    claimed = await store.claim_due({WEBHOOK: 2, HASH: 2})
    assert ids(claimed) == [task.id for task in tasks]


async def test_the_next_due_time_is_the_earliest_that_is_left(store, clock):
    now = clock.now()
    await store.create([a_task(due_at=now + later) for later in (30, 10, 20)])
    await store.create([a_hash(due_at=now + 5)])

    assert await next_due(store, WEBHOOK) == now + 10
    assert await next_due(store, WEBHOOK, HASH) == now + 5
    await clock.advance(0.00001)
    both = await store.claim_due({WEBHOOK: 2, HASH: 2})
    assert len(both.attempts) == 2
    assert both.next_due == now + 20


async def test_the_next_due_time_leaves_out_a_pool_whose_room_is_used_up(store, clock):
    now = clock.now()
    await store.create([a_task(due_at=now), a_task(due_at=now), a_hash(due_at=now + 7)])
    assert (await store.claim_due({WEBHOOK: 1, HASH: 1})).next_due == now + 7
    assert (await store.claim_due({WEBHOOK: 1})).next_due is None


async def test_a_pool_without_slots_or_not_named_is_not_looked_at(store, clock):
    await store.create([a_task(due_at=clock.now()), a_hash(due_at=clock.now())])
    for free in ({WEBHOOK: 0}, {}, {WEBHOOK: 0, HASH: 0}):
        nothing = await store.claim_due(free)
        assert (len(nothing.attempts), nothing.next_due) == (0, None)
    assert await next_due(store, Pool(77)) is None
    claimed = await store.claim_due({WEBHOOK: 0, HASH: 9})
    assert [attempt.pool for attempt in claimed.attempts] == [HASH]


async def test_a_task_waits_in_its_own_pool_whatever_its_type(store, clock):
    await store.create([a_task(due_at=clock.now(), pool=77)])
    assert await next_due(store, WEBHOOK) is None
    assert (await claimed(store, Pool(77))).type == "webhook"


async def test_each_attempt_has_the_next_number_and_a_claim_of_its_own(store, clock):
    await store.create([a_task(due_at=clock.now())])
    attempts = []
    for _ in range(4):
        attempts.append(await claimed(store))
        await store.settle(attempts[-1], another_try(clock, in_seconds=1))
        await clock.advance(1)
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4]
    assert len({attempt.fence for attempt in attempts}) == 4


@pytest.mark.parametrize("due_at", [-62_135_596_800 * SECOND, -1, 0, 1])
async def test_a_task_of_the_distant_past_is_due(store, due_at):
    await store.create([a_task(due_at=due_at)])
    attempt = await claimed(store)
    assert attempt.due_at == due_at


async def test_a_task_may_wait_until_the_year_9999(store):
    task = a_task(due_at=instants.LAST)
    await store.create([task])
    assert await next_due(store, WEBHOOK) == instants.LAST
    assert await got(store, task.id) == task
