"""The SQLite store: its promises one by one, on a file and in memory."""

import uuid

import pytest

from tasker.errors import (
    ClaimLostError,
    DatabaseInUseError,
    NotADatabaseError,
    TaskExistsError,
    TaskNotFoundError,
    TaskRunningError,
)
from tasker.interfaces import TaskFilter
from tasker.model import lifecycle
from tasker.model.attempt import Failed, Succeeded
from tasker.model.retry import RetryPolicy
from tasker.model.task import Pool, State, Task, TaskFault, TaskId
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock

WEBHOOK, HASH = Pool(1), Pool(2)

pytestmark = pytest.mark.anyio


def a_task(due_at, *, type_="webhook", pool=WEBHOOK):
    return Task(
        id=TaskId(str(uuid.uuid4())),
        type=type_,
        pool=pool,
        fields=b'{"url":"u"}',
        execution_time="t",
        execution_at=due_at,
        due_at=due_at,
    )


def settlement(clock, outcome=None, retry=None):
    now = clock.now()
    return lifecycle.settle(outcome or Succeeded(), attempt=1, retry=retry or RetryPolicy(), started_at=now, now=now, rand=0.5)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture(params=["file", "memory"])
async def store(request, clock, tmp_path):
    store = SqliteStore(str(tmp_path / "tasks.db") if request.param == "file" else ":memory:", clock=clock)
    await store.open()
    yield store
    await store.close()


async def test_a_task_is_claimed_at_its_due_time_and_not_a_microsecond_before(store, clock):
    task = a_task(clock.now() + 1)
    await store.create([task])

    early = await store.claim_due({WEBHOOK: 10})
    assert (early.attempts, early.next_due) == ((), task.due_at)

    await clock.advance(0.000001)
    claimed = await store.claim_due({WEBHOOK: 10})
    assert [attempt.task_id for attempt in claimed.attempts] == [task.id]
    assert claimed.next_due is None
    assert (await store.get(task.id)).state is State.IN_PROGRESS


async def test_claims_come_earliest_first_and_in_order_of_arrival(store, clock):
    now = clock.now()
    tasks = [a_task(now - 1), a_task(now - 2), a_task(now - 1), a_task(now - 2)]
    await store.create(tasks)

    claimed = await store.claim_due({WEBHOOK: 3})

    assert [attempt.task_id for attempt in claimed.attempts] == [tasks[1].id, tasks[3].id, tasks[0].id]
    assert claimed.next_due is None, "a pool without room is left out"


async def test_pools_have_room_of_their_own(store, clock):
    now = clock.now()
    await store.create([a_task(now), a_task(now), a_task(now, type_="hash", pool=HASH)])

    claimed = await store.claim_due({WEBHOOK: 1, HASH: 0})

    assert [attempt.pool for attempt in claimed.attempts] == [WEBHOOK]


async def test_creating_is_all_or_nothing(store, clock):
    stored, fresh = a_task(clock.now()), a_task(clock.now())
    await store.create([stored])
    with pytest.raises(TaskExistsError, match=stored.id):
        await store.create([fresh, stored])
    with pytest.raises(TaskNotFoundError):
        await store.get(fresh.id)


async def test_only_the_holder_of_the_claim_can_settle_and_only_once(store, clock):
    await store.create([a_task(clock.now())])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    await store.settle(
        attempt, settlement(clock, Failed(TaskFault("status_500", "no")), RetryPolicy(initial_delay=RetryPolicy().max_delay))
    )
    waiting = await store.get(attempt.task_id)
    assert (waiting.state, waiting.attempts, waiting.last_error) == (State.TODO, 1, TaskFault("status_500", "no"))

    for late in (store.settle(attempt, settlement(clock)), store.give_back(attempt)):
        with pytest.raises(ClaimLostError):
            await late
    assert await store.get(attempt.task_id) == waiting


async def test_a_task_given_back_is_as_if_it_had_not_been_claimed(store, clock):
    task = a_task(clock.now())
    await store.create([task])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    await store.give_back(attempt)
    again = await store.get(task.id)
    assert (again.state, again.attempts, again.due_at) == (State.TODO, 0, task.due_at)


async def test_a_running_task_cannot_be_deleted_and_a_deleted_one_never_starts(store, clock):
    running, waiting = a_task(clock.now() - 1), a_task(clock.now())
    await store.create([running, waiting])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    assert attempt.task_id == running.id

    with pytest.raises(TaskRunningError):
        await store.delete(running.id)
    await store.delete(waiting.id)
    with pytest.raises(TaskNotFoundError):
        await store.delete(waiting.id)
    assert (await store.claim_due({WEBHOOK: 1})).attempts == ()


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_lists_are_exact_across_pages_states_and_types(store, clock, limit):
    now = clock.now()
    tasks = [
        a_task(now - n % 3, type_=type_, pool=pool) for n in range(30) for type_, pool in (("webhook", WEBHOOK), ("hash", HASH))
    ]
    await store.create(tasks)
    for attempt in (await store.claim_due({WEBHOOK: 8, HASH: 8})).attempts[::2]:
        await store.settle(attempt, settlement(clock, Failed(TaskFault("x", "y"))))

    for which in (TaskFilter(type="hash"), TaskFilter(state=State.TODO), TaskFilter(state=State.IN_PROGRESS), TaskFilter()):
        listed, after = [], None
        while True:
            page = await store.list_page(which, after=after, limit=limit)
            listed += [task.id for task in page.tasks]
            if (after := page.next) is None:
                break
        stored = [await store.get(task.id) for task in tasks]
        expected = [task for task in stored if which.type in (None, task.type) and which.state in (None, task.state)]
        assert listed == [task.id for task in sorted(expected, key=lambda task: task.execution_at)]


async def test_counting_stops_where_it_is_told_to(store, clock):
    await store.create([a_task(clock.now()) for _ in range(5)])
    await store.claim_due({WEBHOOK: 2})
    assert await store.count(up_to=2) == {State.TODO: 2, State.IN_PROGRESS: 2, State.DONE: 0, State.FAILED: 0}
    assert (await store.count(up_to=100))[State.TODO] == 3


async def test_what_another_boot_left_running_goes_back_and_ends_after_three_crashes(clock, tmp_path):
    path = str(tmp_path / "tasks.db")
    task = a_task(clock.now())
    for boot in range(4):
        store = SqliteStore(path, clock=clock)
        await store.open()
        if boot == 0:
            await store.create([task])
        taken = await store.take_back()
        assert (taken.todo, taken.failed) == ((0, 0), (1, 0), (1, 0), (0, 1))[boot]
        if boot < 3:
            assert len((await store.claim_due({WEBHOOK: 1})).attempts) == 1
            assert (await store.take_back()).todo == 0, "what this boot runs is left alone"
        else:
            ended = await store.get(task.id)
            assert (ended.state, ended.last_error.code, ended.attempts) == (State.FAILED, "crashed_worker", 0)
        await store.close()


async def test_a_file_is_held_by_one_store_and_is_for_its_owner_alone(clock, tmp_path):
    path = tmp_path / "tasks.db"
    link = tmp_path / "link.db"
    store = SqliteStore(str(path), clock=clock)
    await store.open()
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(DatabaseInUseError, match="another tasker"):
            await SqliteStore(str(name), clock=clock).open()
    assert path.stat().st_mode & 0o777 == 0o600
    await store.close()
    await store.open()
    await store.close()


async def test_a_file_that_is_no_database_is_left_alone(clock, tmp_path):
    path = tmp_path / "tasks.db"
    path.write_text("something else " * 1000)
    with pytest.raises(NotADatabaseError):
        await SqliteStore(str(path), clock=clock).open()
    assert path.read_text() == "something else " * 1000
