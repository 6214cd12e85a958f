"""How many tasks are due when."""

import random

import pytest
from steps import HASH, SECOND, a_hash, another_try, claim_all, claimed, failure

from tasker.model.steps import Steps
from tasker.stores import due_counting, finding
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://a:80"


def minutes(clock, count):
    return Steps.over(clock.now(), clock.now() + count * 60 * SECOND, 60 * SECOND)


async def due(store, steps):
    counted = await store.count_due(steps)
    assert all(counted.is_exact)
    return list(counted.counts)


async def unsure(store, steps):
    """The counts, with the places of those that may be more."""
    counted = await store.count_due(steps)
    return list(counted.counts), [place for place, is_exact in enumerate(counted.is_exact) if not is_exact]


async def test_nothing_is_due_where_nothing_is(store, clock):
    assert await due(store, minutes(clock, 3)) == [0, 0, 0]


async def test_tasks_of_all_types_are_counted_by_the_step_that_they_are_due_in(store, clock):
    steps = minutes(clock, 3)
    start = steps.start
    for at, make in [
        (start - 1, a_task),
        (start, a_task),
        (start + 60 * SECOND - 1, a_hash),
        (start + 60 * SECOND, a_hash),
        (start + 180 * SECOND - 1, a_task),
        (start + 180 * SECOND, a_task),
    ]:
        await store.create([make(due_at=at)])
    assert await due(store, steps) == [2, 1, 1]


async def test_a_task_that_waits_for_another_attempt_counts_where_that_is_due_and_one_that_ended_nowhere(store, clock):
    steps = minutes(clock, 3)
    await store.create([a_task(due_at=clock.now()), a_task(due_at=clock.now()), a_hash(due_at=clock.now())])
    retried, failed = await claim_all(store, 2)
    await store.settle(retried, another_try(clock, in_seconds=60))
    await store.settle(failed, failure(clock))
    await claimed(store, HASH)
    counts = await due(store, steps)
    assert sum(counts) == counts[steps.place(clock.now() + 60 * SECOND)] == 1


async def test_what_a_gate_holds_counts_at_its_due_time(store, clock):
    await store.create([a_task(due_at=clock.now(), host=HOST) for _ in range(5)])
    await store.create([a_task(due_at=clock.now() - 3600 * SECOND, host=HOST)])
    running = await claim_all(store, 2)
    counts = await due(store, minutes(clock, 2))
    assert sum(counts) == counts[0] == 6 - len(running)


async def test_counting_stops_and_says_so_of_what_lies_behind(store, clock, monkeypatch):
    monkeypatch.setattr(due_counting, "DUE_COUNTED_TO", 10)
    monkeypatch.setattr(finding, "AT_ONCE", 3)
    steps = minutes(clock, 6)
    await store.create([a_task(due_at=steps.start + (minute * 60 + 1) * SECOND) for minute in range(4) for _ in "123"])
    assert await unsure(store, steps) == ([3, 3, 3, 1, 0, 0], [3])
    await store.create([a_task(due_at=steps.start + 241 * SECOND)])
    assert await unsure(store, steps) == ([3, 3, 3, 1, 0, 0], [3, 4])
    await store.create([a_task(due_at=steps.start + 601 * SECOND)])
    assert await unsure(store, steps) == ([3, 3, 3, 1, 0, 0], [3, 4])


async def test_held_tasks_take_no_more_than_their_share_of_what_is_counted(store, clock, monkeypatch):
    monkeypatch.setattr(due_counting, "HELD_COUNTED_TO", 2)
    steps = minutes(clock, 3)
    await store.create([a_task(due_at=clock.now(), host=HOST) for _ in range(6)])
    assert len(await claim_all(store, 2)) == 1
    await store.create([a_task(due_at=steps.start + 121 * SECOND, host=HOST)])
    assert await unsure(store, steps) == ([2, 0, 1], [0])


async def test_many_tasks_of_one_moment_are_counted_once_each(store, clock, monkeypatch):
    monkeypatch.setattr(finding, "AT_ONCE", 1)
    chosen = random.Random(7)
    moments = [clock.now() + chosen.choice([0, 1, 1, 61, 61, 62]) * SECOND for _ in range(200)]
    await store.create([chosen.choice([a_task, a_hash])(due_at=at) for at in moments])
    steps = minutes(clock, 4)
    expected = [0] * steps.count
    for at in moments:
        expected[steps.place(at)] += 1
    assert await due(store, steps) == expected


async def test_the_last_steps_of_the_calendar_can_be_counted(store, clock):
    await store.create([a_task(due_at=253_402_300_799_999_999)])
    steps = Steps.over(clock.now(), 253_402_300_799_999_999, 36_500 * 86_400 * SECOND)
    counts = await due(store, steps)
    assert counts[-1] == 1
