"""What only a store that nodes share can show: several of them at once, and leases that end."""

import asyncio

import pytest
from kinds import Postgres
from steps import WEBHOOK, claimed, running, success

from tasker.errors import ClaimLostError
from tasker.model.task import State
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.store import LEASE, PATIENCE
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes(tmp_path):
    """Makes nodes on one database: ``await nodes.open()``, then ``await nodes.another()``."""
    kind = Postgres(tmp_path)
    opened = []
    kind.another = lambda: _another(kind, opened)
    yield kind
    for store in opened:
        await store.close()
    await kind.close()


async def _another(kind, opened):
    opened.append(kind.store)
    return await kind._open()


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
    await nodes.clock.advance(PATIENCE - 0.000001)
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
    await nodes.clock.advance(PATIENCE)
    assert (await second.take_back()).todo == 1


async def test_a_node_that_stops_leaves_its_tasks_to_the_others_at_once(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(PATIENCE)

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


async def test_a_node_rings_the_others_and_not_itself(nodes):
    first = await nodes.open()
    second = await nodes.another()
    rung = {first: asyncio.Event(), second: asyncio.Event()}
    for store, event in rung.items():
        store.listen(event.set)
    async with asyncio.timeout(20):
        while not rung[second].is_set():
            first.wake_others()
            await nodes.machine.advance(2)
    assert not rung[first].is_set()
