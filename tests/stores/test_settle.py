"""Settling an attempt, and giving one back."""

import asyncio

import msgspec
import pytest
from steps import REFUSED, SECOND, WEBHOOK, another_try, claimed, failure, got, listed, next_due, running, success

from tasker.errors import ClaimLostError
from tasker.interfaces.tasks import TaskFilter
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import Fault, State, TaskId
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_a_success_ends_a_task_done(store, clock):
    attempt = await running(store, clock)
    began = clock.now()
    await clock.advance(2.5)
    await store.settle(attempt, Settlement(move=Move.COMPLETE, started_at=began + 3, ended_at=clock.now()))

    task = await store.get(attempt.task_id)
    assert (task.state, task.attempts, task.last_fault, task.result) == (State.DONE, 1, None, None)
    assert (task.due_at, task.started_at, task.ended_at) == (attempt.due_at, began + 3, clock.now())
    assert await next_due(store, WEBHOOK) is None


async def test_a_permanent_failure_ends_a_task_failed_and_says_why(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, failure(clock))

    task = await store.get(attempt.task_id)
    assert (task.state, task.attempts, task.last_fault) == (State.FAILED, 1, REFUSED)
    assert (task.due_at, task.ended_at) == (attempt.due_at, clock.now())
    assert await next_due(store, WEBHOOK) is None


async def test_a_failure_with_another_try_waits_until_it_is_due(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, another_try(clock, in_seconds=60))

    task = await store.get(attempt.task_id)
    assert (task.state, task.attempts, task.last_fault) == (State.TODO, 1, REFUSED)
    assert (task.due_at, task.ended_at) == (clock.now() + 60 * SECOND, None)
    assert task.execution_at == attempt.due_at, "what was asked for stays"

    await clock.advance(59.999999)
    assert await next_due(store, WEBHOOK) == task.due_at
    await clock.advance(0.000001)
    again = await claimed(store)
    assert (again.task_id, again.number, again.due_at) == (task.id, 2, task.due_at)


async def test_a_task_that_waits_again_takes_its_place_by_its_new_due_time(store, clock):
    attempt = await running(store, clock)
    other = a_task(due_at=clock.now() + 2 * SECOND)
    await store.create([other])
    await store.settle(attempt, another_try(clock, in_seconds=3))

    await clock.advance(5)
    claimed = await store.claim_due({WEBHOOK: 2})
    assert [each.task_id for each in claimed.attempts] == [other.id, attempt.task_id]


@pytest.mark.parametrize(
    "result",
    [b'"$pbkdf2-sha256$i=1$a$b"', b"null", '{"a":["\\u0000","\U0001f600"]}'.encode(), b'"' + b"x" * (1 << 20) + b'"'],
)
async def test_a_result_is_kept_and_shown_byte_for_byte(store, clock, result):
    attempt = await running(store, clock)
    await store.settle(attempt, success(clock, result))
    assert (await store.get(attempt.task_id)).result == result
    assert [task.result for task in await listed(store, TaskFilter(state=State.DONE))] == [result]


async def test_the_latest_error_is_shown_and_a_success_keeps_it(store, clock):
    await store.create([a_task(due_at=clock.now())])
    for fault in (REFUSED, Fault("status_500", "\U0001f600 'quoted' \"twice\"\n\x00")):
        attempt = await claimed(store)
        await store.settle(attempt, another_try(clock, in_seconds=1, fault=fault))
        assert (await store.get(attempt.task_id)).last_fault == fault
        await clock.advance(1)
    await store.settle(await claimed(store), success(clock))

    task = await store.get(attempt.task_id)
    assert (task.state, task.attempts, task.last_fault) == (State.DONE, 3, fault)


async def test_a_claim_settles_once(store, clock):
    settlements = (success(clock, b"1"), another_try(clock, in_seconds=1), failure(clock))
    attempts = [await running(store, clock) for _ in settlements]
    for attempt, settlement in zip(attempts, settlements, strict=True):
        await store.settle(attempt, settlement)
        settled = await store.get(attempt.task_id)
        for late in settlements:
            with pytest.raises(ClaimLostError):
                await store.settle(attempt, late)
        with pytest.raises(ClaimLostError):
            await store.give_back(attempt)
        assert await store.get(attempt.task_id) == settled


async def test_an_earlier_claim_does_not_settle_a_later_one(store, clock):
    first = await running(store, clock)
    await store.give_back(first)
    second = await claimed(store)
    assert second.number == first.number, "the number does not tell them apart"
    running_again = await store.get(first.task_id)

    for late in (
        store.settle(first, success(clock, b'"late"')),
        store.settle(first, failure(clock)),
        store.give_back(first),
    ):
        with pytest.raises(ClaimLostError):
            await late

    assert await store.get(first.task_id) == running_again
    await store.settle(second, success(clock, b'"timely"'))
    assert (await store.get(first.task_id)).result == b'"timely"'


async def test_a_claim_on_another_task_settles_nothing(store, clock):
    attempt = await running(store, clock)
    waiting = a_task(due_at=clock.now() + SECOND)
    await store.create([waiting])
    for task_id in (waiting.id, TaskId("6ba7b810-9dad-11d1-80b4-00c04fd430c8")):
        with pytest.raises(ClaimLostError) as lost:
            await store.settle(msgspec.structs.replace(attempt, task_id=task_id), success(clock))
        assert lost.value.task_id == task_id
    assert await got(store, waiting.id) == waiting


@pytest.mark.parametrize("count", [3, 70])
async def test_of_many_ends_at_once_each_is_written_as_it_is_alone(store, clock, count):
    await store.create([a_task(due_at=clock.now()) for _ in range(count)])
    attempts = (await store.claim_due({WEBHOOK: count})).attempts
    done, waiting, cancelled, *others = attempts
    await store.cancel(cancelled.task_id)
    stale = msgspec.structs.replace(cancelled, fence=cancelled.fence - 1)
    await clock.advance(1)

    first, lost, second, again, third, *rest = await asyncio.gather(
        store.settle(done, success(clock)),
        store.settle(stale, success(clock)),
        store.settle(waiting, another_try(clock, in_seconds=60)),
        store.settle(done, failure(clock)),
        store.settle(cancelled, another_try(clock, in_seconds=60)),
        *(store.settle(each, failure(clock)) for each in others),
        return_exceptions=True,
    )

    assert [each.move for each in (first, second, third)] == [Move.COMPLETE, Move.BACK_OFF, Move.STOP]
    assert [type(each) for each in (lost, again)] == [ClaimLostError] * 2
    assert {each.move for each in rest} <= {Move.FAIL}
    tasks = [await store.get(attempt.task_id) for attempt in attempts]
    states = [State.DONE, State.TODO, State.CANCELLED, *([State.FAILED] * (count - 3))]
    assert [task.state for task in tasks] == states
    assert [task.due_at for task in tasks[:3]] == [done.due_at, clock.now() + 60 * SECOND, cancelled.due_at]
    assert [task.ended_at for task in tasks[:3]] == [clock.now(), None, clock.now()]


async def test_attempts_of_one_claim_are_settled_one_by_one(store, clock):
    await store.create([a_task(due_at=clock.now()) for _ in range(3)])
    first, second, third = (await store.claim_due({WEBHOOK: 3})).attempts
    await store.settle(second, success(clock))
    await store.give_back(third)
    states = [(await store.get(attempt.task_id)).state for attempt in (first, second, third)]
    assert states == [State.IN_PROGRESS, State.DONE, State.TODO]


async def test_a_task_given_back_is_as_if_it_had_not_been_claimed(store, clock):
    task = a_task(due_at=clock.now())
    await store.create([task])
    attempt = await claimed(store)
    began = clock.now()
    await clock.advance(5)
    await store.give_back(attempt)

    assert await got(store, task.id) == msgspec.structs.replace(task, started_at=began)
    again = await claimed(store)
    assert (again.number, again.due_at) == (1, task.due_at)


async def test_a_later_attempt_given_back_keeps_what_the_earlier_ones_left(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, another_try(clock, in_seconds=1))
    waiting = await store.get(attempt.task_id)
    await clock.advance(1)
    await store.give_back(await claimed(store))
    assert await got(store, attempt.task_id) == msgspec.structs.replace(
        waiting, started_at=clock.now(), created_at=0, revision=0
    )


async def test_a_settlement_outlives_its_node(store, clock, after_death):
    attempts = [await running(store, clock) for _ in range(4)]
    await store.settle(attempts[0], success(clock, b'"r"'))
    await store.settle(attempts[1], failure(clock))
    await store.settle(attempts[2], another_try(clock, in_seconds=10**6))
    await store.give_back(attempts[3])
    settled = [await store.get(attempt.task_id) for attempt in attempts]
    store = await after_death(store)
    await store.take_back()
    assert [await store.get(attempt.task_id) for attempt in attempts] == settled
