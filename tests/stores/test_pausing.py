"""Stop everything: nothing is claimed until it is resumed, and tasks are late because they were held."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import (
    SECOND,
    WEBHOOK,
    a_hash,
    another_try,
    claim_all,
    claimed,
    failure,
    next_due,
    running,
    success,
)

from tasker.errors import NothingToProbeError
from tasker.explaining import explain
from tasker.filters import REASONS, query_of
from tasker.model.audit import Action, Actor, AuditQuery, Entry, Kind
from tasker.model.circuit import THRESHOLD
from tasker.model.gate import Limits
from tasker.model.lateness import DOWN_KEPT
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://a.example:80"
HOUR = timedelta(hours=1)


async def create(store, clock, count=1, **how):
    tasks = [a_task(due_at=clock.now(), **how) for _ in range(count)]
    await store.create(tasks)
    return [task.id for task in tasks]


async def look(store, clock, seconds):
    """Let time pass and look every second, when nothing may start."""
    for _ in range(seconds):
        await clock.advance(1)
        assert await next_due(store, WEBHOOK) is None


async def late(store, clock, attempt):
    """The seconds of the lateness of an attempt that begins now: down, held and own."""
    lateness = clock.now() - attempt.due_at
    parts = attempt.late_down, attempt.late_held, lateness - attempt.late_down - attempt.late_held
    return tuple(part / SECOND for part in parts)


async def broken(store, clock):
    """Let the circuit of the host open."""
    await create(store, clock, count=THRESHOLD, host=HOST)
    for attempt in await claim_all(store, 2 * THRESHOLD):
        await store.settle(attempt, failure(clock, is_alive=False))


async def test_what_is_due_is_claimed_once_it_is_resumed_and_nothing_before(store, clock):
    (first,) = await create(store, clock)
    await store.pause_all()
    assert store.paused_at == clock.now()
    (second,) = await create(store, clock)
    await look(store, clock, 60)
    assert (await store.get(first)).state is State.TODO

    await store.resume_all()
    assert store.paused_at is None
    assert [attempt.task_id for attempt in await claim_all(store, 9)] == [first, second]


async def test_a_pause_twice_counts_from_the_first_and_going_on_twice_changes_nothing(store, clock):
    await store.resume_all()
    assert store.paused_at is None
    await store.pause_all()
    began_at = clock.now()
    await clock.advance(5)
    await store.pause_all()
    assert store.paused_at == began_at
    await store.resume_all()
    await store.resume_all()
    assert store.paused_at is None
    await store.pause_all()
    await store.resume_all()
    await store.pause_all()
    assert store.paused_at == clock.now(), "at the same moment, too"


async def test_a_pause_outlives_the_node(store, clock, after_death):
    await create(store, clock)
    await store.pause_all()
    began_at = clock.now()
    store = await after_death(store)
    assert await next_due(store, WEBHOOK) is None
    assert store.paused_at == began_at
    await store.resume_all()
    store = await after_death(store)
    assert len(await claim_all(store, 9)) == 1
    assert store.paused_at is None


async def test_what_runs_ends_and_its_retry_waits(store, clock):
    attempt = await running(store, clock)
    again = await running(store, clock)
    await store.pause_all()
    await store.settle(attempt, success(clock))
    await store.settle(again, another_try(clock, in_seconds=3))
    await look(store, clock, 10)
    assert (await store.get(attempt.task_id)).state is State.DONE
    await store.resume_all()
    assert (await claimed(store)).task_id == again.task_id


async def test_the_lateness_of_a_pause_is_held(store, clock):
    await store.claim_due({})
    await create(store, clock)
    await clock.advance(1)
    await store.pause_all()
    await look(store, clock, 60)
    await create(store, clock)
    await look(store, clock, 10)
    await store.resume_all()
    await create(store, clock)
    await clock.advance(2)
    found = [await late(store, clock, attempt) for attempt in await claim_all(store, 9)]
    assert found == [(0, 70, 3), (0, 10, 2), (0, 0, 2)]


async def test_of_several_pauses_each_counts_and_what_was_given_back_counts_once(store, clock):
    await store.claim_due({})
    await create(store, clock)
    for seconds in (10, 20):
        await store.pause_all()
        await look(store, clock, seconds)
        await store.resume_all()
        await clock.advance(1)
    attempt = await claimed(store)
    assert await late(store, clock, attempt) == (0, 30, 2)
    await store.give_back(attempt)
    await clock.advance(1)
    assert await late(store, clock, await claimed(store)) == (0, 30, 3)


async def test_what_is_down_in_a_pause_is_not_held_as_well(store, clock):
    await store.claim_due({})
    await create(store, clock)
    await store.pause_all()
    await look(store, clock, 10)
    await clock.step(60)
    await look(store, clock, 10)
    await store.resume_all()
    await clock.advance(3)
    down, held, own = await late(store, clock, await claimed(store))
    assert 60 <= down <= 63, "with the time since the last look was noted"
    assert (down + held, own) == (80, 3)


@pytest.mark.parametrize("limits", [Limits(), Limits(max_running=5), Limits(max_per_second=100.0)])
async def test_what_a_gate_held_before_and_a_pause_after_it_is_held_all_along(store, clock, limits):
    await store.claim_due({})
    await create(store, clock, host=HOST)
    (gate,) = await store.gates(after=0, limit=9)
    if limits != Limits():
        await store.limit(gate.gate.id, limits)
    await store.pause(gate.gate.id)
    for _ in range(5):
        await clock.advance(1)
        assert not (await store.claim_due({WEBHOOK: 9})).attempts
    await store.pause_all()
    await look(store, clock, 5)
    await store.resume(gate.gate.id)
    await look(store, clock, 5)
    await store.resume_all()
    await clock.advance(2)
    (attempt,) = await claim_all(store, 9)
    assert await late(store, clock, attempt) == (0, 15, 2)


async def test_a_group_hands_out_nothing_meanwhile(store, clock):
    ids = await create(store, clock, count=3, group="g")
    await store.limit(await gate_of(store, "g"), Limits(max_running=1))
    first = await claimed(store)
    await store.pause_all()
    await store.settle(first, success(clock, is_alive=True))
    await look(store, clock, 5)
    await store.resume_all()
    (second,) = await claim_all(store, 9)
    assert [first.task_id, second.task_id] == ids[:2]


async def gate_of(store, name):
    return next(record.gate.id for record in await store.gates(after=0, limit=9) if record.gate.name == name)


async def test_a_rate_does_not_make_up_for_a_pause(store, clock):
    await create(store, clock, count=30, host=HOST)
    (gate,) = await store.gates(after=0, limit=9)
    await store.limit(gate.gate.id, Limits(max_per_second=1))
    assert len(await claim_all(store, 9)) == 1
    await store.pause_all()
    await look(store, clock, 20)
    await store.resume_all()
    assert len(await claim_all(store, 9)) == 1


async def test_expiry_goes_on(store, clock):
    task = a_task(due_at=clock.now(), expires_at=clock.now() + 10 * SECOND)
    await store.create([task])
    await store.pause_all()
    await look(store, clock, 10)
    assert (await store.expire()).count == 1
    assert (await store.get(task.id)).last_fault.code == "expired"


async def test_no_task_ends_behind_its_circuit_and_the_pause_is_added_to_its_patience(store, clock):
    await broken(store, clock)
    (early,) = await create(store, clock, host=HOST)
    assert not await claim_all(store, 9)
    await clock.advance(3000)
    (late,) = await create(store, clock, host=HOST)
    (gate,) = await store.gates(after=0, limit=9)
    await store.pause(gate.gate.id)  # so that no probe is made
    assert not await claim_all(store, 9)
    for seconds in (1000, 4000):  # of two pauses
        await clock.advance(100)
        await store.pause_all()
        await clock.advance(seconds)
        assert await store.give_up(HOUR) == 0
        await store.resume_all()
        assert await store.give_up(HOUR) == 0
    (last,) = await create(store, clock, host=HOST)
    assert not await claim_all(store, 9)
    for task_id, seconds in ((early, 400), (late, 3000), (last, 200)):
        await clock.advance(seconds - 0.000001)
        assert await store.give_up(HOUR) == 0
        await clock.advance(0.000001)
        assert await store.give_up(HOUR) == 1
        assert (await store.get(task_id)).last_fault.code == "circuit_open"


async def test_whose_patience_was_over_before_the_pause_ends_in_it(store, clock):
    await broken(store, clock)
    (task,) = await create(store, clock, host=HOST)
    assert not await claim_all(store, 9)
    await clock.advance(3600)
    await store.pause_all()
    await clock.advance(10)
    assert await store.give_up(HOUR) == 1
    assert (await store.get(task)).state is State.FAILED


async def test_a_destination_cannot_be_probed_meanwhile(store, clock):
    await broken(store, clock)
    await create(store, clock, host=HOST)
    assert not await claim_all(store, 9)
    await store.pause_all()
    (gate,) = await store.gates(after=0, limit=9)
    with pytest.raises(NothingToProbeError, match="everything is paused; POST /resume"):
        await store.probe(gate.gate.id)
    await store.resume_all()
    await store.probe(gate.gate.id)
    assert len(await claim_all(store, 9)) == 1


async def test_the_reason_is_found_as_it_is_explained(store, clock):
    await create(store, clock, count=2, host=HOST)
    (gate,) = await store.gates(after=0, limit=9)
    await store.pause(gate.gate.id)
    later = a_task(due_at=clock.now() + SECOND)
    await store.create([later, a_hash(due_at=clock.now())])
    await store.claim_due({WEBHOOK: 9})

    async def found():
        ids = {}
        for reason in REASONS:
            page = await store.find(query_of({"reason": [reason]}), after=None, limit=9, free_pools={WEBHOOK})
            for task in page.tasks:
                standing = await store.standing(task.id)
                has_slot = task.pool == WEBHOOK
                assert explain(standing, now=clock.now(), max_attempts=1, has_free_slot=has_slot).reason == reason
            ids[reason] = len(page.tasks)
        return {reason: count for reason, count in ids.items() if count}

    assert await found() == {"waiting": 1, "paused": 2, "no_slot": 1}
    await store.pause_all()
    assert await found() == {"waiting": 1, "paused_all": 3}
    standing = await store.standing(later.id)
    assert standing.paused_at == clock.now()
    await store.resume_all()
    assert await found() == {"waiting": 1, "paused": 2, "no_slot": 1}


async def test_old_pauses_are_forgotten_and_one_that_lasts_is_not(store, clock):
    await store.claim_due({})
    await store.pause_all()
    await look(store, clock, 1)
    await store.resume_all()
    await store.pause_all()
    began_at = clock.now()
    await clock.step(DOWN_KEPT.total_seconds() + 1)
    assert await store.prune_down() > 0
    assert await store.prune_down() == 0
    await store.claim_due({})
    assert store.paused_at == began_at


async def test_a_clock_that_is_set_back_leaves_no_pause_ahead_of_it(store, clock):
    await store.claim_due({})
    await clock.advance(100)
    await store.pause_all()
    await look(store, clock, 50)
    await store.resume_all()
    await clock.step(-120)
    await store.pause_all()
    await clock.step(-10)
    await store.resume_all()
    await create(store, clock)
    await clock.advance(3)
    _, held, _ = await late(store, clock, await claimed(store))
    assert held == 0


async def test_what_changes_leaves_a_row_in_the_audit_log_and_what_changes_nothing_none(store, clock):
    entry = Entry(by=Actor("k1", "ops"), action=Action.PAUSE, kind=Kind.SERVER)
    await store.resume_all(replace(entry, action=Action.RESUME))
    for _ in range(2):
        await store.pause_all(entry)
        await clock.advance(1)
    for _ in range(2):
        await store.resume_all(replace(entry, action=Action.RESUME))
    await store.pause_all(entry)
    await store.resume_all(replace(entry, action=Action.RESUME))
    rows = (await store.audit(AuditQuery(), after=None, limit=9)).records
    assert [(row.action.value, row.kind, row.by.name) for row in rows] == [
        (action, Kind.SERVER, "ops") for action in ("resume", "pause", "resume", "pause")
    ]
