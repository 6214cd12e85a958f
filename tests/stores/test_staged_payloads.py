"""Payloads that SQLite stores before their tasks: whatever cuts the work short, none is left behind."""

import asyncio

import apsw
import pytest
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, listed

from databases import FOLLOW
from tasker.errors import RevisionPassedError, StoreUnavailableError
from tasker.ids import new_id
from tasker.model.new_task import NewTask
from tasker.model.schedule import Plan, Schedule, Template
from tasker.model.task import RunKind
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path):
    store = await opened(tmp_path)
    yield store
    await store.close()


async def opened(tmp_path):
    store = SqliteStore(str(tmp_path / "tasks.db"), clock=ManualClock(), follow=FOLLOW)
    await store.open()
    return store


def many(store, count=1_200):
    return [NewTask(task=a_task(due_at=store.clock.now() + SECOND)) for _ in range(count)]


async def rows(store, table):
    """How many rows a table has. The table is one of ours."""
    count = f"SELECT count(*) FROM {table}"
    return await store._write(lambda moves: moves.stager._queries.connection.execute(count).get)


async def staged(store, new):
    """Stage what *new* needs, and go no further."""
    seqs = await store._write(lambda moves: moves.stager.begin(len(new)))
    await store._write(lambda moves: moves.stager.put(seqs, [each.task for each in new]))
    return seqs


async def test_what_was_staged_when_the_process_died_is_removed_at_the_start(store, tmp_path):
    await store.create([a_task(due_at=store.clock.now())])
    await staged(store, many(store))
    await store.create([a_task(due_at=store.clock.now())])
    assert await rows(store, "payload") == 1_202
    await store.close()

    store = await opened(tmp_path)

    assert (await rows(store, "payload"), await rows(store, "staged")) == (2, 0)
    await store.create([a_task(due_at=store.clock.now())])
    assert len(await listed(store)) == 3
    await store.close()


async def test_what_cannot_be_removed_at_the_start_is_in_nobodys_way(store, tmp_path, monkeypatch):
    await staged(store, many(store))
    await store.close()
    monkeypatch.setattr("tasker.stores.sqlite.stager.Stager.sweep", lambda _: (_ for _ in ()).throw(apsw.FullError))

    store = await opened(tmp_path)

    await store.create([a_task(due_at=store.clock.now())])
    assert len(await listed(store)) == 1
    await store.close()


async def test_what_fails_in_between_leaves_nothing(store, monkeypatch):
    def fails(*_):
        raise StoreUnavailableError("a disk on fire")

    for name in ("maker.Maker.make", "stager.Stager.put"):
        with monkeypatch.context() as patched:
            patched.setattr(f"tasker.stores.sqlite.{name}", fails)
            with pytest.raises(StoreUnavailableError):
                await store.make(many(store))
        assert (await rows(store, "payload"), await rows(store, "staged")) == (0, 0)


async def test_the_runs_of_a_backfill_are_staged_too_and_others_write_in_between(store):
    now = store.clock.now()
    plan, payload = Plan(every=SECOND, anchor=now), b'{"url":"http://a/%b"}' % (b"x" * 100_000)
    template = Template(type="webhook", pool=WEBHOOK, payload=Raw(payload))
    new = Schedule(name="a", revision=1, type="webhook", plan=plan, template=template, look_at=None)
    await store.put_schedule(new, None, seen=None)
    seen = await store.schedule("a")
    run = seen.asked_run(now, new_id(now), RunKind.BACKFILL, now=now)
    job = asyncio.create_task(store.add_runs(seen, [replace(run, id=new_id(now + n)) for n in range(99)]))
    between = 0
    while not job.done():
        await store.create([a_task(due_at=now)])
        between += await rows(store, "task") == between + 1
    await job
    assert between > 5, "they did not wait for all of it"
    assert await rows(store, "payload") == await rows(store, "task") > 99
    assert await rows(store, "staged") == 0

    with pytest.raises(RevisionPassedError):
        await store.add_runs(replace(seen, revision=2), [replace(run, id=new_id(now + n)) for n in range(99)])
    assert (await rows(store, "payload"), await rows(store, "staged")) == (await rows(store, "task"), 0)


async def test_a_caller_that_goes_away_leaves_all_or_nothing(store):
    for turns in range(12):
        job = asyncio.create_task(store.make(many(store)))
        for _ in range(turns):
            await asyncio.sleep(0.001)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    await asyncio.gather(*store._jobs)
    assert await rows(store, "payload") == await rows(store, "task")
    assert await rows(store, "task") % 1_200 == 0
