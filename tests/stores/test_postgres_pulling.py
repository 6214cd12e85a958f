"""Callers on several nodes who pull from one queue: each task is one caller's, and nobody waits for ever."""

import asyncio
from datetime import timedelta

import pytest
from steps import SECOND, success

from tasker.interfaces.pulling import LEFT_FOR
from tasker.model.gate import Limits, queue_named
from tasker.stores import queries
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

REPORTS = queue_named("reports")
NONE, LONG = timedelta(0), timedelta(seconds=30)


async def jobs(store, nodes, count):
    tasks = [a_task(due_at=nodes.clock.now(), queue="reports") for _ in range(count)]
    await store.create(tasks)
    return [task.id for task in tasks]


async def pull(store, most=9, *, waited=NONE):
    return await store.pull(REPORTS, most=most, lease=timedelta(minutes=1), waited=waited)


async def ids(store, most=9, *, waited=NONE):
    return [attempt.task_id for attempt in (await pull(store, most, waited=waited)).attempts]


@pytest.mark.parametrize("limits", [Limits(), Limits(max_running=1_000)], ids=["no limit", "a limit"])
async def test_nodes_that_pull_at_once_never_give_out_the_same_task(nodes, limits):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    created = await jobs(stores[0], nodes, 300)
    await stores[0].limit(await stores[0].make_gate(REPORTS), limits)

    async def pull_all(store):
        taken = []
        while len(taken) < len(created):
            found = await pull(store, 7)
            if not found.attempts and (found.next_at is None or found.next_at > nodes.clock.now() + SECOND):
                break
            taken += found.attempts
            if not found.attempts and not await left(store):
                break
        return taken

    async def left(store):
        return (await store.gate(await store.make_gate(REPORTS))).held

    taken = await asyncio.gather(*map(pull_all, stores))
    given = [attempt.task_id for attempts in taken for attempt in attempts]
    assert sorted(given) == sorted(created)


async def test_a_limit_holds_over_all_nodes(nodes):
    stores = [await nodes.open(), await nodes.another()]
    await jobs(stores[0], nodes, 40)
    await stores[0].limit(await stores[0].make_gate(REPORTS), Limits(max_running=5))
    found = await asyncio.gather(*(pull(store, 2) for store in stores * 10))
    assert sum(len(each.attempts) for each in found) == 5


async def test_an_end_that_another_node_is_told_of_makes_room(nodes):
    first, second = await nodes.open(), await nodes.another()
    await jobs(first, nodes, 2)
    await first.limit(await first.make_gate(REPORTS), Limits(max_running=1))
    (attempt,) = (await pull(first)).attempts
    assert await ids(second) == []
    await second.settle(attempt, success(nodes.clock))
    assert len(await ids(first)) == 1


async def test_what_has_come_due_is_left_to_the_node_whose_caller_has_waited_longer(nodes):
    here, there = await nodes.open(), await nodes.another()
    await jobs(here, nodes, 1)
    assert len(await ids(here)) == 1
    assert await ids(there, waited=LONG) == []  # the others know of it from now on
    (task_id,) = await jobs(here, nodes, 1)
    due_at = nodes.clock.now()
    found = await pull(here)
    assert (list(found.attempts), found.next_at) == ([], due_at + LEFT_FOR // timedelta(microseconds=1))
    assert await ids(there, waited=LONG) == [task_id]
    await jobs(here, nodes, 1)
    assert len(await ids(here)) == 1, "nobody waits there any more"


async def test_no_more_is_left_than_one_for_each_such_node(nodes):
    here, there, elsewhere = await nodes.open(), await nodes.another(), await nodes.another()
    await jobs(here, nodes, 1)
    await pull(here)
    for store in (there, elsewhere):
        assert await ids(store, waited=LONG) == []
    created = await jobs(here, nodes, 4)
    assert await ids(here) == created[2:]
    assert await ids(there, 1, waited=LONG) == created[:1]
    assert await ids(elsewhere, 1, waited=LONG) == created[1:2]


async def test_who_has_waited_longer_here_takes_it(nodes):
    here, there = await nodes.open(), await nodes.another()
    await jobs(here, nodes, 1)
    await pull(here)
    assert await ids(there, waited=LONG) == []
    created = await jobs(here, nodes, 1)
    assert await ids(here, waited=2 * LONG) == created


async def test_it_is_left_for_little_more_than_a_second(nodes):
    here, there = await nodes.open(), await nodes.another()
    await jobs(here, nodes, 1)
    await pull(here)
    assert await ids(there, waited=LONG) == []
    created = await jobs(here, nodes, 1)
    await nodes.clock.move(LEFT_FOR.total_seconds() - 0.000_001)
    assert await ids(here) == []
    await nodes.clock.move(0.000_001)
    assert await ids(here) == created


async def test_a_node_that_is_not_heard_of_any_more_is_left_nothing(nodes):
    here, there = await nodes.open(), await nodes.another()
    await jobs(here, nodes, 1)
    await pull(here)
    assert await ids(there, waited=LONG) == []
    await nodes.clock.move(2.5)
    created = await jobs(here, nodes, 1)
    assert await ids(here) == created


async def test_what_room_is_made_of_is_left_as_well(nodes):
    here, there = await nodes.open(), await nodes.another()
    created = await jobs(here, nodes, 2)
    await here.limit(await here.make_gate(REPORTS), Limits(max_running=1))
    (attempt,) = (await pull(here)).attempts
    await nodes.clock.move(10)
    assert await ids(there, waited=LONG) == []
    await here.settle(attempt, success(nodes.clock))
    assert await ids(here) == []
    assert await ids(there, waited=LONG) == created[1:]


async def test_a_pull_of_which_it_is_not_known_whether_it_was_done_is_given_back(nodes):
    store = await nodes.open()
    (task_id,) = await jobs(store, nodes, 1)
    (attempt,) = (await pull(store)).attempts
    gate = await store.make_gate(REPORTS)
    store._puller._unknown[attempt.fence] = gate  # the connection broke before the answer
    (again,) = (await pull(store)).attempts
    assert (again.task_id, again.number) == (task_id, 1)
    assert again.fence != attempt.fence


async def test_the_waiters_of_nodes_that_are_gone_are_forgotten(nodes):
    here, there = await nodes.open(), await nodes.another()
    await jobs(here, nodes, 1)
    await pull(here)
    await pull(there, waited=LONG)
    count = "SELECT count(*) FROM queue_waiter"
    assert await nodes.connection.fetchval(count) == 1
    await nodes.clock.move(61)
    await nodes.connection.execute(queries.load("tasker.stores.postgres")["forget_waiters"])
    assert await nodes.connection.fetchval(count) == 0
