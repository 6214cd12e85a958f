"""Nodes tell each other what happens, while one of them has readers."""

import asyncio

import pytest
from kinds import Postgres
from msgspec.structs import replace

from databases import FOLLOW
from tasker.engine.events import LOOK, Events
from tasker.engine.waiters import Waiters
from tasker.event_filters import Interest
from tasker.model.event import EventChange
from tasker.stores.postgres.bell import WATCH_SECONDS
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes(tmp_path):
    """Makes nodes on one database: the store and the events of each."""
    kind = Postgres(tmp_path)
    opened = []

    async def another():
        store = await kind._open()
        store.listen(lambda: None)
        opened.append(store)
        events = Events(store, Waiters(store, room=10), [])
        store.listen_for_readers(events.telling.wanted)
        await asyncio.sleep(0)  # it asks whether there are others, on a connection that this waits for
        await store._bell.link.run(lambda connection: connection.fetchval("SELECT 1"))
        return events

    kind.another = another
    await kind.open()
    yield kind
    for store in opened:
        await store.close()
    await kind.close()


async def until(condition, machine=None):
    """Return once *condition* holds; let time pass on *machine* until then, whatever is under way when it moves."""
    async with asyncio.timeout(20):
        while not condition():
            if machine is not None:
                await machine.advance(0.1)
            await asyncio.sleep(0.005)  # notifications come in real time


def told(events):
    return [(event.kind.value, event.node, event.id) for _, event in events.streams.ring.after(0)]


def read(events):
    return events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)


async def test_a_reader_is_told_what_happens_on_other_nodes_and_then_nothing_is_told_any_more(nodes):
    first, second = await nodes.another(), await nodes.another()
    await nodes.machine.advance(WATCH_SECONDS)
    assert [first.is_on, second.is_on] == [False, False], "nobody reads"

    reader = read(first)
    await until(lambda: second.is_on, nodes.machine)
    task = replace(a_task(due_at=nodes.clock.now()), tags=("a",))
    second.created(task)
    await second.telling.flush()
    await until(lambda: told(first))
    assert told(first) == [("created", second._node, task.id)]
    ((_, event),) = first.streams.ring.after(0)
    assert tuple(event.tags) == ("a",)

    reader.leave()
    await nodes.machine.advance(WATCH_SECONDS)
    assert not second.is_on, "the first did not say so again"


async def test_a_node_that_starts_tells_until_it_can_know_that_nobody_reads(nodes):
    first = await nodes.another()
    read(first)
    second = await nodes.another()
    assert second.is_on
    second.node(second._node, EventChange.STOPPING)
    await second.telling.flush()
    await until(lambda: told(first))


async def test_many_events_are_told_in_few_notifications_and_in_their_order(nodes):
    first, second = await nodes.another(), await nodes.another()
    read(first)
    tasks = [a_task(due_at=nodes.clock.now()) for _ in range(600)]
    for task in tasks:
        second.created(task)
    await second.telling.flush()
    await until(lambda: len(told(first)) == 500)
    assert [id_ for _, _, id_ in told(first)] == [task.id for task in tasks[:500]]


async def test_what_a_node_could_not_tell_is_told_as_a_gap(nodes):
    first, second = await nodes.another(), await nodes.another()
    reader = read(first)
    parts = reader.parts(None)
    assert b"partial" not in await anext(parts)
    waiting = asyncio.ensure_future(anext(parts))
    await asyncio.sleep(0)
    for _ in range(600):
        second.created(a_task(due_at=nodes.clock.now()))
    await second.telling.flush()
    await until(lambda: any(channel.has_untold for channel in first.streams._channels.values()))
    await nodes.machine.advance(2)
    text = await waiting
    while b"gap" not in text:
        text = await anext(parts)
    assert b'event: gap\ndata: {"counts":{"created":500}}' in text, "400 of the reader's own, and 100"
    reader.leave()


async def test_a_node_whose_connection_broke_begins_anew(nodes):
    first, second = await nodes.another(), await nodes.another()
    reader = read(first)
    parts = reader.parts(None)
    begin = first.streams.id_of(0)
    await anext(parts)
    waiting = asyncio.ensure_future(anext(parts))
    await asyncio.sleep(0)
    await first._store._bell.link.close()
    await until(waiting.done, nodes.machine)
    assert b"event: reset" in waiting.result()
    assert first.streams.id_of(0) != begin
    assert second.is_on
    reader.leave()


async def test_nodes_that_join_and_go_are_told_of(nodes):
    first = await nodes.another()
    read(first)
    assert await first.run_once() == LOOK
    assert told(first) == []
    second = await nodes.another()
    await first.run_once()
    await second._store.close()
    await first.run_once()
    seen = [(event.change, event.node) for _, event in first.streams.ring.after(0)]
    assert seen == [("joined", second._node), ("gone", second._node)]


async def test_without_listening_a_stream_is_partial(nodes):
    store = PostgresStore(nodes._url, follow=FOLLOW, base_clock=nodes.machine, address="", version="0", listens=False)
    await store.open()
    assert "--no-listen" in store.events_partial
    await store.tell_events(["nothing"])
    await store.close()
