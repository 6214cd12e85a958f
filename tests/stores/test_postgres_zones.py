"""Newer time zones on a database that several nodes share."""

import asyncio

import pytest
from msgspec.structs import replace
from steps import SECOND

from tasker.interfaces.queue import REZONE_LIMIT
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

SAID = {"local_time": "2027-03-28T02:30:00", "time_zone": "Europe/Berlin", "zones": "2027a"}


async def test_nodes_that_start_at_once_move_each_task_once(nodes):
    first = await nodes.open()
    second = await nodes.another()
    moment = nodes.clock.now() + 50 * SECOND
    tasks = [replace(a_task(due_at=moment + (1 + n) * SECOND), **SAID) for n in range(2 * REZONE_LIMIT)]
    await first.create(tasks)

    async def rezone(store):
        moved = 0
        while (rezoned := await store.rezone("2027b", lambda *_: moment)).looked_at:
            moved += len(rezoned.moved)
        return moved

    assert sum(await asyncio.gather(rezone(first), rezone(second))) == len(tasks)
    found = [await first.get(task.id) for task in tasks[::100]]
    assert {(task.due_at, task.zones, task.revision) for task in found} == {(moment, "2027b", 1)}


async def test_one_that_another_session_has_locked_is_left_to_it(nodes):
    store = await nodes.open()
    locked, free = [replace(a_task(due_at=nodes.clock.now() + 9 * SECOND), **SAID) for _ in range(2)]
    await store.create([locked, free])
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", locked.id)
        rezoned = await store.rezone("2027b", lambda *_: nodes.clock.now() + SECOND)
    assert (rezoned.looked_at, len(rezoned.moved)) == (1, 1)
    assert (await store.get(locked.id)).zones == "2027a"
