"""Cancelling tasks: what never runs, what ends with its attempt, and what follows."""

import json

import pytest
from msgspec.structs import replace
from steps import WEBHOOK, another_try, claimed, ending_of, failure, got, listed, running, success

from tasker.errors import TaskEndedError
from tasker.interfaces.tasks import TaskFilter
from tasker.model.lifecycle import Move
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

TOLD = b'{"url":"http://h/","body":"x","on_cancel":"http://h/c","on_failure":"http://h/f","on_success":"http://h/s"}'
"""A webhook that has each of its ends told."""


async def cancelled(store):
    return [task.id for task in await listed(store, TaskFilter(state=State.CANCELLED))]


async def told(store, attempt_or_task_id):
    """What is told of a task's end, by the state that it is told to have."""
    children = [task for task in await listed(store) if task.parent_id == attempt_or_task_id]
    assert all(task.state is State.TODO for task in children)
    return [json.loads(task.payload)["json"]["state"] for task in children]


async def test_what_is_cancelled_while_it_waits_never_runs_and_is_kept_and_told(store, clock):
    task = a_task(due_at=clock.now() + 5, payload=TOLD)
    await store.create([task])

    result = await store.cancel(task.id)

    assert (result.state, result.is_new) == (State.CANCELLED, True)
    assert [each.parent_id for each in result.followed_by] == [task.id]
    assert await told(store, task.id) == ["cancelled"]
    assert (await got(store, task.id)).ended_at == clock.now()
    assert await cancelled(store) == [task.id]
    await clock.advance(1)
    assert [each.task_id for each in (await store.claim_due({WEBHOOK: 9})).attempts] == [result.followed_by[0].id]

    again = await store.cancel(task.id)
    assert (again.state, again.is_new, list(again.followed_by)) == (State.CANCELLED, False, [])


@pytest.mark.parametrize("ends", [another_try, failure])
async def test_what_is_cancelled_while_it_runs_ends_with_its_attempt_and_tells_of_that_alone(store, clock, ends):
    attempt = await running(store, clock, payload=TOLD)
    assert (await store.cancel(attempt.task_id)).state is State.IN_PROGRESS
    assert (await store.cancel(attempt.task_id)).state is State.IN_PROGRESS
    assert (await got(store, attempt.task_id)).is_cancelled
    settlement = ends(clock)

    settled = await store.settle(attempt, replace(settlement, ending=ending_of(attempt, settlement.fault)))

    assert settled.move is Move.STOP
    task = await got(store, attempt.task_id)
    assert (task.state, task.ended_at, task.due_at) == (State.CANCELLED, clock.now(), attempt.due_at)
    assert not task.is_cancelled
    assert await told(store, attempt.task_id) == ["cancelled"]


async def test_what_is_cancelled_while_it_runs_is_done_if_it_succeeds(store, clock):
    attempt = await running(store, clock, payload=TOLD)
    await store.cancel(attempt.task_id)

    settled = await store.settle(attempt, success(clock, ending=ending_of(attempt)))

    assert settled.move is Move.COMPLETE
    assert await told(store, attempt.task_id) == ["done"]
    with pytest.raises(TaskEndedError):
        await store.cancel(attempt.task_id)


async def test_what_may_be_cancelled_and_is_not_tells_nothing_when_it_goes_on(store, clock):
    attempt = await running(store, clock, payload=TOLD)
    ending = replace(ending_of(attempt), state=State.TODO)

    settled = await store.settle(attempt, another_try(clock, ending=ending))

    assert (settled.move, list(settled.followed_by)) == (Move.BACK_OFF, [])


async def test_what_is_cancelled_and_given_back_ends_and_is_told(store, clock):
    attempt = await running(store, clock, payload=TOLD)
    await store.cancel(attempt.task_id)

    given = await store.give_back(attempt)

    assert given.move is Move.STOP
    assert [each.parent_id for each in given.followed_by] == [attempt.task_id]
    task = await got(store, attempt.task_id)
    assert (task.state, task.attempts, task.ended_at) == (State.CANCELLED, 0, clock.now())
    assert await told(store, attempt.task_id) == ["cancelled"]


async def test_what_was_cancelled_runs_again_when_it_is_told_to(store, clock):
    attempt = await running(store, clock)
    await store.cancel(attempt.task_id)
    await store.settle(attempt, failure(clock))

    await store.retry(attempt.task_id)
    again = await claimed(store)
    assert (await store.settle(again, another_try(clock))).move is Move.BACK_OFF, "that is forgotten"

    await store.cancel(attempt.task_id)
    await store.delete(attempt.task_id)
    assert not await listed(store)
