"""A destination whose circuit has closed is let in by doubling."""

import asyncio

import pytest
from steps import claim_all, failure, success

from tasker.model.circuit import RECOVERY, THRESHOLD, CircuitState
from tasker.model.gate import Limits
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

A, B = "http://a.example:80", "http://b.example:80"
SLOTS = 200


async def create(store, clock, host, count, **how):
    tasks = [a_task(due_at=clock.now(), host=host, **how) for _ in range(count)]
    await store.create(tasks)
    return [task.id for task in tasks]


async def settle(store, attempts, end):
    await asyncio.gather(*(store.settle(attempt, end) for attempt in attempts))


async def run(store, clock):
    """Claim and let everything end well, again and again, until nothing starts at this moment. Return how many did."""
    count = 0
    while attempts := await claim_all(store, SLOTS):
        await settle(store, attempts, success(clock, is_alive=True))
        count += len(attempts)
    return count


async def break_and_mend(store, clock, waiting=0):
    """Open the circuit of a host for which *waiting* tasks wait then, and let a probe close it again."""
    await create(store, clock, A, THRESHOLD)
    await settle(store, await claim_all(store, 2 * THRESHOLD), failure(clock, is_alive=False))
    tasks = await create(store, clock, A, waiting + 1)
    assert await claim_all(store, SLOTS) == []
    await clock.advance(5)
    (probe,) = await claim_all(store, SLOTS)
    await store.settle(probe, success(clock, is_alive=True))
    return tasks[1:]


async def the_gate(store, host=A):
    (record,) = [record for record in await store.gates(after=0, limit=9) if record.gate.name == host]
    return record.gate


async def test_of_3000_that_wait_twice_as_many_start_with_each_second_however_fast_they_end(store, clock):
    await break_and_mend(store, clock, 3000)
    starts = []
    for _ in range(RECOVERY):
        starts.append(await run(store, clock))
        await clock.advance(0.999999)
        assert await run(store, clock) == 0
        await clock.advance(0.000001)
    assert starts == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert await run(store, clock) == 3000 - sum(starts), "then as fast as they end"


async def test_no_more_run_than_start_in_a_second_when_they_take_long(store, clock):
    await break_and_mend(store, clock, 50)
    for running in (1, 2, 4, 8, 16):
        await claim_all(store, SLOTS)
        assert (await store.gates(after=0, limit=1))[0].running == running
        await clock.advance(1)


async def test_one_that_ends_makes_room_for_another_where_the_second_has_some_left(store, clock):
    first, second, third, *_ = await break_and_mend(store, clock, 50)
    (attempt,) = await claim_all(store, SLOTS)
    await clock.advance(1)
    (other,) = await claim_all(store, SLOTS)
    assert (attempt.task_id, other.task_id) == (first, second)
    assert (await store.settle(attempt, success(clock, is_alive=True))).has_room
    assert [attempt.task_id for attempt in await claim_all(store, SLOTS)] == [third], "the second of the two"
    await store.settle(other, success(clock, is_alive=True))
    assert await claim_all(store, SLOTS) == []


async def test_what_comes_due_meanwhile_comes_in_its_turn_and_others_do_not_wait(store, clock):
    await break_and_mend(store, clock, 0)
    later = await create(store, clock, A, 5)
    others = await create(store, clock, B, 5)
    assert sorted(attempt.task_id for attempt in await claim_all(store, SLOTS)) == sorted([later[0], *others])
    await clock.advance(1)
    assert [attempt.task_id for attempt in await claim_all(store, SLOTS)] == later[1:2]


async def test_failures_in_a_row_open_it_again_and_the_steps_begin_anew(store, clock):
    await break_and_mend(store, clock, 100)
    tried = 0
    while (await the_gate(store)).circuit.state(clock.now()) is not CircuitState.OPEN:
        attempts = await claim_all(store, SLOTS)
        tried += len(attempts)
        await settle(store, attempts, failure(clock, is_alive=False))
        await clock.advance(1)
    assert tried == 1 + 2 + 4 + 8
    await clock.advance(4)
    (probe,) = await claim_all(store, SLOTS)
    await store.settle(probe, success(clock, is_alive=True))
    assert (await the_gate(store)).let_in == 0
    assert await run(store, clock) == 1
    await clock.advance(1)
    assert await run(store, clock) == 2


async def test_a_failure_or_a_success_in_between_changes_nothing_of_the_steps(store, clock):
    await break_and_mend(store, clock, 100)
    await settle(store, await claim_all(store, SLOTS), failure(clock, is_alive=False))
    await clock.advance(1)
    first, second = await claim_all(store, SLOTS)
    await store.settle(first, failure(clock, is_alive=False))
    await store.settle(second, success(clock, is_alive=True))
    assert (await the_gate(store)).let_in == 3
    assert await claim_all(store, SLOTS) == []
    await clock.advance(1)
    assert len(await claim_all(store, SLOTS)) == 4


async def test_a_pause_holds_while_it_is_recovering_and_a_limit_too(store, clock):
    await break_and_mend(store, clock, 100)
    gate = (await the_gate(store)).id
    await store.pause(gate)
    await clock.advance(5)
    assert await claim_all(store, SLOTS) == []
    await store.limit(gate, Limits(max_running=3))
    await store.resume(gate)
    assert len(await claim_all(store, SLOTS)) == 3


async def test_tasks_with_a_group_are_let_in_by_doubling_too(store, clock):
    await break_and_mend(store, clock, 0)
    tasks = await create(store, clock, A, 40, group="g")
    started = []
    for running in (1, 2, 4, 8, 16):
        started += await claim_all(store, SLOTS)
        assert [attempt.task_id for attempt in started] == tasks[:running]
        await clock.advance(1)
