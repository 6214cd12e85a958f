"""Tasks that could not start in time."""

import pytest
from steps import REFUSED, SECOND, WEBHOOK, another_try, claimed, next_due, running, success

from tasker.errors import TaskExpiredError, TaskNotFailedError
from tasker.interfaces.queue import EXPIRE_LIMIT, Expired
from tasker.interfaces.tasks import TaskFilter
from tasker.model.instants import LAST
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
    assert await store.expire() == Expired(count=0, next_at=task.expires_at)
    await clock.advance(0.000001)
    assert await next_due(store, WEBHOOK) is None
    assert (await store.get(task.id)).state is State.TODO, "a claim does not end it"
    assert await store.expire() == Expired(count=1, next_at=None)

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
    assert await store.expire() == Expired(count=1, next_at=None)
    fault = (await store.get(attempt.task_id)).last_fault
    assert fault.code == "expired"
    assert REFUSED.code in fault.msg


async def test_a_task_expires_behind_a_closed_gate(store, clock):
    first, second = (a_task(due_at=clock.now(), host=HOST, expires_at=clock.now() + 5 * SECOND) for _ in range(2))
    await store.create([first, second])
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    assert await next_due(store, WEBHOOK) == LAST
    assert (await store.gate(gate.gate.id)).held == 2
    await clock.advance(5)
    assert (await store.expire()).count == 2
    assert (await store.gate(gate.gate.id)).held == 0
    assert (await store.get(first.id)).state is State.FAILED
    await store.resume(gate.gate.id)
    assert list((await store.claim_due({WEBHOOK: 1})).attempts) == []


async def test_very_many_expire_in_batches_and_none_of_them_starts(store, clock):
    count = EXPIRE_LIMIT + 10
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + 1) for _ in range(count)])
    await clock.advance(1)
    assert await next_due(store, WEBHOOK) is None
    first = await store.expire()
    assert first.count == EXPIRE_LIMIT
    assert first.next_at < clock.now()
    assert await next_due(store, WEBHOOK) is None
    assert await store.expire() == Expired(count=10, next_at=None)
    assert (await store.count(up_to=10_000))[State.FAILED] == count


async def test_what_expired_at_the_head_of_the_queue_does_not_hide_what_comes_behind(store, clock):
    now = clock.now()
    later = a_task(due_at=now + 5 * SECOND)
    await store.create([a_task(due_at=now, expires_at=now + SECOND) for _ in range(600)])
    await store.create([later])
    await clock.advance(1)
    assert await next_due(store, WEBHOOK) == later.due_at
    await clock.advance(4)
    assert (await claimed(store)).task_id == later.id


async def test_the_first_to_expire_ends_first_and_the_next_moment_is_told(store, clock):
    now = clock.now()
    tasks = [a_task(due_at=now, expires_at=now + seconds * SECOND) for seconds in (3, 1, 2)]
    await store.create(tasks)
    assert await store.expire() == Expired(count=0, next_at=tasks[1].expires_at)
    await clock.advance(1)
    assert await store.expire() == Expired(count=1, next_at=tasks[2].expires_at)
    attempts = (await store.claim_due({WEBHOOK: 2})).attempts
    assert [attempt.task_id for attempt in attempts] == [tasks[0].id, tasks[2].id]
    assert await store.expire() == Expired(count=0, next_at=None), "what has started does not expire"


async def test_none_of_very_many_that_expired_behind_a_gate_starts_when_it_opens(store, clock):
    count = EXPIRE_LIMIT + 10
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + 1, host=HOST) for _ in range(count)])
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    while await next_due(store, WEBHOOK) <= clock.now():
        pass
    await clock.advance(1)
    await store.resume(gate.gate.id)
    await nothing_is_due(store, clock)
    assert (await store.expire()).count == EXPIRE_LIMIT
    await nothing_is_due(store, clock)
    assert await store.expire() == Expired(count=10, next_at=None)
    await clock.advance(1)
    await nothing_is_due(store, clock)
    task = a_task(due_at=clock.now(), host=HOST)
    await store.create([task])
    assert (await claimed(store)).task_id == task.id


async def nothing_is_due(store, clock):
    """Claim as often as the store asks for at once: a few times. Nothing comes."""
    for _ in range(5):
        due_at = await next_due(store, WEBHOOK)
        if due_at is None or due_at > clock.now():
            return
    raise AssertionError("it asks to be looked at again and again")


async def test_the_callback_for_an_expired_task_is_stored_with_its_end(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND, payload=CALLED_BACK)
    await store.create([task])
    await clock.advance(1)
    assert await store.expire() == Expired(count=1, next_at=None)
    callback = await claimed(store)
    assert b'"code":"expired"' in callback.payload
    page = await store.list_page(TaskFilter(state=State.IN_PROGRESS), after=None, limit=10)
    assert [(found.id, found.parent_id) for found in page.tasks] == [(callback.task_id, task.id)]


async def test_the_callback_for_a_task_that_expired_behind_a_gate_starts_though_that_is_closed(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND, payload=CALLED_BACK, host=HOST)
    await store.create([task])
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    await store.claim_due({WEBHOOK: 1})
    await clock.advance(1)
    assert (await store.expire()).count == 1
    assert b'"code":"expired"' in (await claimed(store)).payload


async def test_a_task_that_expired_is_not_run_again_and_can_be_deleted(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND)
    await store.create([task])
    await clock.advance(1)
    with pytest.raises(TaskNotFailedError):
        await store.retry(task.id)
    await store.expire()
    with pytest.raises(TaskExpiredError):
        await store.retry(task.id)
    await store.delete(task.id)
    assert await store.expire() == Expired(count=0, next_at=None)
