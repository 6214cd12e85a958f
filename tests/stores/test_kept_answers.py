"""The answers that are kept of requests with an idempotency key."""

import asyncio

import pytest
from msgspec.structs import replace
from steps import SECOND, listed

from tasker.errors import TaskExistsError
from tasker.model import instants
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


def a_request(name=b"a", answer=None, retention=10 * SECOND):
    """A request whose answer is *answer*, or the id of the task."""
    return Repeatable(
        id=name * 32, fingerprint=b"f" * 32, answer=lambda task: answer or task.id.encode(), retention=retention
    )


async def test_what_was_made_once_is_not_made_again(store, clock):
    first, second = (a_task(due_at=clock.now() + SECOND) for _ in range(2))

    assert await store.create_once(first, a_request()) == first
    came = await store.create_once(second, a_request())

    assert came == KeptAnswer(b"f" * 32, first.id.encode()) == await store.kept_answer(b"a" * 32)
    assert [task.id for task in await listed(store)] == [first.id]
    assert await store.kept_answer(b"b" * 32) is None


async def test_of_several_at_once_one_is_made(store, clock):
    new = [a_task(due_at=clock.now() + SECOND) for _ in range(20)]

    came = await asyncio.gather(*(store.create_once(each, a_request()) for each in new))

    (made,) = await listed(store)
    assert [each.id for each in came if not isinstance(each, KeptAnswer)] == [made.id]
    assert {each.answer for each in came if isinstance(each, KeptAnswer)} == {made.id.encode()}


async def test_an_answer_outlives_a_death(store, clock, after_death):
    new = a_task(due_at=clock.now() + SECOND)
    await store.create_once(new, a_request(retention=3600 * SECOND))

    store = await after_death(store)

    assert (await store.kept_answer(b"a" * 32)).answer == new.id.encode()


async def test_an_answer_is_kept_until_its_time_and_not_a_microsecond_longer(store, clock):
    due_at = clock.now() + 5 * SECOND
    await store.create_once(a_task(due_at=due_at), a_request())
    await store.create_once(a_task(due_at=due_at - 10 * SECOND), a_request(b"b", retention=20 * SECOND))
    await clock.advance(14.999999)
    assert await store.kept_answer(b"a" * 32) is not None

    await clock.advance(0.000001)

    assert await store.kept_answer(b"a" * 32) is None
    assert await store.kept_answer(b"b" * 32) is not None
    anew = a_task(due_at=clock.now())
    assert await store.create_once(anew, a_request()) == anew
    assert (await store.kept_answer(b"a" * 32)).answer == anew.id.encode()
    await clock.advance(10)
    assert await store.prune_kept_answers() == 2
    assert await store.prune_kept_answers() == 0


async def test_an_answer_to_a_task_at_the_end_of_time_is_kept(store, clock):
    await store.create_once(a_task(due_at=instants.LAST), a_request())

    assert await store.kept_answer(b"a" * 32) is not None


async def test_nothing_is_kept_of_a_request_that_made_nothing(store, clock):
    new = a_task(due_at=clock.now() + SECOND)
    await store.create([new])

    good = a_task(due_at=clock.now() + SECOND)
    failed, made = await asyncio.gather(
        store.create_once(replace(new, payload=b"{}"), a_request()),
        store.create_once(good, a_request(b"b")),
        return_exceptions=True,
    )

    assert isinstance(failed, TaskExistsError)
    assert made == good
    assert {task.id for task in await listed(store)} == {new.id, good.id}
    assert await store.kept_answer(b"a" * 32) is None
