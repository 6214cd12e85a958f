"""Claims by callers: what they are given of a queue, for how long, and what becomes of it."""

import asyncio
from datetime import timedelta

import pytest
from steps import SECOND, another_try, begin, failure, success, work

from tasker.errors import ClaimLostError
from tasker.interfaces.pulling import LEASE_LIMIT
from tasker.interfaces.queue import Claim
from tasker.model.gate import Limits, queue_named
from tasker.model.lifecycle import CRASHED
from tasker.model.operation import Action
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

REPORTS = queue_named("reports")
MINUTE = timedelta(minutes=1)


def a_job(clock, *, due_in=0, queue="reports", **members):
    return a_task(due_at=clock.now() + due_in, queue=queue, **members)


async def jobs(store, clock, count, **members):
    tasks = [a_job(clock, **members) for _ in range(count)]
    await store.create(tasks)
    return [task.id for task in tasks]


async def pull(store, most=1, *, queue=REPORTS, lease=MINUTE):
    return await store.pull(queue, most=most, lease=lease)


async def pulled(store, **how):
    (attempt,) = (await pull(store, **how)).attempts
    return attempt


def ids(found):
    return [attempt.task_id for attempt in found.attempts]


async def test_a_caller_is_given_what_is_due_earliest_first_and_no_more_than_it_wants(store, clock):
    later, first, second, other = (
        a_job(clock, due_in=30),
        a_job(clock, due_in=10),
        a_job(clock, due_in=10),
        a_job(clock, queue="other"),
    )
    await store.create([later, first, second, other])
    assert ids(await pull(store, 9)) == []
    await clock.advance(0.000_03)
    assert ids(await pull(store, 2)) == [first.id, second.id]
    assert ids(await pull(store, 9)) == [later.id]
    assert ids(await pull(store, 9)) == []
    assert ids(await pull(store, 9, queue=queue_named("other"))) == [other.id]


async def test_a_queue_that_nobody_has_named_has_nothing(store):
    found = await pull(store, 9)
    assert (ids(found), found.next_at) == ([], None)
    assert await store.gates(after=0, limit=9) == [], "asking makes none"


async def test_nothing_is_given_before_its_time_and_when_to_look_is_told(store, clock):
    await store.create([a_job(clock, due_in=2 * SECOND)])
    due_at = clock.now() + 2 * SECOND
    for seconds in (0, 1.999_999):
        await clock.advance(seconds)
        found = await pull(store)
        assert (ids(found), found.next_at) == ([], due_at)
    await clock.advance(0.000_001)
    found = await pull(store)
    assert len(found.attempts) == 1
    assert (found.started_at, found.lease_until) == (due_at, due_at + 60 * SECOND)


async def test_what_has_expired_is_not_given(store, clock):
    await store.create([a_job(clock, expires_at=clock.now() + SECOND), a_job(clock, due_in=2 * SECOND)])
    await clock.advance(1)
    found = await pull(store, 9)
    assert (ids(found), found.next_at) == ([], clock.now() + SECOND)


async def test_who_has_a_job_has_it_alone_and_it_is_in_progress_until_its_lease_ends(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    attempt = await pulled(store)
    assert (attempt.task_id, attempt.number, attempt.node) == (task_id, 1, store.node_id)
    task = await store.get(task_id)
    assert (task.state, task.attempts, task.started_at) == (State.IN_PROGRESS, 1, clock.now())
    assert task.deadline == clock.now() + 60 * SECOND
    assert await store.claims() == [], "no node runs it"
    assert (await store.take_back()).todo == 0
    gate = await store.make_gate(REPORTS)
    assert (await store.gate(gate)).held == 0


@pytest.mark.parametrize("end", [success, failure])
async def test_its_end_is_told_as_that_of_any_attempt(store, clock, end):
    await jobs(store, clock, 1)
    attempt = await pulled(store)
    await store.settle(attempt, end(clock))
    task = await store.get(attempt.task_id)
    assert (task.state, task.deadline, task.node) == (end(clock).state, None, None)
    with pytest.raises(ClaimLostError):
        await store.settle(attempt, success(clock))
    assert ids(await pull(store)) == []


async def test_one_that_failed_waits_at_its_gate_for_the_next_attempt(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    await store.settle(await pulled(store), another_try(clock, in_seconds=5))
    gate = await store.make_gate(REPORTS)
    assert (await store.standing(task_id)).held_by == gate
    assert (await pull(store)).next_at == clock.now() + 5 * SECOND
    await clock.advance(5)
    assert (await pulled(store)).number == 2


async def test_one_that_is_given_back_counts_no_attempt_and_is_given_again(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    attempt = await pulled(store)
    await store.give_back(attempt)
    gate = await store.make_gate(REPORTS)
    standing = await store.standing(task_id)
    assert (standing.held_by, standing.task.attempts, standing.task.crashes) == (gate, 0, 0)
    with pytest.raises(ClaimLostError):
        await store.give_back(attempt)
    assert (await pulled(store)).number == 1


async def test_a_lease_that_ends_is_a_crash_and_the_third_in_a_row_ends_the_job(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    gate = await store.make_gate(REPORTS)
    for crashes in (1, 2):
        attempt = await pulled(store)
        await clock.advance(59.999_999)
        ended = await store.end_leases()
        assert (ended.taken.todo, ended.next_at) == (0, clock.now() + 1)
        await clock.advance(0.000_001)
        ended = await store.end_leases()
        assert (ended.taken.todo, ended.taken.failed, ended.next_at) == (1, 0, None)
        standing = await store.standing(task_id)
        assert (standing.task.state, standing.task.attempts, standing.task.crashes) == (State.TODO, 0, crashes)
        assert (standing.held_by, standing.task.node, standing.task.deadline) == (gate, None, None)
        with pytest.raises(ClaimLostError):
            await store.settle(attempt, success(clock))
    await pull(store)
    await clock.advance(60)
    ended = await store.end_leases()
    assert (ended.taken.todo, ended.taken.failed) == (0, 1)
    task = await store.get(task_id)
    assert (task.state, task.last_fault, task.ended_at) == (State.FAILED, CRASHED, clock.now())
    await store.retry(task_id)
    assert (await store.standing(task_id)).held_by == gate
    assert (await pulled(store)).task_id == task_id


async def test_an_end_that_is_told_resets_the_count_of_crashes(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    for _ in range(2):
        for _ in range(2):
            await pull(store)
            await clock.advance(60)
            assert (await store.end_leases()).taken.todo == 1
        await store.settle(await pulled(store), another_try(clock, in_seconds=0))
    assert (await store.get(task_id)).crashes == 0


async def test_a_heartbeat_moves_the_end_of_the_lease(store, clock):
    await jobs(store, clock, 1)
    attempt = await pulled(store)
    claim = Claim(attempt.task_id, attempt.fence)
    await clock.advance(30)
    beat = await store.beat(claim, progress=0.5, msg="half", deadline=MINUTE)
    assert beat.deadline == clock.now() + 60 * SECOND
    await clock.advance(59.999_999)
    assert (await store.end_leases()).taken.todo == 0
    await clock.advance(0.000_001)
    assert (await store.end_leases()).taken.todo == 1
    with pytest.raises(ClaimLostError):
        await store.beat(claim, progress=None, msg=None, deadline=MINUTE)


async def test_leases_end_in_batches_those_first_that_ended_first(store, clock):
    await jobs(store, clock, LEASE_LIMIT + 1)
    assert len((await pull(store, LEASE_LIMIT)).attempts) == LEASE_LIMIT
    await clock.advance(1)
    last = await pulled(store)
    await clock.advance(60)
    ended = await store.end_leases()
    assert (ended.taken.todo, ended.next_at) == (LEASE_LIMIT, clock.now())
    assert (await store.get(last.task_id)).state is State.IN_PROGRESS
    assert (await store.end_leases()).taken.todo == 1


async def test_what_is_cancelled_ends_at_once_and_who_has_it_learns_of_it(store, clock):
    await jobs(store, clock, 1)
    attempt = await pulled(store)
    cancelled = await store.cancel(attempt.task_id)
    assert (cancelled.state, cancelled.is_new) == (State.CANCELLED, True)
    with pytest.raises(ClaimLostError):
        await store.settle(attempt, success(clock))
    assert (await store.end_leases()).next_at is None
    await store.retry(attempt.task_id)
    assert (await pulled(store)).task_id == attempt.task_id


async def test_no_operation_and_no_delete_takes_a_job_from_who_has_it(store, clock):
    await jobs(store, clock, 1)
    attempt = await pulled(store)
    await clock.advance(1)
    done = await work(store, await begin(store, clock, Action.DELETE, filter={"type": ["job"]}))
    assert (done.changed, done.refused) == (0, 1)
    assert (await store.get(attempt.task_id)).state is State.IN_PROGRESS


async def test_a_paused_queue_gives_nothing_and_goes_on_when_it_is_resumed(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    gate = await store.make_gate(REPORTS)
    await store.pause(gate)
    assert ids(await pull(store)) == []
    await clock.advance(5)
    await store.resume(gate)
    await clock.advance(1)
    await pull(store)
    task = await store.get(task_id)
    assert (task.late_held, task.started_at - task.due_at) == (5 * SECOND, 6 * SECOND)


async def test_while_everything_is_paused_nothing_is_given(store, clock):
    (task_id,) = await jobs(store, clock, 1)
    await store.pause_all()
    found = await pull(store)
    assert (ids(found), found.next_at) == ([], None)
    await clock.advance(3)
    await store.resume_all()
    assert ids(await pull(store)) == [task_id]
    assert (await store.get(task_id)).late_held == 3 * SECOND


async def test_a_limit_holds_exactly_and_its_room_is_given_as_it_comes(store, clock):
    await jobs(store, clock, 5)
    gate = await store.make_gate(REPORTS)
    await store.limit(gate, Limits(max_running=2))
    (first, second) = (await pull(store, 9)).attempts
    assert ids(await pull(store, 9)) == []
    assert (await store.gate(gate)).running == 2
    await clock.advance(2)
    await store.settle(first, success(clock))
    third = await pulled(store, most=9)
    assert third.late_held == 2 * SECOND, "there was no room for it"
    await store.give_back(second)
    assert ids(await pull(store, 9)) == [second.task_id]
    await clock.advance(60)
    assert (await store.end_leases()).taken.todo == 2
    assert len((await pull(store, 9)).attempts) == 2
    await store.limit(gate, Limits(max_running=None))
    assert len((await pull(store, 9)).attempts) == 2


async def test_nobody_is_given_more_than_asked_for_whatever_the_limit_leaves_room_for(store, clock):
    await jobs(store, clock, 9)
    gate = await store.make_gate(REPORTS)
    await store.limit(gate, Limits(max_running=5))
    assert [len((await pull(store, most)).attempts) for most in (1, 2, 9)] == [1, 2, 2]


async def test_many_callers_at_once_never_go_beyond_a_limit(store, clock):
    await jobs(store, clock, 30)
    gate = await store.make_gate(REPORTS)
    await store.limit(gate, Limits(max_running=7))
    found = await asyncio.gather(*(pull(store, 3) for _ in range(10)))
    given = [task_id for each in found for task_id in ids(each)]
    assert len(given) == len(set(given)) == 7


async def test_a_rate_holds_and_the_next_moment_is_told(store, clock):
    await jobs(store, clock, 3)
    gate = await store.make_gate(REPORTS)
    await store.limit(gate, Limits(max_per_second=2.0))
    assert len((await pull(store, 9)).attempts) == 1
    found = await pull(store, 9)
    assert (ids(found), found.next_at) == ([], clock.now() + SECOND // 2)
    await clock.advance(0.499_999)
    assert ids(await pull(store, 9)) == []
    await clock.advance(0.000_001)
    second = await pulled(store, most=9)
    assert second.late_held == SECOND // 2


async def test_lateness_of_one_that_nobody_asked_for_is_no_gates_fault(store, clock):
    await store.claim_due({1: 1})  # a look
    (task_id,) = await jobs(store, clock, 1)
    await clock.advance(1)
    await pull(store)
    task = await store.get(task_id)
    assert (task.late_held, task.late_down) == (0, 0)


async def test_after_a_death_what_callers_have_is_theirs_still(store, clock, after_death):
    await jobs(store, clock, 2)
    attempt = await pulled(store, lease=timedelta(hours=1))
    store = await after_death(store)
    assert (await store.take_back()).todo == 0
    await store.settle(attempt, success(clock))
    assert (await store.get(attempt.task_id)).state is State.DONE
    second = await pulled(store)
    assert second.late_held == 0
    assert second.task_id != attempt.task_id
