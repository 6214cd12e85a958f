"""Operations: each task is met at most once, by one node at a time, and counts are those of what was written."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import SECOND, accepted, another_try, begin, claimed, failure, step, success, work

from tasker.errors import OperationNotFoundError, TaskNotFoundError
from tasker.filters import query_of
from tasker.ids import new_id
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.operation import REFUSALS_KEPT, Action, Asked, Batch, Match, Operation, OperationState, verdict
from tasker.model.task import STATES, State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOUR = 3_600 * SECOND


async def some_of_each_state(store, clock):
    """Tasks in every state, all with a tag."""
    tasks = [replace(a_task(due_at=clock.now() + place), tags=("a",)) for place in range(12)]
    await store.create(tasks)
    await clock.advance(0.000_1)
    for end in (success, success, failure, failure, another_try, accepted, None):
        attempt = await claimed(store)
        if end is not None:
            await store.settle(attempt, end(clock))
    await store.cancel(tasks[10].id)
    states = [(await store.get(task.id)).state for task in tasks]
    assert set(states) == set(STATES)
    await clock.advance(1)
    return tasks


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.CHANGE}))
async def test_an_operation_changes_what_its_dry_run_says(store, clock, action):
    tasks = await some_of_each_state(store, clock)
    by = HOUR if action is Action.POSTPONE else None
    operation = await begin(store, clock, action, filter={"tag": ["a"]}, by=by)
    expected = operation
    for task in tasks:
        expected = expected.met(task.id, verdict(operation, await store.get(task.id), clock.now()))
    done = await work(store, operation)
    assert (done.matched, done.changed, done.refused) == (12, expected.changed, expected.refused)
    assert done.reasons == expected.reasons
    assert [refusal.code for refusal in done.refusals] == [refusal.code for refusal in expected.refusals]
    assert done.state is OperationState.DONE
    assert done.ended_at == clock.now()


async def test_an_operation_moves_what_passes_its_filter_and_nothing_else(store, clock):
    tasks = await some_of_each_state(store, clock)
    others = [replace(a_task(due_at=clock.now() - HOUR), tags=("b",)) for _ in range(2)]
    await store.create(others)
    for _ in range(2):
        await store.settle(await claimed(store), failure(clock))
    before = [await store.get(task.id) for task in others]
    failed = [task for task in tasks if (await store.get(task.id)).state is State.FAILED]
    done = await work(store, await begin(store, clock, Action.RETRY, filter={"tag": ["a"], "state": ["failed"]}))
    assert (done.matched, done.changed, done.refused) == (len(failed), len(failed), 0)
    retried = [await store.get(task.id) for task in failed]
    assert retried
    assert {(task.state, task.due_at) for task in retried} == {(State.TODO, clock.now())}
    assert [await store.get(task.id) for task in others] == before


async def test_all_tasks_can_be_deleted_but_those_that_run(store, clock):
    tasks = await some_of_each_state(store, clock)
    done = await work(store, await begin(store, clock, Action.DELETE))
    assert (done.matched, done.changed, done.reasons) == (12, 10, {"task_running": 2})
    for task in tasks:
        if task.id in {refusal.id for refusal in done.refusals}:
            assert (await store.get(task.id)).state is State.IN_PROGRESS
        else:
            with pytest.raises(TaskNotFoundError):
                await store.get(task.id)


async def test_what_is_stored_after_an_operation_is_not_met(store, clock):
    await store.create([a_task(due_at=clock.now() + HOUR) for _ in range(5)])
    await clock.advance(1)
    operation = await begin(store, clock, Action.CANCEL)
    await clock.advance(1)
    new = a_task(due_at=clock.now() + HOUR)
    await store.create([new])
    done = await work(store, operation)
    assert done.matched == 5
    assert (await store.get(new.id)).state is State.TODO


async def test_a_cancelled_task_is_followed_by_what_it_asked_for_and_that_is_not_met(store, clock):
    task = a_task(due_at=clock.now() + HOUR, payload=b'{"on_cancel":"http://localhost/"}')
    await store.create([task])
    await clock.advance(1)
    done = await work(store, await begin(store, clock, Action.CANCEL))
    assert done.matched == 1
    (callback,) = (await store.find(query_of({"parent": [task.id]}), after=None, limit=10)).tasks
    assert callback.state is State.TODO


async def test_a_task_is_postponed_from_its_due_time_or_from_now_if_that_has_passed(store, clock):
    now = clock.now()
    overdue, later = a_task(due_at=now - HOUR), a_task(due_at=now + HOUR)
    too_late = a_task(due_at=now + HOUR, expires_at=now + 2 * HOUR)
    await store.create([overdue, later, too_late])
    await clock.advance(1)
    now = clock.now()
    done = await work(store, await begin(store, clock, Action.POSTPONE, by=HOUR))
    assert (done.changed, done.reasons) == (2, {"task_expired": 1})
    for task, due_at in [(overdue, now + HOUR), (later, later.due_at + HOUR)]:
        stored = await store.get(task.id)
        assert (stored.due_at, stored.execution_at, stored.revision) == (due_at, due_at, 1)
        assert stored.execution_time.endswith("Z")
    assert (await store.get(too_late.id)).revision == 0


async def test_the_execution_time_of_one_that_waits_for_a_retry_stays_when_it_is_postponed(store, clock):
    task = a_task(due_at=clock.now())
    await store.create([task])
    await store.settle(await claimed(store), another_try(clock, in_seconds=60))
    await clock.advance(1)
    await work(store, await begin(store, clock, Action.POSTPONE, by=HOUR))
    stored = await store.get(task.id)
    assert (stored.due_at, stored.execution_at) == (task.due_at + 60 * SECOND + HOUR, task.due_at)


@pytest.mark.parametrize("action", [Action.RUN, Action.RETRY])
async def test_tasks_come_due_one_after_the_other_if_that_is_asked_for(store, clock, action):
    tasks = [a_task(due_at=clock.now() + HOUR) for _ in range(6)]
    await store.create(tasks)
    if action is Action.RETRY:
        for task in tasks:
            await store.cancel(task.id)
    await clock.advance(1)
    began_at = clock.now()
    operation = await begin(store, clock, action, per_second=4.0)
    await store.next_operation()
    operation = await step(store, operation)
    await clock.advance(1)
    operation = await step(store, operation)
    due = [(await store.get(task.id)).due_at - began_at for task in tasks]
    assert due == [0, SECOND // 4, SECOND // 2, SECOND, SECOND, SECOND + SECOND // 4]


async def test_named_tasks_are_met_in_their_order_and_one_that_is_not_there_is_refused(store, clock):
    task, gone = a_task(due_at=clock.now() + HOUR), a_task(due_at=clock.now())
    await store.create([task])
    operation = await begin(store, clock, Action.CANCEL, ids=[gone.id, task.id])
    await store.next_operation()
    batch = Batch([Match(gone.id, "1"), Match(task.id, "2")], None)
    worked = await store.operate(operation, batch, None)
    assert (worked.operation.matched, worked.operation.changed, worked.cancelled) == (2, 1, 1)
    assert worked.operation.reasons == {"task_not_found": 1}


async def test_an_operation_meets_what_was_stored_at_its_own_moment(store, clock):
    await store.create([a_task(due_at=clock.now() + HOUR) for _ in range(3)])
    done = await work(store, await begin(store, clock, Action.CANCEL))
    assert (done.matched, done.changed) == (3, 3)


async def test_the_first_refusals_are_kept_and_all_are_counted(store, clock):
    await store.create([a_task(due_at=clock.now() + HOUR) for _ in range(REFUSALS_KEPT + 7)])
    await clock.advance(1)
    done = await work(store, await begin(store, clock, Action.RETRY), at_once=50)
    assert (done.refused, done.reasons) == (REFUSALS_KEPT + 7, {"task_not_failed": REFUSALS_KEPT + 7})
    assert len(done.refusals) == REFUSALS_KEPT


async def test_a_task_that_does_not_pass_any_more_when_its_turn_comes_is_left_alone(store, clock):
    await store.create([a_task(due_at=clock.now()) for _ in range(2)])
    for _ in range(2):
        await store.settle(await claimed(store), failure(clock))
    await clock.advance(1)
    operation = await begin(store, clock, Action.DELETE, filter={"state": ["failed"]})
    await store.next_operation()
    query = query_of(operation.asked.filter, "created").stored_until(operation.created_at)
    batch = await store.matches(query, after=None, limit=10)
    await store.retry(batch.matches[0].id)
    worked = await store.operate(operation, batch, query)
    assert (worked.operation.matched, worked.operation.changed) == (1, 1)
    assert (await store.get(batch.matches[0].id)).state is State.TODO


async def test_a_batch_is_written_once_whoever_repeats_it(store, clock):
    tasks = [a_task(due_at=clock.now() + HOUR) for _ in range(5)]
    await store.create(tasks)
    await clock.advance(1)
    operation = await begin(store, clock, Action.POSTPONE, by=HOUR)
    await store.next_operation()
    first = await step(store, operation)
    assert await step(store, operation) is None, "it has gone on since"
    await work(store, first)
    assert {(await store.get(task.id)).due_at for task in tasks} == {tasks[0].due_at + HOUR}


async def test_a_cancelled_operation_goes_no_further_and_keeps_what_it_has_done(store, clock):
    await store.create([a_task(due_at=clock.now() + HOUR) for _ in range(5)])
    await clock.advance(1)
    operation = await begin(store, clock, Action.CANCEL)
    await store.next_operation()
    operation = await step(store, operation)
    cancelled = await store.cancel_operation(operation.id)
    assert cancelled == replace(operation, state=OperationState.CANCELLED, ended_at=clock.now())
    assert await step(store, operation) is None
    assert await store.next_operation() is None
    await clock.advance(1)
    assert await store.cancel_operation(operation.id) == cancelled
    assert (await store.count(up_to=10))[State.CANCELLED] == 3


async def test_a_dry_run_is_recorded_as_far_as_it_has_come(store, clock):
    operation = await begin(store, clock, Action.DELETE, is_dry_run=True)
    await store.next_operation()
    looked = replace(operation, cursor="17.1", matched=2, changed=1, refused=1, reasons={"task_running": 1})
    assert await store.record(looked, seen=None)
    assert await store.operation(operation.id) == looked
    assert not await store.record(looked, seen=None)
    assert await store.record(replace(looked, state=OperationState.DONE, cursor=None), seen="17.1")
    assert (await store.operation(operation.id)).ended_at == clock.now()


async def test_operations_are_listed_latest_first(store, clock):
    begun = []
    for _ in range(5):
        await clock.advance(1)
        begun.append((await begin(store, clock, Action.RUN)).id)
    assert [operation.id for operation in await store.operations(before=None, limit=3)] == begun[:1:-1]
    assert [operation.id for operation in await store.operations(before=begun[2], limit=3)] == begun[1::-1]


async def test_an_operation_that_is_not_there_is_not_found(store):
    for ask in (store.operation, store.cancel_operation):
        with pytest.raises(OperationNotFoundError):
            await ask(new_id(1))


async def test_operations_that_ended_long_ago_are_deleted(store, clock):
    ended, running = await begin(store, clock, Action.RUN), await begin(store, clock, Action.CANCEL)
    await store.cancel_operation(ended.id)
    await clock.advance(10)
    assert await store.prune_operations(older_than=timedelta(seconds=10)) == 0
    await clock.advance(0.000_001)
    assert await store.prune_operations(older_than=timedelta(seconds=10)) == 1
    assert [operation.id for operation in await store.operations(before=None, limit=3)] == [running.id]


async def test_a_request_that_is_sent_again_begins_one_operation(store, clock):
    repeatable = Repeatable(id=b"1" * 32, fingerprint=b"2" * 32, answer=lambda made: made.id.encode(), retention=HOUR)
    asked = Asked(filter={"tag": ["a"]})
    made = [
        await store.create_operation(Operation(id=new_id(clock.now()), action=Action.RUN, asked=asked), repeatable)
        for _ in range(2)
    ]
    assert isinstance(made[0], Operation)
    assert made[1] == KeptAnswer(b"2" * 32, made[0].id.encode())
    assert len(await store.operations(before=None, limit=9)) == 1


async def test_the_next_node_goes_on_where_one_died(store, clock, after_death):
    tasks = [a_task(due_at=clock.now() + HOUR) for _ in range(10)]
    await store.create(tasks)
    await clock.advance(1)
    operation = await begin(store, clock, Action.POSTPONE, by=HOUR)
    await store.next_operation()
    stands = await step(store, operation)
    other = await after_death(store)
    assert await other.next_operation() == stands
    done = await work(other, stands)
    assert (done.matched, done.changed) == (10, 10)
    assert {(await other.get(task.id)).due_at for task in tasks} == {tasks[0].due_at + HOUR}, "each was met once"
