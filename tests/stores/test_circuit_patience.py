"""Tasks that a circuit keeps for too long."""

from datetime import timedelta

import msgspec
import pytest
from steps import SECOND, WEBHOOK, another_try, claimed, failure, listed, success

from tasker.interfaces.queue import GIVE_UP_LIMIT
from tasker.interfaces.tasks import TaskFilter
from tasker.model.circuit import RECOVERY, THRESHOLD
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://a.example:80"
CALLED_BACK = b'{"url":"http://a.example/","body":"x","on_failure":"http://b.example/failed"}'
HOUR = timedelta(hours=1)


async def break_gate(store, clock):
    """Let so many attempts fail by the destination's own fault that its circuit opens now."""
    await store.create([a_task(due_at=clock.now(), host=HOST) for _ in range(THRESHOLD)])
    for attempt in (await store.claim_due({WEBHOOK: 20})).attempts:
        await store.settle(attempt, failure(clock, is_alive=False))


async def create(store, clock, *, patience=0, count=1):
    """Store tasks that are due now, whose retry policy has waits of *patience* seconds. Return the last one's id."""
    tasks = [
        msgspec.structs.replace(
            a_task(due_at=clock.now(), host=HOST, payload=CALLED_BACK), patience=round(patience * SECOND)
        )
        for _ in range(count)
    ]
    await store.create(tasks)
    return tasks[-1].id


async def hold(store):
    """Claim: what is due is held."""
    assert not (await store.claim_due({WEBHOOK: 9})).attempts


async def ends_after(store, clock, task_id, seconds, *, least=HOUR):
    """Assert that a task is given up so many seconds from now, and not a microsecond before."""
    await clock.advance(seconds - 0.000001)
    assert await store.give_up(least) == 0
    await clock.advance(0.000001)
    assert await store.give_up(least) == 1
    assert await store.give_up(least) == 0
    task = await store.get(task_id)
    assert (task.state, task.ended_at, task.last_fault.code) == (State.FAILED, clock.now(), "circuit_open")


async def test_a_held_task_ends_at_its_moment_though_a_probe_failed_and_the_gate_is_paused(store, clock):
    await break_gate(store, clock)
    probed = await create(store, clock)
    left = await create(store, clock, patience=7200)
    await hold(store)
    await clock.advance(1800)
    probe = await claimed(store)
    assert probe.task_id == probed
    await store.settle(probe, failure(clock, is_alive=False))
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    await ends_after(store, clock, left, 5400)


async def test_a_task_without_retries_has_the_least_patience(store, clock):
    await break_gate(store, clock)
    task = await create(store, clock)
    await hold(store)
    await ends_after(store, clock, task, 60, least=timedelta(seconds=60))


async def test_who_was_overdue_when_the_circuit_opened_counts_from_there(store, clock):
    task = await create(store, clock, patience=5000)
    await clock.advance(9999)
    await store.create([a_task(due_at=clock.now() - 99999 * SECOND, host=HOST) for _ in range(THRESHOLD)])
    for attempt in (await store.claim_due({WEBHOOK: 2 * THRESHOLD})).attempts:
        await store.settle(attempt, failure(clock, is_alive=False))
    await hold(store)
    await ends_after(store, clock, task, 5000)


async def test_waits_that_are_over_do_not_count_until_it_is_retried_by_hand(store, clock):
    task = await create(store, clock, patience=9000)
    attempt = await claimed(store)
    await store.settle(attempt, another_try(clock, in_seconds=10, waited=5000 * SECOND))
    await break_gate(store, clock)
    await clock.advance(10)
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    await hold(store)
    await ends_after(store, clock, task, 4000)

    await claimed(store)  # the callback
    await store.retry(task)
    await hold(store)
    await ends_after(store, clock, task, 9000)


async def test_its_end_is_told(store, clock):
    await break_gate(store, clock)
    task = await create(store, clock)
    await hold(store)
    await clock.advance(3600)
    assert await store.give_up(HOUR) == 1
    (told,) = [each for each in await listed(store, TaskFilter(state=State.TODO)) if each.parent_id == task]
    assert b'"error":{"code":"circuit_open"' in told.payload.replace(b'\\"', b'"')


async def test_what_is_held_for_a_pause_alone_waits_on(store, clock):
    task = await create(store, clock)
    (gate,) = await store.gates(after=0, limit=10)
    await store.pause(gate.gate.id)
    await hold(store)
    await clock.advance(9 * 3600)
    assert await store.give_up(HOUR) == 0
    assert (await store.get(task)).state is State.TODO


async def test_a_circuit_that_closes_starts_the_time_anew(store, clock):
    await break_gate(store, clock)
    await create(store, clock)
    await hold(store)
    await clock.advance(3000)
    await store.settle(await claimed(store), success(clock, is_alive=True))
    await clock.advance(RECOVERY)
    await break_gate(store, clock)
    task = await create(store, clock)
    await hold(store)
    await ends_after(store, clock, task, 3600)


async def test_very_many_with_many_patiences_end_in_batches(store, clock):
    await break_gate(store, clock)
    for patience in range(0, 7200, 1800):
        await create(store, clock, patience=patience, count=GIVE_UP_LIMIT // 2)
    late = await create(store, clock, patience=7200)
    while (await store.claim_due({WEBHOOK: 9})).next_due <= clock.now():
        pass
    await clock.advance(3599)
    assert await store.give_up(HOUR) == 0
    await clock.advance(1)
    assert [await store.give_up(HOUR) for _ in range(3)] == [GIVE_UP_LIMIT, GIVE_UP_LIMIT // 2, 0]
    await clock.advance(1800)
    assert [await store.give_up(HOUR) for _ in range(2)] == [GIVE_UP_LIMIT // 2, 0]
    assert (await store.get(late)).state is State.TODO
