"""Newer time zones: what waits is moved before the node claims it."""

import asyncio

import pytest
import structlog
from msgspec.structs import replace

from tasker.engine.engine import Engine
from tasker.engine.events import MOST_READ
from tasker.engine.rezoning import AGAIN, LOOK, Rezoning, place
from tasker.engine.telemetry import Telemetry
from tasker.errors import StoreUnavailableError
from tasker.event_filters import Interest
from tasker.interfaces.queue import REZONE_LIMIT
from tasker.model import zones
from tasker.model.instants import SECOND, parse
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

BERLIN = {"local_time": "2126-02-10T09:00:00", "time_zone": "Europe/Berlin"}
RIGHT = parse("2126-02-10T08:00:00Z")
"""When it is so late in Berlin, as this package says."""


@pytest.fixture
async def store():
    store = SqliteStore(":memory:", follow=lambda *_, **__: (), clock=ManualClock())
    await store.open()
    yield store
    await store.close()


def rezoning(store, *, version=zones.VERSION, schedules=0):
    async def reschedule():
        return schedules

    async def moved(ids):
        told.extend(ids)

    rung, told = [], []
    job = Rezoning(store, reschedule=reschedule, moved=moved, ring=lambda: rung.append(True), version=version)
    job.rung, job.told = rung, told
    return job


async def stored(store, count=1, *, version="2000a"):
    """Tasks that zones of a version have placed an hour too early, on a store that has seen it."""
    await store.note_zones(version)
    tasks = [replace(a_task(due_at=RIGHT - 3600 * SECOND), **BERLIN, zones=version) for _ in range(count)]
    await store.create(tasks)
    return tasks


async def until_done(job):
    with structlog.testing.capture_logs() as logs:
        await job.until_done(is_stopped=lambda: False)
    return [{name: value for name, value in log.items() if name != "event"} for log in logs]


async def test_all_that_older_zones_have_placed_is_moved_and_the_log_says_how_many(store):
    tasks = await stored(store, REZONE_LIMIT + 1)
    moved = {"log_level": "info", "zones": zones.VERSION, "before": "2000a", "tasks": len(tasks), "schedules": 3}
    job = rezoning(store, schedules=3)
    assert await until_done(job) == [moved]
    assert sorted(job.told) == sorted(task.id for task in tasks)
    assert {(await store.get(task.id)).due_at for task in tasks} == {RIGHT}
    assert await store.zones() == zones.VERSION
    assert await until_done(rezoning(store)) == [], "it is done once"


async def test_readers_of_events_are_told_of_each_that_has_moved_and_beyond_some_how_many(store):
    engine = Engine(store, (), Telemetry(), rand=lambda: 0.0, rewriting=lambda _: None)
    events = engine.events
    tasks = await stored(store, MOST_READ + 7)
    moving = Rezoning(store, reschedule=engine.schedules.rezone, moved=events.moved_by_zones, ring=lambda: None)
    reader = events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
    events.telling.wanted(60)
    await until_done(moving)
    told = [event for _, event in events.streams.ring.after(0)]
    reader.leave()
    assert {(event.kind.value, event.change, event.due_at) for event in told} == {("changed", "moved_by_zones", RIGHT)}
    ids = {event.id for event in told}
    assert len(ids) == MOST_READ
    assert ids < {task.id for task in tasks}
    assert events.telling._missed == {"changed": 7}


async def test_the_first_start_says_nothing_and_notes_the_version(store):
    await store.create([a_task(due_at=RIGHT)])
    assert await until_done(rezoning(store)) == []
    assert await store.zones() == zones.VERSION


async def test_a_node_with_older_zones_warns_and_moves_nothing(store):
    (older,) = await stored(store)
    (newer,) = await stored(store, version="2099z")
    job = rezoning(store)
    assert await until_done(job) == [{"log_level": "warning", "zones": zones.VERSION, "newest": "2099z"}]
    assert await job.run_once() == LOOK
    for task in (older, newer):
        assert (await store.get(task.id)).due_at == task.due_at
    assert await store.zones() == "2099z"


async def test_what_an_older_node_stores_later_is_moved_within_a_minute_and_rings(store):
    job = rezoning(store)
    assert await job.run_once() == LOOK, "not before the start"
    await until_done(job)
    (task,) = await stored(store)
    assert await job.run_once() == 0 * LOOK
    assert (await store.get(task.id)).due_at == RIGHT
    assert job.rung == [True]
    assert await job.run_once() == LOOK
    assert job.rung == [True]


async def test_while_the_store_cannot_be_reached_it_is_tried_again(store, monkeypatch):
    (task,) = await stored(store)
    rezone, refusals = store.rezone, [StoreUnavailableError("it is away")] * 2

    async def refusing(*arguments):
        if refusals:
            raise refusals.pop()
        return await rezone(*arguments)

    monkeypatch.setattr(store, "rezone", refusing)
    running = asyncio.create_task(until_done(rezoning(store)))
    while not running.done():
        await store.clock.advance(AGAIN.total_seconds())
    assert [log["log_level"] for log in await running] == ["warning", "warning", "info"]
    assert (await store.get(task.id)).due_at == RIGHT


async def test_a_node_that_stops_leaves_the_rest(store):
    (task,) = await stored(store)
    await rezoning(store).until_done(is_stopped=lambda: True)
    assert (await store.get(task.id)).due_at == task.due_at


async def test_a_defect_does_not_keep_the_node_from_claiming(store, monkeypatch):
    async def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(store, "rezone", broken)
    assert [log["log_level"] for log in await until_done(rezoning(store))] == ["error"]


def test_a_zone_or_a_time_that_is_not_known_has_no_place():
    assert place("2027-01-01T00:00:00", "UTC") == parse("2027-01-01T00:00:00Z")
    assert place("2027-01-01T00:00:00", "Mars/Base") is None
    assert place("soon", "UTC") is None
