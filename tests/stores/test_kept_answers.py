"""The answers that are kept of requests with an idempotency key."""

import asyncio

import pytest
from steps import SECOND, listed

from tasker.errors import TaskExistsError
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


def a_request(name=b"a", answer=b"the answer", retention=10 * SECOND):
    return Repeatable(id=name * 32, fingerprint=b"f" * 32, answer=answer, retention=retention)


async def test_what_was_made_once_is_not_made_again(store, clock):
    first, second = (a_task(due_at=clock.now() + SECOND) for _ in range(2))

    assert await store.create_once([first], a_request(answer=b"1")) is None
    came = await store.create_once([second], a_request(answer=b"2"))

    assert came == KeptAnswer(b"f" * 32, b"1") == await store.kept_answer(b"a" * 32)
    assert [task.id for task in await listed(store)] == [first.id]
    assert await store.kept_answer(b"b" * 32) is None


async def test_of_several_at_once_one_is_made(store, clock):
    new = [a_task(due_at=clock.now() + SECOND) for _ in range(20)]

    came = await asyncio.gather(*(store.create_once([each], a_request(answer=each.id.encode())) for each in new))

    (made,) = await listed(store)
    assert [task.id for task, kept in zip(new, came, strict=True) if kept is None] == [made.id]
    assert {kept.answer for kept in came if kept is not None} == {made.id.encode()}


async def test_an_answer_outlives_a_death(store, clock, after_death):
    new = a_task(due_at=clock.now() + SECOND)
    await store.create_once([new], a_request(retention=3600 * SECOND))

    store = await after_death(store)

    assert (await store.kept_answer(b"a" * 32)).answer == b"the answer"


async def test_an_answer_is_kept_until_its_time_and_not_a_microsecond_longer(store, clock):
    due_at = clock.now() + 5 * SECOND
    await store.create_once([a_task(due_at=due_at)], a_request())
    await store.create_once([a_task(due_at=due_at - 10 * SECOND)], a_request(b"b", retention=20 * SECOND))
    await clock.advance(14.999999)
    assert await store.kept_answer(b"a" * 32) is not None

    await clock.advance(0.000001)

    assert await store.kept_answer(b"a" * 32) is None
    assert await store.kept_answer(b"b" * 32) is not None
    assert await store.create_once([a_task(due_at=clock.now())], a_request(answer=b"anew")) is None
    assert (await store.kept_answer(b"a" * 32)).answer == b"anew"
    await clock.advance(10)
    assert await store.prune_kept_answers() == 2
    assert await store.prune_kept_answers() == 0


async def test_nothing_is_kept_of_a_request_that_made_nothing(store, clock):
    new = a_task(due_at=clock.now() + SECOND)
    await store.create([new])

    good = a_task(due_at=clock.now() + SECOND)
    failed, made = await asyncio.gather(
        store.create_once([new], a_request()), store.create_once([good], a_request(b"b")), return_exceptions=True
    )

    assert isinstance(failed, TaskExistsError)
    assert made is None
    assert {task.id for task in await listed(store)} == {new.id, good.id}
    assert await store.kept_answer(b"a" * 32) is None
