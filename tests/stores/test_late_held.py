"""How late a task is because a gate held it: until the gate had room, and no longer."""

import pytest
from steps import SECOND, WEBHOOK, another_try, claim_all, failure, success

from tasker.model.gate import Limits
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

A, B = "http://a.example:80", "http://b.example:80"


async def create(store, clock, host=A, count=1, **how):
    await store.claim_due({})
    tasks = [a_task(due_at=clock.now(), host=host, **how) for _ in range(count)]
    await store.create(tasks)
    return [task.id for task in tasks]


async def look(store, clock, seconds, free=0):
    """Let time pass and look every second, without a free slot or with some that nothing may take."""
    for _ in range(seconds):
        await clock.advance(1)
        assert list((await store.claim_due({WEBHOOK: free})).attempts) == []


async def gate_of(store, name=A):
    return next(record.gate.id for record in await store.gates(after=0, limit=100) if record.gate.name == name)


async def late(store, clock, attempt):
    """The seconds of the lateness of an attempt that begins now: down, held and own."""
    task = await store.get(attempt.task_id)
    assert (attempt.late_down, attempt.late_held) == (task.late_down, task.late_held)
    lateness = clock.now() - attempt.due_at
    parts = attempt.late_down, attempt.late_held, lateness - attempt.late_down - attempt.late_held
    return tuple(part / SECOND for part in parts)


async def test_a_paused_destination_holds_its_tasks_until_it_goes_on(store, clock):
    await create(store, clock)
    await store.pause(await gate_of(store))
    await look(store, clock, 60, free=9)
    await store.resume(await gate_of(store))
    await look(store, clock, 3)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 60, 3)


async def test_an_open_circuit_holds_until_a_probe_may_start(store, clock):
    await create(store, clock, count=10)
    for attempt in await claim_all(store, 20):
        await store.settle(attempt, failure(clock, is_alive=False))
    await create(store, clock, count=2)
    await look(store, clock, 4, free=9)
    await look(store, clock, 3)
    (probe,) = await claim_all(store, 9)
    assert await late(store, clock, probe) == (0, 5, 2)
    await look(store, clock, 10, free=9)
    await store.settle(probe, success(clock, is_alive=True))
    await look(store, clock, 1)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 17, 1)


async def test_what_is_down_is_not_held_as_well(store, clock):
    await create(store, clock)
    await store.pause(await gate_of(store))
    await look(store, clock, 10, free=9)
    await clock.step(60)
    await look(store, clock, 10, free=9)
    await store.resume(await gate_of(store))
    await look(store, clock, 3)
    (attempt,) = await claim_all(store, 9)
    down, held, own = await late(store, clock, attempt)
    assert 61 <= down <= 63, "with the time since the last look was noted"
    assert (down + held, own) == (80, 3)


async def test_what_is_down_after_the_gate_let_go_is_down(store, clock):
    await create(store, clock)
    await store.pause(await gate_of(store))
    await look(store, clock, 10, free=9)
    await store.resume(await gate_of(store))
    await clock.step(60)
    (attempt,) = await claim_all(store, 9)
    down, held, own = await late(store, clock, attempt)
    assert down + held + own == 70
    assert 8 <= held <= 10
    assert 60 <= down <= 62


async def test_a_full_gate_holds_until_one_of_its_tasks_ends(store, clock):
    first, second = await create(store, clock, count=2)
    await store.limit(await gate_of(store), Limits(max_running=1))
    (running,) = await claim_all(store, 9)
    assert (running.task_id, await late(store, clock, running)) == (first, (0, 0, 0))
    await look(store, clock, 20, free=9)
    await store.settle(running, success(clock, is_alive=True))
    await look(store, clock, 2)
    (attempt,) = await claim_all(store, 9)
    assert (attempt.task_id, await late(store, clock, attempt)) == (second, (0, 20, 2))


async def test_a_rate_holds_until_the_next_permitted_moment(store, clock):
    await create(store, clock, count=3)
    await store.limit(await gate_of(store), Limits(max_per_second=0.1))
    assert len(await claim_all(store, 9)) == 1
    await look(store, clock, 9, free=9)
    await look(store, clock, 3)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 10, 2)


@pytest.mark.parametrize("limits", [Limits(max_running=5), Limits(max_per_second=100.0, burst=10), Limits()])
async def test_while_every_slot_is_taken_a_gate_that_has_room_holds_nothing(store, clock, limits):
    await create(store, clock, count=2, group="g")
    await store.limit(await gate_of(store, "g"), limits)
    await look(store, clock, 30)
    (first,) = await claim_all(store, 1)
    assert await late(store, clock, first) == (0, 0, 30)
    await store.settle(first, success(clock, is_alive=True))
    await look(store, clock, 1)
    (second,) = await claim_all(store, 1)
    assert await late(store, clock, second) == (0, 0, 31)


async def test_what_waits_for_a_slot_after_its_gate_has_got_room_is_not_held_any_more(store, clock):
    await create(store, clock, count=4)
    gate = await gate_of(store)
    await store.limit(gate, Limits(max_running=10))
    await store.pause(gate)
    await look(store, clock, 60, free=9)
    await store.resume(gate)
    (first,) = await claim_all(store, 1)
    await look(store, clock, 5)
    (second,) = await claim_all(store, 1)
    await look(store, clock, 5)
    rest = await claim_all(store, 9)
    assert [await late(store, clock, attempt) for attempt in rest] == [(0, 60, 10)] * 2
    assert (first.late_held, second.late_held) == (60 * SECOND, 60 * SECOND)


async def test_an_attempt_that_was_given_back_was_held_as_long(store, clock):
    await create(store, clock)
    gate = await gate_of(store)
    await store.pause(gate)
    await look(store, clock, 60, free=9)
    await store.resume(gate)
    (attempt,) = await claim_all(store, 9)
    await store.give_back(attempt)
    await look(store, clock, 5)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 60, 5)


async def test_the_next_attempt_was_not_held_because_the_one_before_was(store, clock):
    await create(store, clock)
    gate = await gate_of(store)
    await store.pause(gate)
    await look(store, clock, 60, free=9)
    await store.resume(gate)
    (attempt,) = await claim_all(store, 9)
    await store.settle(attempt, another_try(clock, in_seconds=10))
    await look(store, clock, 12)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 0, 2)
    await store.settle(attempt, failure(clock))
    await store.retry(attempt.task_id)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 0, 0)


async def test_how_long_an_attempt_was_held_is_known_after_its_end(store, clock):
    (task,) = await create(store, clock)
    gate = await gate_of(store)
    await store.pause(gate)
    await look(store, clock, 60, free=9)
    await store.resume(gate)
    (attempt,) = await claim_all(store, 9)
    await store.settle(attempt, success(clock))
    assert (await store.get(task)).late_held == 60 * SECOND


async def test_a_task_of_another_destination_is_not_held(store, clock):
    await create(store, clock, A)
    await store.pause(await gate_of(store))
    await look(store, clock, 10, free=9)
    await create(store, clock, B)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 0, 0)


async def test_a_task_with_a_group_is_held_by_its_host_too(store, clock):
    await create(store, clock, A, group="g")
    await store.pause(await gate_of(store, A))
    await look(store, clock, 60, free=9)
    await store.resume(await gate_of(store, A))
    await look(store, clock, 3)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 60, 3)
