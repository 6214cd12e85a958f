"""Making many tasks at once: all or none, whatever happens in between."""

import asyncio

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, got, listed

from tasker.errors import ConflictsError, IdInUseError
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.new_task import NewTask, OnConflict, Outcome
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

MANY = 1_200
"""More than a store hands over at a time."""
HOUR = 3_600 * SECOND


def many(clock, count=MANY, **members):
    return [
        NewTask(task=replace(a_task(due_at=clock.now() + HOUR + place, host="http://h:80"), **members))
        for place in range(count)
    ]


def keyed(clock, key, on_conflict=OnConflict.REJECT, **members):
    task = replace(a_task(due_at=clock.now() + HOUR, **members), key=key, holds_key=True)
    return NewTask(task=task, on_conflict=on_conflict)


async def test_many_are_stored_in_order_and_can_be_claimed(store, clock):
    new = many(clock)

    made = await store.make(new)

    assert [each.id for each in made] == [each.task.id for each in new] == [each.id for each in await listed(store)]
    assert (await store.get(made[-1].id)).created_at == clock.now()
    await clock.advance(3_601)
    claimed = (await store.claim_due({WEBHOOK: 50})).attempts
    payloads = {each.task.id: each.task.payload for each in new}
    assert claimed
    assert [attempt.payload for attempt in claimed] == [payloads[attempt.task_id] for attempt in claimed]


async def test_one_in_the_way_stops_all_and_leaves_nothing(store, clock):
    first, plain = keyed(clock, "a"), NewTask(task=a_task(due_at=clock.now()))
    await store.make([first, plain])

    for last in (keyed(clock, "a"), plain):
        with pytest.raises(ConflictsError) as refused:
            await store.make([*many(clock), last])
        assert list(refused.value.refusals) == [MANY]
    assert isinstance(refused.value.refusals[MANY], IdInUseError)
    assert {task.id for task in await listed(store)} == {first.task.id, plain.task.id}
    assert len(await store.make(many(clock))) == MANY


async def test_among_many_a_later_one_meets_an_earlier(store, clock):
    first, kept = keyed(clock, "a"), keyed(clock, "a", OnConflict.KEEP)
    replacing = keyed(clock, "a", OnConflict.REPLACE, payload=b'{"url":"http://two/"}')

    made = await store.make([*many(clock, 150), first, *many(clock, 150), kept, replacing])

    assert [made[place].outcome for place in (150, 301, 302)] == [Outcome.CREATED, Outcome.KEPT, Outcome.REPLACED]
    assert {made[place].id for place in (150, 301, 302)} == {first.task.id}
    assert (await got(store, first.task.id)).payload == replacing.task.payload
    assert len(await listed(store)) == 301


async def test_one_that_was_replaced_by_a_later_one_is_known_by_its_id(store, clock):
    first = keyed(clock, "a")
    first = replace(first, task=replace(first.task, content=b"1" * 32))
    await store.make([first, keyed(clock, "a", OnConflict.REPLACE)])

    assert [each.outcome for each in await store.make([first])] == [Outcome.KEPT]


async def test_of_many_keys_each_is_one_tasks_whoever_else_makes_one(store, clock):
    keys = [f"order {number}" for number in range(600)]

    def request(some):
        return store.make([keyed(clock, key, OnConflict.KEEP) for key in some])

    made = await asyncio.gather(request(keys), *(request([key]) for key in keys[::20]), request(keys[::-1]))

    assert len({each.id for came in made for each in came}) == len(await listed(store)) == 600


async def test_many_are_made_once(store, clock):
    def request():
        return Repeatable(id=b"a" * 32, fingerprint=b"f" * 32, answer=lambda made: made[0].id.encode(), retention=HOUR)

    new = many(clock)
    await store.make(new, request())

    came = await store.make(many(clock), request())

    assert came == KeptAnswer(b"f" * 32, new[0].task.id.encode())
    assert len(await listed(store)) == MANY


async def test_many_survive_a_death_and_so_do_those_that_come_after(store, clock, after_death):
    new = many(clock)
    await store.make(new)

    store = await after_death(store)

    assert len(await listed(store)) == MANY
    await store.make(many(clock))
    await store.create([a_task(due_at=clock.now())])
    assert len(await listed(store)) == 2 * MANY + 1


async def test_several_callers_at_once_get_all_that_is_theirs(store, clock):
    batches = [many(clock, 300) for _ in range(4)]
    single = [a_task(due_at=clock.now()) for _ in range(20)]

    made = await asyncio.gather(*map(store.make, batches), *(store.create([each]) for each in single))

    assert [[each.id for each in batch] for batch in made[:4]] == [[each.task.id for each in new] for new in batches]
    assert len(await listed(store)) == 4 * 300 + 20
