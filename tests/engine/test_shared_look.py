"""All who ask what is overdue share one question a second."""

import asyncio

import pytest

from tasker.errors import StoreUnavailableError
from tasker.model.overdue import OverdueTasks

pytestmark = pytest.mark.anyio


async def test_the_store_is_asked_at_most_once_a_second(bench, clock, monkeypatch):
    questions = []
    ask = bench.store.overdue

    async def counted(**how):
        questions.append(how)
        return await ask(**how)

    monkeypatch.setattr(bench.store, "overdue", counted)
    look = bench.engine.overdue.look
    first, second = await asyncio.gather(look(), look())
    assert first is second
    await clock.advance(0.999)
    assert await look() is first
    assert len(questions) == 1
    await clock.advance(0.001)
    assert (await look()).at == clock.now()
    assert len(questions) == 2


async def test_what_waits_for_a_slot_of_this_node_is_told(bench, clock):
    tasks = [await bench.add("wait", at=1) for _ in range(5)]
    due_at = (await bench.store.get(tasks[0])).due_at
    await clock.advance(11)
    overdue = await bench.engine.overdue.look()
    running = bench.engine.slots.running(bench.types[0].pool)
    assert overdue.by_reason["no_slot"] == OverdueTasks(5 - running, due_at)
    assert overdue.oldest_seconds("no_slot") == 10


async def test_a_store_that_cannot_be_asked_is_told_to_all_and_asked_again_later(bench, clock, monkeypatch):
    with monkeypatch.context() as patched:

        async def refuse(**_):
            raise StoreUnavailableError("out of reach")

        patched.setattr(bench.store, "overdue", refuse)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await bench.engine.overdue.look()
    with pytest.raises(StoreUnavailableError):
        await bench.engine.overdue.look()
    await clock.advance(1)
    assert (await bench.engine.overdue.look()).at == clock.now()
