"""What only a store that nodes share can show: several of them at once, and leases that end."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace
from shared_gates import session
from steps import SECOND, WEBHOOK, begin, claimed, running, step, success, work

from tasker.errors import ClaimLostError, ConflictsError
from tasker.interfaces.queue import EXPIRE_LIMIT, Expired
from tasker.interfaces.tasks import TaskFilter
from tasker.model.new_task import NewTask, OnConflict, Outcome
from tasker.model.operation import Action
from tasker.model.task import State
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.lease import LEASE, PATIENCE
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

CALLED_BACK = b'{"url":"http://a.example/","body":"x","on_failure":"http://b.example/failed"}'


async def test_nodes_that_claim_at_once_never_take_the_same_task(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    tasks = [a_task(due_at=nodes.clock.now()) for _ in range(600)]
    await stores[0].create(tasks)

    async def claim_all(store):
        taken = []
        while attempts := (await store.claim_due({WEBHOOK: 7})).attempts:
            taken += attempts
        return taken

    taken = await asyncio.gather(*(claim_all(store) for store in stores))

    ids = [attempt.task_id for attempts in taken for attempt in attempts]
    assert sorted(ids) == sorted(task.id for task in tasks)
    assert all(taken), "each has had some"


@pytest.mark.parametrize("on_conflict", OnConflict)
async def test_of_a_hundred_callers_of_three_nodes_with_one_key_one_creates(nodes, on_conflict):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    due_at = nodes.clock.now() + SECOND
    new = [
        NewTask(task=replace(a_task(due_at=due_at), key="order-17", holds_key=True), on_conflict=on_conflict)
        for _ in range(100)
    ]

    came = await asyncio.gather(
        *(stores[place % 3].make([each]) for place, each in enumerate(new)), return_exceptions=True
    )

    made = [each[0] for each in came if not isinstance(each, ConflictsError)]
    assert Counter(each.outcome for each in made)[Outcome.CREATED] == 1
    assert len({each.id for each in made}) == 1
    assert len(made) == (1 if on_conflict is OnConflict.REJECT else 100)
    assert len((await stores[0].list_page(TaskFilter(), after=None, limit=10)).tasks) == 1


async def test_callers_of_two_nodes_with_several_keys_do_not_wait_for_each_other(nodes):
    stores = [await nodes.open(), await nodes.another()]

    def several(names):
        tasks = [replace(a_task(due_at=nodes.clock.now()), key=name, holds_key=True) for name in names]
        return [NewTask(task=task, on_conflict=OnConflict.REPLACE) for task in tasks]

    names = [f"k{number}" for number in range(20)]
    for _ in range(10):
        await asyncio.gather(stores[0].make(several(names)), stores[1].make(several(names[::-1])))

    assert len((await stores[0].list_page(TaskFilter(), after=None, limit=100)).tasks) == 20


async def test_a_node_whose_lease_has_ended_claims_nothing_until_it_has_renewed(nodes):
    store = await nodes.open()
    await store.create([a_task(due_at=nodes.clock.now())])
    await nodes.clock.move(LEASE.total_seconds())
    assert list((await store.claim_due({WEBHOOK: 1})).attempts) == []

    await store.renew()

    assert len((await store.claim_due({WEBHOOK: 1})).attempts) == 1


async def test_what_another_session_has_locked_is_looked_at_again_a_little_later(nodes):
    store = await nodes.open()
    task = a_task(due_at=nodes.clock.now())
    await store.create([task])
    connection = await Connector(nodes._url, is_pooled=False).connect()
    async with connection.transaction():
        await connection.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", task.id)
        locked = await store.claim_due({WEBHOOK: 1})
    assert list(locked.attempts) == []
    assert nodes.clock.now() < locked.next_due <= nodes.clock.now() + 10_000
    assert len((await store.claim_due({WEBHOOK: 1})).attempts) == 1
    await connection.close()


async def test_what_has_expired_and_another_session_has_locked_is_looked_at_again_a_little_later(nodes):
    store = await nodes.open()
    task = a_task(due_at=nodes.clock.now(), expires_at=nodes.clock.now() + 1)
    await store.create([task])
    await nodes.clock.advance(0.000001)
    async with session(nodes) as other, other.transaction():
        await other.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", task.id)
        locked = await store.expire()
    assert locked.count == 0
    assert nodes.clock.now() < locked.next_at <= nodes.clock.now() + 10_000
    assert await store.expire() == Expired(1, None)


async def test_tasks_are_taken_back_when_the_lease_ends_and_not_before(nodes):
    first = await nodes.open()
    attempt = await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(LEASE.total_seconds() - 0.000001)
    assert (await second.take_back()).todo == 0

    await nodes.clock.advance(0.000001)

    assert (await second.take_back()).todo == 1
    assert (await second.get(attempt.task_id)).crashes == 1
    again = await claimed(second)
    with pytest.raises(ClaimLostError):
        await first.settle(attempt, success(nodes.clock))
    await second.settle(again, success(nodes.clock))
    assert (await second.get(attempt.task_id)).state is State.DONE


async def test_nothing_is_taken_back_right_after_the_database_was_found(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    await nodes.clock.move(LEASE.total_seconds())
    second = await nodes.another()
    assert (await second.take_back()).todo == 0, "the first may be about to renew, too"
    await nodes.clock.advance(PATIENCE.total_seconds() - 0.000001)
    assert (await second.take_back()).todo == 0

    await nodes.clock.advance(0.000001)

    assert (await second.take_back()).todo == 1


async def test_after_the_connection_was_lost_a_node_renews_and_waits_before_it_takes_back(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(LEASE.total_seconds())
    second._keeping.drop()
    assert (await second.take_back()).todo == 0, "it has not renewed on the new connection"
    assert (await second.take_back()).todo == 0, "now it has, and the others may be about to"
    await nodes.clock.advance(PATIENCE.total_seconds())
    assert (await second.take_back()).todo == 1


async def test_a_node_that_stops_leaves_its_tasks_to_the_others_at_once(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(PATIENCE.total_seconds())

    await first.close()

    assert (await second.take_back()).todo == 1


async def test_nodes_are_listed_in_the_order_in_which_they_started_with_their_leases(nodes):
    await nodes.open()
    await nodes.clock.advance(1)
    second = await nodes.another()
    await nodes.clock.advance(LEASE.total_seconds() + 1)

    first_node, second_node = await second.nodes()

    assert first_node.started_at < second_node.started_at
    assert first_node.lease_until < nodes.clock.now() < second_node.lease_until


async def test_a_node_is_forgotten_long_after_its_end_unless_it_left_something_behind(nodes):
    await nodes.open()
    second = await nodes.another()
    await nodes.clock.advance(3_600 + LEASE.total_seconds() + 1)
    await second.take_back()
    assert len(await second.nodes()) == 1


async def test_nodes_that_expire_at_once_end_each_task_once(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    count = 2 * EXPIRE_LIMIT + 100
    await stores[0].create(
        [a_task(due_at=nodes.clock.now(), expires_at=nodes.clock.now() + 1, payload=CALLED_BACK) for _ in range(count)]
    )
    await nodes.clock.advance(0.000001)
    found = await asyncio.gather(*(store.expire() for store in stores))
    assert sum(expired.count for expired in found) == count
    parents = "SELECT count(parent_id), count(DISTINCT parent_id) FROM task"
    assert tuple(await nodes.connection.fetchrow(parents)) == (count, count)


async def test_an_operation_is_one_nodes_as_long_as_that_lives(nodes):
    first, clock = await nodes.open(), nodes.clock
    second = await nodes.another()
    tasks = [a_task(due_at=clock.now() + 3_600 * SECOND) for _ in range(10)]
    await first.create(tasks)
    await clock.advance(1)
    operation = await begin(first, clock, Action.POSTPONE, by=SECOND)
    assert await first.next_operation() == operation
    assert await second.next_operation() is None
    assert await step(second, operation) is None, "it is the first node's"
    other = await begin(first, clock, Action.RETRY)
    assert await second.next_operation() == other
    stands = await step(first, operation)
    await clock.move(LEASE.total_seconds())
    await second.renew()
    while other.is_running:
        other = await step(second, other)
    assert await second.next_operation() == stands
    assert await step(first, stands) is None, "its lease has ended, and the second node has taken the operation"
    done = await work(second, stands)
    assert (done.matched, done.changed) == (10, 10)
    assert {(await first.get(task.id)).due_at for task in tasks} == {tasks[0].due_at + SECOND}


async def test_nodes_that_look_at_once_never_take_the_same_operation(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    operation = await begin(stores[0], nodes.clock, Action.CANCEL)
    taken = await asyncio.gather(*(store.next_operation() for store in stores))
    assert [each for each in taken if each is not None] == [operation]


async def test_every_node_says_the_same_of_the_store(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    now = nodes.clock.now()
    await stores[0].create([a_task(due_at=now, host=host) for host in ("http://a:80", "http://b:80") for _ in range(5)])
    await stores[1].pause(await stores[2].make_gate(a_task(due_at=now, host="http://a:80").destination))
    await stores[2].claim_due({WEBHOOK: 2})
    await nodes.clock.advance(7)
    for free in ({WEBHOOK}, ()):
        said = [(await store.overdue(free_pools=free)).by_reason for store in stores]
        assert said[0] == said[1] == said[2]
        assert {reason: each.count for reason, each in said[0].items() if each.count}["paused"] == 5
    assert [(await store.count_gates())["paused"] for store in stores] == [1, 1, 1]
    assert [len(await store.nodes()) for store in stores] == [3, 3, 3]
