"""What a store says of what it does by itself, so that readers of events can be told."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, claimed, failure, running, success

from tasker.model.circuit import THRESHOLD, CircuitState
from tasker.model.lifecycle import MAX_CRASHES
from tasker.model.operation import Action, Asked, Batch, Match, Operation
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://a.example:80"
CALLED_BACK = b'{"url":"http://a.example/","body":"x","on_failure":"http://b.example/failed"}'


@pytest.fixture
def reported():
    return []


def said(report):
    return set(report.ended), set(report.taken_back), [task.parent_id for task in report.followed_by], report.pruned


async def test_what_has_expired_and_what_follows_it(store, clock, reported):
    store.report_to(reported.append)
    task = a_task(due_at=clock.now(), expires_at=clock.now() + SECOND, payload=CALLED_BACK)
    await store.create([task])
    await clock.advance(1)
    await store.expire()
    assert [said(each) for each in reported if each.ended] == [({task.id}, set(), [task.id], 0)]
    (callback,) = next(each for each in reported if each.ended).followed_by
    assert (await store.get(callback.id)).state is State.TODO


async def test_what_a_circuit_has_kept_for_too_long(store, clock, reported):
    await store.create([a_task(due_at=clock.now(), host=HOST) for _ in range(THRESHOLD)])
    turned = [
        (await store.settle(attempt, failure(clock, is_alive=False))).circuit
        for attempt in (await store.claim_due({WEBHOOK: 20})).attempts
    ]
    assert turned == [None] * (THRESHOLD - 1) + [CircuitState.OPEN]
    task = a_task(due_at=clock.now(), host=HOST)
    await store.create([task])
    assert not (await store.claim_due({WEBHOOK: 9})).attempts
    store.report_to(reported.append)
    await clock.advance(3600)
    assert await store.give_up(timedelta(hours=1)) == 1
    assert [said(each) for each in reported if each.ended] == [({task.id}, set(), [], 0)]


async def test_a_circuit_that_closes(store, clock):
    await store.create([a_task(due_at=clock.now(), host=HOST) for _ in range(THRESHOLD + 1)])
    first, *others = (await store.claim_due({WEBHOOK: 40})).attempts
    for attempt in others:
        await store.settle(attempt, failure(clock, is_alive=False))
    settled = await store.settle(first, replace(success(clock), is_alive=True))
    assert settled.circuit is CircuitState.CLOSED


async def test_what_a_dead_node_left_running(store, clock, after_death, reported):
    attempt = await running(store, clock)
    for crashes in range(1, MAX_CRASHES + 1):
        store = await after_death(store)
        store.report_to(reported.append)
        await store.take_back()
        is_last = crashes == MAX_CRASHES
        ended, back = ({attempt.task_id}, set()) if is_last else (set(), {attempt.task_id})
        assert said(reported[-1]) == (ended, back, [], 0)
        if not is_last:
            await claimed(store)


async def test_how_many_were_pruned(store, clock, reported):
    attempt = await running(store, clock)
    await store.settle(attempt, success(clock))
    await clock.advance(10)
    store.report_to(reported.append)
    await store.prune(State.DONE, older_than=timedelta(seconds=1))
    assert [said(each) for each in reported if each.pruned] == [(set(), set(), [], 1)]


async def test_nobody_is_told_any_more(store, clock, reported):
    store.report_to(reported.append)
    store.report_to(None)
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + SECOND)])
    await clock.advance(1)
    assert (await store.expire()).count == 1
    assert reported == []


async def test_an_operation_says_which_tasks_it_has_changed(store, clock):
    tasks = [a_task(due_at=clock.now() + SECOND) for _ in range(3)]
    await store.create(tasks)
    await store.cancel(tasks[1].id)
    await clock.advance(0.1)
    ids = tuple(task.id for task in tasks)
    operation = Operation(id=a_task(due_at=0).id, action=Action.RUN, asked=Asked(ids=ids))
    await store.create_operation(operation)
    operation = await store.next_operation()
    batch = Batch([Match(id_, str(place + 1)) for place, id_ in enumerate(ids)], None)
    worked = await store.operate(operation, batch, None)
    assert list(worked.ids) == [ids[0], ids[2]]
    assert worked.operation == replace(worked.operation, matched=3, changed=2, refused=1)
