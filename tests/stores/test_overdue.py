"""What is due and has not started: how many, why, and since when."""

import pytest
from populations import BROKEN, PAUSED, WELL
from steps import HASH, SECOND, WEBHOOK, a_hash

from tasker.explaining import OVERDUE_REASONS
from tasker.model.gate import Limits, group_named
from tasker.model.overdue import OverdueTasks
from tasker.stores import overdue as counting
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

NONE = OverdueTasks(0, None)


def told(overdue):
    """What is not zero of a report."""
    assert overdue.by_reason.keys() == set(OVERDUE_REASONS)
    return {reason: each for reason, each in overdue.by_reason.items() if each != NONE}


async def test_in_an_empty_store_nothing_is_overdue(store, clock):
    overdue = await store.overdue(free_pools={WEBHOOK})
    assert told(overdue) == {}
    assert overdue.at == clock.now()
    assert overdue.oldest_seconds("due") == 0


async def test_a_task_is_overdue_from_its_due_time_until_it_starts(store, clock):
    await store.create([a_task(due_at=clock.now() + SECOND)])
    await clock.advance(0.999_999)
    assert told(await store.overdue(free_pools={WEBHOOK})) == {}
    due_at = clock.now() + 1
    await clock.advance(0.000_001)
    overdue = await store.overdue(free_pools={WEBHOOK})
    assert told(overdue) == {"due": OverdueTasks(1, due_at)}
    await clock.advance(90)
    overdue = await store.overdue(free_pools={WEBHOOK})
    assert overdue.oldest_seconds("due") == 90
    await store.claim_due({WEBHOOK: 1})
    assert told(await store.overdue(free_pools={WEBHOOK})) == {}


async def test_without_a_free_slot_tasks_wait_for_one(store, clock):
    now = clock.now()
    await store.create([a_task(due_at=now - 2), a_task(due_at=now - 1), a_hash(due_at=now - 9)])
    assert told(await store.overdue(free_pools={WEBHOOK})) == {
        "due": OverdueTasks(2, now - 2),
        "no_slot": OverdueTasks(1, now - 9),
    }
    assert told(await store.overdue(free_pools={WEBHOOK, HASH})) == {"due": OverdueTasks(3, now - 9)}


async def test_every_reason_is_counted_as_it_is_explained(population, store):
    rows = await population.rows()
    overdue = await store.overdue(free_pools={WEBHOOK})
    for reason in OVERDUE_REASONS:
        moments = [task.due_at for _, task, _, why in rows if why == reason]
        assert overdue.by_reason[reason] == OverdueTasks(len(moments), min(moments, default=None)), reason
    assert {"paused", "circuit_open", "due", "no_slot"} <= told(overdue).keys()


async def test_limits_and_rates_are_told_apart(store, clock):
    for name, limits in (("fast", Limits(max_per_second=1)), ("one", Limits(max_running=1))):
        await store.create([a_task(due_at=clock.now(), host=WELL, group=name) for _ in range(3)])
        await store.limit(await store.make_gate(group_named(name)), limits)
    for _ in range(3):
        await store.claim_due({WEBHOOK: 9})
    expected = OverdueTasks(2, clock.now())
    assert told(await store.overdue(free_pools={WEBHOOK})) == {"rate": expected, "full": expected}


async def test_counting_stops_and_the_oldest_is_told_all_the_same(store, clock, monkeypatch):
    monkeypatch.setattr(counting, "OVERDUE_COUNTED_TO", 5)
    now = clock.now()
    ages = {PAUSED: range(100, 120), BROKEN: range(20)}
    gates = {}
    for host, some in ages.items():
        await store.create([a_task(due_at=now - age, host=host) for age in some])
        gates[host] = await store.make_gate(a_task(due_at=now, host=host).destination)
    await store.pause(gates[PAUSED])
    await store.pause(gates[BROKEN])
    assert (await store.claim_due({WEBHOOK: 9})).attempts == []
    assert told(await store.overdue(free_pools=())) == {"paused": OverdueTasks(5, now - 119)}
    await store.create([a_task(due_at=now - age) for age in range(9)])
    assert told(await store.overdue(free_pools=())) == {
        "paused": OverdueTasks(5, now - 119),
        "no_slot": OverdueTasks(5, now - 8),
    }


async def test_while_everything_is_paused_that_is_why(population, store, clock):
    rows = await population.rows()
    due_at = [task.due_at for _, task, _, why in rows if why in OVERDUE_REASONS]
    await store.pause_all()
    overdue = await store.overdue(free_pools={WEBHOOK})
    assert told(overdue) == {"paused_all": OverdueTasks(len(due_at), min(due_at))}
