"""What is kept of attempts, callbacks for their end, and failed tasks that run again."""

import msgspec
import pytest
from steps import REFUSED, SECOND, WEBHOOK, another_try, claimed, ending_of, failure, running, success

from databases import FOLLOW
from tasker.errors import ClaimLostError, TaskExpiredError, TaskNotFailedError, TaskNotFoundError
from tasker.ids import new_id
from tasker.interfaces.tasks import TaskFilter
from tasker.model.attempt import AttemptRecord, Exchange, Phases
from tasker.model.ending import Ending
from tasker.model.lifecycle import MAX_CRASHES, Move
from tasker.model.task import Fault, State, TaskId
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

ABSENT = TaskId("01a20f5f-cad1-7ddf-9a84-7874a503bf14")
EXCHANGE = Exchange(
    phases=Phases(dns=0.001, first_byte=0.25, total=0.5), status=503, headers={"retry-after": "7"}, body="“zu spät”\n"
)

CALLED_BACK = b'{"url":"http://a/","body":"x","on_success":{"url":"http://b:81/ok","headers":{"X-Key":"s"}}}'


def record(attempt, clock, *, fault=None, exchange=None):
    return AttemptRecord(
        number=attempt.number,
        node=attempt.node,
        due_at=attempt.due_at,
        started_at=clock.now(),
        ended_at=clock.now() + 1,
        fault=fault,
        exchange=exchange,
    )


async def test_what_is_kept_of_an_attempt_comes_back_as_it_was(store, clock):
    attempt = await running(store, clock)
    assert list(await store.attempts(attempt.task_id)) == []
    first = record(attempt, clock, fault=REFUSED, exchange=EXCHANGE)
    await store.settle(attempt, another_try(clock, in_seconds=1, record=first))
    await clock.advance(1)
    attempt = await claimed(store)
    second = record(attempt, clock)
    await store.settle(attempt, success(clock, record=second))
    assert list(await store.attempts(attempt.task_id)) == [first, second]
    assert {first.node, second.node} == {node.id for node in await store.nodes()}


async def test_the_newest_twenty_attempts_of_a_task_are_kept(store, clock):
    attempt = await running(store, clock)
    other = await running(store, clock)
    await store.settle(other, another_try(clock, in_seconds=10_000, record=record(other, clock)))
    for _ in range(25):
        await store.settle(attempt, another_try(clock, in_seconds=1, record=record(attempt, clock)))
        await clock.advance(1)
        attempt = await claimed(store)
    assert [kept.number for kept in await store.attempts(attempt.task_id)] == [*range(6, 26)]
    assert [kept.number for kept in await store.attempts(other.task_id)] == [1]


async def test_a_lost_claim_keeps_nothing_of_its_attempt_and_calls_nobody_back(store, clock):
    attempt = await running(store, clock, payload=CALLED_BACK)
    await store.give_back(attempt)
    with pytest.raises(ClaimLostError):
        await store.settle(attempt, success(clock, record=record(attempt, clock), ending=ending_of(attempt)))
    assert list(await store.attempts(attempt.task_id)) == []
    page = await store.list_page(TaskFilter(), after=None, limit=9)
    assert [task.id for task in page.tasks] == [attempt.task_id]


async def test_a_number_that_was_given_out_again_has_the_later_record(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, another_try(clock, in_seconds=0, record=record(attempt, clock, fault=REFUSED)))
    again = await claimed(store)
    await store.give_back(again)
    again = await claimed(store)
    kept = record(again, clock, exchange=EXCHANGE)
    await store.settle(again, success(clock, record=kept))
    assert [found.number for found in await store.attempts(attempt.task_id)] == [1, 2]
    assert (await store.attempts(attempt.task_id))[1] == kept


async def test_attempts_go_with_their_task(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, success(clock, record=record(attempt, clock)))
    await store.delete(attempt.task_id)
    for call in (store.attempts(attempt.task_id), store.attempts(ABSENT), store.standing(ABSENT)):
        with pytest.raises(TaskNotFoundError):
            await call
    other = await running(store, clock)
    assert list(await store.attempts(other.task_id)) == []


async def test_a_callback_is_stored_with_the_end_that_it_tells_of(store, clock):
    attempt = await running(store, clock, payload=CALLED_BACK)
    settled = await store.settle(attempt, success(clock, ending=ending_of(attempt, status=204, result=b'"r"')))
    assert settled.move is Move.COMPLETE
    (callback,) = settled.followed_by

    (todo,) = (await store.list_page(TaskFilter(state=State.TODO), after=None, limit=9)).tasks
    assert (todo.id, todo.type, todo.parent_id, todo.due_at) == (callback.id, "webhook", attempt.task_id, clock.now())
    told = msgspec.json.decode(todo.payload)
    assert told == {
        "url": "http://b:81/ok",
        "headers": {"X-Key": "s"},
        "json": {
            "id": attempt.task_id,
            "type": "webhook",
            "state": "done",
            "attempts": 1,
            "status": 204,
            "error": None,
            "result": "r",
        },
    }
    assert (await store.standing(todo.id)).gate.gate.name == "http://b:81"


async def test_the_callback_for_a_task_that_kills_its_node_is_stored_with_its_end(store, clock, after_death):
    task = a_task(due_at=clock.now(), payload=b'{"url":"http://a/","body":"x","on_failure":"http://b/"}')
    await store.create([task])
    for _ in range(MAX_CRASHES):
        await claimed(store)
        store = await after_death(store)
        await store.take_back()
    callback = await claimed(store)
    assert msgspec.json.decode(callback.payload)["json"]["error"]["code"] == "crashed_worker"


def test_a_task_that_asked_for_no_callback_at_that_end_has_none():
    for fields, fault in (
        (b'{"url":"http://a/","body":"\\"on_success\\":1"}', None),
        (b'{"url":"http://a/","json":{"on_success":"http://b/"}}', None),
        (b'{"url":"http://a/","body":"x","on_success":"http://b/"}', Fault("x", "y")),
        (b'{"url":"http://a/","body":"x","on_failure":"http://b/"}', None),
    ):
        state = State.DONE if fault is None else State.FAILED
        ending = Ending(task_id=ABSENT, type="webhook", state=state, attempts=1, payload=fields, fault=fault)
        assert list(FOLLOW(ending, now=5, new_id=new_id)) == []


async def test_a_failed_task_runs_again_now_and_its_retry_policy_counts_anew(store, clock):
    attempt = await running(store, clock)
    await store.settle(attempt, failure(clock, record=record(attempt, clock, fault=REFUSED)))
    await clock.advance(100)
    await store.retry(attempt.task_id)
    task = await store.get(attempt.task_id)
    assert (task.state, task.due_at, task.ended_at, task.attempts) == (State.TODO, clock.now(), None, 1)
    assert task.last_fault == REFUSED
    again = await claimed(store)
    assert (again.task_id, again.number, again.retried_after) == (attempt.task_id, 2, 1)
    assert (again.execution_at, len(await store.attempts(again.task_id))) == (attempt.execution_at, 1)


async def test_only_a_failed_task_can_be_run_again(store, clock):
    attempt = await running(store, clock)
    with pytest.raises(TaskNotFailedError, match="in_progress"):
        await store.retry(attempt.task_id)
    await store.settle(attempt, another_try(clock))
    with pytest.raises(TaskNotFailedError, match="todo"):
        await store.retry(attempt.task_id)
    with pytest.raises(TaskNotFoundError):
        await store.retry(ABSENT)


async def test_a_task_that_could_not_start_any_more_cannot_be_run_again(store, clock):
    attempt = await running(store, clock, expires_at=clock.now() + SECOND)
    await store.settle(attempt, failure(clock))
    await clock.advance(1)
    with pytest.raises(TaskExpiredError):
        await store.retry(attempt.task_id)
    assert (await store.get(attempt.task_id)).state is State.FAILED


async def test_what_runs_again_after_crashes_counts_them_anew(store, clock, after_death):
    task = a_task(due_at=clock.now())
    await store.create([task])
    for _ in range(MAX_CRASHES):
        await claimed(store)
        store = await after_death(store)
        await store.take_back()
    await store.retry(task.id)
    await claimed(store)
    store = await after_death(store)
    assert (await store.take_back()).todo == 1


async def test_a_claim_hands_out_what_settling_needs(store, clock):
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + SECOND)])
    attempt = await claimed(store)
    assert (attempt.execution_at, attempt.expires_at, attempt.retried_after) == (clock.now(), clock.now() + SECOND, 0)
    assert attempt.node == (await store.get(attempt.task_id)).node
    assert attempt.pool == WEBHOOK


def test_nothing_follows_a_task_whose_payload_can_no_longer_be_read():
    for payload in (b'{"on_success":', b'{"on_success":7}', b'["on_success"]', b'{"on_success":"\xff"}'):
        ending = Ending(task_id=ABSENT, type="webhook", state=State.DONE, attempts=1, payload=payload)
        assert list(FOLLOW(ending, now=5, new_id=new_id)) == []
