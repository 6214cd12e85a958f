"""Tasks that could not start in time."""

import pytest
from steps import REFUSED, SECOND, WEBHOOK, another_try, claimed, next_due, running, success

from tasker.interfaces import EXPIRE_LIMIT, TaskFilter
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://a.example:80"
CALLED_BACK = b'{"url":"http://a.example/","body":"x","on_failure":"http://b.example/failed"}'


async def test_a_task_that_did_not_start_by_then_ends_failed_and_says_so(store, clock):
    task = a_task(due_at=clock.now() + SECOND, expires_at=clock.now() + 3 * SECOND)
    await store.create([task])
    assert await next_due(store, WEBHOOK) == clock.now() + SECOND
    await clock.advance(2.999999)
    assert (await store.claim_due({WEBHOOK: 0})).next_due == task.expires_at, "the sweep needs no slot"
    await clock.advance(0.000001)
    claimed = await store.claim_due({WEBHOOK: 1})
    assert (list(claimed.attempts), claimed.expired, claimed.next_due) == ([], 1, None)

    found = await store.get(task.id)
    assert (found.state, found.attempts, found.ended_at) == (State.FAILED, 0, clock.now())
    assert found.last_fault.code == "expired"
    assert list(await store.attempts(task.id)) == []


async def test_a_task_may_start_until_the_last_microsecond(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND)
    await store.create([task])
    await clock.advance(0.999999)
    attempt = await claimed(store)
    assert (attempt.task_id, attempt.expires_at) == (task.id, task.expires_at)
    await clock.advance(60)
    await store.settle(attempt, success(clock))
    assert (await store.get(task.id)).state is State.DONE


async def test_a_retry_that_could_not_start_expires_and_tells_the_last_failure(store, clock):
    attempt = await running(store, clock, expires_at=clock.now() + 100 * SECOND)
    await store.settle(attempt, another_try(clock, in_seconds=60))
    await clock.advance(100)
    assert (await store.claim_due({})).expired == 1
    fault = (await store.get(attempt.task_id)).last_fault
    assert fault.code == "expired"
    assert REFUSED.code in fault.msg


async def test_a_task_expires_behind_a_closed_gate(store, clock):
    first, second = (a_task(due_at=clock.now(), host=HOST, expires_at=clock.now() + 5 * SECOND) for _ in range(2))
    await store.create([first, second])
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    assert await next_due(store, WEBHOOK) == first.expires_at
    assert (await store.gate(gate.gate.id)).held == 2
    await clock.advance(5)
    assert (await store.claim_due({WEBHOOK: 1})).expired == 2
    assert (await store.gate(gate.gate.id)).held == 0
    assert (await store.get(first.id)).state is State.FAILED
    await store.resume(gate.gate.id)
    assert list((await store.claim_due({WEBHOOK: 1})).attempts) == []


async def test_very_many_expire_in_batches_and_none_of_them_starts(store, clock):
    count = EXPIRE_LIMIT + 10
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + 1) for _ in range(count)])
    await clock.advance(1)
    first = await store.claim_due({WEBHOOK: 50})
    assert (list(first.attempts), first.expired) == ([], EXPIRE_LIMIT)
    assert first.next_due <= clock.now()
    assert (await store.claim_due({WEBHOOK: 50})).expired == 10
    assert (await store.count(up_to=10_000))[State.FAILED] == count


async def test_none_of_very_many_that_expired_behind_a_gate_starts_when_it_opens(store, clock):
    count = EXPIRE_LIMIT + 10
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + 1, host=HOST) for _ in range(count)])
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    while (await store.claim_due({WEBHOOK: 50})).next_due <= clock.now():
        pass
    await clock.advance(1)
    await store.resume(gate.gate.id)
    first = await store.claim_due({WEBHOOK: 50})
    assert (list(first.attempts), first.expired) == ([], EXPIRE_LIMIT)
    assert (await store.claim_due({WEBHOOK: 50})).expired == 10


async def test_the_callback_for_an_expired_task_is_stored_with_its_end(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND, payload=CALLED_BACK)
    await store.create([task])
    await clock.advance(1)
    assert (await store.claim_due({})).expired == 1
    callback = await claimed(store)
    assert b'"code":"expired"' in callback.payload
    page = await store.list_page(TaskFilter(state=State.IN_PROGRESS), after=None, limit=10)
    assert [(found.id, found.parent_id) for found in page.tasks] == [(callback.task_id, task.id)]


async def test_the_callback_for_an_expired_task_is_claimed_with_it_or_said_to_be_due(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND, payload=CALLED_BACK, host=HOST)
    await store.create([task])
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    await store.claim_due({WEBHOOK: 1})
    await clock.advance(1)
    found = await store.claim_due({WEBHOOK: 1})
    assert found.expired == 1
    assert len(found.attempts) == 1 or found.next_due <= clock.now()
