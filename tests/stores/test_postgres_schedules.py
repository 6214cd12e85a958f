"""Schedules on several nodes: whoever comes second at the same moment changes nothing, and nobody waits in a circle."""

import asyncio

import pytest
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK

from tasker.filters import query_of
from tasker.ids import new_id
from tasker.model.schedule import Plan, Schedule, Template, advance, begun, changed
from tasker.model.task import State

pytestmark = pytest.mark.anyio

MINUTE = 60 * SECOND


async def put(store, clock, name="a"):
    now = clock.now()
    schedule = Schedule(
        name=name,
        revision=1,
        type="webhook",
        plan=Plan(every=MINUTE, anchor=now),
        template=Template(type="webhook", pool=WEBHOOK, payload=Raw(b'{"url":"http://a/"}')),
    )
    schedule, run = begun(schedule, after=now, now=now, new_id=new_id)
    await store.put_schedule(schedule, run, seen=None)
    return await store.schedule(name)


async def all_runs(store, name="a"):
    page = await store.find(query_of({"schedule": [name]}), after=None, limit=1000)
    return page.tasks


def change(store, clock, seen):
    now = clock.now()
    schedule, run = changed(seen, replace(seen, revision=seen.revision + 1), now=now, new_id=new_id)
    return store.put_schedule(schedule, run, seen=seen)


async def test_nodes_that_step_at_once_make_each_run_once(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    names = [f"s{number}" for number in range(40)]
    for name in names:
        await put(stores[0], nodes.clock, name)
    for _ in range(3):
        await nodes.clock.advance(60)

        async def step(store):
            due = await store.due_schedules(limit=100)
            steps = [advance(each, now=nodes.clock.now(), new_id=new_id) for each in due.schedules]
            return (await store.advance_schedules(steps)).count

        assert sum(await asyncio.gather(*map(step, stores))) == len(names)
    for name in names:
        times = [task.scheduled_for for task in await all_runs(stores[1], name)]
        assert len(times) == len(set(times)) == 4


async def test_a_run_that_is_being_claimed_while_the_schedule_changes_runs_once_in_its_old_form(nodes):
    store = await nodes.open()
    seen = await put(store, nodes.clock)
    (task,) = await all_runs(store)
    async with nodes.connection.transaction():
        await nodes.connection.execute(
            "UPDATE task SET state = 1, attempts = 1, fence = 7, node = $2 WHERE id = $1", task.id, store.node_id
        )
        changing = asyncio.ensure_future(change(store, nodes.clock, seen))
        await waits_for_a_lock(nodes)
    done = await changing
    assert (list(done.removed), done.run) == ([], None)
    (left,) = await all_runs(store)
    assert (left.id, left.state) == (task.id, State.IN_PROGRESS)
    stands = await store.schedule("a")
    assert stands.look_at < nodes.clock.now(), "the next one is to be made"


async def test_a_run_that_is_cancelled_while_the_schedule_is_written_waits_for_nobody(nodes):
    store = await nodes.open()
    seen = await put(store, nodes.clock)
    (task,) = await all_runs(store)
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM schedule FOR UPDATE")
        assert (await store.cancel(task.id)).is_new
        assert (await store.due_schedules(limit=1)).next_at == seen.next_at
    await nodes.clock.advance(60)
    (due,) = (await store.due_schedules(limit=1)).schedules
    (run,) = (await store.advance_schedules([advance(due, now=nodes.clock.now(), new_id=new_id)])).runs
    assert run.scheduled_for == seen.next_at + MINUTE


async def test_a_change_that_waits_for_a_cancel_makes_no_second_run_for_its_time(nodes):
    store = await nodes.open()
    seen = await put(store, nodes.clock)
    (task,) = await all_runs(store)
    async with nodes.connection.transaction():
        await nodes.connection.execute("UPDATE task SET state = 4, ended_at = tasker_now() WHERE id = $1", task.id)
        changing = asyncio.ensure_future(change(store, nodes.clock, seen))
        await waits_for_a_lock(nodes)
    assert (await changing).run is None
    assert [(each.id, each.state) for each in await all_runs(store)] == [(task.id, State.CANCELLED)]


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def waits_for_a_lock(nodes):
    """Return once a statement of a node waits for a row that this connection has locked."""
    async with asyncio.timeout(10):
        while not await nodes.connection.fetchval(WAITING):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
