"""Callers who wait for the ends of tasks: told at once of those of this node, within a second of all others."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
import structlog

from databases import FOLLOW
from tasker.engine.waiters import APART, ASKED, LOOK, Waiters
from tasker.errors import StoreUnavailableError
from tasker.model.lifecycle import Move, Settlement
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

LOOK_SECONDS, APART_SECONDS = LOOK.total_seconds(), APART.total_seconds()
JUST = 0.000001


class AskedStore(SqliteStore):
    """Notes what it is asked about, and rings when a test says so."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.asked = []
        self.watched = 0
        self.away = False
        self.ring = None

    async def ended(self, task_ids):
        if self.away:
            raise StoreUnavailableError("no connection to it")
        self.asked.append(len(task_ids))
        return await super().ended(task_ids)

    def watch_ends(self, ring):
        self.watched += 1
        self.ring = ring


@pytest.fixture
def store_class():
    return AskedStore


@pytest.fixture
def waiters(bench):
    return bench.engine.waiters


async def by_another(store, task_id):
    """Let a task end as if another node had run it: nobody here is told."""
    await store.cancel(task_id)


class TestInTheEngine:
    async def test_an_end_on_this_node_is_told_at_once(self, bench, clock, waiters):
        done, failed = await bench.add("succeed", at=0.5), await bench.add("fail", at=0.6, max_attempts=1)
        with waiters.joined(done) as first, waiters.joined(done) as second, waiters.joined(failed) as third:
            await clock.advance(0.5 - JUST)
            assert not first.is_set()
            await clock.advance(JUST)
            assert (first.is_set(), second.is_set(), third.is_set()) == (True, True, False)
            await clock.advance(0.1)
            assert third.is_set()
        assert bench.store.asked == []

    async def test_one_that_waits_for_a_retry_has_not_ended(self, bench, clock, waiters):
        task = await bench.add("fail", at=0, max_attempts=2, initial_delay=5.0)
        with waiters.joined(task) as over:
            await clock.advance(2)
            assert (len(bench.starts), over.is_set()) == (1, False)
            await clock.advance(10)
            assert (len(bench.starts), over.is_set()) == (2, True)

    async def test_one_that_is_cancelled_while_it_runs_and_given_back_by_a_drain_has_ended(self, bench, clock, waiters):
        task = await bench.add("hang", at=0)
        await clock.advance(0)
        await bench.store.cancel(task)
        told = []
        tell = waiters.tell
        bench.engine.aftermath._tell_ended = lambda task_id: (told.append(task_id), tell(task_id))
        draining = asyncio.ensure_future(bench.engine.drain(timedelta(0)))
        await clock.advance(10)
        await draining
        assert told == [task]

    async def test_a_drain_lets_nobody_wait_any_longer(self, bench, clock, waiters):
        task = await bench.add("succeed", at=100)
        with waiters.joined(task) as over:
            await bench.engine.drain(timedelta(0))
            assert over.is_set()
        with waiters.joined(task) as over:
            assert over.is_set()

    async def test_all_other_ends_are_found_within_a_second_by_one_look_for_all(self, bench, clock, waiters):
        tasks = [await bench.add("succeed", at=100) for _ in range(5)]
        await clock.advance(10)
        assert bench.store.asked == [], "nobody waits"
        with contextlib.ExitStack() as stack:
            over = [stack.enter_context(waiters.joined(task)) for task in tasks]
            await by_another(bench.store, tasks[0])
            await by_another(bench.store, tasks[1])
            await clock.advance(LOOK_SECONDS)
            assert [event.is_set() for event in over] == [True, True, False, False, False]
            assert bench.store.asked == [5]
            await clock.advance(3 * LOOK_SECONDS)
            assert len(bench.store.asked) == 4
        await clock.advance(10)
        assert len(bench.store.asked) == 4, "nobody waits any more"

    async def test_a_store_that_is_away_is_asked_again(self, bench, clock, waiters):
        task = await bench.add("succeed", at=100)
        with waiters.joined(task) as over, structlog.testing.capture_logs():
            bench.store.away = True
            await clock.advance(5)
            await by_another(bench.store, task)
            bench.store.away = False
            await clock.advance(3)
            assert over.is_set()


@pytest.fixture
async def store(clock):
    store = AskedStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    yield store
    await store.close()


@contextlib.asynccontextmanager
async def looking(store, clock, *, room=10):
    """Waiters whose looks are made for them, as an engine does."""
    waiters = Waiters(store, room=room)

    async def look():
        while True:
            wait = await waiters.run_once()
            over = asyncio.Event()
            clock.call_later(wait.total_seconds(), over.set)
            await over.wait()

    job = asyncio.ensure_future(look())
    yield waiters
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def waiting_task(store, clock):
    task = a_task(due_at=clock.now() + 10**9)
    await store.create([task])
    return task.id


async def test_a_ring_brings_the_next_look_forward_but_looks_stay_a_little_apart(store, clock):
    task, other = await waiting_task(store, clock), await waiting_task(store, clock)
    async with looking(store, clock) as waiters:
        with waiters.joined(task) as first, waiters.joined(other) as second:
            await clock.advance(0)
            await by_another(store, task)
            store.ring()
            await clock.advance(0)
            assert (first.is_set(), second.is_set()) == (True, False)
            await by_another(store, other)
            store.ring()
            await clock.advance(APART_SECONDS - JUST)
            assert not second.is_set()
            await clock.advance(JUST)
            assert second.is_set()


async def test_others_are_asked_again_and_again_to_tell_while_somebody_waits(store, clock):
    task = await waiting_task(store, clock)
    async with looking(store, clock) as waiters:
        await clock.advance(10)
        assert store.watched == 0
        with waiters.joined(task):
            await clock.advance(10)
            assert store.watched == 11
        await clock.advance(10)
        assert store.watched <= 12


async def test_a_task_that_was_deleted_or_never_was_is_told_as_ended(store, clock):
    task = await waiting_task(store, clock)
    async with looking(store, clock) as waiters:
        with waiters.joined(task) as over:
            await clock.advance(LOOK_SECONDS)
            assert not over.is_set()
            await store.delete(task)
            await clock.advance(LOOK_SECONDS)
            assert over.is_set()


async def test_beyond_its_room_nobody_waits_and_who_leaves_makes_room(store, clock):
    task = await waiting_task(store, clock)
    async with looking(store, clock, room=2) as waiters:
        with waiters.joined(task) as first:
            with waiters.joined(task) as second, waiters.joined(task) as third:
                assert (first.is_set(), second.is_set(), third.is_set()) == (False, False, True)
            with waiters.joined(task) as again:
                assert not again.is_set()


async def test_many_are_asked_about_a_part_at_a_time(store, clock):
    tasks = [a_task(due_at=clock.now() + 10**9) for _ in range(ASKED + 1)]
    await store.create(tasks)
    async with looking(store, clock, room=ASKED + 1) as waiters:
        with contextlib.ExitStack() as stack:
            over = [stack.enter_context(waiters.joined(task.id)) for task in tasks]
            await by_another(store, tasks[-1].id)
            await clock.advance(LOOK_SECONDS)
            assert store.asked == [ASKED, 1]
            assert [event.is_set() for event in over] == [False] * ASKED + [True]


async def test_a_settlement_of_another_node_is_found(store, clock):
    task = a_task(due_at=clock.now())
    await store.create([task])
    (attempt,) = (await store.claim_due({task.pool: 1})).attempts
    async with looking(store, clock) as waiters:
        with waiters.joined(task.id) as over:
            await store.settle(attempt, Settlement(move=Move.COMPLETE, started_at=clock.now(), ended_at=clock.now()))
            await clock.advance(LOOK_SECONDS - APART_SECONDS - JUST)
            assert not over.is_set()
            await clock.advance(JUST)
            assert over.is_set()
