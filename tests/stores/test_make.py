"""Making tasks that may meet others by their ids or keys."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace
from steps import WEBHOOK, claimed, got, listed, success

from tasker.errors import ConflictsError, IdInUseError, KeyInUseError, TaskRunningError
from tasker.model.instants import SECOND
from tasker.model.new_task import Made, NewTask, OnConflict, Outcome
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOUR = 3_600 * SECOND


def keyed(clock, *, key="order-17", due_in=HOUR, on_conflict="reject", max_wait=None, **members):
    task = replace(a_task(due_at=clock.now() + due_in, **members), key=key, holds_key=True)
    return NewTask(task=task, on_conflict=OnConflict(on_conflict), max_wait=max_wait)


def named(clock, content=b"1" * 32):
    return NewTask(task=replace(a_task(due_at=clock.now() + HOUR), content=content))


async def make(store, new):
    (made,) = await store.make([new])
    return made


async def refusal(store, *new):
    with pytest.raises(ConflictsError) as refused:
        await store.make(new)
    return refused.value.refusals


async def test_one_task_holds_a_key_until_it_ends(store, clock):
    first, second = keyed(clock, due_in=0), keyed(clock)
    assert await make(store, first) == Made(first.task.id, Outcome.CREATED, first.task.execution_at)

    conflict = (await refusal(store, second))[0]
    assert isinstance(conflict, KeyInUseError)
    assert conflict.holder == first.task.id
    attempt = await claimed(store)
    assert isinstance((await refusal(store, second))[0], KeyInUseError)
    await store.settle(attempt, success(clock))
    assert (await make(store, second)).outcome is Outcome.CREATED


async def test_a_key_is_free_once_its_task_is_deleted_or_cancelled(store, clock):
    for free in (store.delete, store.cancel):
        new = keyed(clock)
        await make(store, new)
        await free(new.task.id)
    assert (await make(store, keyed(clock))).outcome is Outcome.CREATED


async def test_keep_changes_nothing(store, clock):
    first = keyed(clock)
    await make(store, first)
    before = await got(store, first.task.id)
    again = keyed(clock, due_in=0, on_conflict="keep", payload=b'{"url":"http://other/"}')
    assert await make(store, again) == Made(first.task.id, Outcome.KEPT, first.task.execution_at)
    assert await got(store, first.task.id) == before


async def test_a_replaced_task_keeps_its_id_and_when_it_was_created_and_nothing_else(store, clock):
    first = keyed(clock, expires_at=clock.now() + 2 * HOUR, host="http://one:80")
    await make(store, first)
    before = await store.get(first.task.id)
    await clock.advance(5)
    new = keyed(clock, due_in=2 * HOUR, on_conflict="replace", payload=b'{"url":"http://two/"}', host="http://two:80")
    assert await make(store, new) == Made(first.task.id, Outcome.REPLACED, new.task.execution_at)
    after = await store.get(first.task.id)
    assert (after.due_at, after.payload, after.expires_at) == (new.task.due_at, new.task.payload, None)
    assert after.created_at == before.created_at
    assert after.revision == before.revision + 1
    assert len(await listed(store)) == 1


async def test_a_running_task_is_not_replaced_and_a_debounced_one_takes_its_key_over(store, clock):
    first = keyed(clock, due_in=0)
    await make(store, first)
    attempt = await claimed(store)
    assert isinstance((await refusal(store, keyed(clock, on_conflict="replace")))[0], TaskRunningError)

    successor = keyed(clock, on_conflict="debounce")
    assert await make(store, successor) == Made(successor.task.id, Outcome.CREATED, successor.task.execution_at)
    await store.settle(attempt, success(clock))
    assert (await got(store, first.task.id)).state is State.DONE
    assert isinstance((await refusal(store, keyed(clock)))[0], KeyInUseError)


async def test_a_task_of_another_type_is_not_replaced(store, clock):
    await make(store, keyed(clock))
    conflict = (await refusal(store, keyed(clock, type_="hash", pool=2, on_conflict="replace")))[0]
    assert isinstance(conflict, KeyInUseError)


async def test_debouncing_waits_no_longer_than_max_wait_after_the_first(store, clock):
    def new():
        return keyed(clock, due_in=10 * SECOND, on_conflict="debounce", max_wait=25 * SECOND)

    start = clock.now()
    assert (await make(store, new())).execution_at == start + 10 * SECOND
    await clock.advance(9)
    assert (await make(store, new())).execution_at == start + 19 * SECOND
    await clock.advance(9)
    made = await make(store, new())
    assert made.execution_at == start + 25 * SECOND
    await clock.advance(20)
    made = await make(store, new())
    assert made.execution_at == clock.now()  # not before
    assert (await got(store, made.id)).due_at == clock.now()


async def test_an_id_and_the_same_content_again_is_the_task_that_is_there(store, clock):
    new = named(clock)
    assert (await make(store, new)).outcome is Outcome.CREATED
    assert await make(store, new) == Made(new.task.id, Outcome.KEPT, new.task.execution_at)
    other = NewTask(task=replace(new.task, content=b"2" * 32))
    assert isinstance((await refusal(store, other))[0], IdInUseError)
    plain = a_task(due_at=clock.now())
    await store.create([plain])
    assert isinstance((await refusal(store, NewTask(task=replace(plain, content=b"1" * 32))))[0], IdInUseError)


async def test_of_several_a_later_one_meets_an_earlier_and_one_that_is_in_the_way_stops_all(store, clock):
    plain = NewTask(task=a_task(due_at=clock.now() + HOUR))
    first, second = keyed(clock), keyed(clock, due_in=2 * HOUR, on_conflict="replace")
    made = await store.make([first, plain, second, keyed(clock, on_conflict="keep")])
    assert [each.outcome for each in made] == [Outcome.CREATED, Outcome.CREATED, Outcome.REPLACED, Outcome.KEPT]
    assert (await got(store, first.task.id)).due_at == second.task.due_at

    conflicts = await refusal(store, keyed(clock, key="free"), keyed(clock), named(clock), keyed(clock, key="free"))
    assert {place: type(conflict) for place, conflict in conflicts.items()} == {1: KeyInUseError, 3: KeyInUseError}
    assert len(await listed(store)) == 2


@pytest.mark.parametrize("on_conflict", ["reject", "keep", "replace", "debounce"])
async def test_of_a_hundred_callers_with_one_key_one_creates(store, clock, on_conflict):
    results = await asyncio.gather(
        *(make(store, keyed(clock, on_conflict=on_conflict)) for _ in range(100)), return_exceptions=True
    )
    other = {"reject": ConflictsError, "keep": Outcome.KEPT}.get(on_conflict, Outcome.REPLACED)
    found = Counter(result.outcome if isinstance(result, Made) else type(result) for result in results)
    assert found == {Outcome.CREATED: 1, other: 99}
    assert len(await listed(store)) == 1
    assert await store.claim_due({WEBHOOK: 5})
