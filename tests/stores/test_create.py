"""Creating tasks and getting them."""

import msgspec
import pytest
from steps import WEBHOOK, a_hash, claimed, got, listed, success

from tasker.errors import TaskExistsError, TaskNotFoundError
from tasker.interfaces.tasks import TaskFilter
from tasker.model import instants
from tasker.model.task import State, TaskId
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_what_was_created_is_given_back_as_it_was(store, clock):
    tasks = [a_task(due_at=clock.now()), a_hash(due_at=clock.now() + 1)]
    await store.create(tasks)
    assert [await got(store, task.id) for task in tasks] == tasks


async def test_creating_nothing_changes_nothing(store):
    await store.create([])
    assert await listed(store) == []


@pytest.mark.parametrize("count", [2, 63, 64, 65, 1000])
async def test_many_at_once_are_all_stored_in_their_order(store, clock, count):
    tasks = [a_task(due_at=clock.now()) for _ in range(count)]
    await store.create(tasks)
    assert await listed(store) == tasks


@pytest.mark.parametrize("place", [0, 1, 99])
async def test_creating_is_all_or_nothing(store, clock, place):
    stored = a_task(due_at=clock.now())
    await store.create([stored])
    fresh = [a_task(due_at=clock.now()) for _ in range(99)]

    with pytest.raises(TaskExistsError) as refusal:
        await store.create([*fresh[:place], stored, *fresh[place:]])

    assert refusal.value.task_id == stored.id
    assert await listed(store) == [stored]


async def test_the_same_id_twice_in_one_call_is_refused_and_names_it(store, clock):
    first, twice, last = (a_task(due_at=clock.now()) for _ in range(3))
    tasks = [first, twice, last, twice]

    with pytest.raises(TaskExistsError) as refusal:
        await store.create(tasks)

    assert refusal.value.task_id == twice.id
    assert await listed(store) == []
    await store.create(tasks[:3])
    assert await listed(store) == tasks[:3], "the ids were not used up"


async def test_a_refused_task_of_a_new_type_leaves_no_trace(store, clock):
    stored = a_task(due_at=clock.now())
    await store.create([stored])
    new_type = a_task(due_at=clock.now(), type_="mail", pool=100)

    with pytest.raises(TaskExistsError):
        await store.create([new_type, stored])
    await store.create([new_type])

    assert await listed(store, TaskFilter(type="mail")) == [new_type]


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.DONE])
async def test_an_id_is_taken_whatever_became_of_the_task(store, clock, state):
    task = a_task(due_at=clock.now())
    await store.create([task])
    attempt = await claimed(store)
    if state is State.DONE:
        await store.settle(attempt, success(clock))
    stored = await got(store, task.id)

    with pytest.raises(TaskExistsError):
        await store.create([task])
    assert await got(store, task.id) == stored


async def test_the_id_of_a_deleted_task_can_be_used_again(store, clock):
    task = a_task(due_at=clock.now())
    await store.create([task])
    await store.delete(task.id)
    await store.create([task])
    assert await listed(store) == [task]


@pytest.mark.parametrize(
    "id_",
    [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "b039793b-009a-4ba1-96b9-57074dfdb31a",
    ],
)
async def test_any_uuid_is_an_id(store, clock, id_):
    task = msgspec.structs.replace(a_task(due_at=clock.now()), id=TaskId(id_))
    await store.create([task])
    assert await got(store, task.id) == task
    assert (await claimed(store)).task_id == task.id


async def test_a_task_that_is_not_there_is_not_found(store):
    with pytest.raises(TaskNotFoundError) as refusal:
        await store.get(TaskId("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
    assert refusal.value.task_id == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@pytest.mark.parametrize(
    "fields",
    [
        b'{"secret":"a\\u0000b\\u0000"}',
        '{"secret":"\U0001f600 \U0010ffff \ud7ff \ue000"}'.encode(),
        b'{"secret":"\\ud800"}',
        b'{"a":"' + b"x" * (1 << 20) + b'"}',
        b'{ "1" : 1.0, "1" : 1e400 }\n',
    ],
    ids=["NUL", "4 bytes a letter", "lone surrogate", "1 MiB", "as it was written"],
)
async def test_fields_are_kept_byte_for_byte(store, clock, fields):
    task = a_hash(due_at=clock.now(), payload=fields)
    await store.create([task])

    assert (await store.get(task.id)).payload == fields
    assert [each.payload for each in await listed(store)] == [fields]
    (attempt,) = (await store.claim_due({task.pool: 1})).attempts
    assert attempt.payload == fields


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.9999989999+23:59",
        "1970-01-01T00:00:00Z",
        "1969-12-31t23:59:59.999999z",
        "0001-01-01T00:00:00+23:59",
    ],
)
async def test_any_moment_is_kept_to_the_microsecond_and_as_it_was_sent(store, text):
    moment = instants.parse(text)
    task = msgspec.structs.replace(a_task(due_at=0), execution_time=text, execution_at=moment, due_at=moment)
    await store.create([task])
    assert await got(store, task.id) == task
    assert await listed(store) == [task]


async def test_what_was_created_outlives_its_node(store, clock, after_death):
    tasks = [a_task(due_at=clock.now() + 3600 * 10**6), a_hash(due_at=clock.now())]
    await store.create(tasks)
    store = await after_death(store)
    assert [await got(store, task.id) for task in tasks] == tasks
    assert (await store.claim_due({WEBHOOK: 1})).next_due == tasks[0].due_at
