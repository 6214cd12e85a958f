"""Nodes wake each other: when a task is due, and when one ends that somebody waits for."""

import asyncio
import contextlib

import pytest
from steps import another_try, claimed, running, success

from databases import set_manual_clock
from tasker.engine.waiters import Waiters
from tasker.stores.postgres.bell import ENDED, WATCH_SECONDS
from tasker.stores.postgres.lease import PATIENCE
from tasker.testing.task_factory import a_task
from tasker.timing.alarm import sleep

pytestmark = pytest.mark.anyio


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


@contextlib.asynccontextmanager
async def waiting_for(nodes, store, task_id):
    """Wait for the end of a task on the node of *store*, as its engine does. Also keeps the looks that are over."""
    waiters = Waiters(store, room=1)
    looks = []

    async def look():
        while True:
            looks.append(await waiters.run_once())
            await sleep(nodes.machine, looks[-1].total_seconds())

    job = asyncio.ensure_future(look())
    with waiters.joined(task_id) as over:
        yield over, looks
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def until_others_tell(nodes, store):
    """Return once *store* knows that another node wants to hear of ends."""
    async with asyncio.timeout(20):
        while nodes.machine.monotonic() >= store._bell._told_until:
            await nodes.machine.advance(0.1)
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("end", ["settle", "give_back", "cancel", "delete"])
async def test_a_node_that_watches_is_rung_when_a_task_ends_on_another_node(nodes, end):
    first = await nodes.open()
    second = await nodes.another()
    rung = asyncio.Event()
    for store in (first, second):
        store.listen(lambda: None)
    task = a_task(due_at=nodes.clock.now())
    await second.create([task])
    attempt = await claimed(second) if end in ("settle", "give_back") else None
    first.watch_ends(rung.set)
    await until_others_tell(nodes, second)
    match end:
        case "settle":
            await second.settle(attempt, success(nodes.clock))
        case "give_back":
            await second.cancel(task.id)
            await second.give_back(attempt)
        case "cancel":
            await second.cancel(task.id)
        case "delete":
            await second.delete(task.id)
    async with asyncio.timeout(20):
        await rung.wait()


@pytest.mark.parametrize("end", ["settle", "cancel", "delete", "expire", "take_back"])
async def test_without_notifications_a_waiter_hears_within_a_second_of_an_end_on_another_node(nodes, end):
    first = await nodes.open()
    second = await nodes.another()
    task = a_task(due_at=nodes.clock.now(), expires_at=nodes.clock.now() + 1 if end == "expire" else None)
    await second.create([task])
    if end == "take_back":
        await claimed(second)
        await second.cancel(task.id)
        await second._lease.end()
        await nodes.clock.move(PATIENCE.total_seconds() + 1)
        await first.renew()
    async with waiting_for(nodes, first, task.id) as (over, looks):
        await nodes.machine.advance(0)
        match end:
            case "settle":
                await second.settle(await claimed(second), success(nodes.clock))
            case "cancel":
                await second.cancel(task.id)
            case "delete":
                await second.delete(task.id)
            case "expire":
                await set_manual_clock(nodes.connection, nodes.clock.now() + 1)
                assert (await second.expire()).count == 1
            case "take_back":
                assert (await first.take_back()).cancelled == 1
        before = len(looks)
        async with asyncio.timeout(20):
            while not over.is_set():
                await nodes.machine.advance(1)
                await asyncio.sleep(0.001)
        assert len(looks) <= before + 2, "one that was under way, and the next"


async def test_no_end_is_notified_while_nobody_waits(nodes):
    first = await nodes.open()
    second = await nodes.another()
    for store in (first, second):
        store.listen(lambda: None)
    first.watch_ends(lambda: None)
    await until_others_tell(nodes, second)
    notified = []
    second._bell._notify_soon = notified.append
    await nodes.clock.advance(WATCH_SECONDS - 1)
    await second.settle(await running(second, nodes.clock), success(nodes.clock))
    assert notified == [ENDED]
    await second.settle(await running(second, nodes.clock), another_try(nodes.clock))
    assert notified == [ENDED], "it goes on"

    await nodes.clock.advance(WATCH_SECONDS)
    await second.settle(await running(second, nodes.clock), success(nodes.clock))
    await second.cancel((await running(second, nodes.clock)).task_id)
    assert notified == [ENDED]
